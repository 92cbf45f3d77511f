"""Label rules: from latents to classes. Owns the rules, not their information content.

May import numpy, ``information``, ``label_spec`` and ``latents``.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fctestbed.information import bsc_flip_probability
from fctestbed.synthesis.label_spec import (
    BitsLabel,
    Label,
    NoiselessLabel,
    PlanarLabel,
    SlotLayout,
    ThresholdLabel,
)
from fctestbed.synthesis.latents import Latents, as_bits, relevant_latents
from fctestbed.synthesis.products import product

_CHUNK = 1 << 16


class LabelRule(Protocol):
    """A rule that gives each sample its class."""

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        ...

    @property
    def word_slots(self) -> int | None:
        """Number of independent binary slots that y is a word of; None for other rules."""
        ...

    def draw(self, latents: Latents, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Classes of shape (n,) of the samples with these latents."""
        ...


@dataclass(frozen=True)
class WordRule:
    """y is the word of the slots of ``layout``, each a latent bit (or XOR) through its channel."""

    layout: SlotLayout

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return 2**self.layout.n_slots

    @property
    def word_slots(self) -> int | None:
        """Number of independent binary slots of y."""
        return self.layout.n_slots

    @property
    def flip_probabilities(self) -> npt.NDArray[np.float64]:
        """Flip probability of each slot's channel, shape (n_slots,)."""
        return bsc_flip_probability(self.layout.capacities_bits)

    def slot_inputs(self, latents: Latents) -> npt.NDArray[np.uint8]:
        """What each slot reads before its channel: uint8 of shape (n, n_slots)."""
        layout = self.layout
        w_s, w_1, w_2 = (
            as_bits(block[:, :n]) for block, n in zip(latents, layout.relevant, strict=True)
        )
        return np.concatenate(
            [
                w_s,
                w_1[:, : layout.n_unique1],
                w_2[:, : layout.n_unique2],
                w_1[:, layout.n_unique1 :] ^ w_2[:, layout.n_unique2 :],
            ],
            axis=1,
        )

    def draw(self, latents: Latents, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Classes of shape (n,).

        A slot flips where its uniform number falls below its flip probability, so labels of
        worlds that differ in the ratio alone are coupled when drawn from the same stream.
        """
        slots = self.slot_inputs(latents)
        uniforms = rng.random((self.layout.n_slots, len(slots)))
        return word_of(slots ^ (uniforms < self.flip_probabilities[:, None]).T.view(np.uint8))


@dataclass(frozen=True)
class ThresholdRule:
    """y = 1 where the mean of the relevant latents is at least 0."""

    relevant: tuple[int, int, int]
    n_classes: int = 2
    word_slots: int | None = None

    def draw(self, latents: Latents, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Classes of shape (n,); nothing is drawn from ``rng``."""
        return threshold_labels(relevant_latents(latents, self.relevant))


@dataclass(frozen=True, eq=False)
class PlanarRule:
    """The planar-flow rule with matrices ``W``, ``U`` (r, r), ``b`` (r,), ``H`` (r, n_classes)."""

    relevant: tuple[int, int, int]
    W: npt.NDArray[np.float64]
    b: npt.NDArray[np.float64]
    U: npt.NDArray[np.float64]
    H: npt.NDArray[np.float64]
    word_slots: int | None = None

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return self.H.shape[1]

    def classify(self, relevant: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Classes of shape (n,) of signed relevant latents of shape (n, r)."""
        return planar_labels(relevant, self.W, self.b, self.U, self.H)

    def draw(self, latents: Latents, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Classes of shape (n,); nothing is drawn from ``rng``."""
        return self.classify(relevant_latents(latents, self.relevant))


def label_rule(label: Label) -> WordRule | ThresholdRule | PlanarRule:
    """The rule that a label's specification describes."""
    if isinstance(label, BitsLabel | NoiselessLabel):
        return WordRule(label.layout)
    if isinstance(label, ThresholdLabel):
        return ThresholdRule(label.relevant)
    return _planar_rule(label)


def word_of(slots: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Class index of slot bits of shape (n, n_slots): slot k has weight 2^k."""
    weights = np.int64(1) << np.arange(slots.shape[1], dtype=np.int64)
    return slots.astype(np.int64) @ weights


def slots_of(y: npt.NDArray[np.integer[Any]], n_slots: int) -> npt.NDArray[np.uint8]:
    """Slot bits, uint8 of shape (n, n_slots), of class indices of shape (n,).

    Raises:
        ValueError: a class outside [0, 2^n_slots).
    """
    y = np.asarray(y, dtype=np.int64)
    if y.size and not (y.min() >= 0 and y.max() < 2**n_slots):
        raise ValueError(
            f"y: expected classes in [0, {2**n_slots}) for {n_slots} slots, "
            f"got {y.min()} to {y.max()}"
        )
    return ((y[:, None] >> np.arange(n_slots)) & 1).astype(np.uint8)


def threshold_labels(relevant: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """1 where the mean of the relevant latents, shape (n, r), is >= 0: the official label.

    Source:
        ``get_labels`` in FactorCL's Synthetic/dataset.py at 033f2a3 (a logistic of the mean
        against one half).
    """
    return (relevant.sum(axis=1) >= 0).astype(np.int64)


def planar_labels(
    relevant: npt.NDArray[Any],
    W: npt.NDArray[np.float64],
    b: npt.NDArray[np.float64],
    U: npt.NDArray[np.float64],
    H: npt.NDArray[np.float64],
) -> npt.NDArray[np.int64]:
    """argmax of (z + tanh(z W + b) U) H for z = the relevant latents, shape (n, r).

    Args:
        relevant: signed latents, shape (n, r).
        W: shape (r, r).
        b: shape (r,).
        U: shape (r, r).
        H: shape (r, n_classes).

    Source:
        ``get_planar_flow_labels`` in FactorCL's Synthetic/dataset.py at 033f2a3.
    """
    classes = np.empty(len(relevant), dtype=np.int64)
    for start in range(0, len(relevant), _CHUNK):
        z = relevant[start : start + _CHUNK].astype(np.float64)
        hidden = product(z, W)
        hidden += b
        z += product(np.tanh(hidden, out=hidden), U)
        classes[start : start + _CHUNK] = product(z, H).argmax(axis=1)
    return classes


def _planar_rule(label: PlanarLabel) -> PlanarRule:
    rng = np.random.default_rng(np.random.SeedSequence(label.flow_seed))
    n = label.n_relevant
    return PlanarRule(
        relevant=label.relevant,
        W=rng.standard_normal((n, n)),
        b=rng.standard_normal(n),
        U=rng.standard_normal((n, n)),
        H=rng.standard_normal((n, label.n_classes)),
    )
