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
    Step,
    entropy_nats,
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
        tau: noise.
        device: where to compute.
        dtype: float32 or float64.

    Attributes:
        places: the place of each posterior entropy in a row of ``Moments``.
    """

    def __init__(
        self,
        books: Sequence[Codebook],
        groups: Mapping[str, Group],
        *,
        sources: Collection[str],
        tau: float,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self._books, self._device, self._dtype = books, device, dtype
        self._shared = common_columns(books)
        self._labels: dict[str, LabelChannel] = {
            name: group for name, group in groups.items() if not isinstance(group, tuple)
        }
        patterns = [2 ** len(label.columns) for label in self._labels.values()]
        self._rows = tile_rows(max(*(len(book) for book in books), *patterns, 1), device)
        self._readers = [PosteriorReader(book, tau, self._rows, device, dtype) for book in books]
        bits = [group for group in groups.values() if isinstance(group, tuple)]
        firm = [groups[name] for name in sources if name in groups]
        sides: list[tuple[Readers, Columns]] = [
            ((place,), book.columns) for place, book in enumerate(books, 1)
        ]
        if len(books) == 2:
            own = [book.columns[len(self._shared) :] for book in books]
            sides.append(((1, 2), (*self._shared, *own[0], *own[1])))
        self._plans: dict[Readers, tuple[Columns, list[Step]]] = {}
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
            steps = plan_marginals(
                sorted(asked & first), sorted((asked - first) | leaves - {(), *whole})
            )
            self._plans[reader] = columns, steps
            keys = [frozenset(step.columns) for step in steps]
            targets: list[Target] = [*map(frozenset, whole), *keys, *self._labels]
            for target in targets:
                self.places[reader, target] = len(self.places)

    def read(self, draws: Sequence[tuple[Tensor, Tensor]], moments: Moments) -> None:
        """Add the posterior entropies of draws to the moments."""
        for start in range(0, len(draws[0][0]), self._rows):
            stop = start + self._rows
            posteriors = [
                reader(
                    index[start:stop].to(self._device),
                    noise[start:stop].to(self._device, self._dtype),
                )
                for reader, (index, noise) in zip(self._readers, draws, strict=True)
            ]
            moments.add(torch.stack(self._entropies(posteriors), 1))

    def _entropies(self, posteriors: Sequence[tuple[Tensor, Tensor]]) -> list[Tensor]:
        """All posterior entropies of a tile, in the order of ``places``."""
        values: list[Tensor] = []
        for reader, (columns, steps) in self._plans.items():
            found: dict[Columns, Tensor] = {}
            if len(reader) == 1:
                p, entropy = posteriors[reader[0] - 1]
                found[columns] = p
                values.append(entropy)
            for step in steps:
                if step.source is not None:
                    source = steps[step.source].columns
                    found[step.columns] = marginal(found[source], source, step.columns)
                elif len(reader) == 1:
                    found[step.columns] = marginal(found[columns], columns, step.columns)
                else:
                    found[step.columns] = self._joint([p for p, _ in posteriors], step.columns)
                values.append(entropy_nats(found[step.columns]))
            for label in self._labels.values():
                seen = ordered(columns, label.columns)
                n = len(posteriors[0][0])
                p = found[seen] if seen else posteriors[0][0].new_ones(n, 1)
                values.append(label.entropies_nats(p, seen))
        return values

    def _joint(self, posteriors: Sequence[Tensor], kept: Columns) -> Tensor:
        """p(kept | z1, z2): the product of both representations' posteriors given w_s, with a
        uniform prior over patterns."""
        n = len(posteriors[0])
        held, rest = ordered(self._shared, kept), [c for c in self._shared if c not in kept]
        sides = []
        for p, book in zip(posteriors, self._books, strict=True):
            own = ordered(book.columns[len(self._shared) :], kept)
            side = marginal(p, book.columns, (*self._shared, *own))
            side = _lead(side.view(n, 2 ** len(self._shared), -1), self._shared, held)
            sides.append(side.view(n, 2 ** len(held), 2 ** len(rest), -1))
        left, right = sides[0].transpose(2, 3), sides[1]
        joint = left @ right if rest else left * right
        flat = joint.reshape(n, -1)
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
