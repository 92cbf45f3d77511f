"""The law of a noisy readout and some latent bits, with its exact information.

May import ``fctestbed.laws``. After training, an encoder of bits is a finite table of codewords, so
samples of (Z + tau N, bits) are unlimited.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fctestbed.laws import Kind, Law


@dataclass(frozen=True, eq=False)
class CodePart:
    """One part of a readout.

    Attributes:
        codewords: its value for every pattern of its bits, [2^bits, width].
        columns: the latent bits that the patterns consist of, slowest first.
    """

    codewords: NDArray[np.float64]
    columns: tuple[int, ...]

    def at(self, bits: NDArray[np.int64]) -> NDArray[np.float64]:
        """The codewords, [n, width], at latent bits [n, all bits]."""
        place_values = 1 << np.arange(len(self.columns))[::-1]
        return self.codewords[bits[:, list(self.columns)] @ place_values]


@dataclass(frozen=True, kw_only=True, eq=False)
class ReadoutLaw(Law):
    """X: a readout of one training with noise; Y: some of the latent bits, which are fair.

    Attributes:
        method: the trained method.
        variant: its variant.
        unique_ratio: the unique ratio of the training; NaN where several ratios of the sweep have
            the same training and quantity, as for methods that do not use a label.
        seed: seed of data and training.
        readout: name of the readout.
        quantity: name of the bits.
        tau: standard deviation of the noise per dimension.
        exact_bits: the exact I(X; Y), in bits.
        exact_se_bits: standard error of ``exact_bits``.
        parts: the parts whose concatenation is the readout.
        columns: the latent bits of Y.
        n_bits: number of all latent bits.
    """

    method: str
    variant: str
    unique_ratio: float
    seed: int
    readout: str
    quantity: str
    tau: float
    exact_bits: float
    exact_se_bits: float
    parts: tuple[CodePart, ...]
    columns: tuple[int, ...]
    n_bits: int
    kind: ClassVar[Kind] = "mixed"
    group: ClassVar[str] = "readouts"

    @property
    def name(self) -> str:
        """Training, readout and quantity."""
        variant = "" if self.variant == "paper" else f" ({self.variant})"
        every = math.isnan(self.unique_ratio)
        ratio = "every ratio" if every else f"ratio {self.unique_ratio:g}"
        training = f"{self.method}{variant}, {ratio}, seed {self.seed}"
        return f"{training}: {self.readout}, {self.quantity}"

    @property
    def true_bits(self) -> float:
        """I(X; Y), in bits."""
        return self.exact_bits

    def sample(self, n: int, rng: np.random.Generator) -> tuple[NDArray[Any], ...]:
        """x, [n, width], of unit mean power per dimension before the noise, and y, [n, bits]."""
        bits = rng.integers(0, 2, (n, self.n_bits))
        z = np.concatenate([part.at(bits) for part in self.parts], axis=1)
        return z + self.tau * rng.standard_normal(z.shape), bits[:, list(self.columns)]
