"""The record of one training's readouts, and how the joint readout is composed.

Owns the interface between training and measurement. May import ``fctestbed.results``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fctestbed.results import JOINT


@dataclass(frozen=True, eq=False, kw_only=True)
class Readout:
    """One named representation of a data set.

    Attributes:
        modalities: the modalities (1, 2) that it is computed from.
        train: values for the training samples, or the first of them, [n_fit, width].
        test: values for the held-out samples, [n_test, width].
        codewords: values for every pattern of its modalities' latent bits, [2^n_bits, width], in
            the order of ``pattern_columns``. None where they are not known, and for a composed
            readout, whose parts have their own.
        no_codewords: why neither the readout nor its parts have codewords, as ``expected ...,
            got ...``; empty if they have them.
        parts: the readouts of one modality each whose concatenation it is; empty for a readout
            that is computed as a whole.
    """

    modalities: tuple[int, ...]
    train: Tensor
    test: Tensor
    codewords: Tensor | None = None
    no_codewords: str = ""
    parts: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.test.shape[1]

    def to(self, device: torch.device | str) -> "Readout":
        """The readout on a device."""
        codewords = None if self.codewords is None else self.codewords.to(device)
        return replace(
            self, train=self.train.to(device), test=self.test.to(device), codewords=codewords
        )


@dataclass(frozen=True, eq=False)
class Readouts:
    """All readouts of one training or of one file: the input of a measurement.

    Attributes:
        by_name: the readouts, in the order of their rows.
    """

    by_name: Mapping[str, Readout]

    @property
    def device(self) -> torch.device:
        """Where the arrays are."""
        return next(iter(self.by_name.values())).test.device

    @property
    def finite(self) -> bool:
        """Whether every sample's numbers are finite."""
        return all(
            bool(array.isfinite().all())
            for readout in self.by_name.values()
            for array in (readout.train, readout.test)
        )

    def to(self, device: torch.device | str) -> "Readouts":
        """The readouts on a device."""
        return Readouts({name: readout.to(device) for name, readout in self.by_name.items()})

    def first(self, n_fit: int) -> "Readouts":
        """The readouts with at most ``n_fit`` training samples."""
        return Readouts(
            {
                name: replace(readout, train=readout.train[:n_fit])
                for name, readout in self.by_name.items()
            }
        )


def with_joint(readouts: Mapping[str, Readout], parts: Sequence[str]) -> Readouts:
    """The readouts, followed by the joint readout, the concatenation of ``parts``. It is omitted if
    there are no parts."""
    if not parts:
        return Readouts(readouts)
    own = [readouts[name] for name in parts]
    joint = Readout(
        modalities=(1, 2),
        train=torch.cat([part.train for part in own], 1),
        test=torch.cat([part.test for part in own], 1),
        no_codewords=next((part.no_codewords for part in own if part.no_codewords), ""),
        parts=tuple(parts),
    )
    return Readouts({**readouts, JOINT: joint})
