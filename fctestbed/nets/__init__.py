"""Encoders, heads and critics with a leading stack axis."""

from fctestbed.nets.critics import ConcatCritic
from fctestbed.nets.pairs import mlp_pairs, relu_dot_pairs
from fctestbed.nets.stack import Stack, StackedLinear, StackedMLP

__all__ = [
    "ConcatCritic",
    "Stack",
    "StackedLinear",
    "StackedMLP",
    "mlp_pairs",
    "relu_dot_pairs",
]
