"""Augmented copies of a stack of worlds' samples, and fresh originals given their copies.

Draws the random numbers on the CPU, each run's from its own generator and separately from their
use, so that a run's copies depend neither on its stack nor on the device. May import torch and this
package.
"""

import math
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from fctestbed._devices import sent
from fctestbed.synthesis.augmentation.originals import Originals
from fctestbed.synthesis.augmentation.plan import augmentation_plan, check_originals
from fctestbed.synthesis.augmentation.spec import AugmentationSpec, OfficialAugmentation
from fctestbed.synthesis.augmentation.views import Augmented, OfficialViews, PlannedViews
from fctestbed.synthesis.spec import WorldSpec
from fctestbed.synthesis.world import World

# torch draws normal numbers in blocks of 16: with whole blocks per step the numbers do not depend
# on how many steps are drawn at once.
_BLOCK = 16


class Augmenter:
    """Draws augmented copies of K worlds of one shape.

    Args:
        worlds: one per run; sizes, kinds and the number of classes agree.
        spec: the augmentation.
        device: of the samples.
        dtype: their floating type.

    Raises:
        ValueError: for no worlds, worlds of different shapes, or a label that the augmentation
            cannot keep.
    """

    def __init__(
        self,
        worlds: Sequence[World],
        spec: AugmentationSpec,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        _check_stack(worlds)
        device = torch.device(device)
        self._worlds, self._spec = worlds, spec
        self._device, self._dtype = device, dtype
        self._views = (
            OfficialViews(worlds[0].spec, spec)
            if isinstance(spec, OfficialAugmentation)
            else PlannedViews(
                worlds, [augmentation_plan(world.spec, spec) for world in worlds], device, dtype
            )
        )

    def draw(self, generators: Sequence[torch.Generator], n_steps: int, batch_size: int) -> Tensor:
        """All random numbers of ``n_steps`` steps: (n_steps, K, batch_size, numbers per sample).

        Args:
            generators: one CPU generator per world; drawing a + b steps at once or one after the
                other gives the same numbers.
            n_steps: number of steps, at least 1.
            batch_size: samples per step and world, at least 1.

        Raises:
            ValueError: for a wrong number of generators, or a size below 1.
        """
        noise = self._normals(generators, (n_steps, batch_size), self._views.width, torch.float32)
        return noise.to(dtype=self._dtype)

    def draw_originals(
        self, generators: Sequence[torch.Generator], n_steps: int, batch_size: int, n_draws: int
    ) -> Tensor:
        """All random numbers of ``n_steps`` steps of ``originals``: (n_steps, K, batch_size,
        n_draws, numbers per draw), float64.

        Args:
            generators: as in ``draw``, but separate ones, so that the copies do not change.
            n_steps: number of steps, at least 1.
            batch_size: samples per step and world, at least 1.
            n_draws: draws for each sample, at least 1.

        Raises:
            ValueError: for a wrong number of generators, a size below 1, or worlds whose originals
                cannot be drawn exactly: latents other than bits, or a class of more than 16 bits.
        """
        width = 0 if self._originals is None else self._originals.width
        sizes = (n_steps, batch_size, n_draws)
        return self._normals(generators, sizes, width, torch.float64)

    def at(self, noise: Tensor, step: int) -> Tensor:
        """The random numbers of one step, for ``augment`` or ``originals``."""
        return noise[step]

    def augment(
        self, x1: Tensor, x2: Tensor, latents: tuple[Tensor, Tensor, Tensor], noise_at_step: Tensor
    ) -> Augmented:
        """Augmented copies of a batch; the inputs are not modified.

        Args:
            x1: shape (K, batch, dim1).
            x2: shape (K, batch, dim2).
            latents: (w_s, w_1, w_2), each (K, batch, size of the block): bits as 0 and 1 (or as
                False and True), Gaussian latents unchanged.
            noise_at_step: one step of the result of ``draw``.
        """
        return self._views.augment(x1, x2, latents, noise_at_step)

    def originals(self, augmented: Augmented, noise_at_step: Tensor) -> Tensor:
        """Fresh second modalities from p(x2 | x1', x2'), shape (K, batch, n_draws, dim2).

        The latents are drawn from their exact law given the copies' latents and mapped by the
        worlds' maps, with fresh observation noise (given the noise-free copies). Official copies
        determine their original: every draw is the original.

        Args:
            augmented: the result of ``augment``.
            noise_at_step: one step of the result of ``draw_originals``.
        """
        if self._originals is not None:
            return self._originals(augmented.known, noise_at_step)
        (x2,) = augmented.known
        return x2.unsqueeze(2).repeat(1, 1, noise_at_step.shape[2], 1)

    @cached_property
    def _originals(self) -> Originals | None:
        if isinstance(self._spec, OfficialAugmentation):
            return None
        for world in self._worlds:
            check_originals(world.spec, self._spec)
        plans = [augmentation_plan(world.spec, self._spec) for world in self._worlds]
        return Originals(self._worlds, plans, self._device, self._dtype)

    def _normals(
        self,
        generators: Sequence[torch.Generator],
        sizes: tuple[int, ...],
        width: int,
        dtype: torch.dtype,
    ) -> Tensor:
        """Normal numbers (steps, K, *other sizes, at least width), on the device."""
        if len(generators) != len(self._worlds):
            raise ValueError(
                f"generators: expected {len(self._worlds)}, one per world, got {len(generators)}"
            )
        for name, size in zip(("n_steps", "batch_size", "n_draws"), sizes, strict=False):
            if size < 1:
                raise ValueError(f"{name}: expected at least 1, got {size}")
        while width * math.prod(sizes[1:]) % _BLOCK:
            width += 1
        n_steps, *per_step = sizes
        noise = torch.empty(n_steps, len(generators), *per_step, width, dtype=dtype)
        for position, generator in enumerate(generators):
            noise[:, position] = torch.randn(*sizes, width, generator=generator, dtype=dtype)
        return sent(noise, self._device)


def _check_stack(worlds: Sequence[World]) -> None:
    if not worlds:
        raise ValueError("worlds: expected at least one, got none")
    first = _shape(worlds[0].spec)
    for position, world in enumerate(worlds):
        for field, value in _shape(world.spec).items():
            if value != first[field]:
                raise ValueError(
                    f"worlds[{position}]: expected {field} {first[field]} as in worlds[0], "
                    f"got {value}"
                )


def _shape(spec: WorldSpec) -> dict[str, object]:
    """The properties that the worlds of a stack must have in common."""
    kind, n_relevant = spec.label.stack_shape
    return {
        "latents": spec.latents.model_dump(),
        "observation": spec.observation.model_dump(),
        "label kind": kind,
        "number of classes": spec.n_classes,
        "number of relevant latents": n_relevant,
    }
