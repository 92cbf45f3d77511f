"""Fresh second modalities given augmented copies: exact draws from p(x2 | x1', x2'). Torch.

The random numbers are arguments; ``augmenter`` draws them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import ndtri
from torch import Tensor

from fctestbed.synthesis.augmentation.plan import (
    AugmentationPlan,
    class_patterns,
    knows_shared,
    posterior_of_modality2,
)
from fctestbed.synthesis.augmentation.views import Renderer
from fctestbed.synthesis.spec import WorldSpec
from fctestbed.synthesis.world import World


class Originals:
    """Draws modality 2 of a stack of worlds of bits given the latents of the copies.

    For a word of slots each bit is drawn from its own table. For a class the relevant bits are one
    of the patterns that the copies admit, all equally likely.
    """

    def __init__(
        self,
        worlds: Sequence[World],
        plans: Sequence[AugmentationPlan],
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        specs, observation = [world.spec for world in worlds], worlds[0].spec.observation
        self.n_s, self.n_1, self.n_2 = specs[0].block_sizes
        self.dtype = dtype
        self.noise = observation.noise

        def held(rows: Sequence[npt.NDArray[Any]]) -> Tensor:
            return torch.from_numpy(np.stack(rows)).to(device).unsqueeze(1)

        pairs = list(zip(specs, plans, strict=True))
        # A bit is 1 where a normal number falls below the quantile of its posterior.
        posteriors = [posterior_of_modality2(*pair).reshape(-1, 4) for pair in pairs]
        self.one_below = held([ndtri(posterior) for posterior in posteriors])
        self.patterns = _Patterns(pairs, held) if plans[0].reads is None else None
        self.render = Renderer([world.maps[2] for world in worlds], device, dtype)
        self.sizes = (
            self.n_2 + self.n_s,
            specs[0].dims[1] if self.noise > 0 else 0,
            0 if self.patterns is None else 1,
        )
        self.width = sum(self.sizes)

    def __call__(self, known: tuple[Tensor, ...], noise: Tensor) -> Tensor:
        """x2 of shape (K, batch, n_draws, dim2).

        Args:
            known: the bits of both copies' inputs and the kept bits, of ``PlannedViews``.
            noise: normal numbers (K, batch, n_draws, width or more), float64.
        """
        bits1, bits2, kept = known
        normal, noise2, choice = noise[..., : self.width].split(self.sizes, dim=-1)
        own, shared = bits2[..., : self.n_2], bits2[..., self.n_2 : self.n_2 + self.n_s]
        other = bits1[..., self.n_1 : self.n_1 + self.n_s]
        seen = torch.cat([own.long(), 2 * other + shared], dim=-1)
        quantiles = self.one_below.expand(-1, seen.shape[1], -1, -1)
        below = quantiles.gather(3, seen.unsqueeze(3)).squeeze(3)
        w = normal < below.unsqueeze(2)
        if self.patterns is not None:
            w = self.patterns(w, kept, shared, choice)
        z = 2 * w.to(self.dtype) - 1
        x = self.render(z.flatten(1, 2)).unflatten(1, w.shape[1:3])
        return x.add(noise2.to(self.dtype), alpha=self.noise) if self.noise > 0 else x


class _Patterns:
    """The relevant bits of modality 2, drawn from the patterns of a class."""

    def __init__(self, pairs: Sequence[tuple[WorldSpec, AugmentationPlan]], held: Any) -> None:
        listed = [class_patterns(*pair) for pair in pairs]
        self.keys = held([keys for keys, _ in listed]).squeeze(1)
        self.ordered = held([patterns for _, patterns in listed]).squeeze(1)
        n_s, _, n_2 = pairs[0][0].block_sizes
        is_relevant, bit, known = [], [], []
        for spec, plan in pairs:
            r_s, r_1, r_2 = spec.relevant
            place = np.arange(n_2 + n_s)
            is_own, is_shared = place < r_2, (place >= n_2) & (place < n_2 + r_s)
            is_relevant.append(is_own | is_shared)
            bit.append(np.where(is_own, r_s + r_1 + place, np.where(is_shared, place - n_2, 0)))
            seen = np.arange(n_s) < (r_s if knows_shared(spec, plan) else 0)
            known.append(np.where(seen, 2 ** np.arange(n_s), 0))
        self.is_relevant, self.bit = held(is_relevant).unsqueeze(1), held(bit).unsqueeze(1)
        self.known = held(known)

    def __call__(self, w: Tensor, kept: Tensor, shared: Tensor, choice: Tensor) -> Tensor:
        """``w`` (K, batch, n_draws, inputs) with its relevant bits replaced."""
        weights = 2 ** torch.arange(kept.shape[-1], device=kept.device)
        key = (kept * weights).sum(dim=-1) * (self.known.sum(dim=-1) + 1)
        key = key + (shared * self.known).sum(dim=-1)
        first = torch.searchsorted(self.keys, key)
        count = torch.searchsorted(self.keys, key, right=True) - first
        uniform = torch.special.ndtr(choice.squeeze(-1))
        drawn = (uniform * count.unsqueeze(2)).long().clamp(max=(count - 1).unsqueeze(2))
        place = (first.unsqueeze(2) + drawn).flatten(1)
        pattern = self.ordered.gather(1, place).unflatten(1, drawn.shape[1:]).unsqueeze(3)
        return torch.where(self.is_relevant, (pattern >> self.bit) & 1 == 1, w)
