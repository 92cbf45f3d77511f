"""Networks with a leading stack axis: linear layers, perceptrons, critics and fusions.

May import torch, numpy and numba only.
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
    "SeparableCritic",
    "Stack",
    "StackedLinear",
    "StackedMLP",
    "TransformerFusion",
]
