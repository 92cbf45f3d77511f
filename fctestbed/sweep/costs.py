"""How long the units of a plan will take, from costs that were measured.

May import ``fctestbed.sweep.plan`` and ``fctestbed.training``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch

from fctestbed.nets import Critic
from fctestbed.objectives import NetSpec, find_method
from fctestbed.sweep.plan import Plan, Unit
from fctestbed.sweep.presets import PRESETS
from fctestbed.training import TrainingSpec, TrainSpec, initial_stack

# One core of an idle AMD EPYC, over the runs of the default sweep; a busy one takes twice as long,
# and so may single methods.
_SECONDS_PER_WORK = 0.9e-3
DEFAULT_BASIS = (
    "0.9 ms of an idle core for each unit of work, as the default sweep took, scaled to these "
    "networks and batches; single methods differ by a factor of 2"
)
# A step's cost does not fall below this share of the preset's: calls of torch have a cost.
_LEAST_SCALE = 0.4


@dataclass(frozen=True)
class Estimate:
    """About how long the rest of a sweep takes.

    Attributes:
        seconds: wall time, all workers together.
        basis: what it is computed from, in words.
    """

    seconds: float
    basis: str


def estimate_time(
    plan: Plan, measured: Mapping[str, float], *, device: str, workers: int
) -> Estimate | None:
    """About how long the units of a plan take.

    Args:
        plan: the plan.
        measured: seconds of the runs that the same sweep has done, by run id.
        device: where units are done.
        workers: how many processes do them.

    Returns:
        The estimate; None for a GPU on which no run was measured.
    """
    own = {run_id: seconds for run_id, seconds in measured.items() if run_id in plan.grid.runs}
    if own:
        rates = _measured_rates(plan, own)
        usual = sum(own.values()) / sum(_run_work(plan, run_id) for run_id in own)
        costs = [unit.work * rates.get(unit.method, usual) for unit in plan.units]
        basis = f"the {len(own)} runs that are done here"
    elif device.partition(":")[0] == "cpu":
        scales = {key: _scale(training) for key, training in _kinds(plan.units).items()}
        costs = [_SECONDS_PER_WORK * _scaled_work(unit, scales[_kind(unit)]) for unit in plan.units]
        basis = DEFAULT_BASIS
    else:
        return None
    return Estimate(max(sum(costs) / workers, max(costs, default=0.0)), basis)


def seconds_per_work(plan: Plan, measured: Mapping[str, float]) -> float:
    """Seconds of one core for each unit of work, from runs of a plan that were done one training a
    stack.

    Args:
        plan: the plan.
        measured: seconds of its runs, by run id; at least one.
    """
    work = sum(_run_work(plan, run_id) for run_id in measured)
    return sum(measured.values()) / work


def estimate_from_rate(plan: Plan, rate: float, *, workers: int, basis: str) -> Estimate:
    """About how long the units of a plan take at so many seconds of a core for each unit of work.

    Args:
        plan: the plan.
        rate: what ``seconds_per_work`` gave, of trainings of these sizes.
        workers: how many processes do them.
        basis: what the rate is of, in words.
    """
    costs = [rate * unit.work for unit in plan.units]
    return Estimate(max(sum(costs) / workers, max(costs, default=0.0)), basis)


def _run_work(plan: Plan, run_id: str) -> float:
    """The work of a run in a training of its own, in the units of ``Unit.work``."""
    training = plan.grid.runs[run_id].training
    steps = 0 if training.train is None else training.train.steps
    return find_method(training.method).relative_cost * steps + 360


def _measured_rates(plan: Plan, measured: Mapping[str, float]) -> dict[str, float]:
    """Seconds for each unit of work, by method."""
    seconds: dict[str, float] = {}
    work: dict[str, float] = {}
    for run_id, spent in measured.items():
        method = plan.grid.runs[run_id].training.method
        seconds[method] = seconds.get(method, 0.0) + spent
        work[method] = work.get(method, 0.0) + _run_work(plan, run_id)
    return {method: seconds[method] / work[method] for method in seconds}


def _kind(unit: Unit) -> tuple[object, ...]:
    """What the cost of a unit's step depends on."""
    training = unit.jobs[0].training
    return training.method, training.nets, training.train, training.world.dims


def _kinds(units: Iterable[Unit]) -> dict[tuple[object, ...], TrainingSpec]:
    return {_kind(unit): unit.jobs[0].training for unit in units}


def _scaled_work(unit: Unit, scale: float) -> float:
    """A unit's work, with that of its training scaled."""
    train = unit.jobs[0].training.train
    if train is None or unit.is_trained:
        return unit.work
    steps = find_method(unit.method).relative_cost * train.steps * len(unit.jobs)
    return unit.work + steps * (scale - 1.0)


def _scale(training: TrainingSpec) -> float:
    """How much dearer a training's step is than with the networks and batch of the quick preset."""
    if training.train is None or training.nets is None:
        return 1.0
    nets = NetSpec.model_validate(PRESETS["quick"]["nets"])
    train = TrainSpec.model_validate({**PRESETS["quick"]["train"], "steps": training.train.steps})
    if training.nets == nets and training.train.batch_size == train.batch_size:
        return 1.0
    quick = training.model_copy(update={"nets": nets, "train": train})
    return max(_LEAST_SCALE, _multiplications(training) / _multiplications(quick))


def _multiplications(training: TrainingSpec) -> float:
    """About the multiplications of a training step: of each sample in every network, and of each
    pair in critics that score pairs by a network."""
    module = initial_stack([training], device=torch.device("cpu")).module
    batch = 0 if training.train is None else training.train.batch_size
    samples = sum(parameter.numel() for parameter in module.parameters())
    n_critics = sum(isinstance(part, Critic) and part.expensive_pairs for part in module.modules())
    widths = () if training.nets is None else (*training.nets.critic_hidden, 1)
    pairs = sum(a * b for a, b in pairwise(widths))
    return float(batch * samples + batch**2 * n_critics * pairs)
