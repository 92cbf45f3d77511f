"""The concat critic: an MLP on [u, v], scored for all pairs.

Owns the critic module. May import ``fctestbed.nets`` only.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.nets.pairs import mlp_pairs, relu_dot_pairs
from fctestbed.nets.stack import Stack, StackedLinear


class ConcatCritic(nn.Module):
    """f(u, v) = MLP([u, v]) for a stack of runs, with ReLU hidden layers (FactorCL, appendix D.1).

    Args:
        stack: the runs.
        dim_u: width of the first argument.
        dim_v: width of the second argument.
        hidden_dims: widths of the hidden layers: (512,) is the paper's critic, (512, 512) the
            official code's.
    """

    def __init__(self, stack: Stack, dim_u: int, dim_v: int, hidden_dims: tuple[int, ...]) -> None:
        super().__init__()
        self.dim_u = dim_u
        # One layer for both arguments, so that its initial scale is that of the concatenation.
        self.first = StackedLinear(stack, dim_u + dim_v, hidden_dims[0])
        dims = [*hidden_dims, 1]
        self.rest = nn.ModuleList(
            StackedLinear(stack, n_in, n_out) for n_in, n_out in pairwise(dims)
        )

    def rows(self, u: Float[Tensor, "stack rows dim_u"]) -> Float[Tensor, "stack rows width"]:
        """The first layer's share of first arguments, with its bias."""
        return torch.baddbmm(self.first.bias, u, self.first.weight[:, : self.dim_u])

    def columns(
        self, v: Float[Tensor, "stack columns dim_v"]
    ) -> Float[Tensor, "stack columns width"]:
        """The first layer's share of second arguments."""
        return torch.bmm(v, self.first.weight[:, self.dim_u :])

    def pairs(
        self,
        rows: Float[Tensor, "groups rows width"],
        columns: Float[Tensor, "groups columns width"],
        spread: Callable[[Tensor], Tensor] | None = None,
    ) -> Float[Tensor, "stack all_rows all_columns"]:
        """Scores of all pairs, from what ``rows`` and ``columns`` gave.

        Both may carry groups: a leading axis of K * G, run by run, when the critic's own stack has
        K runs. ``spread`` then puts scores [K * G, n, n] at their places among a run's pairs.
        """
        groups = rows.shape[0] // self.first.weight.shape[0]
        layers: list[tuple[Tensor, Tensor]] = [(layer.weight, layer.bias) for layer in self._rest()]
        if groups > 1:
            layers = [
                (weight.repeat_interleave(groups, 0), bias.repeat_interleave(groups, 0))
                for weight, bias in layers
            ]
        if len(layers) == 1:
            weight, bias = layers[0]
            scores = relu_dot_pairs(rows, columns, weight.squeeze(2))
            # The bias after spreading, so that its gradient is no sum over padding.
            return scores + bias if spread is None else spread(scores) + next(self._rest()).bias
        scores = mlp_pairs(rows, columns, layers)
        return scores if spread is None else spread(scores)

    def _rest(self) -> Iterator[StackedLinear]:
        return (cast(StackedLinear, layer) for layer in self.rest)

    def forward(
        self, u: Float[Tensor, "stack rows dim_u"], v: Float[Tensor, "stack columns dim_v"]
    ) -> Float[Tensor, "stack rows columns"]:
        """scores[k, i, j] = f_k(u[k, i], v[k, j])."""
        return self.pairs(self.rows(u), self.columns(v))
