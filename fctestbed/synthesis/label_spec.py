"""What a label reads and how much: the specifications of the label rules.

Owns the layout of label words and the counts of relevant latents, nothing random. May import
``record``. In every rule ``unique_ratio`` (rho) is the part of the label that is unique to one
modality and ``balance`` (beta) the part of that which belongs to modality 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from fctestbed.synthesis.record import Option, Ratio, Spec

_WHOLE = 1e-9
_ROUNDING = 1e-15
MAX_LABEL_BITS = 20


@dataclass(frozen=True, kw_only=True)
class SlotLayout:
    """A label word: independent binary slots, each a channel from latent bits, in this order.

    ``n_shared`` slots read one bit of w_s each, ``n_unique1`` one of w_1, ``n_unique2`` one of
    w_2; each of the ``n_xor`` slots reads the XOR of one bit of w_1 and one of w_2. The bits read
    are the first of each block, those of the XOR slots after those of the unique slots. Capacities
    are per slot, in bits.
    """

    n_shared: int
    n_unique1: int
    n_unique2: int
    n_xor: int
    shared_capacity_bits: float = 1.0
    unique1_capacity_bits: float = 1.0
    unique2_capacity_bits: float = 1.0
    xor_capacity_bits: float = 1.0

    @property
    def n_slots(self) -> int:
        """Number of slots of the word."""
        return self.n_shared + self.n_unique1 + self.n_unique2 + self.n_xor

    @property
    def relevant(self) -> tuple[int, int, int]:
        """Number of latents read in (w_s, w_1, w_2)."""
        return (self.n_shared, self.n_unique1 + self.n_xor, self.n_unique2 + self.n_xor)

    @property
    def capacities_bits(self) -> tuple[float, ...]:
        """Capacity of each slot in bits, in the order of the word."""
        return (
            *[self.shared_capacity_bits] * self.n_shared,
            *[self.unique1_capacity_bits] * self.n_unique1,
            *[self.unique2_capacity_bits] * self.n_unique2,
            *[self.xor_capacity_bits] * self.n_xor,
        )


_Synergy = Annotated[
    Ratio, Field(description="Share of synergistic information."), Option("--synergy")
]


class _Label(Spec):
    unique_ratio: Annotated[
        Ratio, Field(description="Share of the label that is unique to one modality.")
    ] = 0.5
    balance: Annotated[
        Ratio,
        Field(description="Share of the unique information in modality 1."),
        Option("--balance"),
    ] = 0.5

    def with_ratio(self, unique_ratio: float) -> Self:
        """The same rule at another share of unique information."""
        return type(self).model_validate({**self.model_dump(), "unique_ratio": unique_ratio})


class BitsLabel(_Label):
    """A word of slots whose capacities alone move with the ratio: any real ratio, exactly.

    With C = ``label_bits`` and kappa = ``synergy_ratio``: C shared slots of capacity
    1 - rho - kappa, C / 2 slots on w_1 of capacity 2 beta rho, C / 2 on w_2 of capacity
    2 (1 - beta) rho and ceil(kappa C) XOR slots that carry kappa C bits together.
    """

    kind: Literal["bits"] = "bits"
    label_bits: Annotated[
        int,
        Field(ge=2, le=MAX_LABEL_BITS, multiple_of=2, description="C: label information in bits."),
        Option("--label-bits"),
    ] = 2
    synergy_ratio: _Synergy = 0.0

    @model_validator(mode="after")
    def _capacities_fit(self) -> Self:
        rho, beta, kappa = self.unique_ratio, self.balance, self.synergy_ratio
        top = min(1 - kappa, *(1 / (2 * part) for part in (beta, 1 - beta) if part > 0))
        if rho > top + _WHOLE:
            raise ValueError(
                f"unique_ratio: expected at most {top:.10g} (at balance {beta:g} and "
                f"synergy_ratio {kappa:g} a slot would carry more than one bit), got {rho:g}"
            )
        return self

    @property
    def layout(self) -> SlotLayout:
        """The word's slots and their capacities."""
        half = self.label_bits // 2
        synergy_bits = self.synergy_ratio * self.label_bits
        n_xor = math.ceil(synergy_bits - _WHOLE)
        return SlotLayout(
            n_shared=self.label_bits,
            n_unique1=half,
            n_unique2=half,
            n_xor=n_xor,
            shared_capacity_bits=_clipped(1 - self.unique_ratio - self.synergy_ratio),
            unique1_capacity_bits=_clipped(2 * self.balance * self.unique_ratio),
            unique2_capacity_bits=_clipped(2 * (1 - self.balance) * self.unique_ratio),
            xor_capacity_bits=_clipped(synergy_bits / n_xor) if n_xor else 0.0,
        )

    @property
    def relevant(self) -> tuple[int, int, int]:
        """Number of relevant latents in (w_s, w_1, w_2)."""
        return self.layout.relevant

    @property
    def n_classes(self) -> int:
        """Number of values of the label."""
        return 2**self.layout.n_slots


class NoiselessLabel(_Label):
    """A word of latent bits without channels; the ratios split ``label_bits`` into whole bits."""

    kind: Literal["noiseless"] = "noiseless"
    label_bits: Annotated[
        int,
        Field(ge=1, le=MAX_LABEL_BITS, description="C: label information in bits."),
        Option("--label-bits"),
    ] = 4
    synergy_ratio: _Synergy = 0.0

    @model_validator(mode="after")
    def _parts_are_whole(self) -> Self:
        total, kappa = self.label_bits, self.synergy_ratio
        if not _is_whole(total, kappa):
            fits = [count / total for count in range(total + 1)]
            raise ValueError(_no_whole_split("synergy_ratio", kappa, total, "label bits", fits))
        _refuse_fractions(self, total, "label bits", largest=1 - kappa)
        return self

    @property
    def layout(self) -> SlotLayout:
        """The word's slots, all of capacity 1 bit."""
        n_unique1, n_unique2 = _unique_parts(self, self.label_bits)
        n_xor = round(self.label_bits * self.synergy_ratio)
        return SlotLayout(
            n_shared=self.label_bits - n_unique1 - n_unique2 - n_xor,
            n_unique1=n_unique1,
            n_unique2=n_unique2,
            n_xor=n_xor,
        )

    @property
    def relevant(self) -> tuple[int, int, int]:
        """Number of relevant latents in (w_s, w_1, w_2)."""
        return self.layout.relevant

    @property
    def n_classes(self) -> int:
        """Number of values of the label."""
        return 2**self.layout.n_slots


class _SplitLabel(_Label):
    # 1/2 would ask for one latent and a half of each unique block of the default world.
    unique_ratio: Annotated[
        Ratio, Field(description="Share of the relevant latents that one modality alone has.")
    ] = 2 / 3
    n_relevant: Annotated[
        PositiveInt, Field(description="Relevant latents."), Option("--relevant")
    ] = 6

    @model_validator(mode="after")
    def _parts_are_whole(self) -> Self:
        _refuse_fractions(self, self.n_relevant, "relevant latents")
        return self

    @property
    def relevant(self) -> tuple[int, int, int]:
        """Number of relevant latents in (w_s, w_1, w_2)."""
        n_unique1, n_unique2 = _unique_parts(self, self.n_relevant)
        return (self.n_relevant - n_unique1 - n_unique2, n_unique1, n_unique2)


class ThresholdLabel(_SplitLabel):
    """The official label: 1 where the mean of the relevant latents (bits as +-1) is >= 0.

    Here ``unique_ratio`` is a ratio of latents; the ratio of information is in the truth.
    """

    kind: Literal["threshold"] = "threshold"

    @property
    def n_classes(self) -> int:
        """Number of values of the label."""
        return 2


class PlanarLabel(_SplitLabel):
    """The official planar-flow label: z <- z + tanh(z W + b) U, class = argmax(z H).

    z holds the relevant latents (shared, unique 1, unique 2; bits as +-1). W, b, U, H have N(0, 1)
    entries from ``flow_seed`` (the official code draws N(2, 1), which leaves two or three classes
    alive). Here ``unique_ratio`` is a ratio of latents; that of information is in the truth.
    """

    kind: Literal["planar"] = "planar"
    n_classes: Annotated[
        int, Field(ge=2, le=4096, description="Number of classes."), Option("--classes")
    ] = 20
    flow_seed: Annotated[NonNegativeInt, Field(description="Seed of the flow's matrices.")] = 0


Label = Annotated[
    BitsLabel | NoiselessLabel | ThresholdLabel | PlanarLabel, Field(discriminator="kind")
]


def _clipped(capacity_bits: float) -> float:
    # 1 - 0.7 - 0.3 leaves 6e-17, which is rounding and no capacity.
    nearest = min(max(round(capacity_bits), 0), 1)
    if abs(capacity_bits - nearest) < _ROUNDING:
        return float(nearest)
    return min(max(capacity_bits, 0.0), 1.0)


def _is_whole(total: int, *shares: float) -> bool:
    """Whether each share of ``total`` is a whole number (shares are exact to 1e-9)."""
    return all(abs(share - round(total * share) / total) < _WHOLE for share in shares)


def _unique_parts(label: _Label, total: int) -> tuple[int, int]:
    ratio, balance = label.unique_ratio, label.balance
    return round(total * ratio * balance), round(total * ratio * (1 - balance))


def _refuse_fractions(label: _Label, total: int, what: str, largest: float = 1.0) -> None:
    """Refuse a unique ratio that does not split ``total`` into whole parts."""
    balance = label.balance
    fits = [
        count / total
        for count in range(total + 1)
        if count / total <= largest + _WHOLE
        and _is_whole(total, count / total * balance, count / total * (1 - balance))
    ]
    if not any(abs(fit - label.unique_ratio) < _WHOLE for fit in fits):
        raise ValueError(_no_whole_split("unique_ratio", label.unique_ratio, total, what, fits))


def _no_whole_split(name: str, ratio: float, total: int, what: str, fits: Sequence[float]) -> str:
    nearest = sorted(sorted(fits, key=lambda fit: abs(fit - ratio))[:2])
    return (
        f"{name}: expected a ratio that splits {total} {what} into whole numbers "
        f"(nearest that fit: {', '.join(f'{fit:.10g}' for fit in nearest)}), got {ratio:g}"
    )
