"""Labels that are a function of ``n_relevant`` latents, which a ratio splits over the blocks.

A subclass defines the function from latents to classes. This module derives y, the exact
information by enumeration, the class in binary for augmentations, and its reader on tensors. May
import numpy and ``labels.base``; torch only inside the reader.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, PositiveInt, model_validator

from fctestbed.synthesis.labels.base import (
    LabelRule,
    LabelWrites,
    check_whole_parts,
    take,
    unique_parts,
)
from fctestbed.synthesis.labels.information import (
    Classes,
    FunctionInformation,
    LabelInformation,
    Table,
    enumerated_information,
    enumerated_margins,
    function_content,
    function_pid,
)
from fctestbed.synthesis.latents import Counts, LatentLaw, Latents, relevant_latents
from fctestbed.synthesis.record import Option, Ratio

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from fctestbed.synthesis.labels.base import BitReader

MAX_ENUMERATED_BITS = 22
MAX_COUNTED_BITS = 1 << 16
# Of the tables that count ones, for each relevant latent.
_BYTES_PER_BIT = 64
_CHUNK = 1 << 16
_CONTINUOUS = (
    "the PID atoms are computed for finite sources; this label depends on continuous latents"
)


class ClassLabel(LabelRule):
    """y is a function of the relevant latents: shared, unique 1, unique 2; bits as +-1.

    Here ``unique_ratio`` is a ratio of latents; the ratio of information is in the truth.

    Attributes:
        is_enumerated: whether the truth is a sum over all patterns, which limits ``n_relevant``.
        repeats_class: whether augmentations write a class of one bit into all relevant inputs.
    """

    is_enumerated: ClassVar[bool] = True
    repeats_class: ClassVar[bool] = False

    # 1/2 would need one latent and a half of each unique block of the default world.
    unique_ratio: Annotated[
        Ratio, Field(description="Share of the relevant latents that one modality alone has.")
    ] = 2 / 3
    n_relevant: Annotated[
        PositiveInt, Field(description="Relevant latents."), Option("--relevant")
    ] = 6

    @model_validator(mode="after")
    def _parts_are_whole(self) -> Self:
        if self.n_relevant > MAX_COUNTED_BITS:
            raise ValueError(
                f"n_relevant: expected at most {MAX_COUNTED_BITS}, got {self.n_relevant}, whose "
                f"tables take {self.n_relevant * _BYTES_PER_BIT} bytes or more"
            )
        check_whole_parts(self, self.n_relevant, "relevant latents")
        if self.is_enumerated and self.n_relevant > MAX_ENUMERATED_BITS:
            raise ValueError(
                f"n_relevant: expected at most {MAX_ENUMERATED_BITS} for a {self.kind} label, "
                f"whose truth is enumerated, got {self.n_relevant}"
            )
        return self

    @abstractmethod
    def classify(self, relevant: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Classes of shape (n,) of signed relevant latents of shape (n, n_relevant)."""

    @classmethod
    def admits(cls, latents: LatentLaw) -> bool:
        """Whether the latents can be enumerated."""
        return latents.is_finite

    @property
    def relevant(self) -> Counts:
        """Number of relevant latents in (w_s, w_1, w_2)."""
        n_unique1, n_unique2 = unique_parts(self, self.n_relevant)
        return (self.n_relevant - n_unique1 - n_unique2, n_unique1, n_unique2)

    @property
    def stack_shape(self) -> tuple[str, int | None]:
        """The properties that labels of stacked runs share, besides the number of classes."""
        return (self.kind, self.n_relevant)

    def draw(self, latents: Latents, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Classes of shape (n,); nothing is drawn from ``rng``."""
        return self.classify(relevant_latents(latents, self.relevant))

    def class_table(self) -> Classes:
        """Class of every pattern of the relevant bits, shape (2^n_relevant,), read-only.

        The first bit varies slowest. The table does not depend on how the ratios split the bits,
        and is computed once.
        """
        return _class_table(self.model_copy(update={"unique_ratio": 0.0, "balance": 0.5}))

    def information(self, latents: LatentLaw) -> LabelInformation:
        """The exact information content of y."""
        known = self.function_information(latents)
        if not latents.is_finite:
            return function_content(known, None, _CONTINUOUS)
        shape = (*self.symbols(latents), self.n_classes)
        return function_content(known, *function_pid(known, shape, lambda: self.margins(latents)))

    def function_information(self, latents: LatentLaw) -> FunctionInformation:
        """Entropies and accuracies of y, by enumeration."""
        return enumerated_information(*self._enumerated(latents), self.n_classes)

    def symbols(self, latents: LatentLaw) -> tuple[int, int]:
        """Numbers of values of x1 and x2 that ``margins`` distinguishes."""
        n_shared, n_unique1, n_unique2 = self.relevant
        return 2 ** (n_shared + n_unique1), 2 ** (n_shared + n_unique2)

    def margins(self, latents: LatentLaw) -> tuple[Table, Table]:
        """p(x1, y) and p(x2, y), which a PID needs in addition to I(X1,X2;Y).

        Values of x_m with the same p(y | x_m) may count as one.

        Returns:
            Tables of shapes (n1, n_classes) and (n2, n_classes), for ``symbols`` (n1, n2).
        """
        return enumerated_margins(*self._enumerated(latents), self.n_classes)

    def _enumerated(self, latents: LatentLaw) -> tuple[Classes, Table]:
        probabilities = latents.pattern_probabilities(self.relevant)
        return self.class_table().reshape(probabilities.shape), probabilities

    def writes(self, sizes: Counts, *, unique: bool) -> LabelWrites:
        """The class in binary into relevant inputs: shared ones first, where both modalities agree.

        A modality without relevant latents has no information about y, and nothing is written to
        it. For ``unique`` modality 2 has the shared block itself, and the class is written into
        relevant inputs of w_2.

        Raises:
            ValueError: for a class with more bits than a modality has relevant latents.
        """
        n_shared, *n_uniques = sizes
        relevant_shared, *relevant_uniques = self.relevant
        n_bits = (self.n_classes - 1).bit_length()
        n_writes = sum(self.relevant) if self.repeats_class else n_bits
        bits, places = [], []
        for modality, (n_unique, relevant) in enumerate(
            zip(n_uniques, relevant_uniques, strict=True), start=1
        ):
            own_alone = unique and modality == 2
            shared = [] if own_alone else range(n_unique, n_unique + relevant_shared)
            inputs = [*shared, *range(relevant)]
            if 0 < len(inputs) < n_bits:
                where = "w_2" if own_alone else f"modality {modality}"
                raise ValueError(
                    f"augmentation: expected at least {n_bits} relevant latents in {where} to "
                    f"write {self.n_classes} classes of the {self.kind} label into for "
                    f"{'unique' if unique else 'optimal'} (or none; ask for fewer classes, more "
                    f"relevant latents or another unique_ratio), got {len(inputs)}"
                )
            inputs = inputs[:n_writes]
            nowhere = [n_unique + n_shared] * (n_writes - len(inputs))
            places.append(np.array(inputs + nowhere, dtype=np.int64))
            bits.append(np.arange(n_writes) % n_bits)
        return LabelWrites(
            n_bits=n_bits,
            reads=None,
            flips=np.zeros(n_bits),
            bits=(bits[0], bits[1]),
            places=(places[0], places[1]),
            pads=np.full(n_writes, n_uniques[0] + n_shared),
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
        """A function from latent blocks to the class in binary; see ``LabelRule.bit_reader``."""
        import torch  # noqa: PLC0415 - worlds need no torch

        index = [_relevant_places(label.relevant, latents.sizes) for label in labels]
        places = torch.tensor(index, device=device).unsqueeze(1)
        digits = torch.arange(writes[0].n_bits, device=device)
        classify = cls.stacked_classifier(labels, device)

        def read(blocks: "tuple[Tensor, Tensor, Tensor]") -> "Tensor":
            signs = latents.signed_tensor(torch.cat(blocks, dim=-1), dtype)
            classes = classify(take(signs, places))
            return ((classes.unsqueeze(-1) >> digits) & 1).bool()

        return read

    @classmethod
    def stacked_classifier(
        cls, labels: Sequence[Self], device: "torch.device"
    ) -> "Callable[[Tensor], Tensor]":
        """A function from signed relevant latents (K, batch, n_relevant) of K stacked runs to
        their classes, int64 (K, batch): here by each run's table."""
        import torch  # noqa: PLC0415 - worlds need no torch

        tables = [label.class_table() for label in labels]
        # Runs that differ in their ratios alone share one table.
        distinct = list({id(table): table for table in tables}.values())
        held = torch.from_numpy(np.stack(distinct)).to(device)
        which = torch.tensor(
            [[next(i for i, other in enumerate(distinct) if other is table)] for table in tables],
            device=device,
        )
        weights = 2 ** torch.arange(labels[0].n_relevant - 1, -1, -1, device=device)

        def classify(signs: "Tensor") -> "Tensor":
            return held[which, ((signs > 0) * weights).sum(dim=-1)].long()

        return classify


def relevant_signs(n_relevant: int, start: int, end: int) -> npt.NDArray[np.float64]:
    """Patterns ``start`` to ``end`` of the relevant bits as +-1, the first bit slowest."""
    index = np.arange(start, end)[:, None]
    bits = (index >> np.arange(n_relevant - 1, -1, -1)) & 1
    return 2 * bits.astype(np.float64) - 1


@lru_cache(maxsize=8)
def _class_table(label: ClassLabel) -> Classes:
    n = label.n_relevant
    if n > MAX_ENUMERATED_BITS:
        raise ValueError(
            f"label.n_relevant: expected at most {MAX_ENUMERATED_BITS} to enumerate, got {n}"
        )
    classes = np.empty(2**n, dtype=np.int16)
    for start in range(0, len(classes), _CHUNK):
        end = min(start + _CHUNK, len(classes))
        classes[start:end] = label.classify(relevant_signs(n, start, end))
    classes.flags.writeable = False
    return classes


def _relevant_places(relevant: Counts, sizes: Counts) -> list[int]:
    """Relevant latents along [w_s, w_1, w_2]."""
    starts = (0, sizes[0], sizes[0] + sizes[1])
    return [
        start + place
        for start, count in zip(starts, relevant, strict=True)
        for place in range(count)
    ]
