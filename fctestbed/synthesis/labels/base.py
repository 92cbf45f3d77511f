"""The interface of label rules: one record that specifies a rule and computes its results.

Other modules and packages use the rule through ``LabelRule``, whatever its kind. Modality m depends
on the shared latents and its own. May import numpy, ``record``, ``latents``, ``labels.information``
and ``labels.slots``; torch for types only.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from fctestbed.synthesis.labels.information import LabelInformation
from fctestbed.synthesis.labels.slots import Slot
from fctestbed.synthesis.latents import Counts, LatentLaw, Latents
from fctestbed.synthesis.record import Option, Ratio, Spec

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    BitReader = Callable[[tuple[Tensor, Tensor, Tensor]], Tensor]

_EXACT = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelWrites:
    """The bits that carry the label's information about a sample, and their places in a copy.

    Latents are counted along [w_s, w_1, w_2], inputs of modality m along [w_m, w_s]. One past the
    end means nowhere: its value is 0, and writing to it has no effect.

    Attributes:
        n_bits: number of bits.
        reads: shape (n_bits, 2): bit j is the XOR of these two latents through its channel; None
            where the bits are the class in binary (bit j has weight 2^j).
        flips: flip probability of each bit's channel, shape (n_bits,).
        bits: per modality, the bit of each write, shape (n_writes,).
        places: per modality, the input that each write sets, shape (n_writes,).
        pads: the input of modality 1 whose fresh bit is XORed into each write of modality 2, so
            that a slot that only both modalities together hold is independent of either one.
    """

    n_bits: int
    reads: npt.NDArray[np.int64] | None
    flips: npt.NDArray[np.float64]
    bits: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    places: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    pads: npt.NDArray[np.int64]


class LabelRule(Spec, ABC):
    """The law of y given the latents, and its exact information.

    ``unique_ratio`` (rho) is the share of the label that is unique to one modality, ``balance``
    (beta) the share of this that belongs to modality 1. Relevant latents, those that y depends on,
    are the first of each block.

    Attributes:
        is_word: whether y is a word of independent binary slots.
        classes_field: the field that sets the number of classes.
    """

    is_word: ClassVar[bool] = False
    classes_field: ClassVar[str] = "n_classes"

    unique_ratio: Annotated[
        Ratio, Field(description="Share of the label that is unique to one modality.")
    ] = 0.5
    balance: Annotated[
        Ratio,
        Field(description="Share of the unique information in modality 1."),
        Option("--balance"),
    ] = 0.5

    if TYPE_CHECKING:
        # Fields of some rules and properties of others: a record cannot override one by the other.
        @property
        def kind(self) -> str:
            """The name of the rule."""

        @property
        def n_classes(self) -> int:
            """Number of values of y."""

    def with_ratio(self, unique_ratio: float) -> Self:
        """The same rule with another unique ratio."""
        return type(self).model_validate({**self.model_dump(), "unique_ratio": unique_ratio})

    @classmethod
    @abstractmethod
    def admits(cls, latents: LatentLaw) -> bool:
        """Whether the truth of the rule is known for latents of this law."""

    @property
    @abstractmethod
    def relevant(self) -> Counts:
        """Number of relevant latents in (w_s, w_1, w_2)."""

    @property
    def slots(self) -> tuple[Slot, ...] | None:
        """The slots that y is a word of, slot k of weight 2^k; None where y is no word."""
        return None

    @property
    def stack_shape(self) -> tuple[str, int | None]:
        """The properties that labels of stacked runs share, besides the number of classes."""
        return (self.kind, None)

    @abstractmethod
    def draw(self, latents: Latents, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Classes of shape (n,) of the samples with these latents."""

    @abstractmethod
    def information(self, latents: LatentLaw) -> LabelInformation:
        """The exact information content of y under a law of the latents that it admits."""

    @abstractmethod
    def writes(self, sizes: Counts, *, unique: bool) -> LabelWrites:
        """How augmented copies get the information of y about their original.

        Args:
            sizes: number of latents in (w_s, w_1, w_2).
            unique: whether modality 2 keeps the shared block itself, as in ``UniqueAugmentation``.

        Raises:
            ValueError: if there are too few relevant latents for it.
        """

    @classmethod
    @abstractmethod
    def bit_reader(
        cls,
        labels: Sequence[Self],
        writes: Sequence[LabelWrites],
        latents: LatentLaw,
        device: "torch.device",
        dtype: "torch.dtype",
    ) -> "BitReader":
        """A function from the latent blocks of K stacked runs to the bits of ``writes``.

        It takes (w_s, w_1, w_2), each (K, batch, size of the block), bits as 0 and 1, and returns
        bools of shape (K, batch, n_bits), before any channel.

        Args:
            labels: the label of each run.
            writes: the writes of each run.
            latents: the law of the latents.
            device: of the latents.
            dtype: the floating type of the runs.
        """


def take(values: "Tensor", index: "Tensor") -> "Tensor":
    """values[k, i, index[k, 0, j]], shape (K, batch, n), for an index of shape (K, 1, n)."""
    return values.gather(2, index.expand(-1, values.shape[1], -1))


def unique_parts(label: LabelRule, total: int) -> tuple[int, int]:
    """How many of ``total`` whole parts are unique to modality 1 and to modality 2."""
    ratio, balance = label.unique_ratio, label.balance
    return round(total * ratio * balance), round(total * ratio * (1 - balance))


def is_whole(total: int, *shares: float) -> bool:
    """Whether each share of ``total`` is a whole number (shares are exact to 1e-9)."""
    return all(abs(share - round(total * share) / total) < _EXACT for share in shares)


def check_whole_parts(label: LabelRule, total: int, what: str, largest: float = 1.0) -> None:
    """Refuse a unique ratio that does not split ``total`` into whole parts.

    Raises:
        ValueError: one line with the nearest ratios that fit.
    """
    balance = label.balance
    fits = [
        count / total
        for count in range(total + 1)
        if count / total <= largest + _EXACT
        and is_whole(total, count / total * balance, count / total * (1 - balance))
    ]
    if not any(abs(fit - label.unique_ratio) < _EXACT for fit in fits):
        raise ValueError(no_whole_split("unique_ratio", label.unique_ratio, total, what, fits))


def no_whole_split(name: str, ratio: float, total: int, what: str, fits: Sequence[float]) -> str:
    """The message for a ratio that splits ``total`` into fractions; ``fits`` are ratios that give
    whole numbers."""
    nearest = sorted(sorted(fits, key=lambda fit: abs(fit - ratio))[:2])
    return (
        f"{name}: expected a ratio that splits {total} {what} into whole numbers "
        f"(nearest that fit: {', '.join(f'{fit:.10g}' for fit in nearest)}), got {ratio:g}"
    )
