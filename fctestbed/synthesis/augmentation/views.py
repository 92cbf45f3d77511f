"""Copies of a batch: the official code's changes, and plans. Uses torch; draws nothing.

The random numbers are arguments; ``augmenter`` draws them and has the public interface.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import ndtri
from torch import Tensor

from fctestbed.synthesis.augmentation.plan import AugmentationPlan, knows_shared
from fctestbed.synthesis.augmentation.spec import OfficialAugmentation
from fctestbed.synthesis.labels.base import take
from fctestbed.synthesis.observation import LinearMap, Map, MlpMap
from fctestbed.synthesis.spec import WorldSpec
from fctestbed.synthesis.world import World

Latents = tuple[Tensor, Tensor, Tensor]
_PACKED_BITS = 62


class Augmented(NamedTuple):
    """Augmented copies of K batches.

    ``x1`` (K, batch, dim1), ``x2`` (K, batch, dim2). Samples with the same ``condition``, int64
    (K, batch), have the same p(x1, x2 | x1', x2'). It is None if every sample has its own
    condition, because the copies reveal a part of their originals that no two samples share.
    ``known`` is the input of ``Augmenter.originals``.
    """

    x1: Tensor
    x2: Tensor
    condition: Tensor | None
    known: tuple[Tensor, ...]


class OfficialViews:
    """One of four changes per sample and modality: halves swapped, noise, drop, identity.

    A sample undergoes one change only, so noise and drop can share the coordinate's normal
    number; the change is the quartile of one more normal number.

    Source:
        ``augment_single`` in FactorCL's Synthetic/dataset.py at 033f2a3.
    """

    def __init__(self, world: WorldSpec, spec: OfficialAugmentation) -> None:
        self.spec = spec
        self.dims = world.dims
        self.width = sum(self.dims) + 2
        self.drop_below = float(ndtri(spec.drop))
        self.quartile = float(ndtri(0.75))

    def augment(self, x1: Tensor, x2: Tensor, latents: Latents, noise: Tensor) -> Augmented:
        """Copies of a batch; see ``Augmenter.augment``."""
        dim1, dim2 = self.dims
        normal1, normal2 = noise[..., :dim1], noise[..., dim1 : dim1 + dim2]
        choice = noise[..., dim1 + dim2 : dim1 + dim2 + 2]
        return Augmented(
            self._changed(x1, normal1, choice[..., :1]),
            self._changed(x2, normal2, choice[..., 1:]),
            None,
            (x2,),
        )

    def _changed(self, x: Tensor, normal: Tensor, choice: Tensor) -> Tensor:
        swapped, noisy = choice < -self.quartile, choice > self.quartile
        dropped = (choice < 0) & ~swapped
        half = x.shape[-1] // 2
        changed = torch.where(swapped, torch.cat([x[..., half:], x[..., :half]], dim=-1), x)
        changed = changed.addcmul(normal, noisy.to(x.dtype), value=self.spec.noise)
        return changed.masked_fill(dropped & (normal < self.drop_below), 0.0)


class PlannedViews:
    """Fresh latents with the label's bits written into them and some kept unchanged, mapped by the
    worlds' maps.

    Args:
        worlds: a stack of one shape.
        plans: one per world, of the same augmentation.
        device: of the samples.
        dtype: their floating type.
    """

    def __init__(
        self,
        worlds: Sequence[World],
        plans: Sequence[AugmentationPlan],
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        spec, plan = worlds[0].spec, plans[0]
        observation = spec.observation
        self.blocks = spec.block_sizes
        n_s, n_1, n_2 = self.blocks
        self.dtype = dtype
        self.n_bits = plan.n_bits
        self.inputs = (n_1 + n_s, n_2 + n_s)
        self.law = spec.latents
        self.noise = observation.noise
        self.dims = spec.dims if self.noise > 0 else (0, 0)
        # Chances of 0 and 1 need no decision: quality (1, 1) draws the same numbers as optimal.
        self.survives, self.left = plan.survives, plan.left
        decisions = [(plan.survives, self.n_bits), (plan.left, sum(self.blocks))]
        self.decisions = tuple(size if 0 < chance < 1 else 0 for chance, size in decisions)
        self.sizes = (self.n_bits, *self.inputs, *self.dims, *self.decisions)
        self.width = sum(self.sizes)

        def held(rows: Sequence[npt.NDArray[Any]]) -> Tensor:
            return torch.from_numpy(np.stack(rows)).to(device).unsqueeze(1)

        labels: list[Any] = [world.spec.label for world in worlds]
        self.read_bits = type(labels[0]).bit_reader(labels, plans, self.law, device, dtype)
        # A channel flips where a normal number falls below the quantile of its flip probability.
        self.flip_below = held([ndtri(plan.flips) for plan in plans]).to(dtype)
        self.bits = [held([plan.bits[m] for plan in plans]) for m in (0, 1)]
        self.places = [held([plan.places[m] for plan in plans]) for m in (0, 1)]
        self.pads = held([plan.pads for plan in plans])
        self.leaves = [held([plan.leaves[m] for plan in plans]) for m in (0, 1)]
        self.informative = held(
            [_informative_bits(world.spec, plan) for world, plan in zip(worlds, plans, strict=True)]
        )
        self.render = [
            Renderer([world.maps[modality] for world in worlds], device, dtype)
            for modality in (1, 2)
        ]

    def augment(self, x1: Tensor, x2: Tensor, latents: Latents, noise: Tensor) -> Augmented:
        """Copies of a batch; see ``Augmenter.augment``."""
        flips, fresh1, fresh2, noise1, noise2, survival, leaving = noise[
            ..., : sum(self.sizes)
        ].split(self.sizes, dim=-1)
        kept = self.read_bits(latents) ^ (flips < self.flip_below)
        z1, z2 = self._fresh(fresh1), self._fresh(fresh2)
        pads = take(z1, self.pads) > 0
        if self.survives > 0:
            survived = survival < float(ndtri(self.survives)) if self.decisions[0] else None
            self._write(0, z1, take(kept, self.bits[0]), survived)
            self._write(1, z2, take(kept, self.bits[1]) ^ pads, survived)
        if self.left > 0:
            self._leave(z1, z2, latents, leaving)
        bits1, bits2 = z1 > 0, z2 > 0
        return Augmented(
            self._observed(0, z1, noise1),
            self._observed(1, z2, noise2),
            self._condition(kept, bits1, bits2, pads),
            (bits1, bits2, kept),
        )

    def _fresh(self, normal: Tensor) -> Tensor:
        """Fresh inputs with one more, below zero, for places that mean nowhere."""
        inputs = self.law.fresh_tensor(normal).to(self.dtype)
        return torch.nn.functional.pad(inputs, (0, 1), value=-1.0)

    def _write(self, m: int, z: Tensor, bits: Tensor, survived: Tensor | None) -> None:
        places = self.places[m].expand(*bits.shape)
        if survived is not None:
            places = torch.where(take(survived, self.bits[m]), places, self.inputs[m])
        magnitude = z.gather(2, places).abs()
        z.scatter_(2, places, torch.where(bits, magnitude, -magnitude))

    def _leave(self, z1: Tensor, z2: Tensor, latents: Latents, leaving: Tensor) -> None:
        """Replace fresh latents by the originals where these are kept."""
        w_s, w_1, w_2 = (self.law.signed_tensor(w, self.dtype) for w in latents)
        if self.decisions[1]:
            is_s, is_1, is_2 = (leaving < float(ndtri(self.left))).split(self.blocks, dim=-1)
            left = [torch.cat([own, is_s], dim=-1) for own in (is_1, is_2)]
        else:
            left = [torch.ones_like(z[..., :-1], dtype=torch.bool) for z in (z1, z2)]
        for m, (z, own) in enumerate(((z1, w_1), (z2, w_2))):
            originals = torch.cat([own, w_s], dim=-1)
            z[..., :-1] = torch.where(self.leaves[m] & left[m], originals, z[..., :-1])

    def _condition(self, kept: Tensor, bits1: Tensor, bits2: Tensor, pads: Tensor) -> Tensor | None:
        if not self.law.is_finite and self.left > 0:
            return None
        said = []
        if self.survives == 1:
            said.append(kept & self.informative)
        elif self.survives > 0:
            said += self._pairs(
                take(bits1, self.places[0]),
                take(bits2, self.places[1]) ^ pads,
                self.places[0] < self.inputs[0],
                self.places[1] < self.inputs[1],
            )
        if self.left > 0:
            n_s, n_1, n_2 = self.blocks
            (own1, shared1), (own2, shared2) = (
                (bits[..., :-1] & leaves).split([n, n_s], dim=-1)
                for bits, leaves, n in ((bits1, self.leaves[0], n_1), (bits2, self.leaves[1], n_2))
            )
            said += [own1, own2, shared1 | shared2]
            if self.left < 1:
                said.append(shared1 & shared2)
        return _packed(torch.cat(said, dim=-1)) if said else torch.zeros_like(kept[..., 0]).long()

    def _pairs(self, v1: Tensor, v2: Tensor, in_1: Tensor, in_2: Tensor) -> list[Tensor]:
        """The pair of copies of one bit, in any order; a single copy counts twice."""
        first, second = torch.where(in_1, v1, v2), torch.where(in_2, v2, v1)
        return [first & second, first | second]

    def _observed(self, position: int, z: Tensor, noise: Tensor) -> Tensor:
        x = self.render[position](z[..., :-1])
        return x.add(noise, alpha=self.noise) if self.noise > 0 else x


class Renderer:
    """The observation maps of a stack: signed inputs (K, batch, n_inputs) to (K, batch, dim)."""

    def __init__(self, maps: Sequence[Map], device: torch.device, dtype: torch.dtype) -> None:
        def held(arrays: Sequence[npt.NDArray[np.float32]]) -> Tensor:
            return torch.from_numpy(np.stack(arrays)).to(device=device, dtype=dtype)

        mlps = [m for m in maps if isinstance(m, MlpMap)]
        linear = [m for m in maps if isinstance(m, LinearMap)]
        self.hidden = (
            (held([m.a for m in mlps]).unsqueeze(1), held([m.A * np.float32(m.gain) for m in mlps]))
            if mlps
            else None
        )
        self.out = held([m.B for m in mlps] if mlps else [m.matrix for m in linear])

    def __call__(self, z: Tensor) -> Tensor:
        """x of shape (K, batch, dim)."""
        if self.hidden is not None:
            z = torch.baddbmm(self.hidden[0], z, self.hidden[1]).tanh_()
        return z @ self.out


def _informative_bits(spec: WorldSpec, plan: AugmentationPlan) -> npt.NDArray[np.bool_]:
    """Which kept bits add information to the unchanged latents, shape (n_bits,)."""
    if plan.reads is None or not knows_shared(spec, plan):
        return np.ones(plan.n_bits, dtype=bool)
    return np.asarray(plan.reads[:, 0] >= spec.latents.n_shared)


def _packed(said: Tensor) -> Tensor:
    """Integers (K, batch) that are equal where the bools (K, batch, n) are equal; for up to 62 bits
    bit j has weight 2^j."""
    codes = [
        (part * 2 ** torch.arange(part.shape[-1], device=said.device)).sum(dim=-1)
        for part in said.split(_PACKED_BITS, dim=-1)
    ]
    if len(codes) == 1:
        return codes[0]
    # More bits than an integer has: the index of the first sample with equal bits.
    same = torch.stack([code.unsqueeze(2) == code.unsqueeze(1) for code in codes]).all(dim=0)
    return same.int().argmax(dim=-1)
