"""Critics: what scores a pair (u, v), for all pairs of two sets at once.

Owns the four families. May import ``fctestbed.nets`` only.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import ClassVar, Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.nets.pairs import mlp_pairs, relu_dot_pairs
from fctestbed.nets.stack import Stack, StackedLinear, StackedMLP

CriticKind = Literal["concat", "separable", "bilinear", "cosine"]
Spread = Callable[[Tensor], Tensor]


class Critic(nn.Module, ABC):
    """A score f(u, v) of every pair, for a stack of runs.

    What each argument costs alone is in ``rows`` and ``columns``, what a pair costs in ``pairs``.
    """

    dear_pairs: ClassVar[bool] = False
    """Whether a pair costs so much that those outside a group are better left out."""

    @abstractmethod
    def rows(self, u: Float[Tensor, "stack rows dim_u"]) -> Float[Tensor, "stack rows width"]:
        """What the scores need of first arguments."""

    @abstractmethod
    def columns(
        self, v: Float[Tensor, "stack columns dim_v"]
    ) -> Float[Tensor, "stack columns width"]:
        """What the scores need of second arguments."""

    @abstractmethod
    def pairs(
        self,
        rows: Float[Tensor, "groups rows width"],
        columns: Float[Tensor, "groups columns width"],
        spread: Spread | None = None,
    ) -> Float[Tensor, "stack all_rows all_columns"]:
        """Scores of all pairs, from what ``rows`` and ``columns`` gave.

        Both may carry groups: a leading axis of K * G, run by run, when the critic's own stack has
        K runs. ``spread`` then puts scores [K * G, n, n] at their places among a run's pairs.
        """

    @abstractmethod
    def matched(
        self,
        rows: Float[Tensor, "stack rows width"],
        columns: Float[Tensor, "stack rows k width"],
    ) -> Float[Tensor, "stack rows k"]:
        """Scores of every row with k columns of its own."""

    def forward(
        self, u: Float[Tensor, "stack rows dim_u"], v: Float[Tensor, "stack columns dim_v"]
    ) -> Float[Tensor, "stack rows columns"]:
        """scores[k, i, j] = f_k(u[k, i], v[k, j])."""
        return self.pairs(self.rows(u), self.columns(v))


class ConcatCritic(Critic):
    """f(u, v) = MLP([u, v]) with ReLU hidden layers (FactorCL, appendix D.1).

    Args:
        stack: the runs.
        dim_u: width of the first argument.
        dim_v: width of the second argument.
        hidden_dims: widths of the hidden layers: (512,) is the paper's critic, (512, 512) the
            official code's.
    """

    dear_pairs = True

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
        spread: Spread | None = None,
    ) -> Float[Tensor, "stack all_rows all_columns"]:
        """Scores of all pairs; memory never holds pairs x hidden width for more than a tile."""
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

    def matched(
        self,
        rows: Float[Tensor, "stack rows width"],
        columns: Float[Tensor, "stack rows k width"],
    ) -> Float[Tensor, "stack rows k"]:
        """Scores of every row with k columns of its own."""
        stack, n, k, width = columns.shape
        hidden = (rows.unsqueeze(2) + columns).view(stack, n * k, width)
        *middle, last = self._rest()
        for layer in middle:
            hidden = layer(hidden.relu())
        # Not a product with one column: its rounding would tell a run's neighbours.
        scores = (hidden.relu() * last.weight.transpose(1, 2)).sum(2) + last.bias.squeeze(2)
        return scores.view(stack, n, k)

    def _rest(self) -> Iterator[StackedLinear]:
        return (cast(StackedLinear, layer) for layer in self.rest)


class _ProductCritic(Critic):
    """f(u, v) = <g(u), h(v)>."""

    def pairs(
        self,
        rows: Float[Tensor, "groups rows width"],
        columns: Float[Tensor, "groups columns width"],
        spread: Spread | None = None,
    ) -> Float[Tensor, "stack all_rows all_columns"]:
        """One matrix product."""
        scores = torch.bmm(rows, columns.transpose(1, 2))
        return scores if spread is None else spread(scores)

    def matched(
        self,
        rows: Float[Tensor, "stack rows width"],
        columns: Float[Tensor, "stack rows k width"],
    ) -> Float[Tensor, "stack rows k"]:
        """Inner products of every row with k columns of its own."""
        return (columns @ rows.unsqueeze(3)).squeeze(3)


class SeparableCritic(_ProductCritic):
    """f(u, v) = <g(u), h(v)> with an MLP on each argument, as wide at its end as its last hidden
    layer (Oord et al. 2018; the separable critic of Poole et al. 2019)."""

    def __init__(self, stack: Stack, dim_u: int, dim_v: int, hidden_dims: tuple[int, ...]) -> None:
        super().__init__()
        self.g = StackedMLP(stack, (dim_u, *hidden_dims, hidden_dims[-1]))
        self.h = StackedMLP(stack, (dim_v, *hidden_dims, hidden_dims[-1]))

    def rows(self, u: Float[Tensor, "stack rows dim_u"]) -> Float[Tensor, "stack rows width"]:
        """g(u)."""
        out: Tensor = self.g(u)
        return out

    def columns(
        self, v: Float[Tensor, "stack columns dim_v"]
    ) -> Float[Tensor, "stack columns width"]:
        """h(v)."""
        out: Tensor = self.h(v)
        return out


class BilinearCritic(_ProductCritic):
    """f(u, v) = u^T W v (the CPC critic, Oord et al. 2018, Eq. 3)."""

    def __init__(self, stack: Stack, dim_u: int, dim_v: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(stack.uniform(dim_u, dim_v, bound=dim_u**-0.5))

    def rows(self, u: Float[Tensor, "stack rows dim_u"]) -> Float[Tensor, "stack rows dim_v"]:
        """u^T W."""
        return torch.bmm(u, self.weight)

    def columns(
        self, v: Float[Tensor, "stack columns dim_v"]
    ) -> Float[Tensor, "stack columns dim_v"]:
        """v itself."""
        return v


class CosineCritic(_ProductCritic):
    """f(u, v) = cos(g(u), h(v)) / temperature (SimCLR, Chen et al. 2020).

    Args:
        stack: the runs.
        dim_u: width of the first argument.
        dim_v: width of the second argument.
        temperature: divisor of the similarities.
        normalize: false takes the inner product for the cosine, as the official code does.
        width: both arguments are first mapped linearly to this width, for arguments that do not
            live in one space; None leaves them as they are.

    Raises:
        ValueError: without a width, for arguments of different widths.
    """

    def __init__(
        self,
        stack: Stack,
        dim_u: int,
        dim_v: int,
        *,
        temperature: float,
        normalize: bool = True,
        width: int | None = None,
    ) -> None:
        super().__init__()
        if width is None and dim_u != dim_v:
            raise ValueError(f"dim_v: expected {dim_u}, as dim_u without a width, got {dim_v}")
        self.temperature, self.normalize = temperature, normalize
        self.g, self.h = (
            nn.Identity() if width is None else StackedLinear(stack, dim, width)
            for dim in (dim_u, dim_v)
        )

    def rows(self, u: Float[Tensor, "stack rows dim_u"]) -> Float[Tensor, "stack rows width"]:
        """g(u) of length 1, over the temperature."""
        return self._directed(self.g(u)) / self.temperature

    def columns(
        self, v: Float[Tensor, "stack columns dim_v"]
    ) -> Float[Tensor, "stack columns width"]:
        """h(v) of length 1."""
        return self._directed(self.h(v))

    def _directed(self, features: Tensor) -> Tensor:
        return torch.nn.functional.normalize(features, dim=-1) if self.normalize else features
