"""Posterior entropies of groups of bits and of labels, for a tile of draws at a time.

Owns the choice and the order of the marginals, for one representation and for two. May import torch
and this package.
"""

from collections.abc import Collection, Mapping, Sequence

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
from fctestbed.measurement.channel.posteriors import PosteriorReader, tile_rows
from fctestbed.measurement.channel.result import Group, Key, Readers, Target


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
        self._books, self._device, self._dtype = books, device, dtype
        self._shared = common_columns(books)
        self._labels: dict[str, LabelChannel] = {
            name: group for name, group in groups.items() if not isinstance(group, tuple)
        }
        patterns = [2 ** len(label.columns) for label in self._labels.values()]
        self._widest = max(*(len(book) for book in books), *patterns, 1)
        self._readers = [
            PosteriorReader(book, device=device, dtype=dtype, products=products) for book in books
        ]
        bits = [group for group in groups.values() if isinstance(group, tuple)]
        firm = [groups[name] for name in sources if name in groups]
        sides: list[tuple[Readers, Columns]] = [
            ((place,), book.columns) for place, book in enumerate(books, 1)
        ]
        if len(books) == 2:
            own = [book.columns[len(self._shared) :] for book in books]
            sides.append(((1, 2), (*self._shared, *own[0], *own[1])))
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
            first = {
                ordered(columns, group)
                for group in (*firm, self._shared)
                if isinstance(group, tuple)
            }
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

    def read(
        self,
        draws: Sequence[tuple[Tensor, Tensor]],
        taus: Sequence[float],
        moments: Sequence[Moments],
    ) -> None:
        """Add the posterior entropies of draws at each noise to that noise's moments."""
        n_rows = tile_rows(self._widest, len(taus), self._device)
        held = [(index.to(self._device), noise.to(self._device)) for index, noise in draws]
        for start in range(0, len(draws[0][0]), n_rows):
            stop = start + n_rows
            read = [
                reader(index[start:stop], noise[start:stop], taus)
                for reader, (index, noise) in zip(self._readers, held, strict=True)
            ]
            # One row for each noise and draw.
            entropies = self._entropies([(p.flatten(0, 1), h.flatten()) for p, h in read])
            wide = torch.cat(entropies, 1)
            for rows, own in zip(wide.view(len(taus), -1, wide.shape[1]), moments, strict=True):
                own.add(rows)

    def _entropies(self, posteriors: Sequence[tuple[Tensor, Tensor]]) -> list[Tensor]:
        """All posterior entropies of a tile, float64, in the order of ``places``."""
        values: list[Tensor] = []
        n = len(posteriors[0][0])
        # The marginals that others are summed from, of each representation.
        sides: list[dict[Columns, Tensor]] = [
            {book.columns: p} for book, (p, _) in zip(self._books, posteriors, strict=True)
        ]
        for reader, (columns, tables) in self._plans.items():
            found = sides[reader[0] - 1] if len(reader) == 1 else {}
            if len(reader) == 1:
                values.append(posteriors[reader[0] - 1][1].double().unsqueeze(1))
            for table in tables:
                kept = table.columns
                if len(reader) == 1:
                    found[kept] = self._of_one(found, columns, kept)
                else:
                    found[kept] = self._joint(sides, kept)
                values.append(table(found[kept]).double())
            for label in self._labels.values():
                seen = ordered(columns, label.columns)
                p = posteriors[0][0].new_ones(n, 1)
                if seen:
                    source = self._sources[reader, seen]
                    p = marginal(found[source], source, seen)
                values.append(label.entropies_nats(p, seen).double().unsqueeze(1))
        return values

    def _of_one(self, side: dict[Columns, Tensor], columns: Columns, kept: Columns) -> Tensor:
        """Posteriors of the kept columns of one representation."""
        wide = self._with_shared(columns, kept)
        if len(self._books) == 1 or kept == wide or not set(kept) & set(self._shared):
            return marginal(side[columns], columns, kept)
        # The joint posterior of the same bits is computed from this marginal too.
        if wide not in side:
            side[wide] = marginal(side[columns], columns, wide)
        return marginal(side[wide], wide, kept)

    def _with_shared(self, columns: Columns, kept: Columns) -> Columns:
        """All shared columns, and the kept ones of a representation's own."""
        return (*self._shared, *ordered(columns[len(self._shared) :], kept))

    def _joint(self, posteriors: Sequence[dict[Columns, Tensor]], kept: Columns) -> Tensor:
        """p(kept | z1, z2): the product of both representations' posteriors given w_s, with a
        uniform prior over patterns."""
        held, rest = ordered(self._shared, kept), [c for c in self._shared if c not in kept]
        sides = []
        for found, book in zip(posteriors, self._books, strict=True):
            wide = self._with_shared(book.columns, kept)
            if wide not in found:
                found[wide] = marginal(found[book.columns], book.columns, wide)
            side = found[wide]
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


def _lead(p: Tensor, columns: Columns, held: Columns) -> Tensor:
    """The patterns of ``columns``, on the second axis, with the ``held`` ones slowest."""
    if columns[: len(held)] == held:
        return p
    first = [columns.index(column) for column in held]
    axes = [*first, *(place for place in range(len(columns)) if place not in first)]
    index = torch.arange(2 ** len(columns), device=p.device).view([2] * len(columns))
    return p.index_select(1, index.permute(axes).flatten())
