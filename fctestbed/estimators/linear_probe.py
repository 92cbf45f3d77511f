"""Linear probes: their fit and their held-out cross-entropies.

May import torch, ``fctestbed.information``, ``convex``, ``features`` and ``probe_losses``.

A probe q(w | z) fitted on one sample and evaluated on another gives H(W) - E[-log2 q(W | Z)], a
lower bound on I(Z; W) in expectation, because the cross-entropy is at least H(W | Z) for any q
(Barber and Agakov 2003; Xu et al. 2020).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.estimators.convex import minimisers
from fctestbed.estimators.features import Rows, whitened
from fctestbed.estimators.probe_losses import LogisticLoss, ProbeLoss, SoftmaxLoss
from fctestbed.information import nats_to_bits

_MAX_ITERATIONS = 200
# Iterations before the curvature of what is left is worth its cost: products of 161 columns with
# themselves cost as much as ten iterations.
_FIRST_ITERATIONS = 4
# Rows that it is taken from.
_CURVATURE_ROWS, _ROWS_PER_FEATURE = 1024, 12
# One over the curvature along the start, above which that of other directions may be far lower.
_FLAT_INVERSE = 16.0
# Features whose logits and gradients are computed at once, half a megabyte, in rows at least.
_BLOCK_CELLS, _FEWEST_ROWS = 1 << 17, 512
# Nats of a probe's loss. An iteration more lowers it by about so much, a hundredth of what fitting
# on samples costs.
_TOLERANCE_NATS = 4e-7
# The scale of the start is found on so many rows or a little more.
_START_ROWS = 2048
_LENGTH_STEPS = 6
_LARGEST_START = 200.0
_LEAST = 1e-12
# One over the largest curvature of a logistic loss on features of unit variance (Boehning 1992),
# and of one whose samples are nearly all predicted.
_LEAST_INVERSE, _MOST_INVERSE = 4.0, 400.0


@dataclass(frozen=True, kw_only=True)
class LinearProbe:
    """Settings of the probes.

    Attributes:
        ridge: penalty on half the squared weights, per sample, on whitened features. It keeps
            weights finite where the classes can be separated, and costs less than its value in
            nats.

    Raises:
        ValueError: if the ridge is not above 0.
    """

    ridge: float = 1e-4

    def __post_init__(self) -> None:
        if not 0 < self.ridge < math.inf:
            raise ValueError(f"ridge: expected a number above 0, got {self.ridge}")

    def bits(
        self, z_fit: Tensor, w_fit: Tensor, z_eval: Tensor, w_eval: Tensor
    ) -> NDArray[np.float64]:
        """Held-out cross-entropies of logistic probes, one for each bit.

        Args:
            z_fit: representations to fit on, [n_fit, dim].
            w_fit: bits to predict from them, 0 or 1, [n_fit, n_bits].
            z_eval: held-out representations, [n_eval, dim].
            w_eval: their bits, [n_eval, n_bits].

        Returns:
            -log2 q(bit | z), in bits, [n_eval, n_bits]; under 1 where a probe predicts the bit.

        Raises:
            ValueError: one line, for arrays of other shapes, representations that are not finite,
                or targets other than 0 and 1.
        """
        return self.reader(z_fit, z_eval).bits(w_fit, w_eval)

    def classes(
        self, z_fit: Tensor, y_fit: Tensor, z_eval: Tensor, n_classes: int
    ) -> NDArray[np.float64]:
        """Held-out class probabilities of a multinomial logistic probe.

        Args:
            z_fit: representations to fit on, [n_fit, dim].
            y_fit: their classes, [n_fit].
            z_eval: held-out representations, [n_eval, dim].
            n_classes: number of classes.

        Returns:
            log2 q(class | z), in bits, [n_eval, n_classes].

        Raises:
            ValueError: one line, for arrays of other shapes, representations that are not finite,
                or classes outside [0, n_classes).
        """
        return self.reader(z_fit, z_eval).classes(y_fit, n_classes)

    def reader(self, z_fit: Tensor, z_eval: Tensor) -> "ProbeReader":
        """Prepare representations once, for several variables to be predicted from them.

        Args:
            z_fit: representations to fit on, [n_fit, dim].
            z_eval: held-out representations, [n_eval, dim].

        Raises:
            ValueError: one line, for arrays of other shapes or numbers that are not finite.
        """
        check_representations(z_fit, z_eval)
        return ProbeReader(*whitened(z_fit, z_eval), self.ridge)


class ProbeReader:
    """Whitened representations for the fit and the evaluation of probes; made by ``reader``."""

    def __init__(self, fit: Rows, held_out: Rows, ridge: float) -> None:
        self._fit, self._held_out, self._ridge = fit, held_out, ridge
        self._counts = fit.counts

    def on(self, rows: NDArray[np.int64], ridge: float) -> "ProbeReader":
        """The reader whose probes are fitted on some of the samples, with another ridge; features
        stay whitened by all samples, which needs no labels.

        Args:
            rows: indices of the samples to fit on, [n].
            ridge: as in ``LinearProbe``.
        """
        some = torch.from_numpy(rows).to(self._fit.values.device)
        places = some if self._fit.of_sample is None else self._fit.of_sample[some]
        return ProbeReader(Rows(self._fit.values[places]), self._held_out, ridge)

    def bits(self, w_fit: Tensor, w_eval: Tensor) -> NDArray[np.float64]:
        """As ``LinearProbe.bits``."""
        check_bits("w_fit", w_fit, self._fit.n_samples)
        check_bits("w_eval", w_eval, self._held_out.n_samples, w_fit.shape[1])
        loss = LogisticLoss(self._counts, self._fit.summed(w_fit).T)
        logits = self._held_out.by_sample(self._held_out.values @ self._bit_weights(loss).T)
        margins = logits.mul_(1.0 - 2.0 * w_eval.to(logits))
        return nats_to_bits(torch.nn.functional.softplus(margins).double().cpu().numpy())

    def classes(self, y_fit: Tensor, n_classes: int) -> NDArray[np.float64]:
        """As ``LinearProbe.classes``."""
        check_classes(y_fit, self._fit.n_samples, n_classes)
        one_hot = torch.nn.functional.one_hot(y_fit.long(), n_classes)
        loss = SoftmaxLoss(self._counts, self._fit.summed(one_hot).T.contiguous())
        start, inverse_curvature = self._start(loss)
        flat, _ = self._search(loss, start, inverse_curvature)
        logits = self._held_out.values @ flat.view(n_classes, -1).T
        logs = self._held_out.by_sample(logits.double().log_softmax(1))
        return nats_to_bits(logs.cpu().numpy())

    def _bit_weights(self, loss: LogisticLoss) -> Tensor:
        """Weights [n_outputs, n_features] of the probes of bits.

        A few iterations are enough where a bit can hardly be read: on whitened features the
        curvature is then nearly that of every direction. The others go on in coordinates in which
        their curvature is.
        """
        start, inverse_curvature = self._start(loss)
        weights, is_done = self._search(
            loss, start, inverse_curvature, max_iterations=_FIRST_ITERATIONS
        )
        left = (~is_done | (inverse_curvature > _FLAT_INVERSE)).nonzero().squeeze(1)
        if len(left):
            weights[left] = self._in_own_coordinates(loss.of_problems(left), weights[left])
        return weights

    def _in_own_coordinates(self, loss: LogisticLoss, start: Tensor) -> Tensor:
        """Weights found in coordinates in which the curvature at the start, as some of the rows
        have it, is 1 in each direction."""
        features = self._fit.values
        n_features = features.shape[1]
        stride = max(1, len(features) // max(_CURVATURE_ROWS, _ROWS_PER_FEATURE * n_features))
        some = features[::stride]
        curvatures = loss.of_rows(stride).curvatures(start @ some.T).sqrt_()
        hessians = torch.stack(
            [scaled.T @ scaled for scaled in (some * own.unsqueeze(1) for own in curvatures)]
        ).double()
        ridge = hessians.new_full((n_features,), self._ridge)
        # The constant has none, but its curvature may be rounding.
        ridge[-1] = _LEAST
        factors = torch.linalg.cholesky(hessians + ridge.diag())
        identity = torch.eye(n_features).to(factors).expand_as(factors)
        inverse = torch.linalg.solve_triangular(factors, identity, upper=False).to(features)
        own = (factors.mT.to(features) @ start.unsqueeze(2)).squeeze(2)
        ones = own.new_ones(len(own))
        found, _ = self._search(loss, own, ones, inverse=inverse)
        return (inverse.mT @ found.unsqueeze(2)).squeeze(2)

    def _search(
        self,
        loss: ProbeLoss,
        start: Tensor,
        inverse_curvature: Tensor,
        *,
        inverse: Tensor | None = None,
        max_iterations: int = _MAX_ITERATIONS,
    ) -> tuple[Tensor, Tensor]:
        """Points of least mean loss plus ridge, the constant unpenalised, and which are within the
        tolerance. With ``inverse``, weights are its transpose times a point."""
        features, ridge, n = self._fit.values, self._ridge, self._fit.n_samples
        n_rows, n_features = features.shape
        block = max(_FEWEST_ROWS, _BLOCK_CELLS // n_features)

        def objective(points: Tensor) -> tuple[Tensor, Tensor]:
            flat = points if inverse is None else (inverse.mT @ points.unsqueeze(2)).squeeze(2)
            weights = flat.reshape(-1, n_features)
            losses = torch.zeros(loss.n_problems, dtype=torch.float64, device=features.device)
            gradient = torch.zeros_like(weights)
            # Blocks of rows stay in the cache between both products.
            for first in range(0, n_rows, block):
                rows = slice(first, first + block)
                part = features[rows]
                of_part, by_logits = loss.value(weights @ part.T, rows)
                losses += of_part
                gradient.addmm_(by_logits, part)
            penalised = weights.clone()
            penalised[:, -1] = 0.0
            penalty = 0.5 * ridge * penalised.double().view(len(flat), -1).square().sum(1)
            gradient = gradient.div_(n).add_(penalised, alpha=ridge).view_as(flat)
            if inverse is not None:
                gradient = (inverse @ gradient.unsqueeze(2)).squeeze(2)
            return losses / n + penalty, gradient

        return minimisers(
            objective,
            start,
            inverse_curvature=inverse_curvature,
            tolerance=_TOLERANCE_NATS,
            max_iterations=max_iterations,
        )

    def _start(self, loss: ProbeLoss) -> tuple[Tensor, Tensor]:
        """The direction of the class means, which is that of the gradient at 0, at its best length
        for some of the rows; and one over the loss's curvature there.

        On whitened features this is the linear discriminant, which is near the optimum: it halves
        the iterations.
        """
        gradient = loss.at_zero() @ self._fit.values / self._fit.n_samples
        stride = max(1, len(self._fit.values) // _START_ROWS)
        some = loss.of_rows(stride)
        slope_logits = -gradient @ self._fit.values[::stride].T
        lengths = gradient.new_ones(some.n_problems)
        for _ in range(_LENGTH_STEPS):
            slope, curvature = some.along(slope_logits, lengths)
            lengths = (lengths - slope / curvature.clamp_min(_LEAST)).clamp(0.0, _LARGEST_START)
        flat = -gradient.reshape(some.n_problems, -1)
        _, curvature = some.along(slope_logits, lengths)
        squares = flat.square().sum(1)
        inverse = (squares / curvature.clamp_min(_LEAST)).clamp(_LEAST_INVERSE, _MOST_INVERSE)
        return lengths.unsqueeze(1) * flat, inverse


def check_representations(z_fit: Tensor, z_eval: Tensor) -> None:
    """Refuse arrays of other shapes than [samples, dim], and numbers that are not finite."""
    for name, z in (("z_fit", z_fit), ("z_eval", z_eval)):
        if z.ndim != 2 or not len(z):
            raise ValueError(f"{name}: expected shape (samples, dim), got {tuple(z.shape)}")
        # A sum of finite numbers is finite but where it overflows: one pass instead of three.
        if not z.sum().isfinite() and not z.isfinite().all():
            raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    if z_fit.shape[1] != z_eval.shape[1]:
        raise ValueError(
            f"z_eval: expected {z_fit.shape[1]} columns as in z_fit, got {z_eval.shape[1]}"
        )


def check_classes(y_fit: Tensor, n: int, n_classes: int) -> None:
    """Refuse classes of another shape than [n], or outside [0, n_classes)."""
    if y_fit.shape != (n,):
        raise ValueError(f"y_fit: expected shape ({n},), got {tuple(y_fit.shape)}")
    if y_fit.min() < 0 or y_fit.max() >= n_classes:
        raise ValueError(
            f"y_fit: expected classes in [0, {n_classes}), got {int(y_fit.min())} to "
            f"{int(y_fit.max())}"
        )


def check_bits(name: str, bits: Tensor, n: int, n_bits: int | None = None) -> None:
    """Refuse bits of another shape than [n, n_bits], or other numbers than 0 and 1."""
    if bits.ndim != 2 or len(bits) != n or (n_bits is not None and bits.shape[1] != n_bits):
        width = "n_bits" if n_bits is None else n_bits
        raise ValueError(f"{name}: expected shape ({n}, {width}), got {tuple(bits.shape)}")
    if not ((bits == 0) | (bits == 1)).all():
        raise ValueError(f"{name}: expected zeros and ones, got other numbers")
