"""The parity label: y says whether an odd number of the relevant latents is positive.

Exact in closed form. May import numpy and ``labels``.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from fctestbed.synthesis.labels.classes import ClassLabel
from fctestbed.synthesis.labels.information import (
    FunctionInformation,
    LabelInformation,
    Pid,
    function_content,
)
from fctestbed.synthesis.latents import LatentLaw

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class ParityLabel(ClassLabel):
    """The XOR of the relevant bits (of other latents, of their signs).

    y is independent of any proper subset of the relevant latents. It is one bit of synergy if both
    unique blocks have relevant latents, unique to a modality if only its block has them, and
    redundant if neither has. Here ``unique_ratio`` is a ratio of latents.
    """

    is_enumerated: ClassVar[bool] = False

    kind: Literal["parity"] = "parity"

    @property
    def n_classes(self) -> int:
        """Number of values of the label."""
        return 2

    @classmethod
    def admits(cls, latents: LatentLaw) -> bool:
        """Latents whose signs are fair coins, or that can be enumerated."""
        return latents.has_fair_signs or latents.is_finite

    def classify(self, relevant: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Classes of shape (n,) of signed relevant latents of shape (n, n_relevant)."""
        return (relevant > 0).sum(axis=1) % 2

    def information(self, latents: LatentLaw) -> LabelInformation:
        """The exact information content of y."""
        if not latents.has_fair_signs:
            return super().information(latents)
        _, n_unique1, n_unique2 = self.relevant
        # 1 where a modality lacks a relevant latent, so that y is a fair coin given it.
        hidden1, hidden2 = float(n_unique2 > 0), float(n_unique1 > 0)
        known = FunctionInformation(
            label_entropy_bits=1.0,
            given_x1_bits=hidden1,
            given_x2_bits=hidden2,
            bayes_accuracy_x1=1 - hidden1 / 2,
            bayes_accuracy_x2=1 - hidden2 / 2,
            majority_accuracy=0.5,
        )
        pid = Pid(
            redundancy_bits=(1 - hidden1) * (1 - hidden2),
            unique1_bits=(1 - hidden1) * hidden2,
            unique2_bits=hidden1 * (1 - hidden2),
            synergy_bits=hidden1 * hidden2,
        )
        return function_content(known, pid)

    @classmethod
    def stacked_classifier(
        cls, labels: Sequence[Self], device: "torch.device"
    ) -> "Callable[[Tensor], Tensor]":
        """A function from signed relevant latents of stacked runs to classes, at any number."""
        return lambda signs: (signs > 0).sum(dim=-1) % 2
