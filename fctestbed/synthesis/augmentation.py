"""Augmented copies of a stack of worlds' samples. With ``stacked``, this package's torch part.

Owns how X' is drawn. Random numbers are drawn on the CPU, each run's from its own generator and
apart from their use, so that a run's copies depend neither on its stack nor on the device.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import ndtri
from torch import Tensor

from fctestbed.synthesis.augmentation_plan import optimal_plan
from fctestbed.synthesis.spec import (
    BitLatents,
    OfficialAugmentation,
    OptimalAugmentation,
    WorldSpec,
)
from fctestbed.synthesis.stacked import Renderer, take, word_reader
from fctestbed.synthesis.world import World

# torch fills normal numbers in blocks of 16: whole blocks per step make them the same however
# many steps are drawn at once.
_BLOCK = 16


class Augmented(NamedTuple):
    """Augmented copies of K batches.

    ``x1`` (K, batch, dim1), ``x2`` (K, batch, dim2); ``condition`` int64 (K, batch) is what the
    copies say of the originals: where it is equal, p(x1, x2 | x1', x2') is the same. None where
    the copies give their originals away.
    """

    x1: Tensor
    x2: Tensor
    condition: Tensor | None


class Augmenter:
    """Draws augmented copies of K worlds of one shape.

    Args:
        worlds: one per run; sizes, kinds and the length of the label's word agree.
        spec: the augmentation.
        device: where the samples live.
        dtype: their floating type.

    Raises:
        ValueError: no worlds, worlds of different shapes, or a label that the augmentation cannot
            keep.
    """

    def __init__(
        self,
        worlds: Sequence[World],
        spec: OfficialAugmentation | OptimalAugmentation,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        _check_stack(worlds)
        self._views: _Official | _Optimal = (
            _Official(worlds[0].spec, spec)
            if isinstance(spec, OfficialAugmentation)
            else _Optimal(worlds, torch.device(device), dtype)
        )
        self._n_worlds = len(worlds)
        self._device = torch.device(device)
        self._dtype = dtype

    def draw(self, generators: Sequence[torch.Generator], n_steps: int, batch_size: int) -> Tensor:
        """All random numbers of ``n_steps`` steps: (n_steps, K, batch_size, numbers per sample).

        Args:
            generators: one CPU generator per world; drawing a + b steps at once or one after the
                other gives the same numbers.
            n_steps: number of steps, at least 1.
            batch_size: samples per step and world, at least 1.

        Raises:
            ValueError: another number of generators, or a size below 1.
        """
        if len(generators) != self._n_worlds:
            raise ValueError(
                f"generators: expected {self._n_worlds}, one per world, got {len(generators)}"
            )
        for name, size in (("n_steps", n_steps), ("batch_size", batch_size)):
            if size < 1:
                raise ValueError(f"{name}: expected at least 1, got {size}")
        width = self._views.width
        while width * batch_size % _BLOCK:
            width += 1
        noise = torch.empty(n_steps, self._n_worlds, batch_size, width)
        for position, generator in enumerate(generators):
            shape = (n_steps, batch_size, width)
            noise[:, position] = torch.randn(shape, generator=generator)
        return noise.to(device=self._device, dtype=self._dtype)

    def at(self, noise: Tensor, step: int) -> Tensor:
        """The random numbers of one step, for ``augment``."""
        return noise[step]

    def augment(
        self, x1: Tensor, x2: Tensor, latents: tuple[Tensor, Tensor, Tensor], noise_at_step: Tensor
    ) -> Augmented:
        """Augmented copies of a batch; the inputs stay as they are.

        Args:
            x1: shape (K, batch, dim1).
            x2: shape (K, batch, dim2).
            latents: (w_s, w_1, w_2), each (K, batch, size of the block): bits as 0 and 1 (or as
                False and True), Gaussian latents as they are.
            noise_at_step: one step of what ``draw`` gave.
        """
        return self._views.augment(x1, x2, latents, noise_at_step)


class _Official:
    """One of four changes per sample and modality: halves swapped, noise, drop, identity.

    A sample undergoes one change only, so noise and drop can share the coordinate's normal
    number; the change is the quartile of one more normal number.

    Source:
        ``augment_single`` in FactorCL's Synthetic/dataset.py at 033f2a3.
    """

    def __init__(self, world: WorldSpec, spec: OfficialAugmentation) -> None:
        self.spec = spec
        self.dims = (world.observation.dim1, world.observation.dim2)
        self.width = sum(self.dims) + 2
        self.drop_below = float(ndtri(spec.drop))
        self.quartile = float(ndtri(0.75))

    def augment(
        self, x1: Tensor, x2: Tensor, latents: tuple[Tensor, Tensor, Tensor], noise: Tensor
    ) -> Augmented:
        dim1, dim2 = self.dims
        normal1, normal2 = noise[..., :dim1], noise[..., dim1 : dim1 + dim2]
        choice = noise[..., dim1 + dim2 : dim1 + dim2 + 2]
        return Augmented(
            self._changed(x1, normal1, choice[..., :1]),
            self._changed(x2, normal2, choice[..., 1:]),
            None,
        )

    def _changed(self, x: Tensor, normal: Tensor, choice: Tensor) -> Tensor:
        swapped, noisy = choice < -self.quartile, choice > self.quartile
        dropped = (choice < 0) & ~swapped
        half = x.shape[-1] // 2
        changed = torch.where(swapped, torch.cat([x[..., half:], x[..., :half]], dim=-1), x)
        changed = changed.addcmul(normal, noisy.to(x.dtype), value=self.spec.noise)
        return changed.masked_fill(dropped & (normal < self.drop_below), 0.0)


class _Optimal:
    """Fresh latents, the label's word written into them, rendered through the worlds' maps."""

    def __init__(self, worlds: Sequence[World], device: torch.device, dtype: torch.dtype) -> None:
        specs = [world.spec for world in worlds]
        plans = [optimal_plan(spec) for spec in specs]
        latents, observation = specs[0].latents, specs[0].observation
        n_s, n_1, n_2 = specs[0].block_sizes
        self.dtype = dtype
        self.n_word = plans[0].n_word
        self.inputs = (n_1 + n_s, n_2 + n_s)
        self.scale = 0.0 if isinstance(latents, BitLatents) else latents.variance**0.5
        self.noise = observation.noise
        self.dims = (observation.dim1, observation.dim2) if self.noise > 0 else (0, 0)
        self.width = self.n_word + sum(self.inputs) + sum(self.dims)

        def held(rows: Sequence[npt.NDArray[Any]]) -> Tensor:
            return torch.from_numpy(np.stack(rows)).to(device).unsqueeze(1)

        self.word = word_reader(worlds, plans, device, dtype)
        # A channel flips where a normal number falls below the quantile of its flip probability.
        self.flip_below = held([ndtri(plan.flips) for plan in plans]).to(dtype)
        self.bits = [held([plan.bits[m] for plan in plans]) for m in (0, 1)]
        self.places = [held([plan.places[m] for plan in plans]) for m in (0, 1)]
        self.pads = held([plan.pads for plan in plans])
        self.render = [
            Renderer([world.maps[modality] for world in worlds], device, dtype)
            for modality in (1, 2)
        ]

    def augment(
        self, x1: Tensor, x2: Tensor, latents: tuple[Tensor, Tensor, Tensor], noise: Tensor
    ) -> Augmented:
        sizes = (self.n_word, *self.inputs, *self.dims)
        flips, fresh1, fresh2, noise1, noise2 = noise[..., : sum(sizes)].split(sizes, dim=-1)
        word = self.word(latents) ^ (flips < self.flip_below)
        z1, z2 = self._fresh(fresh1), self._fresh(fresh2)
        pads = take(z1, self.pads) > 0
        self._write(z1, self.places[0], take(word, self.bits[0]))
        self._write(z2, self.places[1], take(word, self.bits[1]) ^ pads)
        weights = 2 ** torch.arange(self.n_word, device=word.device)
        return Augmented(
            self._observed(0, z1, noise1),
            self._observed(1, z2, noise2),
            (word * weights).sum(dim=-1),
        )

    def _fresh(self, normal: Tensor) -> Tensor:
        """Fresh inputs with one more, below zero, that stands for nowhere."""
        inputs = torch.where(normal > 0, 1.0, -1.0) if self.scale == 0 else normal * self.scale
        return torch.nn.functional.pad(inputs.to(self.dtype), (0, 1), value=-1.0)

    def _write(self, z: Tensor, places: Tensor, bits: Tensor) -> None:
        places = places.expand(*bits.shape)
        magnitude = z.gather(2, places).abs()
        z.scatter_(2, places, torch.where(bits, magnitude, -magnitude))

    def _observed(self, position: int, z: Tensor, noise: Tensor) -> Tensor:
        x = self.render[position](z[..., :-1])
        return x.add(noise, alpha=self.noise) if self.noise > 0 else x


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
    """What the worlds of a stack must have in common."""
    return {
        "latents": spec.latents.model_dump(),
        "observation": spec.observation.model_dump(),
        "label kind": spec.label.kind,
        "number of classes": spec.n_classes,
        "number of label-read latents": getattr(spec.label, "n_relevant", None),
    }
