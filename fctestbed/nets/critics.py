"""Critics: functions that score pairs (u, v), for all pairs of two sets at once.

Owns the four families. May import torch and the other modules of ``fctestbed.nets``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import ClassVar, Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.nets.cpu_layers import first_layer, runs_compiled
from fctestbed.nets.pair_list import PairGroups
from fctestbed.nets.pairs import listed_pairs, mlp_pairs, relu_dot_pairs, scores_lists
from fctestbed.nets.stack import Stack, StackedLinear, StackedMLP
from fctestbed.nets.temperature import LearnedTemperature

CriticKind = Literal["concat", "separable", "bilinear", "cosine"]
Spread = Callable[[Tensor], Tensor]

FirstArguments = Float[Tensor, "stack rows dim_u"]
SecondArguments = Float[Tensor, "stack columns dim_v"]
RowFeatures = Float[Tensor, "stack rows width"]
"""What a critic computes of each first argument alone."""
ColumnFeatures = Float[Tensor, "stack columns width"]
"""What a critic computes of each second argument alone."""
OwnColumnFeatures = Float[Tensor, "stack rows k width"]
"""The features of k second arguments for each row."""
PairScores = Float[Tensor, "runs all_rows all_columns"]


class Critic(nn.Module, ABC):
    """A score f(u, v) of every pair, for a stack of runs.

    The work on each argument alone is in ``rows`` and ``columns``, the work on each pair in
    ``pairs``.
    """

    expensive_pairs: ClassVar[bool] = False
    """Whether each pair costs a pass through a network, so that pairs that no bound reads are
    better not scored. Otherwise all pairs are one matrix product."""

    @abstractmethod
    def rows(self, u: FirstArguments) -> RowFeatures:
        """Features of first arguments."""

    @abstractmethod
    def columns(self, v: SecondArguments) -> ColumnFeatures:
        """Features of second arguments."""

    @abstractmethod
    def pairs(
        self, rows: RowFeatures, columns: ColumnFeatures, spread: Spread | None = None
    ) -> PairScores:
        """Scores of all pairs, from the features that ``rows`` and ``columns`` returned.

        Both may be gathered into groups: their leading axis is then K * G, run by run, when the
        critic's own stack has K runs. ``spread`` puts scores [K * G, n, n] at their places among a
        run's pairs.
        """

    def pairs_within(
        self, rows: RowFeatures, columns: ColumnFeatures, groups: PairGroups
    ) -> PairScores:
        """Scores of the pairs inside groups at their places among all pairs; what is elsewhere
        means nothing."""
        return self.pairs(groups.gather(rows), groups.gather(columns), groups.spread)

    @abstractmethod
    def matched(
        self, rows: RowFeatures, columns: OwnColumnFeatures
    ) -> Float[Tensor, "stack rows k"]:
        """Scores of every row with k columns of its own."""

    def forward(self, u: FirstArguments, v: SecondArguments) -> Float[Tensor, "stack rows columns"]:
        """scores[k, i, j] = f_k(u[k, i], v[k, j])."""
        return self.pairs(*self.features(u, v))

    def features(self, u: FirstArguments, v: SecondArguments) -> tuple[RowFeatures, ColumnFeatures]:
        """``rows`` of first arguments and ``columns`` of second ones."""
        return self.rows(u), self.columns(v)


class ConcatCritic(Critic):
    """f(u, v) = MLP([u, v]) with ReLU hidden layers (FactorCL, appendix D.1).

    Args:
        stack: the runs.
        dim_u: width of the first argument.
        dim_v: width of the second argument.
        hidden_dims: widths of the hidden layers: (512,) is the paper's critic, (512, 512) the
            official code's.
    """

    expensive_pairs = True

    def __init__(self, stack: Stack, dim_u: int, dim_v: int, hidden_dims: tuple[int, ...]) -> None:
        super().__init__()
        self.dim_u = dim_u
        # One layer for both arguments, so that its initial scale is that of the concatenation.
        self.first = StackedLinear(stack, dim_u + dim_v, hidden_dims[0])
        dims = [*hidden_dims, 1]
        self.rest = nn.ModuleList(
            StackedLinear(stack, n_in, n_out) for n_in, n_out in pairwise(dims)
        )

    def rows(self, u: FirstArguments) -> RowFeatures:
        """The first layer's output for first arguments alone, with its bias."""
        return torch.baddbmm(self.first.bias, u, self.first.weight[:, : self.dim_u])

    def columns(self, v: SecondArguments) -> ColumnFeatures:
        """The first layer's output for second arguments alone, without its bias."""
        return torch.bmm(v, self.first.weight[:, self.dim_u :])

    def features(self, u: FirstArguments, v: SecondArguments) -> tuple[RowFeatures, ColumnFeatures]:
        """The first layer's output for both, in one operation on a CPU."""
        if runs_compiled(u, [self.first.weight]):
            return first_layer(u, v, self.first.weight, self.first.bias)
        return super().features(u, v)

    def pairs(
        self, rows: RowFeatures, columns: ColumnFeatures, spread: Spread | None = None
    ) -> PairScores:
        """Scores of all pairs; hidden layers are held in memory for one tile of pairs at most."""
        *hidden, last = self._rest()
        layers: list[tuple[Tensor, Tensor]] = [
            (layer.weight, layer.bias) for layer in (*hidden, last)
        ]
        groups = rows.shape[0] // self.first.weight.shape[0]
        if groups > 1:
            layers = [
                (weight.repeat_interleave(groups, 0), bias.repeat_interleave(groups, 0))
                for weight, bias in layers
            ]
        *middle, (weight, bias) = layers
        if middle:
            scores = mlp_pairs(rows, columns, middle, weight.squeeze(2))
        else:
            is_padded = spread is not None
            scores = relu_dot_pairs(rows, columns, weight.squeeze(2), is_padded=is_padded)
        # The bias is added after spreading, so that its gradient does not sum over padding.
        return scores + bias if spread is None else spread(scores) + last.bias

    def pairs_within(
        self, rows: RowFeatures, columns: ColumnFeatures, groups: PairGroups
    ) -> PairScores:
        """Scores of the pairs inside groups, one by one where ``listed_pairs`` has a way to."""
        *hidden, last = self._rest()
        layers = [(layer.weight, layer.bias) for layer in hidden]
        if not scores_lists(rows, len(layers)):
            return super().pairs_within(rows, columns, groups)
        pairs = groups.pair_list
        scores = listed_pairs(rows, columns, layers, last.weight.squeeze(2), pairs)
        return pairs.spread(scores) + last.bias

    def matched(
        self, rows: RowFeatures, columns: OwnColumnFeatures
    ) -> Float[Tensor, "stack rows k"]:
        """Scores of every row with k columns of its own."""
        stack, n, k, width = columns.shape
        hidden = (rows.unsqueeze(2) + columns).view(stack, n * k, width)
        *middle, last = self._rest()
        for layer in middle:
            hidden = layer(hidden.relu())
        # A matrix product with a single column would round differently in another stack.
        scores = (hidden.relu() * last.weight.transpose(1, 2)).sum(2) + last.bias.squeeze(2)
        return scores.view(stack, n, k)

    def _rest(self) -> Iterator[StackedLinear]:
        return (cast(StackedLinear, layer) for layer in self.rest)


class _ProductCritic(Critic):
    """f(u, v) = <g(u), h(v)>."""

    def pairs(
        self, rows: RowFeatures, columns: ColumnFeatures, spread: Spread | None = None
    ) -> PairScores:
        """One matrix product."""
        scores = torch.bmm(rows, columns.transpose(1, 2))
        return scores if spread is None else spread(scores)

    def matched(
        self, rows: RowFeatures, columns: OwnColumnFeatures
    ) -> Float[Tensor, "stack rows k"]:
        """Inner products of every row with k columns of its own."""
        return (columns @ rows.unsqueeze(3)).squeeze(3)


class SeparableCritic(_ProductCritic):
    """f(u, v) = <g(u), h(v)> with an MLP on each argument, whose output is as wide as its last
    hidden layer (Oord et al. 2018; the separable critic of Poole et al. 2019)."""

    def __init__(self, stack: Stack, dim_u: int, dim_v: int, hidden_dims: tuple[int, ...]) -> None:
        super().__init__()
        self.g = StackedMLP(stack, (dim_u, *hidden_dims, hidden_dims[-1]))
        self.h = StackedMLP(stack, (dim_v, *hidden_dims, hidden_dims[-1]))

    def rows(self, u: FirstArguments) -> RowFeatures:
        """g(u)."""
        out: Tensor = self.g(u)
        return out

    def columns(self, v: SecondArguments) -> ColumnFeatures:
        """h(v)."""
        out: Tensor = self.h(v)
        return out


class BilinearCritic(_ProductCritic):
    """f(u, v) = u^T W v (the CPC critic, Oord et al. 2018, Eq. 3)."""

    def __init__(self, stack: Stack, dim_u: int, dim_v: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(stack.uniform(dim_u, dim_v, bound=dim_u**-0.5))

    def rows(self, u: FirstArguments) -> RowFeatures:
        """u^T W."""
        return torch.bmm(u, self.weight)

    def columns(self, v: SecondArguments) -> ColumnFeatures:
        """v itself."""
        return v


class CosineCritic(_ProductCritic):
    """f(u, v) = cos(g(u), h(v)) / temperature (SimCLR, Chen et al. 2020).

    Args:
        stack: the runs.
        dim_u: width of the first argument.
        dim_v: width of the second argument.
        temperature: divisor of the similarities.
        learn_temperature: whether it is trained, from ``temperature`` on, and each run has its own.
        normalize: false takes the inner product in place of the cosine, as the official code does.
        width: both arguments are first mapped linearly to this width, if they are not in one
            space; None leaves them as they are.

    Raises:
        ValueError: for arguments of different widths, if ``width`` is None, or a temperature below
            0.01, if it is learned.
    """

    def __init__(
        self,
        stack: Stack,
        dim_u: int,
        dim_v: int,
        *,
        temperature: float,
        learn_temperature: bool = False,
        normalize: bool = True,
        width: int | None = None,
    ) -> None:
        super().__init__()
        if width is None and dim_u != dim_v:
            raise ValueError(f"dim_v: expected {dim_u} (dim_u) if width is None, got {dim_v}")
        self.temperature, self.normalize = temperature, normalize
        self.learned = LearnedTemperature(stack, temperature) if learn_temperature else None
        self.g, self.h = (
            nn.Identity() if width is None else StackedLinear(stack, dim, width)
            for dim in (dim_u, dim_v)
        )

    def rows(self, u: FirstArguments) -> RowFeatures:
        """g(u), normalised to length 1, over the temperature."""
        features = self._normalized(self.g(u))
        return features / self.temperature if self.learned is None else features * self.learned()

    def columns(self, v: SecondArguments) -> ColumnFeatures:
        """h(v), normalised to length 1."""
        return self._normalized(self.h(v))

    def _normalized(self, features: Tensor) -> Tensor:
        return torch.nn.functional.normalize(features, dim=-1) if self.normalize else features
