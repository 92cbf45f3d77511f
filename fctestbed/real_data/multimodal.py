"""Two modalities and a label, in splits, with what identifies them.

Imports numpy and this package's features only.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed.real_data.features import Features, ModalityShape

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, eq=False)
class RealSplit:
    """Samples of one split.

    Attributes:
        x1: modality 1, all numbers of a sample in a row, [n, dim1].
        x2: modality 2, [n, dim2].
        y: classes, [n].
    """

    x1: Features
    x2: Features
    y: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, eq=False, kw_only=True)
class Multimodal:
    """Two modalities and a label of a file.

    Attributes:
        dataset: the data set of the paper that it is, or ``plain``.
        source: the file's name.
        file_sha256: of the file, hexadecimal.
        modality1: the name of the array of modality 1.
        modality2: the name of the array of modality 2.
        label: the name of the label's array.
        label_rule: how its numbers became classes.
        shape1: of a sample of modality 1.
        shape2: of a sample of modality 2.
        classes: names of the classes.
        train: samples that encoders and probes are trained on.
        valid: samples that choose the probe's penalty.
        test: samples that are only scored.
        notes: what was done to the arrays, one line each.
    """

    dataset: str
    source: str
    file_sha256: str
    modality1: str
    modality2: str
    label: str
    label_rule: str
    shape1: ModalityShape
    shape2: ModalityShape
    classes: tuple[str, ...]
    train: RealSplit
    valid: RealSplit
    test: RealSplit
    notes: tuple[str, ...] = ()

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @cached_property
    def sha256(self) -> str:
        """The SHA-256, hexadecimal, of all arrays as they are trained on."""
        found = hashlib.sha256()
        for split in SPLITS:
            for name, own in self._hashes[split].items():
                found.update(f"{split} {name} {own}\n".encode())
        return found.hexdigest()

    def description(self) -> dict[str, Any]:
        """Shapes, counts and hashes, as JSON holds them."""
        return {
            "dataset": self.dataset,
            "source": self.source,
            "file_sha256": self.file_sha256,
            "modality1": {"name": self.modality1, "shape": str(self.shape1)},
            "modality2": {"name": self.modality2, "shape": str(self.shape2)},
            "label": {"name": self.label, "rule": self.label_rule, "classes": list(self.classes)},
            "samples": {
                split: {
                    "n": len(getattr(self, split)),
                    "of_classes": np.bincount(
                        getattr(self, split).y, minlength=self.n_classes
                    ).tolist(),
                    "sha256": self._hashes[split],
                }
                for split in SPLITS
            },
            "sha256": self.sha256,
            "notes": list(self.notes),
        }

    @cached_property
    def _hashes(self) -> dict[str, dict[str, str]]:
        return {
            split: {
                name: hashlib.sha256(
                    np.ascontiguousarray(getattr(getattr(self, split), name)).data
                ).hexdigest()
                for name in ("x1", "x2", "y")
            }
            for split in SPLITS
        }
