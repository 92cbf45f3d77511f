"""The limit of no noise: what an encoder distinguishes, by counting distinct codewords.

Owns the test of which codewords are equal. May import torch and this package.
"""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Int
from torch import Tensor

from fctestbed.information import nats_to_bits
from fctestbed.measurement.channel.codebooks import Codebook
from fctestbed.measurement.channel.marginals import ordered
from fctestbed.measurement.channel.result import ChannelBits, Group

# Points closer than this, at a mean power of 1 per dimension, differ by rounding alone.
TOLERANCE = 1e-5
_DIRECTIONS = 12
_CELLS = 1 << 22


def distinct_points(book: Codebook) -> Int[Tensor, " codewords"]:
    """Number of the distinct point of each codeword, counted from 0.

    Codewords are compared along a dozen fixed random directions, one after the other: two are the
    same point if no direction has a gap of more than 1e-5 between them.
    """
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(book.rank, _DIRECTIONS, generator=generator, dtype=torch.float64)
    place = torch.zeros(len(book), dtype=torch.long)
    for along in (book.points.cpu() @ directions).T:
        by_value = along.argsort(stable=True)
        order = by_value[place[by_value].argsort(stable=True)]
        value, group = along[order], place[order]
        starts = torch.zeros_like(group)
        starts[1:] = (group[1:] != group[:-1]) | (value[1:] - value[:-1] > TOLERANCE)
        place = torch.empty_like(place).scatter_(0, order, starts.cumsum(0))
    return place


def noiseless_information(book: Codebook, groups: Mapping[str, Group]) -> dict[str, ChannelBits]:
    """I(Z; group) without noise, exactly: the limit of ``channel_information`` as tau goes to 0.

    Every injective encoder holds H(group) of every group, whatever its geometry. Information is
    therefore measured with noise.

    Args:
        book: the codebook.
        groups: columns or labels, by name.

    Returns:
        Exact values, with standard errors of 0 and no draws.
    """
    place = distinct_points(book)
    sizes = torch.bincount(place)
    index = torch.arange(len(book))
    found = {}
    for name, group in groups.items():
        if isinstance(group, tuple):
            seen = ordered(book.columns, group)
            prior, coins = len(group) * math.log(2), (len(group) - len(seen)) * math.log(2)
            values = _values_of(index, book.columns, seen)
            _, counts = (place * 2 ** len(seen) + values).unique(return_counts=True)
            # H(Z, A) - H(Z) = H(A | Z).
            given = _entropy(counts) - _entropy(sizes) + coins
        else:
            prior = group.entropy_nats
            seen = ordered(book.columns, group.columns)
            values = _values_of(index, book.columns, seen)
            given, step = 0.0, max(1, _CELLS // 2 ** len(seen))
            for start in range(0, len(sizes), step):
                inside = (place >= start) & (place < start + step)
                n = min(step, len(sizes) - start)
                cells = (place[inside] - start) * 2 ** len(seen) + values[inside]
                counts = torch.bincount(cells, minlength=n * 2 ** len(seen)).view(n, -1).double()
                part = sizes[start : start + n].double()
                entropies = group.entropies_nats(counts / part.unsqueeze(1), seen)
                given += float(part @ entropies) / len(book)
        found[name] = ChannelBits(
            value_bits=nats_to_bits(prior - given),
            standard_error_bits=0.0,
            ceiling_bits=nats_to_bits(prior),
            n_draws=0,
        )
    return found


def _values_of(
    index: Tensor, columns: tuple[int, ...], seen: tuple[int, ...]
) -> Int[Tensor, " codewords"]:
    """The ``seen`` bits of each pattern as a number, the first bit the most significant."""
    values = torch.zeros_like(index)
    for column in seen:
        bit = (index >> (len(columns) - 1 - columns.index(column))) & 1
        values = 2 * values + bit
    return values


def _entropy(counts: Tensor) -> float:
    share = counts.double() / counts.sum()
    return float(torch.special.entr(share).sum())
