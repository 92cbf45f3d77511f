"""A world: fixed observation maps of one specification and seed. May import numpy and this package.

All random numbers come from named streams of the label-free digest and the seed (``streams``), so
worlds that differ only in the label have the same maps and the same x.
"""

import copy
import os
from typing import Any

import numpy as np
import numpy.typing as npt

from fctestbed.synthesis.labels import LabelRule
from fctestbed.synthesis.latents import Latents, bit_patterns, signed
from fctestbed.synthesis.observation import Map
from fctestbed.synthesis.spec import WorldSpec
from fctestbed.synthesis.streams import stream


class World:
    """The observation maps of one specification and seed.

    Attributes:
        spec: the world's specification.
        seed: the seed that its maps and its data are drawn from.
        maps: the observation map of each modality: ``maps[1]`` and ``maps[2]``.
    """

    def __init__(self, spec: WorldSpec, seed: int) -> None:
        if not isinstance(spec, WorldSpec):
            raise ValueError(f"spec: expected a WorldSpec, got {type(spec).__name__}")
        check_memory("observation", "maps", spec.map_bytes)
        self.spec = spec
        self.seed = seed
        n_shared, n_unique1, n_unique2 = spec.block_sizes
        observation = spec.observation
        self.maps: dict[int, Map] = {
            modality: observation.draw_map(n_shared + n_unique, dim, self.stream(f"map{modality}"))
            for modality, n_unique, dim in (
                (1, n_unique1, spec.dims[0]),
                (2, n_unique2, spec.dims[1]),
            )
        }

    def with_label(self, label: LabelRule) -> "World":
        """The world of the same specification and seed with another label; the maps are shared."""
        other = copy.copy(self)
        other.spec = self.spec.with_label(label)
        return other

    def stream(self, name: str) -> np.random.Generator:
        """The random stream ``name`` of this world, the same for every label."""
        return stream(name, self.spec.without_label_digest(), self.seed)

    def observe(
        self, latents: Latents, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """(x1, x2), float32 of shapes (n, dim1) and (n, dim2), of the given latents.

        Inputs of map m are [w_m, w_s], bits as +-1. The observation noise, if any, is drawn from
        ``rng``.
        """
        return (
            self._observe(1, latents.w_1, latents.w_s, rng),
            self._observe(2, latents.w_2, latents.w_s, rng),
        )

    def _observe(
        self,
        modality: int,
        w_m: npt.NDArray[np.generic],
        w_s: npt.NDArray[np.generic],
        rng: np.random.Generator,
    ) -> npt.NDArray[np.float32]:
        x = self.maps[modality].render(np.concatenate([signed(w_m), signed(w_s)], axis=1))
        if self.spec.observation.noise > 0:
            noise = rng.standard_normal(x.shape, dtype=np.float32)
            noise *= np.float32(self.spec.observation.noise)
            x += noise
        return x


def check_memory(field: str, what: str, n_bytes: int) -> None:
    """Refuse arrays that this machine cannot hold, before they take memory.

    Raises:
        ValueError: one line that says the bytes.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if n_bytes > memory:
        raise ValueError(
            f"{field}: expected {what} that fit into memory ({memory} bytes), got {n_bytes} bytes"
        )


def modality_codewords(world: World, modality: int) -> npt.NDArray[np.float32]:
    """x of a modality, without noise, for every pattern of [w_s, w_m], the first bit of w_s
    slowest: [2^(n_shared + n_unique), dim].

    Args:
        world: a world of bits.
        modality: 1 or 2.

    Raises:
        ValueError: for latents that are not bits, or another modality.
    """
    world.spec.latents.check_finite(", whose patterns can be enumerated")
    if modality not in (1, 2):
        raise ValueError(f"modality: expected 1 or 2, got {modality}")
    n_shared, n_unique = world.spec.block_sizes[0], world.spec.block_sizes[modality]
    patterns = bit_patterns(n_shared + n_unique)
    # The map's inputs are [w_m, w_s].
    turned: npt.NDArray[Any] = np.concatenate(
        [patterns[:, n_shared:], patterns[:, :n_shared]], axis=1
    )
    return world.maps[modality].render(signed(turned))
