"""Posterior entropies of groups of bits and of labels, for a tile of draws at a time.

Owns the choice and the order of the marginals, for one representation and for two. May import torch
and this package.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from fctestbed.measurement.channel.codebooks import Codebook
from fctestbed.measurement.channel.draws import common_columns
from fctestbed.measurement.channel.labels import LabelChannel
from fctestbed.measurement.channel.marginals import (
    Columns,
    MarginalEntropies,
    marginal,
    ordered,
    plan_marginals,
)
from fctestbed.measurement.channel.moments import Moments
from fctestbed.measurement.channel.posteriors import (
    PosteriorReader,
    PosteriorSums,
    SumLayout,
    tile_rows,
)
from fctestbed.measurement.channel.result import Group, Key, Readers, Target

# Cells of sums of posteriors whose entropies are computed at once.
_CELLS_TOGETHER = 1 << 22


class Tiles:
    """Posterior entropies of draws, a tile at a time.

    Args:
        books: one codebook or two.
        groups: columns or labels, by name.
        sources: names of the groups that others are summed from. The rounding of a group depends
            on these alone.
        device: where to compute.
        dtype: of the posteriors, float32 or float64.
        products: of the products that they come from, float32 or float64.

    Attributes:
        places: the place of each posterior entropy in a row of ``Moments``.
    """

    def __init__(
        self,
        books: Sequence[Codebook],
        groups: Mapping[str, Group],
        *,
        sources: Collection[str],
        device: torch.device,
        dtype: torch.dtype,
        products: torch.dtype,
    ) -> None:
        self._device = device
        self._shared = common_columns(books)
        self._labels: dict[str, LabelChannel] = {
            name: group for name, group in groups.items() if not isinstance(group, tuple)
        }
        self._widest = max(len(book) for book in books)
        bits = [group for group in groups.values() if isinstance(group, tuple)]
        named = [groups[name] for name in sources if name in groups]
        firm = [group for group in named if isinstance(group, tuple)]
        sides: list[tuple[Readers, Columns]] = [
            ((place,), book.columns) for place, book in enumerate(books, 1)
        ]
        own = [book.columns[len(self._shared) :] for book in books]
        if len(books) == 2:
            sides.append(((1, 2), (*self._shared, *own[0], *own[1])))
            self._layouts = [SumLayout(self._shared, columns) for columns in own]
        else:
            self._layouts = [_split(books[0].columns, firm)]
        self._plans: dict[Readers, tuple[Columns, list[MarginalEntropies]]] = {}
        # The marginal that a label's bits are summed from.
        self._sources: dict[tuple[Readers, Columns], Columns] = {}
        self.places: dict[Key, int] = {}
        shared = set(self._shared)
        for reader, columns in sides:
            # The posterior's computation gives the entropy of the whole pattern of one
            # representation. Groups of w_s and more factorise given w_s: no joint enumeration.
            asked = {ordered(columns, group) for group in (*bits, self._shared)} - {()}
            whole = [columns] if len(reader) == 1 else []
            asked -= set(whole or [group for group in asked if shared < set(group)])
            first = {ordered(columns, group) for group in (*firm, self._shared)}
            leaves = {ordered(columns, label.columns) for label in self._labels.values()}
            plan = plan_marginals(
                sorted(asked & first), sorted((asked - first) | leaves - {(), *whole})
            )
            like = torch.empty(0, device=device, dtype=dtype)
            tables = [MarginalEntropies(table, parts, like) for table, parts in plan.items()]
            self._plans[reader] = columns, tables
            self._sources[reader, columns] = columns
            for table in tables:
                for key in (table.columns, *table.groups):
                    self._sources[reader, key] = table.columns
            keys = [key for table in tables for key in (table.columns, *table.groups)]
            targets: list[Target] = [*map(frozenset, [*whole, *keys]), *self._labels]
            for target in targets:
                self.places[reader, target] = len(self.places)
            self._take(reader, [*plan, *sorted(leaves & set(whole))])
        self._reader = PosteriorReader(
            books, self._layouts, device=device, dtype=dtype, products=products
        )

    def _take(self, reader: Readers, marginals: Sequence[Columns]) -> None:
        """Have the sums taken that these marginals of one or both representations come from."""
        apart = [
            kept
            for kept in marginals
            if not any(set(kept) <= set(layout.own) for layout in self._layouts)
        ]
        for place in (side - 1 for side in reader):
            layout = self._layouts[place]
            needed = {layout.prefix(kept) for kept in apart} - set(layout.prefixes)
            self._layouts[place] = replace(layout, prefixes=(*layout.prefixes, *sorted(needed)))

    def read(
        self,
        draws: Sequence[tuple[Tensor, Tensor]],
        taus: Sequence[float],
        moments: Sequence[Moments],
    ) -> None:
        """Add the posterior entropies of draws at each noise to that noise's moments."""
        n_rows = tile_rows(self._widest, len(taus), self._device)
        held = [(index.to(self._device), noise.to(self._device)) for index, noise in draws]
        n = len(held[0][0])
        n_cells = sum(
            2 ** len(columns) for layout in self._layouts for columns in layout.leading
        ) + 2 * sum(2 ** len(layout.own) for layout in self._layouts)
        # Entropies of several tiles together: their operations are many and small.
        n_together = n_rows * max(1, _CELLS_TOGETHER // (n_rows * n_cells * len(taus)))
        for first in range(0, n, n_together):
            last = min(first + n_together, n)
            tiles = []
            for start in range(first, last, n_rows):
                stop = min(start + n_rows, last)
                tile = [(index[start:stop], noise[start:stop]) for index, noise in held]
                tiles.append(self._reader(tile, taus))
            sums = [_together(parts) for parts in zip(*tiles, strict=True)]
            wide = torch.cat(self._entropies(sums), 1)
            # One row for each noise and draw.
            for rows, own in zip(wide.view(len(taus), -1, wide.shape[1]), moments, strict=True):
                own.add(rows)

    def _entropies(self, sums: Sequence[PosteriorSums]) -> list[Tensor]:
        """All posterior entropies of some tiles, float64, in the order of ``places``."""
        values: list[Tensor] = []
        n = len(sums[0].entropies)
        for reader, (columns, tables) in self._plans.items():
            side = reader[0] - 1
            # The marginals that others are summed from.
            found: dict[Columns, Tensor] = {}
            if len(reader) == 1:
                values.append(sums[side].entropies.double().unsqueeze(1))
            for table in tables:
                kept = table.columns
                alone = len(reader) == 1
                found[kept] = self._of_one(sums, side, kept) if alone else self._joint(sums, kept)
                values.append(table(found[kept]).double())
            for label in self._labels.values():
                seen = ordered(columns, label.columns)
                p = sums[0].entropies.new_ones(n, 1)
                if seen:
                    source = self._sources[reader, seen]
                    if source not in found:
                        found[source] = self._of_one(sums, side, source)
                    p = marginal(found[source], source, seen)
                values.append(label.entropies_nats(p, seen).double().unsqueeze(1))
        return values

    def _of_one(self, sums: Sequence[PosteriorSums], side: int, kept: Columns) -> Tensor:
        """Posteriors of the kept columns given one representation."""
        source = self._layouts[side].source(kept)
        return marginal(sums[side].marginals[source], source, kept)

    def _joint(self, sums: Sequence[PosteriorSums], kept: Columns) -> Tensor:
        """p(kept | z1, z2): the product of both representations' posteriors given w_s, with a
        uniform prior over patterns."""
        for layout, of_one in zip(self._layouts, sums, strict=True):
            if set(kept) <= set(layout.own) and of_one.given_both is not None:
                return marginal(of_one.given_both, layout.own, kept)
        held, rest = ordered(self._shared, kept), [c for c in self._shared if c not in kept]
        sides = []
        for place, layout in enumerate(self._layouts):
            wide = (*self._shared, *ordered(layout.own, kept))
            # Not of its own columns alone, where no column is shared.
            source = (*layout.lead, *layout.own[: layout.prefix(kept)])
            side = marginal(sums[place].marginals[source], source, wide)
            side = _lead(side.view(len(side), 2 ** len(self._shared), -1), self._shared, held)
            sides.append(side.view(len(side), 2 ** len(held), 2 ** len(rest), -1))
        left, right = sides
        if not rest:
            joint = left.transpose(2, 3) * right
        elif left.shape[3] > right.shape[3]:
            # The transposed factor of a product is copied: the smaller one.
            joint = (right.transpose(2, 3) @ left).transpose(2, 3)
        else:
            joint = left.transpose(2, 3) @ right
        flat = joint.reshape(len(joint), -1)
        total = flat.sum(1, keepdim=True)
        return flat / total.clamp_min(torch.finfo(flat.dtype).tiny)


def _split(columns: Columns, firm: Sequence[Columns]) -> SumLayout:
    """The layout of a single codebook: a group that leads its columns is apart from the others."""
    sizes = [len(own) for own in firm if own == columns[: len(own)] and 0 < len(own) < len(columns)]
    n_lead = sizes[0] if sizes else len(columns) // 2
    return SumLayout(columns[:n_lead], columns[n_lead:])


def _together(tiles: Sequence[PosteriorSums]) -> PosteriorSums:
    """The sums of several tiles, with one axis for noises and draws."""

    def joined(parts: Sequence[Tensor]) -> Tensor:
        return torch.cat(tuple(parts), 1).flatten(0, 1)

    both = [tile.given_both for tile in tiles if tile.given_both is not None]
    return PosteriorSums(
        joined([tile.entropies for tile in tiles]),
        {key: joined([tile.marginals[key] for tile in tiles]) for key in tiles[0].marginals},
        joined(both) if both else None,
    )


def _lead(p: Tensor, columns: Columns, held: Columns) -> Tensor:
    """The patterns of ``columns``, on the second axis, with the ``held`` ones slowest."""
    if columns[: len(held)] == held:
        return p
    first = [columns.index(column) for column in held]
    axes = [*first, *(place for place in range(len(columns)) if place not in first)]
    index = torch.arange(2 ** len(columns), device=p.device).view([2] * len(columns))
    return p.index_select(1, index.permute(axes).flatten())
