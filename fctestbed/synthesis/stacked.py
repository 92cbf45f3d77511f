"""Observation maps and label rules of a stack of worlds, on torch tensors.

Owns the leading stack axis of what ``maps`` and ``labels`` do on arrays. May import torch and this
package.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fctestbed.synthesis.augmentation_plan import AugmentationPlan
from fctestbed.synthesis.labels import PlanarRule
from fctestbed.synthesis.maps import LinearMap, Map, MlpMap
from fctestbed.synthesis.spec import BitLatents, WorldSpec
from fctestbed.synthesis.world import World


class SlotWord:
    """The word of slots before their channels: XORs of two latents' bits, shape (K, batch, slots).

    ``reads`` has shape (K, slots, 2) and counts along [w_s, w_1, w_2, nothing].
    """

    def __init__(self, reads: Tensor) -> None:
        self.first, self.second = reads[..., 0].unsqueeze(1), reads[..., 1].unsqueeze(1)

    def __call__(self, latents: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """The word's bits, bool."""
        bits = torch.nn.functional.pad(torch.cat([w > 0 for w in latents], dim=-1), (0, 1))
        return take(bits, self.first) ^ take(bits, self.second)


class ThresholdWord:
    """The class of the threshold rule, as one bit: shape (K, batch, 1)."""

    def __init__(self, relevant: Tensor, is_bits: bool, dtype: torch.dtype) -> None:
        self.relevant, self.is_bits, self.dtype = relevant.unsqueeze(1), is_bits, dtype

    def __call__(self, latents: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """The word's bits, bool."""
        z = _signed(latents, self.is_bits, self.dtype)
        return take(z, self.relevant).sum(dim=-1, keepdim=True) >= 0


class PlanarWord:
    """The class of the planar rule in binary: shape (K, batch, n_word)."""

    def __init__(
        self, relevant: Tensor, rules: Sequence[PlanarRule], n_word: int, device: torch.device
    ) -> None:
        self.relevant = relevant.unsqueeze(1)
        self.W, self.b, self.U, self.H = (
            torch.from_numpy(np.stack([getattr(rule, name) for rule in rules])).to(device)
            for name in ("W", "b", "U", "H")
        )
        self.places = torch.arange(n_word, device=device)

    def __call__(self, latents: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """The word's bits, bool."""
        # float64, as the labels themselves: a near tie must not fall differently here.
        z = take(_signed(latents, True, torch.float64), self.relevant)
        z = z + torch.tanh(torch.baddbmm(self.b.unsqueeze(1), z, self.W)) @ self.U
        classes = (z @ self.H).argmax(dim=-1, keepdim=True)
        return ((classes >> self.places) & 1).bool()


WordReader = SlotWord | ThresholdWord | PlanarWord


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


def take(values: Tensor, index: Tensor) -> Tensor:
    """values[k, i, index[k, 0, j]], shape (K, batch, n), for an index of shape (K, 1, n)."""
    return values.gather(2, index.expand(-1, values.shape[1], -1))


def _signed(latents: tuple[Tensor, Tensor, Tensor], is_bits: bool, dtype: torch.dtype) -> Tensor:
    joined = torch.cat(latents, dim=-1).to(dtype)
    # One more, zero, stands for nothing.
    return torch.nn.functional.pad(2 * joined - 1 if is_bits else joined, (0, 1))


def word_reader(
    worlds: Sequence[World],
    plans: Sequence[AugmentationPlan],
    device: torch.device,
    dtype: torch.dtype,
) -> WordReader:
    """What reads the word that an optimal augmentation keeps, for a stack of worlds."""
    reads = [plan.reads for plan in plans if plan.reads is not None]
    if reads:
        return SlotWord(torch.from_numpy(np.stack(reads)).to(device))
    relevant = torch.tensor([_relevant_index(world.spec) for world in worlds], device=device)
    rules = [rule for world in worlds if isinstance(rule := world.label_rule, PlanarRule)]
    if rules:
        return PlanarWord(relevant, rules, plans[0].n_word, device)
    return ThresholdWord(relevant, isinstance(worlds[0].spec.latents, BitLatents), dtype)


def _relevant_index(spec: WorldSpec) -> list[int]:
    """Relevant latents along [w_s, w_1, w_2], in the order in which the rules read them."""
    starts = np.cumsum([0, *spec.block_sizes[:2]]).tolist()
    return [
        start + place
        for start, count in zip(starts, spec.relevant, strict=True)
        for place in range(count)
    ]
