"""The codewords of readouts: every word of the world, encoded.

Owns which readouts are made of a part of each modality, and which read both at once. May import
``fctestbed.training`` and ``fctestbed.synthesis``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.measurement.channel.codebook import unit_power_codewords
from fctestbed.measurement.channel.marginals import Columns
from fctestbed.synthesis import World, WorldSpec, modality_codewords
from fctestbed.training import TrainedStack

_CHUNK = 2048


@dataclass(frozen=True, eq=False)
class ReadoutCode:
    """A readout's codewords: of one modality, of each of two side by side, or of both fused.

    Attributes:
        modalities: the modalities of each part: (1,) and (2,) for two parts, (1, 2) for a fused
            one.
        pieces: for each part the arrays that it is made of, side by side, by the names of the
            readouts that they are: [2^n_bits, width], rows in the order of ``word_columns``.
    """

    modalities: tuple[tuple[int, ...], ...]
    pieces: tuple[Mapping[str, Tensor], ...]

    def levels(self) -> list[Tensor]:
        """The codewords of each part, float64, its pieces centred and at unit power, each as it has
        it alone: no piece then holds more than the part that it is of."""
        return [
            torch.cat([unit_power_codewords(piece)[0] for piece in pieces.values()], 1)
            for pieces in self.pieces
        ]


def word_columns(spec: WorldSpec) -> dict[tuple[int, ...], Columns]:
    """The bits that modalities (1,), (2,) and both are words of, slowest first, counted over w_s,
    w_1, w_2."""
    n_shared, n_unique1, n_unique2 = spec.block_sizes
    shared, first = range(n_shared), range(n_shared, n_shared + n_unique1)
    second = range(n_shared + n_unique1, n_shared + n_unique1 + n_unique2)
    return {
        (1,): (*shared, *first),
        (2,): (*shared, *second),
        (1, 2): (*shared, *first, *second),
    }


def stack_codes(
    trained: TrainedStack, worlds: Sequence[World], members: range, max_codewords: int
) -> list[dict[str, ReadoutCode | None]]:
    """The codes of some members' readouts.

    A readout of both modalities that is readouts of one each, side by side, is two parts: given
    the shared bits they are independent. Any other is fused, and enumerated over all words if they
    are not too many.

    Args:
        trained: the stack.
        worlds: the world of each training.
        members: the places of those that are asked for.
        max_codewords: the most words to encode.

    Returns:
        For each member its readouts' codes by name; None for a fused one of too many words.
    """
    spec = worlds[0].spec
    sizes = {modalities: 2 ** len(columns) for modalities, columns in word_columns(spec).items()}
    encoder = _Encoder(trained, worlds, members)
    index = np.arange(max(sizes[1,], sizes[2,]))
    encoded = encoder.readouts(index % sizes[1,], index % sizes[2,])
    found: list[dict[str, ReadoutCode | None]] = []
    for place in range(len(members)):
        values = {name: of_members[place] for name, of_members in encoded.items()}
        alone = {name: trained.method.reads(name) for name in values}
        alone = {name: reads for name, reads in alone.items() if len(reads) == 1}
        found.append(
            {
                name: _of_one(name, rows[: sizes[alone[name]]], alone[name])
                if name in alone
                else _side_by_side(rows, values, alone, sizes)
                for name, rows in values.items()
            }
        )
    fused = sorted({name for codes in found for name, code in codes.items() if code is None})
    if fused and sizes[1, 2] <= max_codewords:
        every = np.arange(sizes[1, 2])
        n_own1, n_own2 = 2 ** spec.block_sizes[1], 2 ** spec.block_sizes[2]
        first, second = every // n_own2, every // (n_own1 * n_own2) * n_own2 + every % n_own2
        whole = encoder.readouts(first, second, fused)
        for place, codes in enumerate(found):
            codes.update({name: _of_one(name, whole[name][place], (1, 2)) for name in fused})
    return found


def _of_one(name: str, values: Tensor, modalities: tuple[int, ...]) -> ReadoutCode:
    return ReadoutCode((modalities,), ({name: values},))


def _side_by_side(
    rows: Tensor,
    values: Mapping[str, Tensor],
    alone: Mapping[str, tuple[int, ...]],
    sizes: Mapping[tuple[int, ...], int],
) -> ReadoutCode | None:
    """The code of a readout whose columns are those of readouts of one modality each; None if they
    are not."""
    pieces: dict[tuple[int, ...], dict[str, Tensor]] = {}
    start, left = 0, list(alone)
    while start < rows.shape[1]:
        for name in left:
            stop = start + values[name].shape[1]
            if torch.equal(rows[:, start:stop], values[name]):
                own = pieces.setdefault(alone[name], {})
                own[name] = values[name][: sizes[alone[name]]]
                left.remove(name)
                start = stop
                break
        else:
            return None
    return ReadoutCode(tuple(sorted(pieces)), tuple(pieces[key] for key in sorted(pieces)))


class _Encoder:
    """Encodes words of some members of a stack, a chunk at a time."""

    def __init__(self, trained: TrainedStack, worlds: Sequence[World], members: range) -> None:
        self._trained, self._members = trained, members
        # Members of one seed share their maps.
        found: dict[tuple[str, int], tuple[NDArray[np.float32], NDArray[np.float32]]] = {}
        self._x = []
        for world in worlds:
            key = world.spec.without_label_digest(), world.seed
            if key not in found:
                found[key] = modality_codewords(world, 1), modality_codewords(world, 2)
            self._x.append(found[key])

    def readouts(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        names: Iterable[str] | None = None,
    ) -> dict[str, Tensor]:
        """Readouts [members, n, width] of words ``first`` of modality 1 and ``second`` of 2."""
        chunks: dict[str, list[Tensor]] = {}
        for encoded in self._encoded(first, second):
            for name in encoded if names is None else names:
                values = encoded[name][self._members.start : self._members.stop]
                chunks.setdefault(name, []).append(values.clone())
        return {name: torch.cat(parts, 1) for name, parts in chunks.items()}

    def _encoded(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> Iterator[dict[str, Tensor]]:
        trained = self._trained
        for start in range(0, len(first), _CHUNK):
            words = first[start : start + _CHUNK], second[start : start + _CHUNK]
            x1, x2 = (
                torch.from_numpy(np.stack([x[side][words[side]] for x in self._x])).to(
                    device=trained.device, dtype=trained.dtype
                )
                for side in (0, 1)
            )
            yield trained.readouts(x1, x2)
