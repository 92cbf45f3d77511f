"""Small networks of the trained estimators: an MLP with a linear path, two critics and a density.

May import torch only. Every random number comes from a given generator.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor, nn

# Without gradients a concat critic computes its pair scores in tiles of so many numbers.
_TILE_ELEMENTS = 1 << 24
# Log variances of the scaled y are between these in size.
_LOG_VARIANCE_LIMIT = 8.0
# Spread of the components' initial means, in standard deviations of y (of logits, for classes):
# apart, and together near a standard normal, like scaled columns.
_SPREAD = 0.3


@dataclass(frozen=True)
class Hidden:
    """The hidden layers of a network.

    Attributes:
        widths: their widths.
        dropout: share of hidden units that are dropped in training.
        generator: draws the initial weights of the whole network.
    """

    widths: tuple[int, ...]
    dropout: float
    generator: torch.Generator


class Critic(Protocol):
    """f(x_i, y_j) of all pairs."""

    def __call__(self, x: Tensor, y: Tensor, noise: torch.Generator | None = None) -> Tensor:
        """Scores [..., n, m] of x [..., n, dim_x] and y [..., m, dim_y]; ``noise`` draws the
        dropout of a training step."""


class Mlp(nn.Module):
    """ReLU layers plus a linear path from input to output.

    With the linear path a few thousand samples are enough to fit linear dependence; hidden layers
    alone overfit first (20 Gaussian pairs, n = 5000: 1.8 nats without it, 2.6 with it, of 2.88).

    Args:
        dim_in: width of the input.
        dim_out: width of the output.
        hidden: the layers between; weights are uniform within 1/sqrt(inputs).
    """

    def __init__(self, dim_in: int, dim_out: int, hidden: Hidden) -> None:
        super().__init__()
        dims = (dim_in, *hidden.widths, dim_out)
        self.layers = nn.ModuleList(_linear(*pair, hidden.generator) for pair in pairwise(dims))
        self.straight = _linear(dim_in, dim_out, hidden.generator, bias=False)
        self.dropout = hidden.dropout

    def forward(self, x: Tensor, noise: torch.Generator | None = None) -> Tensor:
        """Outputs of inputs [..., dim_in]."""
        hidden = x
        for layer in self.layers[:-1]:
            hidden = _dropped(layer(hidden).relu(), self.dropout, noise)
        out: Tensor = self.layers[-1](hidden) + self.straight(x)
        return out


class SeparableCritic(nn.Module):
    """f(x, y) = g(x) . h(y) / sqrt(embed_dim): all pairs by one matrix product.

    Args:
        dim_x: width of x.
        dim_y: width of y.
        hidden: hidden layers of g and of h.
        embed_dim: width of their outputs.
    """

    def __init__(self, dim_x: int, dim_y: int, hidden: Hidden, *, embed_dim: int) -> None:
        super().__init__()
        self.g, self.h = (Mlp(dim, embed_dim, hidden) for dim in (dim_x, dim_y))
        self.scale = embed_dim**-0.5

    def forward(self, x: Tensor, y: Tensor, noise: torch.Generator | None = None) -> Tensor:
        """As ``Critic``."""
        scores: Tensor = self.g(x, noise) @ self.h(y, noise).transpose(-1, -2) * self.scale
        return scores


class ConcatCritic(nn.Module):
    """f(x, y) = MLP([x, y]) of all pairs; its first layer is computed for x and y separately.

    Args:
        dim_x: width of x.
        dim_y: width of y.
        hidden: the hidden layers.
    """

    def __init__(self, dim_x: int, dim_y: int, hidden: Hidden) -> None:
        super().__init__()
        self.dim_x = dim_x
        self.first = _linear(dim_x + dim_y, hidden.widths[0], hidden.generator)
        rest = pairwise((*hidden.widths, 1))
        self.rest = nn.ModuleList(_linear(*pair, hidden.generator) for pair in rest)
        self.dropout = hidden.dropout

    def forward(self, x: Tensor, y: Tensor, noise: torch.Generator | None = None) -> Tensor:
        """As ``Critic``."""
        rows = nn.functional.linear(x, self.first.weight[:, : self.dim_x], self.first.bias)
        columns = nn.functional.linear(y, self.first.weight[:, self.dim_x :])
        if torch.is_grad_enabled():
            return self._tile(rows, columns, noise)
        step = max(1, _TILE_ELEMENTS // (columns.shape[-2] * columns.shape[-1]))
        tiles = [self._tile(part, columns, None) for part in rows.split(step, -2)]
        return torch.cat(tiles, -2)

    def _tile(self, rows: Tensor, columns: Tensor, noise: torch.Generator | None) -> Tensor:
        hidden = (rows.unsqueeze(-2) + columns.unsqueeze(-3)).relu()
        for layer in self.rest[:-1]:
            hidden = layer(_dropped(hidden, self.dropout, noise)).relu()
        scores: Tensor = self.rest[-1](_dropped(hidden, self.dropout, noise)).squeeze(-1)
        return scores


class Density(nn.Module):
    """A density q(y | x): a mixture of diagonal Gaussians, or of products of categoricals.

    Both are exponential families: log q(y | x, k) = T(y) . eta_k(x) - A_k(x), so that all pairs of
    a batch are one matrix product.

    Args:
        dim_x: width of x; 0 for a density of y alone, which is then a few numbers.
        dim_y: width of y.
        y_classes: sizes of y's one-hot groups; empty for real columns.
        hidden: hidden layers of the MLP that gives the parameters from x.
        components: number of components of the mixture.
    """

    def __init__(
        self,
        dim_x: int,
        dim_y: int,
        y_classes: tuple[int, ...],
        hidden: Hidden,
        *,
        components: int,
    ) -> None:
        super().__init__()
        self.dim_y, self.y_classes, self.components = dim_y, y_classes, components
        self.width = dim_y if y_classes else 2 * dim_y
        outputs = components * (1 + self.width)
        self.marginal = dim_x == 0
        if self.marginal:
            self.net = Mlp(1, outputs, Hidden((), hidden.dropout, hidden.generator))
        else:
            self.net = Mlp(dim_x, outputs, hidden)
        if components > 1:
            # Components with equal initial parameters would stay equal.
            last = self.net.layers[-1]
            assert isinstance(last, nn.Linear)
            with torch.no_grad():
                bias = last.bias.view(components, 1 + self.width)
                bias[:, 1 : 1 + dim_y].normal_(0.0, _SPREAD, generator=hidden.generator)

    def log_matrix(self, x: Tensor, y: Tensor) -> Tensor:
        """log q(y_j | x_i) in row i, column j, in nats, for a density of one component."""
        assert self.components == 1
        log_weights, eta, log_normaliser = self._natural(x, None)
        assert log_weights.shape[-1] == 1
        return eta.squeeze(-2) @ self._statistics(y).transpose(-1, -2) - log_normaliser

    def log_density(self, x: Tensor, y: Tensor, noise: torch.Generator | None = None) -> Tensor:
        """log q(y_i | x_i), in nats, [n]."""
        log_weights, eta, log_normaliser = self._natural(x, noise)
        each = (eta * self._statistics(y).unsqueeze(-2)).sum(-1) - log_normaliser
        return (log_weights + each).logsumexp(-1)

    def log_probabilities(self, x: Tensor) -> tuple[Tensor, ...]:
        """log q(class | x) of each one-hot group, in nats, [n, classes] each; one component."""
        assert self.components == 1
        assert self.y_classes
        _, eta, _ = self._natural(x, None)
        return tuple(group.log_softmax(-1) for group in eta.squeeze(-2).split(self.y_classes, -1))

    def _statistics(self, y: Tensor) -> Tensor:
        return y if self.y_classes else torch.cat([y, -0.5 * y.square()], -1)

    def _natural(self, x: Tensor, noise: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
        """Log weights [n, k], natural parameters [n, k, width], log normalisers [n, k]."""
        inputs = x.new_ones(len(x), 1) if self.marginal else x
        raw = self.net(inputs, noise).view(len(x), self.components, 1 + self.width)
        log_weights = raw[..., 0].log_softmax(-1)
        if self.y_classes:
            groups = raw[..., 1:].split(self.y_classes, -1)
            return log_weights, raw[..., 1:], sum(group.logsumexp(-1) for group in groups)
        mean, spread = raw[..., 1:].split(self.dim_y, -1)
        log_variance = _LOG_VARIANCE_LIMIT * (spread / _LOG_VARIANCE_LIMIT).tanh()
        precision = (-log_variance).exp()
        squares = mean.square() * precision + log_variance + math.log(2 * math.pi)
        eta = torch.cat([mean * precision, precision], -1)
        return log_weights, eta, 0.5 * squares.sum(-1)


def _linear(n_in: int, n_out: int, generator: torch.Generator, *, bias: bool = True) -> nn.Linear:
    """A linear layer whose weights are uniform within 1/sqrt(n_in), as torch's own are."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, n_in, n_out, bias=bias)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(-(n_in**-0.5), n_in**-0.5, generator=generator)
    return layer


def _dropped(hidden: Tensor, share: float, noise: torch.Generator | None) -> Tensor:
    """Dropout by a generator; without one, ``hidden`` itself."""
    if noise is None or share == 0:
        return hidden
    kept = torch.rand(hidden.shape, generator=noise, dtype=hidden.dtype) >= share
    return hidden * kept.to(hidden) / (1 - share)
