"""Encoders, heads and critics with a leading stack axis."""

from fctestbed.nets.critics import (
    BilinearCritic,
    ConcatCritic,
    CosineCritic,
    Critic,
    CriticKind,
    SeparableCritic,
)
from fctestbed.nets.pairs import mlp_pairs, relu_dot_pairs
from fctestbed.nets.stack import Stack, StackedLinear, StackedMLP

__all__ = [
    "BilinearCritic",
    "ConcatCritic",
    "CosineCritic",
    "Critic",
    "CriticKind",
    "SeparableCritic",
    "Stack",
    "StackedLinear",
    "StackedMLP",
    "mlp_pairs",
    "relu_dot_pairs",
]
