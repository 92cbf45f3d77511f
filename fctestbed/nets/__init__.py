"""Networks with a leading stack axis: linear layers, perceptrons, critics and fusions.

May import torch, numpy, numba and, where it is there, triton only.
"""

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

__all__ = [
    "BilinearCritic",
    "ConcatCritic",
    "CosineCritic",
    "Critic",
    "CriticKind",
    "Fusion",
    "FusionKind",
    "MlpFusion",
    "PairGroups",
    "PairList",
    "Precision",
    "SeparableCritic",
    "Stack",
    "StackedLinear",
    "StackedMLP",
    "TransformerFusion",
    "check_precision",
    "products_in",
]
