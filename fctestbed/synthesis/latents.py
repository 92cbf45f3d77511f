"""The law of the latents: its specifications, and everything that depends on it.

Another law is another subclass of ``LatentLaw``; truth, labels, files and augmentations use its
properties and methods. Its methods for tensors import no torch. May import numpy and ``record``.
"""

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field, PositiveInt

from fctestbed.synthesis.record import Option, PositiveFloat, Spec

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Counts = tuple[int, int, int]
"""Numbers of latents in (w_s, w_1, w_2)."""

_Shared = Annotated[PositiveInt, Field(description="Latents in w_s."), Option("--shared")]
_Unique = Annotated[
    PositiveInt, Field(description="Latents in each of w_1 and w_2."), Option("--unique")
]


class Latents(NamedTuple):
    """The blocks w_s, w_1, w_2 of n samples, each of shape (n, size of the block).

    Bits are uint8 in {0, 1}; Gaussian latents are float32.
    """

    w_s: npt.NDArray[Any]
    w_1: npt.NDArray[Any]
    w_2: npt.NDArray[Any]


class LatentLaw(Spec, ABC):
    """A law of the latent blocks.

    Attributes:
        is_finite: whether the latents are bits, whose patterns can be enumerated.
        has_fair_signs: whether the signs of all latents (bits as +-1) are independent fair coins.
            If so, a word label has a closed form, and ones can be counted.
        dtype: type of the arrays that ``draw`` returns.
    """

    is_finite: ClassVar[bool]
    has_fair_signs: ClassVar[bool]
    dtype: ClassVar[np.dtype[Any]]

    kind: str
    n_shared: _Shared = 6
    n_unique1: _Unique = 6
    n_unique2: _Unique = 6

    @property
    def sizes(self) -> Counts:
        """Number of latents in (w_s, w_1, w_2)."""
        return (self.n_shared, self.n_unique1, self.n_unique2)

    @abstractmethod
    def draw(self, n_samples: int, rng: np.random.Generator) -> Latents:
        """The blocks of ``n_samples`` independent samples."""

    @property
    @abstractmethod
    def block_entropies_bits(self) -> tuple[float, float, float]:
        """Entropies of w_s, w_1 and w_2 in bits."""

    @property
    @abstractmethod
    def x1_x2_bits(self) -> float:
        """I((w_1, w_s); (w_2, w_s)) in bits: the information that the modalities share."""

    @abstractmethod
    def pattern_probabilities(self, counts: Counts) -> npt.NDArray[np.float64]:
        """Probability of every pattern of the first ``counts`` latents of each block.

        Returns:
            Shape (2^counts[0], 2^counts[1], 2^counts[2]); the first bit of a block varies slowest.

        Raises:
            ValueError: for latents that are not bits.
        """

    @abstractmethod
    def signed_tensor(self, latents: "Tensor", dtype: "torch.dtype") -> "Tensor":
        """Latents as inputs of maps and label rules, any shape: bits as +-1, others unchanged."""

    @abstractmethod
    def fresh_tensor(self, normal: "Tensor") -> "Tensor":
        """Independent signed latents, one for each standard normal number, any shape."""

    def check_finite(self, purpose: str) -> None:
        """Refuse latents that are not bits.

        Args:
            purpose: the purpose of the bits, as in the message.

        Raises:
            ValueError: for latents that are not bits.
        """
        if not self.is_finite:
            raise ValueError(f"latents: expected bits{purpose}, got {self.kind}")


class BitLatents(LatentLaw):
    """Independent fair bits: ``n_shared`` in w_s, ``n_unique1`` in w_1, ``n_unique2`` in w_2."""

    is_finite: ClassVar[bool] = True
    has_fair_signs: ClassVar[bool] = True
    dtype: ClassVar[np.dtype[Any]] = np.dtype(np.uint8)

    kind: Literal["bits"] = "bits"

    def draw(self, n_samples: int, rng: np.random.Generator) -> Latents:
        """The blocks of ``n_samples`` independent samples."""
        return Latents(
            *[rng.integers(0, 2, (n_samples, size), dtype=np.uint8) for size in self.sizes]
        )

    @property
    def block_entropies_bits(self) -> tuple[float, float, float]:
        """Entropies of w_s, w_1 and w_2 in bits."""
        return (float(self.n_shared), float(self.n_unique1), float(self.n_unique2))

    @property
    def x1_x2_bits(self) -> float:
        """I((w_1, w_s); (w_2, w_s)) = H(w_s) in bits."""
        return float(self.n_shared)

    def pattern_probabilities(self, counts: Counts) -> npt.NDArray[np.float64]:
        """Probability of every pattern, shape (2^counts[0], 2^counts[1], 2^counts[2]): a read-only
        view of one number, because all are equal."""
        return np.broadcast_to(np.float64(0.5 ** sum(counts)), [2**count for count in counts])

    def signed_tensor(self, latents: "Tensor", dtype: "torch.dtype") -> "Tensor":
        """Bits as +-1."""
        return 2 * latents.to(dtype) - 1

    def fresh_tensor(self, normal: "Tensor") -> "Tensor":
        """Signs of the numbers."""
        return 2 * (normal > 0).to(normal.dtype) - 1


class GaussianLatents(LatentLaw):
    """The paper's latents: every coordinate of w_s, w_1, w_2 ~ N(0, variance)."""

    is_finite: ClassVar[bool] = False
    has_fair_signs: ClassVar[bool] = True
    dtype: ClassVar[np.dtype[Any]] = np.dtype(np.float32)

    kind: Literal["gaussian"] = "gaussian"
    variance: Annotated[PositiveFloat, Field(description="Variance of each latent.")] = 0.5

    def draw(self, n_samples: int, rng: np.random.Generator) -> Latents:
        """The blocks of ``n_samples`` independent samples."""
        scale = np.float32(self.variance**0.5)
        return Latents(
            *[
                rng.standard_normal((n_samples, size), dtype=np.float32) * scale
                for size in self.sizes
            ]
        )

    @property
    def block_entropies_bits(self) -> tuple[float, float, float]:
        """Infinite: continuous latents."""
        return (math.inf, math.inf, math.inf)

    @property
    def x1_x2_bits(self) -> float:
        """Infinite: the modalities share continuous latents."""
        return math.inf

    def pattern_probabilities(self, counts: Counts) -> npt.NDArray[np.float64]:
        """Refused: there are no patterns."""
        raise ValueError(f"latents: expected bits, whose patterns have a table, got {self.kind}")

    def signed_tensor(self, latents: "Tensor", dtype: "torch.dtype") -> "Tensor":
        """The latents unchanged."""
        return latents.to(dtype)

    def fresh_tensor(self, normal: "Tensor") -> "Tensor":
        """The numbers scaled to the latents' variance."""
        return normal * self.variance**0.5


def bit_patterns(n_bits: int) -> npt.NDArray[np.uint8]:
    """All patterns of some bits, uint8 [2^n_bits, n_bits], the first bit slowest."""
    index = np.arange(2**n_bits)[:, None]
    return ((index >> np.arange(n_bits - 1, -1, -1)) & 1).astype(np.uint8)


def signed(block: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Latents as inputs of maps and label rules: bits as +-1, others unchanged; float32."""
    if block.dtype == np.uint8:
        return block.astype(np.float32) * np.float32(2) - np.float32(1)
    return block.astype(np.float32, copy=False)


def as_bits(block: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Latents as inputs of a label's slots: bits unchanged, signs of others; uint8."""
    return (block > 0).view(np.uint8)


def relevant_latents(latents: Latents, relevant: Counts) -> npt.NDArray[np.float32]:
    """The first ``relevant`` latents of (w_s, w_1, w_2), signed: shape (n, sum of the counts)."""
    parts = [signed(block[:, :n]) for block, n in zip(latents, relevant, strict=True)]
    return np.concatenate(parts, axis=1)
