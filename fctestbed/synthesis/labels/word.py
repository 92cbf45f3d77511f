"""Labels that are words of independent binary slots: ``bits`` and ``noiseless``.

Exact in closed form, because each slot adds its capacity to its own atom. May import numpy,
``information`` and ``labels.base``; torch only inside the reader.
"""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from fctestbed.information import bsc_flip_probability
from fctestbed.synthesis.labels.base import (
    LabelRule,
    LabelWrites,
    check_whole_parts,
    is_whole,
    no_whole_split,
    take,
    unique_parts,
)
from fctestbed.synthesis.labels.information import LabelInformation, Pid
from fctestbed.synthesis.labels.slots import Slot, SlotLayout, word_of
from fctestbed.synthesis.latents import Counts, LatentLaw, Latents, as_bits
from fctestbed.synthesis.record import Option, Ratio

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from fctestbed.synthesis.labels.base import BitReader

MAX_LABEL_BITS = 20
_EXACT = 1e-9
_ROUNDING = 1e-15
_Synergy = Annotated[
    Ratio, Field(description="Share of synergistic information."), Option("--synergy")
]


class WordLabel(LabelRule):
    """y is the word of the slots of ``layout``; of latents that are not bits the sign is used."""

    is_word: ClassVar[bool] = True
    classes_field: ClassVar[str] = "label_bits"

    @property
    @abstractmethod
    def layout(self) -> SlotLayout:
        """The word's slots and their capacities."""

    @classmethod
    def admits(cls, latents: LatentLaw) -> bool:
        """Latents whose signs are independent fair coins."""
        return latents.has_fair_signs

    @property
    def relevant(self) -> Counts:
        """Number of relevant latents in (w_s, w_1, w_2)."""
        return self.layout.relevant

    @property
    def n_classes(self) -> int:
        """Number of values of the label."""
        return 2**self.layout.n_slots

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The slots that y is a word of, slot k of weight 2^k."""
        layout = self.layout
        n_shared, n_relevant1, _ = layout.relevant
        slots = []
        for (kind, in_1, in_2), flip in zip(
            layout.places, layout.flip_probabilities.tolist(), strict=True
        ):
            from_1, from_2 = n_shared + in_1, n_shared + n_relevant1 + in_2
            reads = {"shared": (in_1,), "unique1": (from_1,), "unique2": (from_2,)}
            slots.append(Slot(reads.get(kind, (from_1, from_2)), flip))
        return tuple(slots)

    def slot_inputs(self, latents: Latents) -> npt.NDArray[np.uint8]:
        """The input of each slot's channel: uint8 of shape (n, n_slots)."""
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

        A slot flips if its uniform number is below its flip probability, so labels of worlds that
        differ only in the ratio are coupled when they are drawn from the same stream.
        """
        slots, layout = self.slot_inputs(latents), self.layout
        uniforms = rng.random((layout.n_slots, len(slots)))
        return word_of(slots ^ (uniforms < layout.flip_probabilities[:, None]).T.view(np.uint8))

    def information(self, latents: LatentLaw) -> LabelInformation:
        """Slots are independent, so each adds its capacity to its own atom."""
        layout = self.layout
        redundancy = layout.n_shared * layout.shared_capacity_bits
        unique1 = layout.n_unique1 * layout.unique1_capacity_bits
        unique2 = layout.n_unique2 * layout.unique2_capacity_bits
        synergy = layout.n_xor * layout.xor_capacity_bits

        def accuracy(n_slots: int, capacity_bits: float) -> float:
            return float((1 - bsc_flip_probability(capacity_bits)) ** n_slots)

        def guess(n_slots: int) -> float:
            return 0.5**n_slots

        from_shared = accuracy(layout.n_shared, layout.shared_capacity_bits)
        from_1 = accuracy(layout.n_unique1, layout.unique1_capacity_bits)
        from_2 = accuracy(layout.n_unique2, layout.unique2_capacity_bits)
        from_xor = accuracy(layout.n_xor, layout.xor_capacity_bits)
        return LabelInformation(
            shared_bits=redundancy - synergy,
            unique1_bits=unique1 + synergy,
            unique2_bits=unique2 + synergy,
            total_bits=redundancy + unique1 + unique2 + synergy,
            label_entropy_bits=float(layout.n_slots),
            x1_label_bits=redundancy + unique1,
            x2_label_bits=redundancy + unique2,
            bayes_accuracy=from_shared * from_1 * from_2 * from_xor,
            bayes_accuracy_x1=from_shared * from_1 * guess(layout.n_unique2 + layout.n_xor),
            bayes_accuracy_x2=from_shared * from_2 * guess(layout.n_unique1 + layout.n_xor),
            majority_accuracy=guess(layout.n_slots),
            pid=Pid(
                redundancy_bits=redundancy,
                unique1_bits=unique1,
                unique2_bits=unique2,
                synergy_bits=synergy,
            ),
        )

    def writes(self, sizes: Counts, *, unique: bool) -> LabelWrites:
        """The word of slots. For ``unique`` no shared slot is written to modality 2, which has the
        block itself, and of an XOR slot only the bit of w_2: given X1 it is equivalent."""
        n_shared, n_unique1, n_unique2 = sizes
        layout = self.layout
        nothing = n_shared + n_unique1 + n_unique2
        nowhere1, nowhere2 = n_unique1 + n_shared, n_unique2 + n_shared
        reads, places1, places2, pads = [], [], [], []
        for kind, in_1, in_2 in layout.places:
            from_s, from_1, from_2 = in_1, n_shared + in_1, n_shared + n_unique1 + in_2
            role = "unique2" if unique and kind == "xor" else kind
            reads.append(
                {
                    "shared": (from_s, nothing),
                    "unique1": (from_1, nothing),
                    "unique2": (from_2, nothing),
                    "xor": (from_1, from_2),
                }[role]
            )
            shared2 = nowhere2 if unique else n_unique2 + in_2
            places1.append({"shared": n_unique1 + in_1, "unique1": in_1}.get(role, nowhere1))
            places2.append({"shared": shared2, "unique2": in_2, "xor": in_2}.get(role, nowhere2))
            pads.append(in_1 if role == "xor" else nowhere1)
        every = np.arange(layout.n_slots)
        return LabelWrites(
            n_bits=layout.n_slots,
            reads=np.array(reads),
            flips=layout.flip_probabilities,
            bits=(every, every),
            places=(np.array(places1), np.array(places2)),
            pads=np.array(pads),
        )

    @classmethod
    def bit_reader(
        cls,
        labels: Sequence[Self],
        writes: Sequence[LabelWrites],
        latents: LatentLaw,
        device: "torch.device",
        dtype: "torch.dtype",
    ) -> "BitReader":
        """A function from latent blocks to the word of slots; see ``LabelRule.bit_reader``."""
        import torch  # noqa: PLC0415 - worlds need no torch

        stacked = np.stack([write.reads for write in writes if write.reads is not None])
        first, second = torch.from_numpy(stacked).to(device).unsqueeze(1).unbind(-1)

        def read(blocks: "tuple[Tensor, Tensor, Tensor]") -> "Tensor":
            bits = torch.cat([w > 0 for w in blocks], dim=-1)
            bits = torch.nn.functional.pad(bits, (0, 1))
            return take(bits, first) ^ take(bits, second)

        return read


class BitsLabel(WordLabel):
    """A word of slots of which only the capacities depend on the ratio: exact at any real ratio.

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
        if rho > top + _EXACT:
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
        n_xor = math.ceil(synergy_bits - _EXACT)
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


class NoiselessLabel(WordLabel):
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
        if not is_whole(total, kappa):
            fits = [count / total for count in range(total + 1)]
            raise ValueError(no_whole_split("synergy_ratio", kappa, total, "label bits", fits))
        check_whole_parts(self, total, "label bits", largest=1 - kappa)
        return self

    @property
    def layout(self) -> SlotLayout:
        """The word's slots, all of capacity 1 bit."""
        n_unique1, n_unique2 = unique_parts(self, self.label_bits)
        n_xor = round(self.label_bits * self.synergy_ratio)
        return SlotLayout(
            n_shared=self.label_bits - n_unique1 - n_unique2 - n_xor,
            n_unique1=n_unique1,
            n_unique2=n_unique2,
            n_xor=n_xor,
        )


def _clipped(capacity_bits: float) -> float:
    # 1 - 0.7 - 0.3 leaves 6e-17, which is rounding and no capacity.
    nearest = min(max(round(capacity_bits), 0), 1)
    if abs(capacity_bits - nearest) < _ROUNDING:
        return float(nearest)
    return min(max(capacity_bits, 0.0), 1.0)
