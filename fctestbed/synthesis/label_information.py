"""Exact information of labels that are functions of their relevant latents, in bits.

Owns counting, quadrature and enumeration; knows no specification. May import numpy, scipy and
``information``. Modality m sees the shared latents and its own; y is a function of all.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr, ndtr

from fctestbed.information import binary_entropy_bits, entropy_bits, nats_to_bits
from fctestbed.synthesis.labels import PlanarRule

_CELLS = 1 << 22
_NODES = 200


@dataclass(frozen=True, kw_only=True)
class LabelInformation:
    """What a deterministic label holds: H(Y), H(Y|X1), H(Y|X2) in bits, and best accuracies."""

    label_entropy_bits: float
    given_x1_bits: float
    given_x2_bits: float
    bayes_accuracy_x1: float
    bayes_accuracy_x2: float
    majority_accuracy: float


def threshold_on_bits(relevant: tuple[int, int, int]) -> LabelInformation:
    """The threshold rule on fair bits, by counting: no limit on the number of bits.

    Given modality 1, y depends on the number k of ones among the bits it sees, and on the binomial
    number of ones among those it does not see.

    Args:
        relevant: number of relevant bits in (w_s, w_1, w_2).
    """
    n_shared, n_unique1, n_unique2 = relevant
    n = sum(relevant)
    ones = float(at_least(n, np.asarray([(n + 1) // 2]))[0])

    def given(n_seen: int, n_hidden: int) -> tuple[float, float]:
        # At least half of all n bits, ties included, must be ones.
        positive = at_least(n_hidden, (n + 1) // 2 - np.arange(n_seen + 1))
        seen = fair_binomial(n_seen)
        entropy = seen @ binary_entropy_bits(positive)
        return float(entropy), float(seen @ np.maximum(positive, 1 - positive))

    given_x1, accuracy_x1 = given(n_shared + n_unique1, n_unique2)
    given_x2, accuracy_x2 = given(n_shared + n_unique2, n_unique1)
    return LabelInformation(
        label_entropy_bits=float(binary_entropy_bits(ones)),
        given_x1_bits=given_x1,
        given_x2_bits=given_x2,
        bayes_accuracy_x1=accuracy_x1,
        bayes_accuracy_x2=accuracy_x2,
        majority_accuracy=max(ones, 1 - ones),
    )


def threshold_on_gaussians(relevant: tuple[int, int, int]) -> LabelInformation:
    """The threshold rule on Gaussian latents of equal variance, by one-dimensional quadrature.

    The sums that a modality sees and does not see are independent Gaussians; y given the seen sum
    t (in standard deviations) is 1 with probability Phi(t s), s the ratio of their deviations.

    Args:
        relevant: number of relevant latents in (w_s, w_1, w_2).
    """
    n_shared, n_unique1, n_unique2 = relevant

    def given(n_seen: int, n_hidden: int) -> tuple[float, float]:
        if n_hidden == 0:
            return 0.0, 1.0
        slope = (n_seen / n_hidden) ** 0.5
        return _expected_entropy_bits(slope), float(0.5 + np.arctan(slope) / np.pi)

    given_x1, accuracy_x1 = given(n_shared + n_unique1, n_unique2)
    given_x2, accuracy_x2 = given(n_shared + n_unique2, n_unique1)
    return LabelInformation(
        label_entropy_bits=1.0,
        given_x1_bits=given_x1,
        given_x2_bits=given_x2,
        bayes_accuracy_x1=accuracy_x1,
        bayes_accuracy_x2=accuracy_x2,
        majority_accuracy=0.5,
    )


def planar_on_bits(rule: PlanarRule) -> LabelInformation:
    """The planar rule on fair bits, by enumeration of its relevant bits."""
    table = enumerated(rule).reshape([2**n for n in rule.relevant])
    given_x1, accuracy_x1 = _given_rows(table.reshape(-1, table.shape[2]), rule.n_classes)
    swapped = table.transpose(0, 2, 1)
    given_x2, accuracy_x2 = _given_rows(swapped.reshape(-1, table.shape[1]), rule.n_classes)
    share = np.bincount(table.ravel(), minlength=rule.n_classes) / table.size
    return LabelInformation(
        label_entropy_bits=entropy_bits(share),
        given_x1_bits=given_x1,
        given_x2_bits=given_x2,
        bayes_accuracy_x1=accuracy_x1,
        bayes_accuracy_x2=accuracy_x2,
        majority_accuracy=float(share.max()),
    )


def fair_binomial(n: int) -> npt.NDArray[np.float64]:
    """Probabilities of 0..n ones among n fair bits, by ratios outwards from the middle."""
    middle = n // 2
    ones = np.arange(middle, n)
    upper = np.cumprod(np.concatenate([[1.0], (n - ones) / (ones + 1)]))
    mass = np.concatenate([upper[::-1][:middle], upper])
    return np.asarray(mass / mass.sum())


def at_least(n: int, least: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Probability of at least ``least`` ones among n fair bits, elementwise."""
    tails = np.append(np.cumsum(fair_binomial(n)[::-1])[::-1], 0.0)
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


def enumerated(rule: PlanarRule) -> npt.NDArray[np.int16]:
    """Class of every combination of the relevant bits; the first bit varies slowest."""
    n = sum(rule.relevant)
    places = np.arange(n - 1, -1, -1)
    classes = np.empty(2**n, dtype=np.int16)
    chunk = 1 << 16
    for start in range(0, len(classes), chunk):
        index = np.arange(start, min(start + chunk, len(classes)))
        signs = 2.0 * ((index[:, None] >> places) & 1) - 1
        classes[start : start + chunk] = rule.classify(signs)
    return classes


def _given_rows(table: npt.NDArray[np.int16], n_classes: int) -> tuple[float, float]:
    """H(Y | row) in bits and the best accuracy from the row; all cells are equally likely."""
    n_rows, n_columns = table.shape
    if n_columns == 1:
        return 0.0, 1.0
    entropy_nats, correct = 0.0, 0
    step = max(1, _CELLS // max(n_classes, n_columns))
    for start in range(0, n_rows, step):
        rows = table[start : start + step]
        cells = np.arange(len(rows))[:, None] * n_classes + rows
        counts = np.bincount(cells.ravel(), minlength=len(rows) * n_classes)
        correct += int(counts.reshape(-1, n_classes).max(axis=1).sum())
        share = counts[counts > 0] / n_columns
        entropy_nats -= float(share @ np.log(share))
    return float(nats_to_bits(entropy_nats / n_rows)), correct / table.size
