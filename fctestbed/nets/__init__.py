"""Encoders, heads, critics and fusions with a leading stack axis."""

from fctestbed.nets.critics import (
    BilinearCritic,
    ConcatCritic,
    CosineCritic,
    Critic,
    CriticKind,
    SeparableCritic,
)
from fctestbed.nets.fusion import Fusion, FusionKind, MlpFusion, TransformerFusion
from fctestbed.nets.pairs import mlp_pairs, relu_dot_pairs
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
    "mlp_pairs",
    "relu_dot_pairs",
]
