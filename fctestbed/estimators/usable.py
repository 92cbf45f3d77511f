"""Usable information: how much of a discrete W a probe family predicts from Z, in bits.

``usable-linear``, ``usable-mlp``, ``usable-knn`` and ``prequential``. May import the probes.

H(W) - E[-log2 q(W | Z)] is at most I(Z; W) in expectation for any q that was not fitted on the same
samples, and equals it for q = p(w | z) (Barber and Agakov 2003); over a family it is the
V-information of Xu et al. 2020. Its ceiling is H(W), not the log of a batch.
"""

import math
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fctestbed.estimators.base import (
    Array,
    Direction,
    Estimate,
    Estimator,
    Fractions,
    Kind,
    check_choice,
    check_fractions,
    check_whole,
)
from fctestbed.estimators.inputs import (
    LEAST_SAMPLES,
    Codes,
    checked,
    column_codes,
    conditions,
)
from fctestbed.estimators.intervals import HALF_WIDTH, LONE_SAMPLE, held_out_interval
from fctestbed.estimators.probes import PROBES, Alphabet, Bits, Family, ProbeSettings, Sample
from fctestbed.estimators.roles import (
    check_roles,
    classes_text,
    columns,
    doubt_of_targets,
    with_roles,
)
from fctestbed.estimators.variational.sources import split

_MAX_VALUES = 256
# The linear probe takes a smaller spread for rounding.
_LEAST_EPSILONS = 10.0


@dataclass(frozen=True, kw_only=True)
class UsableEstimator(Estimator):
    """What the usable-information estimators share. ``x`` is Z, ``y`` is W.

    W must be discrete (text too). Each of several columns is predicted separately: q is their
    product, and H the entropy of whole rows, so that equal columns are not counted twice; the
    information of columns about each other beyond Z is lost, never gained. With a discrete
    ``given`` B the value is H(W | B) - E[-log2 q(W | Z, B)], at most I(Z; W | B) (Hewitt et al.
    2021).

    In Z, whole numbers of at most 64 values in each column, truth values and columns of zeros and
    ones are names of classes; floats and other whole numbers are amounts. ``classes`` and
    ``amounts`` say otherwise. W and B are classes whatever their type. The estimate says which was
    taken (``x_as``), and its note mentions floats of few values, whole numbers of many, and one-hot
    columns of W, which are predicted one by one.

    No invariance is claimed: the order of the samples decides the split, and a shift or a factor
    turns whole numbers in Z into amounts.

    Attributes:
        classes: names of arguments that are classes; ``x`` alone makes a difference.
        amounts: ``("x",)`` for a Z of amounts.
        entropy_bits: H(W), or H(W | B) with a condition, where it is known. None: the plug-in
            entropy of the evaluated samples, which is too low in expectation and so keeps the
            bound, by about (values - 1) / (2 n ln 2) bits; its error is in the interval.
        probe: settings of the probe.

    Raises:
        ValueError: one line, for an entropy below 0, and for other names of arguments.
    """

    bound: ClassVar[Direction] = "lower"
    conditional: ClassVar[bool] = True
    kinds: ClassVar[frozenset[Kind]] = frozenset({"discrete", "mixed"})
    entropy_bits: float | None = None
    probe: ProbeSettings = field(default_factory=ProbeSettings)
    classes: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_roles(self.classes, self.amounts, may_be_amounts=("x",))
        if self.entropy_bits is not None and not 0 <= self.entropy_bits < math.inf:
            raise ValueError(f"entropy_bits: expected a number from 0 up, got {self.entropy_bits}")

    def estimate(self, x: Array, y: Array, given: Array | None = None) -> Estimate:
        """As ``Estimator.estimate``.

        Raises:
            ValueError: also for a ``y`` that is not discrete, and for columns of ``x`` whose spread
                is below the resolution of float64 at their mean.
        """
        arrays = checked(x, y, given, least=LEAST_SAMPLES, text=("y", "given"))
        z = columns("x", arrays["x"], classes=self.classes, amounts=self.amounts)
        _check_spread(z.values)
        codes, sizes = _codes(arrays["y"])
        taken_as = {"x": z.taken_as, "y": classes_text(sizes)}
        b = np.zeros(len(codes), dtype=np.int64)
        if "given" in arrays:
            b = conditions(arrays["given"])
            taken_as["given"] = classes_text([int(b.max()) + 1])
        estimate = self._estimate(Sample(z.values, codes, b), Alphabet(sizes, int(b.max()) + 1))
        return with_roles(estimate, taken_as, [z.doubt, doubt_of_targets("y", arrays["y"])])

    @abstractmethod
    def _estimate(self, sample: Sample, alphabet: Alphabet) -> Estimate:
        """The estimate of checked samples."""

    def _entropies(self, sample: Sample) -> Bits:
        """Each sample's term of the entropy, [n]: the known entropy, or -log2 of its share."""
        if self.entropy_bits is not None:
            return np.full(len(sample), self.entropy_bits)
        both = np.column_stack([sample.w, sample.b])
        return _surprises(both) - _surprises(sample.b[:, None])

    def _result(self, interval: tuple[float, float, float], ceiling: float, n: int) -> Estimate:
        value, low, high = interval
        return Estimate(
            estimator=self.name,
            bound=self.bound,
            value_bits=value,
            low_bits=low,
            high_bits=high,
            ceiling_bits=ceiling,
            n_samples=n,
            se_bits=(high - low) / (2 * HALF_WIDTH),
            note=LONE_SAMPLE if math.isnan(low) else "",
        )


@dataclass(frozen=True, kw_only=True)
class HeldOutProbe(UsableEstimator):
    """H(W) minus a probe's cross-entropy on held-out samples.

    Attributes:
        seed: of the split.
        fractions: shares of the samples to train, to stop and to evaluate.

    Raises:
        ValueError: one line, for fractions that are not three shares of 1.
    """

    family: ClassVar[Family]
    seed: int = 0
    fractions: Fractions = (0.6, 0.2, 0.2)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("seed", self.seed, least=0)
        check_fractions(self.fractions)

    def _estimate(self, sample: Sample, alphabet: Alphabet) -> Estimate:
        parts = split(len(sample), self.fractions, np.random.default_rng(self.seed))
        train, stop, held_out = (sample[rows] for rows in parts)
        others = sample[np.concatenate(parts[:2])]
        # One fit also gives the losses of the other samples, which the interval needs.
        everything = sample[np.concatenate([parts[2], *parts[:2]])]
        losses = PROBES[self.family](train, stop, everything, alphabet, self.probe)
        n = len(held_out)
        entropies = self._entropies(held_out)
        interval = held_out_interval(entropies - losses[:n], self._entropies(others) - losses[n:])
        return self._result(interval, float(entropies.mean()), n)


@dataclass(frozen=True, kw_only=True)
class UsableLinear(HeldOutProbe):
    """Usable information of a logistic probe, with weights of its own for each condition.

    Bounds: I(Z; W) from below. Fails: on what no linear probe can predict; 0 for the parity of two
    coordinates.

    Source:
        Barber and Agakov 2003; Xu et al. 2020, Definition 2.
    """

    name: ClassVar[str] = "usable-linear"
    family: ClassVar[Family] = "linear"


@dataclass(frozen=True, kw_only=True)
class UsableMlp(HeldOutProbe):
    """Usable information of an MLP, stopped by a second sample.

    Bounds: I(Z; W) from below. Fails: with too few samples to learn the dependence, and on columns
    of W that depend on each other given Z, which it predicts separately.

    Source:
        As ``usable-linear``.
    """

    name: ClassVar[str] = "usable-mlp"
    family: ClassVar[Family] = "mlp"


@dataclass(frozen=True, kw_only=True)
class UsableKnn(HeldOutProbe):
    """Usable information of shares among nearest neighbours, their number chosen on a stop sample.

    Bounds: I(Z; W) from below. Fails: in high dimension, where neighbours are not near.

    Source:
        As ``usable-linear``.
    """

    name: ClassVar[str] = "usable-knn"
    family: ClassVar[Family] = "knn"


@dataclass(frozen=True, kw_only=True)
class Prequential(UsableEstimator):
    """(n H(W) - L) / n, with L the online code length of W given Z.

    The first block is sent by a uniform code, each later one by a probe fitted on all before it;
    each block is as long as all before it together.

    Bounds: I(Z; W) from below in expectation, for independent samples. Fails: low on few samples,
    because the code length includes the probe's cost of learning; it grows with n, and no samples
    are held out.

    Attributes:
        family: ``linear``, ``mlp`` or ``knn``.
        seed: of the order of the samples.
        first: samples in the first block.

    Raises:
        ValueError: one line, for an unknown family or a first block of under 8 samples.

    Source:
        Voita and Titov 2020, section 2.2.2; Blier and Ollivier 2018.
    """

    name: ClassVar[str] = "prequential"
    family: Family = "linear"
    seed: int = 0
    first: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("seed", self.seed, least=0)
        check_choice("family", self.family, tuple(PROBES))
        if self.first < 8:
            raise ValueError(f"first: expected at least 8 samples, got {self.first}")

    def _estimate(self, sample: Sample, alphabet: Alphabet) -> Estimate:
        n = len(sample)
        sample = sample[np.random.default_rng(self.seed).permutation(n)]
        uniform = float(np.log2(alphabet.w).sum())
        entropies = self._entropies(sample)
        blocks = [entropies[: self.first] - uniform]
        start = min(self.first, n)
        while start < n:
            end = min(2 * start, n)
            # The last fifth of the samples sent so far stops the fit.
            cut = start - max(1, start // 5)
            losses = PROBES[self.family](
                sample[:cut], sample[cut:start], sample[start:end], alphabet, self.probe
            )
            blocks.append(entropies[start:end] - losses)
            start = end
        value = float(np.concatenate(blocks).mean())
        # Within blocks: the code length falls systematically from one block to the next.
        variance = sum(len(block) * block.var() for block in blocks) / n**2
        half = HALF_WIDTH * math.sqrt(variance)
        ceiling = float(entropies.mean())
        return self._result((value, value - half, value + half), ceiling, n)


def _check_spread(z: NDArray[np.float64]) -> None:
    """Refuse a column that varies by rounding errors of its mean only."""
    mean, spread = z.mean(0), z.std(0)
    lost = np.flatnonzero(spread <= _LEAST_EPSILONS * np.finfo(np.float64).eps * np.abs(mean))
    if len(lost):
        raise ValueError(
            f"x: expected columns that vary by more than float64 resolves beside their mean, got "
            f"a spread of {spread[lost[0]]:.2g} around {mean[lost[0]]:.2g} in column {lost[0]} "
            "(subtract the offset first)"
        )


def _codes(array: NDArray[Any]) -> tuple[Codes, tuple[int, ...]]:
    """Codes of W's columns, [n, columns], and the number of values of each."""
    coded, sizes = column_codes("y", array)
    if max(sizes) > min(_MAX_VALUES, len(array) // 2):
        raise ValueError(
            f"y: expected discrete values, at most {_MAX_VALUES} in a column and seen twice on "
            f"average, got {max(sizes)} in {len(array)} samples"
        )
    return coded, sizes


def _surprises(rows: Codes) -> Bits:
    """-log2 of each row's share of the sample; their mean is the plug-in entropy."""
    _, codes, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    surprises: Bits = -np.log2(counts / len(rows))
    return surprises[codes.reshape(-1)]
