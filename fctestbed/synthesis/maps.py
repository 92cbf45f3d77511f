"""Observation maps: how a modality renders its latents. May import numpy and ``spec``.

A map takes z = [w_m, w_s], signed, of shape (n, n_inputs), to x of shape (n, dim).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fctestbed.synthesis.products import product
from fctestbed.synthesis.spec import LinearObservation, MlpObservation


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


def draw_map(
    spec: LinearObservation | MlpObservation, n_inputs: int, dim: int, rng: np.random.Generator
) -> Map:
    """Draw the map of one modality with ``n_inputs`` latents and ``dim`` coordinates."""

    def normal(*shape: int, variance: float = 1.0) -> npt.NDArray[np.float32]:
        return _read_only(rng.standard_normal(shape) * variance**0.5)

    if isinstance(spec, MlpObservation):
        return MlpMap(
            A=normal(n_inputs, spec.hidden_dim, variance=1 / n_inputs),
            a=normal(spec.hidden_dim),
            B=normal(spec.hidden_dim, dim, variance=1 / spec.hidden_dim),
            gain=spec.gain,
        )
    if spec.entries == "uniform":
        return LinearMap(_read_only(rng.random((n_inputs, dim))))
    return LinearMap(normal(n_inputs, dim, variance=1 / n_inputs))


def _read_only(array: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    single = array.astype(np.float32)
    single.flags.writeable = False
    return single
