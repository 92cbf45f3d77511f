"""Observation maps: their specifications, and the computation of a modality from its latents.

A map takes z = [w_m, w_s], signed, of shape (n, n_inputs), to x of shape (n, dim). May import
numpy, ``latents``, ``products`` and ``record``.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, NonNegativeFloat, PositiveInt

from fctestbed.synthesis.latents import Counts
from fctestbed.synthesis.products import product
from fctestbed.synthesis.record import Option, PositiveFloat, Spec

_Dim = Annotated[PositiveInt, Field(description="Coordinates of a modality.")]
_Noise = Annotated[
    NonNegativeFloat,
    Field(description="Standard deviation of the observation noise."),
    Option("--noise"),
]


@dataclass(frozen=True, eq=False)
class LinearMap:
    """x = z T. ``matrix`` has shape (n_inputs, dim), float32, read-only."""

    matrix: npt.NDArray[np.float32]

    def render(self, z: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """x of shape (n, dim) for signed latents ``z`` of shape (n, n_inputs)."""
        return product(z, self.matrix)


@dataclass(frozen=True, eq=False)
class MlpMap:
    """x = tanh(gain * z A + a) B. Arrays are float32 and read-only.

    Shapes: ``A`` (n_inputs, hidden_dim), ``a`` (hidden_dim,), ``B`` (hidden_dim, dim).
    """

    A: npt.NDArray[np.float32]
    a: npt.NDArray[np.float32]
    B: npt.NDArray[np.float32]
    gain: float

    def render(self, z: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """x of shape (n, dim) for signed latents ``z`` of shape (n, n_inputs)."""
        hidden = product(z, self.A * np.float32(self.gain))
        hidden += self.a
        return product(np.tanh(hidden, out=hidden), self.B)


Map = LinearMap | MlpMap


class LinearObservation(Spec):
    """x_m = [w_m, w_s] T_m + noise * N(0, 1), T_m of shape (n_inputs, dim).

    Entries of T_m are N(0, 1 / n_inputs) for ``normal`` and the paper's U(0, 1) for ``uniform``.
    """

    kind: Literal["linear"] = "linear"
    dim1: _Dim = 100
    dim2: _Dim = 100
    entries: Annotated[
        Literal["normal", "uniform"], Field(description="Distribution of the matrix's entries.")
    ] = "normal"
    noise: _Noise = 0.0

    def dims(self, sizes: Counts) -> tuple[int, int]:
        """Coordinates of the two modalities."""
        return self.dim1, self.dim2

    def draw_map(self, n_inputs: int, dim: int, rng: np.random.Generator) -> LinearMap:
        """The map of a modality with ``n_inputs`` latents and ``dim`` coordinates."""
        if self.entries == "uniform":
            return LinearMap(_read_only(rng.random((n_inputs, dim))))
        return LinearMap(_normal(rng, n_inputs, dim, variance=1 / n_inputs))

    def map_numbers(self, n_inputs: int, dim: int) -> int:
        """How many numbers ``draw_map`` draws."""
        return n_inputs * dim

    def injective_widths(self, modality: int, n_inputs: int) -> dict[str, int]:
        """The least value of each field at which the map of a modality with ``n_inputs``
        continuous latents is injective almost surely."""
        return {f"dim{modality}": n_inputs}


class MlpObservation(Spec):
    """A random tanh network: x_m = tanh(gain * [w_m, w_s] A_m + a_m) B_m + noise * N(0, 1).

    Entries of A_m, shape (n_inputs, hidden_dim), are N(0, 1 / n_inputs), of a_m N(0, 1) and of
    B_m, shape (hidden_dim, dim), N(0, 1 / hidden_dim).
    """

    kind: Literal["mlp"] = "mlp"
    dim1: _Dim = 100
    dim2: _Dim = 100
    hidden_dim: Annotated[PositiveInt, Field(description="Hidden units.")] = 100
    gain: Annotated[PositiveFloat, Field(description="Factor on the inputs.")] = 1.5
    noise: _Noise = 0.0

    def dims(self, sizes: Counts) -> tuple[int, int]:
        """Coordinates of the two modalities."""
        return self.dim1, self.dim2

    def draw_map(self, n_inputs: int, dim: int, rng: np.random.Generator) -> MlpMap:
        """The map of a modality with ``n_inputs`` latents and ``dim`` coordinates."""
        return MlpMap(
            A=_normal(rng, n_inputs, self.hidden_dim, variance=1 / n_inputs),
            a=_normal(rng, self.hidden_dim),
            B=_normal(rng, self.hidden_dim, dim, variance=1 / self.hidden_dim),
            gain=self.gain,
        )

    def map_numbers(self, n_inputs: int, dim: int) -> int:
        """How many numbers ``draw_map`` draws."""
        return self.hidden_dim * (n_inputs + 1 + dim)

    def injective_widths(self, modality: int, n_inputs: int) -> dict[str, int]:
        """The least value of each field at which the map of a modality with ``n_inputs``
        continuous latents is injective almost surely."""
        # A generic linear map is injective on an n-dimensional surface from 2n + 1 on.
        embedded = min(self.hidden_dim, 2 * n_inputs + 1)
        return {"hidden_dim": n_inputs, f"dim{modality}": embedded}


class BitsObservation(Spec):
    """x_m = [w_m, w_s] + noise * N(0, 1): the signed latents themselves, one coordinate each."""

    kind: Literal["bits"] = "bits"
    noise: _Noise = 0.0

    def dims(self, sizes: Counts) -> tuple[int, int]:
        """Coordinates of the two modalities: their numbers of latents."""
        n_shared, n_unique1, n_unique2 = sizes
        return n_unique1 + n_shared, n_unique2 + n_shared

    def draw_map(self, n_inputs: int, dim: int, rng: np.random.Generator) -> LinearMap:
        """The identity, which draws nothing."""
        return LinearMap(_read_only(np.eye(n_inputs, dim)))

    def map_numbers(self, n_inputs: int, dim: int) -> int:
        """Numbers of the identity's matrix."""
        return n_inputs * dim

    def injective_widths(self, modality: int, n_inputs: int) -> dict[str, int]:
        """No field: the identity is injective."""
        return {}


def _normal(
    rng: np.random.Generator, *shape: int, variance: float = 1.0
) -> npt.NDArray[np.float32]:
    return _read_only(rng.standard_normal(shape) * variance**0.5)


def _read_only(array: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    single = array.astype(np.float32)
    single.flags.writeable = False
    return single
