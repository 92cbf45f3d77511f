"""The fault finder: why a bit was lost, from the exact objective down to the reader."""

from fctestbed.faults.exact import ExactLoss
from fctestbed.faults.explanation import explain
from fctestbed.faults.law import MAX_CELLS, BitLaw, exact_law
from fctestbed.faults.losses import EXACT_LOSSES, exact_loss
from fctestbed.faults.optimum import Optimum, check_optimum, objective_optimum
from fctestbed.faults.population import (
    optimal_club_nats,
    population_club_nats,
    population_conditional_club_nats,
    population_conditional_infonce_nats,
    population_infonce_nats,
    population_nt_xent_nats,
    population_self_nt_xent_nats,
)
from fctestbed.faults.reading import Bits, read_bits
from fctestbed.faults.steps import Step, all_steps, culprit, steps_of

__all__ = [
    "EXACT_LOSSES",
    "MAX_CELLS",
    "BitLaw",
    "Bits",
    "ExactLoss",
    "Optimum",
    "Step",
    "all_steps",
    "check_optimum",
    "culprit",
    "exact_law",
    "exact_loss",
    "explain",
    "objective_optimum",
    "optimal_club_nats",
    "population_club_nats",
    "population_conditional_club_nats",
    "population_conditional_infonce_nats",
    "population_infonce_nats",
    "population_nt_xent_nats",
    "population_self_nt_xent_nats",
    "read_bits",
    "steps_of",
]
