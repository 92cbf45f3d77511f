"""Networks with a leading stack axis: linear layers, perceptrons, critics and fusions.

May import torch, numpy, scipy, numba, threadpoolctl and, where it is there, triton only.
"""

from fctestbed.nets.cpu_layers import layers_on_one_thread
from fctestbed.nets.critics import (
    BilinearCritic,
    ConcatCritic,
    CosineCritic,
    Critic,
    CriticKind,
    SeparableCritic,
)
from fctestbed.nets.fusion import Fusion, FusionKind, MlpFusion, TransformerFusion
from fctestbed.nets.pair_list import PairGroups, PairList
from fctestbed.nets.precision import Precision, check_precision, products_in
from fctestbed.nets.stack import Stack, StackedLinear, StackedMLP
from fctestbed.nets.table import MAX_TABLE_BITS, StackedTable, check_table_bits
from fctestbed.nets.temperature import (
    LEAST_TEMPERATURE,
    LearnedTemperature,
    learned_temperatures,
)

__all__ = [
    "LEAST_TEMPERATURE",
    "MAX_TABLE_BITS",
    "BilinearCritic",
    "ConcatCritic",
    "CosineCritic",
    "Critic",
    "CriticKind",
    "Fusion",
    "FusionKind",
    "LearnedTemperature",
    "MlpFusion",
    "PairGroups",
    "PairList",
    "Precision",
    "SeparableCritic",
    "Stack",
    "StackedLinear",
    "StackedMLP",
    "StackedTable",
    "TransformerFusion",
    "check_precision",
    "check_table_bits",
    "layers_on_one_thread",
    "learned_temperatures",
    "products_in",
]
