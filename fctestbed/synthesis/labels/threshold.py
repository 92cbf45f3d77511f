"""The threshold label: y says whether the mean of the relevant latents is at least 0.

Exact by counting on fair bits, and by quadrature on Gaussian latents. May import numpy, scipy,
``information`` and ``labels``.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr, ndtr

from fctestbed.information import binary_entropy_bits, nats_to_bits
from fctestbed.synthesis.labels.classes import ClassLabel
from fctestbed.synthesis.labels.information import FunctionInformation, Table
from fctestbed.synthesis.latents import Counts, LatentLaw

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_NODES = 200


class ThresholdLabel(ClassLabel):
    """The official label: 1 where the mean of the relevant latents (bits as +-1) is >= 0.

    Here ``unique_ratio`` is a ratio of latents; the ratio of information is in the truth.
    """

    is_enumerated: ClassVar[bool] = False
    repeats_class: ClassVar[bool] = True

    kind: Literal["threshold"] = "threshold"

    @property
    def n_classes(self) -> int:
        """Number of values of the label."""
        return 2

    @classmethod
    def admits(cls, latents: LatentLaw) -> bool:
        """Every law: by counting for bits, by quadrature for Gaussian latents of one variance."""
        return True

    def classify(self, relevant: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Classes of shape (n,) of signed relevant latents of shape (n, n_relevant)."""
        return threshold_labels(relevant)

    def function_information(self, latents: LatentLaw) -> FunctionInformation:
        """Entropies and accuracies of y."""
        if _is_counted(latents):
            return _on_fair_bits(self.relevant)
        if not latents.is_finite:
            return _on_gaussians(self.relevant)
        return super().function_information(latents)

    def symbols(self, latents: LatentLaw) -> tuple[int, int]:
        """Numbers of values of x1 and x2; if ones can be counted, x_m is their number."""
        if not _is_counted(latents):
            return super().symbols(latents)
        n_shared, n_unique1, n_unique2 = self.relevant
        return n_shared + n_unique1 + 1, n_shared + n_unique2 + 1

    def margins(self, latents: LatentLaw) -> tuple[Table, Table]:
        """p(x1, y) and p(x2, y), see ``ClassLabel.margins``."""
        if not _is_counted(latents):
            return super().margins(latents)
        n_shared, n_unique1, n_unique2 = self.relevant
        return (
            _counted(n_shared + n_unique1, n_unique2),
            _counted(n_shared + n_unique2, n_unique1),
        )

    @classmethod
    def stacked_classifier(
        cls, labels: Sequence[Self], device: "torch.device"
    ) -> "Callable[[Tensor], Tensor]":
        """A function from signed relevant latents of stacked runs to classes, at any number."""
        return lambda signs: (signs.sum(dim=-1) >= 0).long()


def threshold_labels(relevant: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """1 where the mean of the relevant latents, shape (n, r), is >= 0: the official label.

    Source:
        ``get_labels`` in FactorCL's Synthetic/dataset.py at 033f2a3 (a logistic of the mean
        against one half).
    """
    return (relevant.sum(axis=1) >= 0).astype(np.int64)


def _is_counted(latents: LatentLaw) -> bool:
    return latents.is_finite and latents.has_fair_signs


def _on_fair_bits(relevant: Counts) -> FunctionInformation:
    """By counting: no limit on the number of bits.

    Given modality 1, y depends on the number k of ones among the bits of this modality, and on the
    binomial number of ones among the others.
    """
    n_shared, n_unique1, n_unique2 = relevant
    n = sum(relevant)
    ones = float(_at_least(n, np.asarray([(n + 1) // 2]))[0])

    def given(n_seen: int, n_hidden: int) -> tuple[float, float]:
        # At least half of all n bits, ties included, must be ones.
        positive = _at_least(n_hidden, (n + 1) // 2 - np.arange(n_seen + 1))
        seen = _fair_binomial(n_seen)
        entropy = seen @ binary_entropy_bits(positive)
        return float(entropy), float(seen @ np.maximum(positive, 1 - positive))

    given_x1, accuracy_x1 = given(n_shared + n_unique1, n_unique2)
    given_x2, accuracy_x2 = given(n_shared + n_unique2, n_unique1)
    return FunctionInformation(
        label_entropy_bits=float(binary_entropy_bits(ones)),
        given_x1_bits=given_x1,
        given_x2_bits=given_x2,
        bayes_accuracy_x1=accuracy_x1,
        bayes_accuracy_x2=accuracy_x2,
        majority_accuracy=max(ones, 1 - ones),
    )


def _on_gaussians(relevant: Counts) -> FunctionInformation:
    """Gaussian latents of equal variance, by one-dimensional quadrature.

    The sum over a modality's latents and the sum over the others are independent Gaussians. Given
    the modality's sum t (in standard deviations), y is 1 with probability Phi(t s), where s is the
    ratio of their deviations.
    """
    n_shared, n_unique1, n_unique2 = relevant

    def given(n_seen: int, n_hidden: int) -> tuple[float, float]:
        if n_hidden == 0:
            return 0.0, 1.0
        slope = (n_seen / n_hidden) ** 0.5
        return _expected_entropy_bits(slope), float(0.5 + np.arctan(slope) / np.pi)

    given_x1, accuracy_x1 = given(n_shared + n_unique1, n_unique2)
    given_x2, accuracy_x2 = given(n_shared + n_unique2, n_unique1)
    return FunctionInformation(
        label_entropy_bits=1.0,
        given_x1_bits=given_x1,
        given_x2_bits=given_x2,
        bayes_accuracy_x1=accuracy_x1,
        bayes_accuracy_x2=accuracy_x2,
        majority_accuracy=0.5,
    )


def _counted(n_seen: int, n_hidden: int) -> Table:
    """p(number of ones in the modality, y)."""
    n = n_seen + n_hidden
    positive = _at_least(n_hidden, (n + 1) // 2 - np.arange(n_seen + 1))
    return _fair_binomial(n_seen)[:, None] * np.stack([1 - positive, positive], axis=1)


def _fair_binomial(n: int) -> npt.NDArray[np.float64]:
    """Probabilities of 0..n ones among n fair bits, by ratios outwards from the middle."""
    middle = n // 2
    ones = np.arange(middle, n)
    upper = np.cumprod(np.concatenate([[1.0], (n - ones) / (ones + 1)]))
    mass = np.concatenate([upper[::-1][:middle], upper])
    return np.asarray(mass / mass.sum())


def _at_least(n: int, least: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Probability of at least ``least`` ones among n fair bits, elementwise."""
    tails = np.append(np.cumsum(_fair_binomial(n)[::-1])[::-1], 0.0)
    tails[0] = 1.0
    return np.minimum(tails[np.clip(least, 0, n + 1)], 1.0)


def _expected_entropy_bits(slope: float) -> float:
    """E h2(Phi(slope t)) for standard normal t, by Gauss-Legendre quadrature, in bits."""
    # Beyond 10 either the density of t or the entropy is below 1e-20.
    end = 10 / max(slope, 1.0)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    t = (nodes + 1) * end / 2
    up, down = slope * t, -slope * t
    entropy = -(ndtr(up) * log_ndtr(up) + ndtr(down) * log_ndtr(down))
    density = np.exp(-(t**2) / 2) / (2 * np.pi) ** 0.5
    return float(nats_to_bits(float(end * (weights @ (entropy * density)))))
