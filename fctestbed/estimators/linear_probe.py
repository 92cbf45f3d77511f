"""Linear probes: their fit and their held-out cross-entropies.

May import torch and ``fctestbed.information``.

A probe q(w | z) fitted on one sample and evaluated on another gives H(W) - E[-log2 q(W | Z)], a
lower bound on I(Z; W) in expectation, because the cross-entropy is at least H(W | Z) for any q
(Barber and Agakov 2003; Xu et al. 2020).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from fctestbed.information import nats_to_bits

# A feature whose spread is below so many rounding errors of its mean is constant up to rounding:
# 1e-6 of it in float32.
_CONSTANT_EPSILONS = 8.4
# Directions with less than this share of the variance are rounding errors: float32 itself has
# 1e-14 of it, a float32 network some 1e-12.
_RELATIVE_VARIANCE = 1e-10
_MAX_ITERATIONS = 200


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
        fit = self._fit
        check_bits("w_fit", w_fit, len(fit))
        check_bits("w_eval", w_eval, len(self._held_out), w_fit.shape[1])
        sign = 1.0 - 2.0 * w_fit.to(fit)
        weights = self._minimise(_Logistic(sign), w_fit.shape[1])
        margins = self._held_out @ weights * (1.0 - 2.0 * w_eval.to(fit))
        return nats_to_bits(torch.nn.functional.softplus(margins).double().cpu().numpy())

    def classes(self, y_fit: Tensor, n_classes: int) -> NDArray[np.float64]:
        """As ``LinearProbe.classes``."""
        fit = self._fit
        check_classes(y_fit, len(fit), n_classes)
        one_hot = torch.nn.functional.one_hot(y_fit.long(), n_classes).to(fit)
        weights = self._minimise(_Softmax(one_hot), n_classes)
        logs = (self._held_out @ weights).double().log_softmax(1)
        return nats_to_bits(logs.cpu().numpy())

    def _minimise(self, loss: "_Logistic | _Softmax", n_outputs: int) -> Tensor:
        """Weights [n_features, n_outputs] of least loss plus ridge, the constant unpenalised."""
        features, transposed, ridge = self._fit, self._transposed, self._ridge
        n, n_features = features.shape

        def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            weights = torch.from_numpy(flat).to(features).view(n_features, n_outputs)
            value, gradient_logits = loss(features @ weights)
            penalised = weights.clone()
            penalised[-1] = 0.0
            gradient = transposed @ gradient_logits / n + ridge * penalised
            total = value.double() / n + 0.5 * ridge * penalised.double().square().sum()
            return float(total), gradient.double().cpu().numpy().ravel()

        # Without the ridge, bits that are predicted without error have no finite optimum. There a
        # longer search gains under 0.001 bit.
        result = minimize(
            objective,
            np.zeros(n_features * n_outputs),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": _MAX_ITERATIONS, "ftol": 1e-5, "gtol": 1e-5, "maxcor": 10},
        )
        return torch.from_numpy(result.x).to(features).view(n_features, n_outputs)


def varying_columns(z: Tensor) -> Tensor:
    """Which columns of z [n, dim] vary by more than rounding errors of their mean, [dim]."""
    wide = z.double()
    least = _CONSTANT_EPSILONS * torch.finfo(z.dtype).eps * wide.mean(0).abs()
    varying: Tensor = wide.std(0, correction=0) > least
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
    # In float64: the covariance squares the ratio of the largest spread to the smallest.
    wide, alive = z_fit.double(), varying_columns(z_fit)
    mean, spread = wide.mean(0)[alive], wide.std(0, correction=0)[alive]
    standard = (wide[:, alive] - mean) / spread
    variances, axes = torch.linalg.eigh(standard.T @ standard / len(z_fit))
    kept = variances > _RELATIVE_VARIANCE * len(variances)
    scaled = axes[:, kept] / variances[kept].sqrt()

    def features(z: Tensor) -> Tensor:
        whitened = (z[:, alive].double() - mean) / spread @ scaled
        return torch.cat([whitened.to(z.dtype), z.new_ones(len(z), 1)], 1)

    return features(z_fit), features(z_eval)


class _Logistic:
    """Summed binary cross-entropies and their gradient; ``sign`` is +1 for bit 0, -1 for bit 1."""

    def __init__(self, sign: Tensor) -> None:
        self.sign = sign

    def __call__(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        margins = logits.mul_(self.sign)
        loss = torch.nn.functional.softplus(margins).sum()
        return loss, margins.sigmoid_().mul_(self.sign)


class _Softmax:
    """Summed multinomial cross-entropy and its gradient."""

    def __init__(self, one_hot: Tensor) -> None:
        self.one_hot = one_hot

    def __call__(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        logs = logits.log_softmax(1)
        return -(logs * self.one_hot).sum(), logs.exp_().sub_(self.one_hot)
