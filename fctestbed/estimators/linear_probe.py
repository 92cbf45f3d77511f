"""Usable information of linear probes: what a linear reader of a representation can say, held out.

Owns the fit of linear probes and their held-out cross-entropies. May import
``fctestbed.information``.

A probe q(w | z) fitted on one sample and scored on another gives H(W) - E[-log2 q(W | Z)], a lower
bound on I(Z; W) in expectation, since the cross-entropy is at least H(W | Z) whatever q is (Barber
and Agakov 2003; Xu et al. 2020).
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from fctestbed.information.units import nats_to_bits

# Directions of less than this share of the largest variance are left out: dead units and rounding
# noise.
_RELATIVE_VARIANCE = 1e-7
_MAX_ITERATIONS = 200


@dataclass(frozen=True, kw_only=True)
class LinearProbe:
    """Settings of the probes.

    Attributes:
        ridge: penalty on half the squared weights, per sample, on whitened features. It keeps
            weights finite where the classes can be separated, and costs less than its value in
            nats.
    """

    ridge: float = 1e-4

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
            -log2 q(bit | z), in bits, [n_eval, n_bits]: one probe's is under 1 where it predicts
            right.
        """
        fit, held_out = _whiten(z_fit, z_eval)
        sign = 1.0 - 2.0 * w_fit.to(fit.dtype)
        weights = _minimise(fit, w_fit.shape[1], self.ridge, _Logistic(sign))
        margins = held_out @ weights * (1.0 - 2.0 * w_eval.to(fit.dtype))
        return nats_to_bits(torch.nn.functional.softplus(margins).double().cpu().numpy())

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
        """
        fit, held_out = _whiten(z_fit, z_eval)
        one_hot = torch.nn.functional.one_hot(y_fit.long(), n_classes).to(fit.dtype)
        weights = _minimise(fit, n_classes, self.ridge, _Softmax(one_hot))
        logs = (held_out @ weights).double().log_softmax(1)
        return nats_to_bits(logs.cpu().numpy())


def _whiten(z_fit: Tensor, z_eval: Tensor) -> tuple[Tensor, Tensor]:
    """Centred features of unit variance along principal axes, and a constant: L-BFGS then needs
    few steps."""
    mean = z_fit.mean(0)
    centred = z_fit - mean
    covariance = (centred.T @ centred / len(z_fit)).double()
    variances, axes = torch.linalg.eigh(covariance)
    kept = variances > _RELATIVE_VARIANCE * variances[-1].clamp_min(torch.finfo(z_fit.dtype).tiny)
    scaled = (axes[:, kept] / variances[kept].sqrt()).to(z_fit.dtype)

    def features(z: Tensor) -> Tensor:
        return torch.cat([(z - mean) @ scaled, z.new_ones(len(z), 1)], 1)

    return features(z_fit), features(z_eval)


class _Logistic:
    """Summed binary cross-entropies, mean over samples; ``sign`` is +1 for bit 0 and -1 for bit
    1."""

    def __init__(self, sign: Tensor) -> None:
        self.sign = sign

    def __call__(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        margins = logits.mul_(self.sign)
        loss = torch.nn.functional.softplus(margins).sum()
        return loss, margins.sigmoid_().mul_(self.sign)


class _Softmax:
    """Multinomial cross-entropy, mean over samples."""

    def __init__(self, one_hot: Tensor) -> None:
        self.one_hot = one_hot

    def __call__(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        logs = logits.log_softmax(1)
        return -(logs * self.one_hot).sum(), logs.exp_().sub_(self.one_hot)


def _minimise(features: Tensor, n_outputs: int, ridge: float, loss: _Logistic | _Softmax) -> Tensor:
    """Weights [n_features, n_outputs] of least loss plus ridge; the constant is not penalised."""
    n, n_features = features.shape
    transposed = features.T.contiguous()

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = torch.from_numpy(flat).to(features).view(n_features, n_outputs)
        value, gradient_logits = loss(features @ weights)
        penalised = weights.clone()
        penalised[-1] = 0.0
        gradient = transposed @ gradient_logits / n + ridge * penalised
        total = value.double() / n + 0.5 * ridge * penalised.double().square().sum()
        return float(total), gradient.double().cpu().numpy().ravel()

    # Rounding of the float32 loss stops the line search long before the gradient's tolerance would.
    result = minimize(
        objective,
        np.zeros(n_features * n_outputs),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _MAX_ITERATIONS, "ftol": 1e-7, "gtol": 1e-5, "maxcor": 10},
    )
    return torch.from_numpy(result.x).to(features).view(n_features, n_outputs)
