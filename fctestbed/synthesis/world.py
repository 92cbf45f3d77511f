"""A world: fixed observation maps and a label rule. May import numpy and this package.

Everything random comes from named streams of the label-free digest and the seed (``streams``), so
worlds that differ in the label alone have the same maps and the same x.
"""

import copy

import numpy as np
import numpy.typing as npt

from fctestbed.synthesis.labels import LabelRule, label_rule
from fctestbed.synthesis.latents import Latents, draw_latents, signed
from fctestbed.synthesis.maps import Map, draw_map
from fctestbed.synthesis.spec import Label, WorldSpec
from fctestbed.synthesis.streams import stream


class World:
    """The maps and the label rule of one specification and seed.

    Attributes:
        spec: the world's specification.
        seed: the seed that its maps and its data are drawn from.
        maps: the observation map of each modality: ``maps[1]`` and ``maps[2]``.
        label_rule: the rule that gives y.
    """

    def __init__(self, spec: WorldSpec, seed: int) -> None:
        self.spec = spec
        self.seed = seed
        self.label_rule: LabelRule = label_rule(spec.label)
        n_shared, n_unique1, n_unique2 = spec.block_sizes
        observation = spec.observation
        self.maps: dict[int, Map] = {
            modality: draw_map(observation, n_shared + n_unique, dim, self.stream(f"map{modality}"))
            for modality, n_unique, dim in (
                (1, n_unique1, observation.dim1),
                (2, n_unique2, observation.dim2),
            )
        }

    def with_label(self, label: Label) -> "World":
        """The world of the same specification and seed with another label; the maps are shared."""
        other = copy.copy(self)
        other.spec = self.spec.with_label(label)
        other.label_rule = label_rule(other.spec.label)
        return other

    def stream(self, name: str) -> np.random.Generator:
        """The random stream ``name`` of this world, the same for every label."""
        return stream(name, self.spec.without_label_digest(), self.seed)

    def draw_latents(self, n_samples: int, rng: np.random.Generator) -> Latents:
        """Latent blocks of ``n_samples`` samples: bits uint8 in {0, 1}, Gaussian float32."""
        return draw_latents(self.spec.latents, n_samples, rng)

    def observe(
        self, latents: Latents, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """(x1, x2), float32 of shapes (n, dim1) and (n, dim2), of the given latents.

        Inputs of map m are [w_m, w_s], bits as +-1; noise is drawn from ``rng`` where the
        observation has any.
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
