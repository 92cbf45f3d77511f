"""Networks with a leading stack axis: K runs of one shape, trained together.

Owns the stacked linear layer and multilayer perceptron. May import torch, numpy and
``fctestbed.nets.cpu_layers``.

A parameter of K runs is one tensor ``[K, ...]``. Every operation is batched over the stack and none
mixes runs, so that a run's result does not depend on the other runs (to rounding).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.nets.cpu_layers import perceptron, runs_compiled


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The runs of a stack: one generator per run for its initialisation, in the runs' order.

    Parameters are drawn on the CPU in single precision, run by run. They therefore do not depend on
    the device or the other runs, and on the precision only by rounding.
    """

    generators: tuple[torch.Generator, ...]
    dtype: torch.dtype = torch.float32

    @property
    def size(self) -> int:
        """Number of runs."""
        return len(self.generators)

    def uniform(self, *shape: int, bound: float) -> Tensor:
        """Uniform numbers in [-bound, bound], shape ``[K, *shape]``, each run from its
        own generator."""
        draws = [
            torch.rand(shape, generator=generator, dtype=torch.float32)
            for generator in self.generators
        ]
        return torch.stack(draws).to(self.dtype).mul_(2 * bound).sub_(bound)


class StackedLinear(nn.Module):
    """K linear maps: [K, n, in] -> [K, n, out].

    Weights are [K, in, out], the transpose of ``torch.nn.Linear``'s, so that the product makes no
    copy. Weights and biases are drawn from U(-1 / sqrt(in), 1 / sqrt(in)), as those of
    ``torch.nn.Linear``.
    """

    def __init__(self, stack: Stack, n_in: int, n_out: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(n_in)
        self.weight = nn.Parameter(stack.uniform(n_in, n_out, bound=bound))
        self.bias = nn.Parameter(stack.uniform(1, n_out, bound=bound))

    def forward(self, x: Float[Tensor, "stack n in"]) -> Float[Tensor, "stack n out"]:
        """The affine map of every run."""
        if runs_compiled(x, [self.weight]):
            each = np.arange(len(x))
            return perceptron(x, [(self.weight, self.bias)], each, each)
        return torch.baddbmm(self.bias, x, self.weight)


class StackedMLP(nn.Module):
    """K multilayer perceptrons with ReLU between layers: [K, n, dims[0]] -> [K, n, dims[-1]]."""

    def __init__(self, stack: Stack, dims: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            StackedLinear(stack, n_in, n_out) for n_in, n_out in pairwise(dims)
        )

    def forward(
        self,
        x: Float[Tensor, "inputs n in"],
        per_input: int = 1,
        chosen: Sequence[int] | None = None,
    ) -> Float[Tensor, "maps n out"]:
        """Outputs of the last layer, without an activation.

        Args:
            x: the inputs, one for each run or for so many consecutive runs.
            per_input: the runs that share an input.
            chosen: which of these are computed, by their place among them; None for all.
        """
        layers = [cast(StackedLinear, layer) for layer in self.layers]
        parameters: list[tuple[Tensor, Tensor]] = [(layer.weight, layer.bias) for layer in layers]
        own = range(per_input) if chosen is None else chosen
        if runs_compiled(x, [weight for weight, _ in parameters]):
            inputs = np.arange(len(x)).repeat(len(own))
            members = inputs * per_input + np.tile(np.array(own), len(x))
            return perceptron(x, parameters, inputs, members)
        if per_input > 1:
            x = x.unsqueeze(1).expand(-1, len(own), -1, -1).flatten(0, 1)
        if chosen is not None:
            of_input = torch.tensor(chosen, device=x.device)
            runs = torch.arange(len(x) // len(own), device=x.device).unsqueeze(1) * per_input
            places = (runs + of_input).flatten()
            parameters = [
                (weight.index_select(0, places), bias.index_select(0, places))
                for weight, bias in parameters
            ]
        *hidden, (weight, bias) = parameters
        for own_weight, own_bias in hidden:
            x = torch.relu_(torch.baddbmm(own_bias, x, own_weight))
        return torch.baddbmm(bias, x, weight)
