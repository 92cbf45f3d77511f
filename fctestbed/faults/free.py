"""A method's networks with free vectors in the place of encoders and heads.

Owns which part becomes a table. May import torch, ``fctestbed.nets``, ``fctestbed.objectives`` and
this package.

What a method's loss scores is what is read: methods that measure encoder outputs lose their heads,
and an encoder's table is what their loss scores; methods that measure heads have a table for each
head; CoMM has tables for its fused and its single codes. Critics stay the method's own.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fctestbed.nets import MAX_TABLE_BITS, Stack, StackedTable
from fctestbed.objectives import DataShape, HeadBank, Method, NetSpec
from fctestbed.synthesis import WorldSpec, bit_patterns

_ENCODERS_READ = ("simclr", "supcon", "cross-self", "supervised", "disentangled-ssl")
_HEADS_READ = (
    "cross-self-fact",
    "factorcl-sup",
    "factorcl-ssl",
    "unimodal-sup",
    "unimodal-ssl",
    "focal",
)
_FUSED = ("comm",)


class _PassThrough(nn.Module):
    """The inputs themselves, in the place of ``Encoders``: the tables behind read the patterns."""

    def __init__(self) -> None:
        super().__init__()
        self.modality1, self.modality2 = nn.Identity(), nn.Identity()

    def forward(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
        return x1, x2


class _SameForAll(nn.Module):
    """One array under the name of every head."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names

    def forward(self, z: Tensor, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        return dict.fromkeys(self.names if names is None else names, z)


class _Tables(nn.Module):
    """One table for each head."""

    def __init__(self, stack: Stack, names: tuple[str, ...], n_bits: int, width: int) -> None:
        super().__init__()
        self.names = names
        self.tables = nn.ModuleList(StackedTable(stack, n_bits, width) for _ in names)

    def forward(self, x: Tensor, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        chosen = self.names if names is None else names
        return {name: self.tables[self.names.index(name)](x) for name in chosen}


class _FusedTables(nn.Module):
    """Tables of single codes and of the codes of all pairs of patterns."""

    def __init__(self, stack: Stack, bits: tuple[int, int], width: int) -> None:
        super().__init__()
        self.single1, self.single2, self.both = (
            StackedTable(stack, n_bits, width) for n_bits in (*bits, sum(bits))
        )

    def forward(self, z1: Tensor | None, z2: Tensor | None) -> Tensor:
        if z1 is None or z2 is None:
            table, z = (self.single2, z2) if z1 is None else (self.single1, z1)
        else:
            table, z = self.both, torch.cat((z1, z2), -1)
        code: Tensor = table(z)
        return code


def check_free(name: str, world: WorldSpec) -> None:
    """Refuse methods whose measured arrays free vectors cannot stand for, and too many patterns.

    Raises:
        ValueError: one line.
    """
    if name not in (*_ENCODERS_READ, *_HEADS_READ, *_FUSED):
        raise ValueError(
            "method: expected one whose loss scores what is measured (free vectors in its place), "
            f"got {name}, a method whose heads alone are scored (levels from 2 on serve)"
        )
    bits1, bits2 = _bits(world)
    most = bits1 + bits2 if name in _FUSED else max(bits1, bits2)
    if most > MAX_TABLE_BITS:
        raise ValueError(
            f"latents: expected at most 2^{MAX_TABLE_BITS} = {2**MAX_TABLE_BITS} free vectors of "
            f"an array, got 2^{most} = {2**most} (levels from 2 on serve)"
        )


def scored_width(name: str, nets: NetSpec) -> int | None:
    """The width of the free vectors that a method's loss scores; None for a method whose own heads
    are scored behind a table."""
    if name in _HEADS_READ:
        return nets.head_dim
    if name in _ENCODERS_READ:
        return nets.embed_dim
    return 2 * nets.embed_dim if name in _FUSED else None


def free_module(
    name: str, method: Method, world: WorldSpec, stack: Stack, nets: NetSpec
) -> nn.Module:
    """A method's module over tables, for ``pattern_inputs``.

    Args:
        name: the method's name.
        method: the method with its settings.
        world: of the patterns.
        stack: the starts.
        nets: widths; those that the loss scores are ``embed_dim`` where encoder outputs are
            measured, ``head_dim`` where heads are, twice ``embed_dim`` for CoMM's codes.

    Raises:
        ValueError: as ``check_free``.
    """
    check_free(name, world)
    bits = _bits(world)
    shape = DataShape(dim1=bits[0], dim2=bits[1], n_classes=world.n_classes)
    width = scored_width(name, nets)
    assert width is not None, "checked above"
    changed = {"encoder": "table", "head_dim": width}
    module: Any = method.build(stack, shape, nets.model_copy(update=changed))
    for key, part in list(module.named_children()):
        if not isinstance(part, HeadBank):
            continue
        if name in _ENCODERS_READ:
            setattr(module, key, _SameForAll(part.names))
        else:
            n_bits = bits[int(key[-1]) - 1]
            setattr(module, key, _Tables(stack, part.names, n_bits, part.width))
    if name in (*_HEADS_READ, *_FUSED):
        module.encoders = _PassThrough()
    if name in _FUSED:
        module.fusion = _FusedTables(stack, bits, width)
        module.head = nn.Identity()
    return module


def free_method(name: str, method: Method, world: WorldSpec) -> Method:
    """A method with the same loss and readouts, over tables.

    Args:
        name: the method's name.
        method: the method with its settings.
        world: of the patterns, whose observation is its bits.

    Raises:
        ValueError: as ``check_free``.
    """
    check_free(name, world)

    def build(self: Method, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        return free_module(name, method, world, stack, nets)

    kind = type(f"Free{type(method).__name__}", (type(method),), {"build": build})
    found: Method = kind(method.settings)
    return found


def pattern_inputs(world: WorldSpec, stack_size: int) -> tuple[Tensor, Tensor]:
    """Every pattern of both modalities as signed bits, [stack, patterns, bits], float64."""
    first, second = (
        torch.from_numpy(2.0 * bit_patterns(n_bits) - 1).expand(stack_size, -1, -1)
        for n_bits in _bits(world)
    )
    return first, second


def _bits(world: WorldSpec) -> tuple[int, int]:
    n_shared, n_unique1, n_unique2 = world.block_sizes
    return n_shared + n_unique1, n_shared + n_unique2
