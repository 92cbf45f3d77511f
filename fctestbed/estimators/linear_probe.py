"""Linear probes: their fit and their held-out cross-entropies.

May import torch, ``fctestbed.information`` and ``convex``.

A probe q(w | z) fitted on one sample and evaluated on another gives H(W) - E[-log2 q(W | Z)], a
lower bound on I(Z; W) in expectation, because the cross-entropy is at least H(W | Z) for any q
(Barber and Agakov 2003; Xu et al. 2020).
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.estimators.convex import minimisers
from fctestbed.information import nats_to_bits

# A feature whose spread is below so many rounding errors of its mean is constant up to rounding:
# 1e-6 of it in float32.
_CONSTANT_EPSILONS = 8.4
# Directions with less than this share of the variance are rounding errors: float32 itself has
# 1e-14 of it, a float32 network some 1e-12.
_RELATIVE_VARIANCE = 1e-10
_MAX_ITERATIONS = 200
# Nats of a probe's loss. An iteration more lowers it by about so much, a hundredth of what fitting
# on samples costs.
_TOLERANCE_NATS = 2e-6
# The scale of the start is found on one sample of so many.
_STRIDE = 8
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
        return ProbeReader(*_whiten(z_fit, z_eval), self.ridge)


class ProbeReader:
    """Whitened representations for the fit and the evaluation of probes; made by ``reader``."""

    def __init__(self, fit: Tensor, held_out: Tensor, ridge: float) -> None:
        self._fit, self._held_out, self._ridge = fit, held_out, ridge
        self._transposed = fit.T.contiguous()

    def on(self, rows: NDArray[np.int64], ridge: float) -> "ProbeReader":
        """The reader whose probes are fitted on some of the samples, with another ridge; features
        stay whitened by all samples, which needs no labels.

        Args:
            rows: indices of the samples to fit on, [n].
            ridge: as in ``LinearProbe``.
        """
        return ProbeReader(self._fit[torch.from_numpy(rows)], self._held_out, ridge)

    def bits(self, w_fit: Tensor, w_eval: Tensor) -> NDArray[np.float64]:
        """As ``LinearProbe.bits``."""
        check_bits("w_fit", w_fit, len(self._fit))
        check_bits("w_eval", w_eval, len(self._held_out), w_fit.shape[1])
        sign, held_out_sign = (1.0 - 2.0 * w.T.to(self._fit) for w in (w_fit, w_eval))
        weights = self._minimise(_Logistic(sign.contiguous()))
        margins = (weights @ self._held_out.T).mul_(held_out_sign)
        return nats_to_bits(torch.nn.functional.softplus(margins).T.double().cpu().numpy())

    def classes(self, y_fit: Tensor, n_classes: int) -> NDArray[np.float64]:
        """As ``LinearProbe.classes``."""
        fit = self._fit
        check_classes(y_fit, len(fit), n_classes)
        one_hot = torch.nn.functional.one_hot(y_fit.long(), n_classes).T.to(fit).contiguous()
        weights = self._minimise(_Softmax(one_hot))
        logs = (self._held_out @ weights.T).double().log_softmax(1)
        return nats_to_bits(logs.cpu().numpy())

    def _minimise(self, loss: "_Loss") -> Tensor:
        """Weights [n_outputs, n_features] of least mean loss plus ridge, the constant
        unpenalised."""
        features, transposed, ridge = self._fit, self._transposed, self._ridge
        n, n_features = features.shape

        def objective(flat: Tensor) -> tuple[Tensor, Tensor]:
            weights = flat.view(-1, n_features)
            losses, gradient_logits = loss.value(weights @ transposed)
            penalised = weights.clone()
            penalised[:, -1] = 0.0
            penalty = 0.5 * ridge * penalised.double().view(len(flat), -1).square().sum(1)
            gradient = (gradient_logits @ features).div_(n).add_(penalised, alpha=ridge)
            return losses.double() / n + penalty, gradient.view_as(flat)

        # Without the ridge, bits that are predicted without error have no finite optimum.
        direction = loss.at_zero() @ features / n
        start, inverse_curvature = self._scaled(direction, loss)
        flat = minimisers(
            objective,
            start,
            inverse_curvature=inverse_curvature,
            tolerance=_TOLERANCE_NATS,
            max_iterations=_MAX_ITERATIONS,
        )
        return flat.view(-1, n_features)

    def _scaled(self, gradient: Tensor, loss: "_Loss") -> tuple[Tensor, Tensor]:
        """The direction of the class means, which is that of the gradient at 0, at its best length
        for some of the samples; and one over the loss's curvature there.

        On whitened features this is the linear discriminant, which is near the optimum: it halves
        the iterations.
        """
        some = loss.of_samples(_STRIDE)
        slope_logits = -gradient @ self._fit[::_STRIDE].T
        lengths = gradient.new_ones(some.n_problems)
        for _ in range(_LENGTH_STEPS):
            slope, curvature = some.along(slope_logits, lengths)
            lengths = (lengths - slope / curvature.clamp_min(_LEAST)).clamp(0.0, _LARGEST_START)
        flat = -gradient.reshape(some.n_problems, -1)
        _, curvature = some.along(slope_logits, lengths)
        squares = flat.square().sum(1)
        inverse = (squares / curvature.clamp_min(_LEAST)).clamp(_LEAST_INVERSE, _MOST_INVERSE)
        return lengths.unsqueeze(1) * flat, inverse


def varying_columns(z: Tensor) -> Tensor:
    """Which columns of z [n, dim] vary by more than rounding errors of their mean, [dim]."""
    variance, mean = torch.var_mean(z.double(), 0, correction=0)
    least = _CONSTANT_EPSILONS * torch.finfo(z.dtype).eps * mean.abs()
    varying: Tensor = variance.sqrt() > least
    return varying


def check_representations(z_fit: Tensor, z_eval: Tensor) -> None:
    """Refuse arrays of other shapes than [samples, dim], and numbers that are not finite."""
    for name, z in (("z_fit", z_fit), ("z_eval", z_eval)):
        if z.ndim != 2 or not len(z):
            raise ValueError(f"{name}: expected shape (samples, dim), got {tuple(z.shape)}")
        if not z.isfinite().all():
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


def _whiten(z_fit: Tensor, z_eval: Tensor) -> tuple[Tensor, Tensor]:
    """Centred features of unit variance along principal axes, and a constant: L-BFGS then needs
    few steps, and the ridge falls on the same weights however the columns are scaled."""
    alive = varying_columns(z_fit)
    # In float64: the covariance squares the ratio of the largest spread to the smallest.
    wide = z_fit[:, alive].double()
    mean = wide.mean(0)
    spread = wide.sub_(mean).square().mean(0).sqrt()
    standard = wide.div_(spread)
    variances, axes = torch.linalg.eigh(standard.T @ standard / len(z_fit))
    kept = variances > _RELATIVE_VARIANCE * len(variances)
    # Standardised columns lose no more to the representations' own precision than they have lost.
    scaled = (axes[:, kept] / variances[kept].sqrt()).to(z_fit.dtype)

    def features(standardised: Tensor) -> Tensor:
        whitened = standardised.to(z_fit.dtype) @ scaled
        return torch.cat([whitened, whitened.new_ones(len(whitened), 1)], 1)

    return features(standard), features(z_eval[:, alive].double().sub_(mean).div_(spread))


class _Loss(Protocol):
    """Summed cross-entropies of logits [n_outputs, n], of one problem or more."""

    n_problems: int

    def value(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Each problem's loss, [n_problems], and its gradient by the logits, which it may
        overwrite."""

    def at_zero(self) -> Tensor:
        """The gradient by the logits where all of them are 0."""

    def along(self, slope_logits: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """First and second derivative of each problem's mean loss by the length of its logits,
        which are the lengths [n_problems] times ``slope_logits``."""

    def of_samples(self, stride: int) -> "_Loss":
        """The losses of one sample of so many."""


class _Logistic:
    """Binary cross-entropies, one problem for each output; ``sign`` [n_outputs, n] is +1 for bit
    0, -1 for bit 1."""

    def __init__(self, sign: Tensor) -> None:
        self.sign, self.n_problems = sign, len(sign)

    def value(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        margins = logits.mul_(self.sign)
        losses = torch.nn.functional.softplus(margins).sum(1)
        return losses, margins.sigmoid_().mul_(self.sign)

    def at_zero(self) -> Tensor:
        return 0.5 * self.sign

    def along(self, slope_logits: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        slopes = slope_logits * self.sign
        wrong = (slopes * lengths.unsqueeze(1)).sigmoid_()
        return (wrong * slopes).mean(1), (wrong * (1 - wrong) * slopes.square()).mean(1)

    def of_samples(self, stride: int) -> "_Logistic":
        return _Logistic(self.sign[:, ::stride])


class _Softmax:
    """A multinomial cross-entropy, one problem of all outputs; ``one_hot`` is [n_outputs, n]."""

    n_problems = 1

    def __init__(self, one_hot: Tensor) -> None:
        self.one_hot = one_hot

    def value(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        logs = logits.log_softmax(0)
        return -(logs * self.one_hot).sum().unsqueeze(0), logs.exp_().sub_(self.one_hot)

    def at_zero(self) -> Tensor:
        return 1 / len(self.one_hot) - self.one_hot

    def along(self, slope_logits: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        shares = (slope_logits * lengths).softmax(0)
        means = (shares * slope_logits).sum(0)
        slope = (means - (self.one_hot * slope_logits).sum(0)).mean()
        curvature = ((shares * slope_logits.square()).sum(0) - means.square()).mean()
        return slope.unsqueeze(0), curvature.unsqueeze(0)

    def of_samples(self, stride: int) -> "_Softmax":
        return _Softmax(self.one_hot[:, ::stride])
