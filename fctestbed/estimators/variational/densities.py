"""Learned densities q(y | x): mixtures of diagonal Gaussians, or of products of categoricals.

Owns the module. May import torch only.

Both are exponential families: log q(y | x, k) = T(y) . eta_k(x) - A_k(x), so that all pairs of a
batch are one matrix product.
"""

import math

import torch
from torch import Tensor, nn

from fctestbed.estimators.variational.networks import Mlp

# Standard deviations between exp(-4) and exp(4) of the scaled y's.
_LOG_VARIANCE_LIMIT = 8.0
# Spread of the components' initial means, in standard deviations of y (of logits, for classes):
# apart, and together near a standard normal, which is where scaled columns are.
_SPREAD = 0.3


class Density(nn.Module):
    """q(y | x) with parameters that an MLP gives from x.

    Args:
        dim_x: width of x; 0 for a density of y alone.
        dim_y: width of y.
        y_classes: sizes of y's one-hot groups; empty for real columns.
        components: of the mixture.
        hidden: widths of the MLP's hidden layers.
        dropout: as in ``Mlp``.
        generator: of the initial weights.
    """

    def __init__(
        self,
        dim_x: int,
        dim_y: int,
        y_classes: tuple[int, ...],
        *,
        components: int,
        hidden: tuple[int, ...],
        dropout: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.dim_y, self.y_classes, self.components = dim_y, y_classes, components
        self.width = dim_y if y_classes else 2 * dim_y
        outputs = components * (1 + self.width)
        self.marginal = dim_x == 0
        dims = (1, outputs) if self.marginal else (dim_x, *hidden, outputs)
        self.net = Mlp(dims, dropout=dropout, generator=generator)
        if components > 1:
            # Components that start alike would stay alike.
            last = self.net.layers[-1]
            assert isinstance(last, nn.Linear)
            with torch.no_grad():
                bias = last.bias.view(components, 1 + self.width)
                bias[:, 1 : 1 + dim_y].normal_(0.0, _SPREAD, generator=generator)

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
