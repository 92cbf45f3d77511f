"""The pairs of a batch that share a condition.

Owns their grouping, padded and as a list. May import ``fctestbed.nets``.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from fctestbed.nets import PairList


@dataclass(frozen=True, kw_only=True)
class Groups:
    """The pairs of a batch whose members share a condition.

    Groups are padded, at least to the largest group of the whole stack. Scores are therefore
    computed inside groups but summed only after ``spread``, so that the rounding of a run's sums
    does not depend on the other runs.

    Attributes:
        index: samples of each group, [stack, groups, n]; padding repeats some sample.
        place: where each pair inside a group lies in the flattened [samples, samples], [stack,
            groups * n * n]; samples^2 for a pair with padding.
        same: [stack, samples, samples], true where both have the same condition.
        order: samples by their condition, [stack, samples].
        first: for each place of ``order``, the first place of its group.
        n_pairs: length of the list of pairs, at least the most pairs of any run that share the
            condition.
    """

    index: Int[Tensor, "stack groups n"]
    place: Int[Tensor, "stack pairs"]
    same: Bool[Tensor, "stack samples samples"]
    order: Int[Tensor, "stack samples"]
    first: Int[Tensor, "stack samples"]
    n_pairs: int

    @cached_property
    def pair_list(self) -> PairList:
        """The pairs that share the condition, without padding between them."""
        return _listed(self)

    def gather(
        self, rows: Float[Tensor, "stack samples width"]
    ) -> Float[Tensor, "stack_groups n width"]:
        """Rows of samples, group by group: [stack * groups, n, width]."""
        stack, groups, n = self.index.shape
        samples, width = rows.shape[1:]
        first = torch.arange(0, stack * samples, samples, device=rows.device)
        place = (self.index + first.view(stack, 1, 1)).flatten()
        return rows.reshape(-1, width).index_select(0, place).view(stack * groups, n, width)

    def spread(
        self, scores: Float[Tensor, "stack_groups n n"]
    ) -> Float[Tensor, "stack samples samples"]:
        """Scores of pairs inside groups at their places among all pairs, 0 elsewhere."""
        stack, samples, _ = self.same.shape
        # All pairs with padding go to one extra place, which is cut off.
        everywhere = scores.new_zeros(stack, samples * samples + 1)
        everywhere = everywhere.scatter(1, self.place, scores.reshape(stack, -1))
        return everywhere[:, :-1].view(stack, samples, samples)


@dataclass(frozen=True, kw_only=True)
class GroupExtents:
    """What the groups of a batch are padded to.

    Attributes:
        n_groups: number of groups.
        size: samples of a group.
        n_pairs: pairs that share the condition, of a run.
    """

    n_groups: int
    size: int
    n_pairs: int

    def enlarged(self, other: "GroupExtents") -> "GroupExtents":
        """Extents that hold both, with some room for batches to come where these do not."""
        found = {
            name: mine if theirs <= mine else _with_room(theirs)
            for name, mine, theirs in (
                (name, getattr(self, name), getattr(other, name))
                for name in ("n_groups", "size", "n_pairs")
            )
        }
        return GroupExtents(**found)


NO_GROUPS = GroupExtents(n_groups=0, size=0, n_pairs=0)
"""The extents of no batch."""


def _with_room(extent: int) -> int:
    """A number at least as large, one of eight between a power of two and the next."""
    step = 1 << max(0, extent.bit_length() - 4)
    return extent + -extent % step


@dataclass(frozen=True)
class _Sorted:
    """Samples by their condition, [stack, samples].

    Attributes:
        order: the samples.
        group: number of the group of each place of ``order``.
        first: the first place of its group.
        rank: its place inside the group.
    """

    order: Int[Tensor, "stack samples"]
    group: Int[Tensor, "stack samples"]
    first: Int[Tensor, "stack samples"]
    rank: Int[Tensor, "stack samples"]

    def extents(self) -> Int[Tensor, "3"]:
        """The largest number of groups, size of a group and number of pairs of the runs."""
        # A group of n samples has 1 + 3 + ... + (2n - 1) pairs.
        n_pairs = (2 * self.rank + 1).sum(1).max()
        return torch.stack([self.group.max() + 1, self.rank.max() + 1, n_pairs])


def _sorted(condition: Int[Tensor, "stack n"]) -> _Sorted:
    stack, n = condition.shape
    ordered, order = condition.sort(dim=1, stable=True)
    starts = torch.ones_like(ordered, dtype=torch.bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    group = starts.cumsum(1) - 1
    position = torch.arange(n, device=condition.device).expand(stack, n)
    first = torch.where(starts, position, 0).cummax(1).values
    return _Sorted(order, group, first, position - first)


def group_extents(condition: Int[Tensor, "batches n"]) -> Int[Tensor, "3"]:
    """The extents, in the order of ``GroupExtents``, that hold the groups of many batches; on the
    batches' device, so that nothing waits for it."""
    return _sorted(condition).extents()


def group_by_condition(
    condition: Int[Tensor, "stack n"], extents: GroupExtents | None = None
) -> Groups:
    """Group a batch's samples by an integer condition.

    If one group is so large that padding would cost more than all pairs, the whole batch is one
    group, which also holds pairs that do not share the condition.

    Args:
        condition: of each sample.
        extents: what groups are padded to; they hold the batch's groups. By default the batch's own
            extents, for which the host waits for the device.
    """
    stack, n = condition.shape
    found = _sorted(condition)
    if extents is None:
        n_groups, size, n_pairs = (int(extent) for extent in found.extents().tolist())
        extents = GroupExtents(n_groups=n_groups, size=size, n_pairs=n_pairs)
    order, first = found.order, found.first
    same = condition.unsqueeze(2) == condition.unsqueeze(1)
    # The kernels add four rows at a time; the padding must not change which rows these are.
    n_groups, size = extents.n_groups, extents.size + -extents.size % 4
    if n_groups * size * size >= n * n:
        position = torch.arange(n, device=condition.device).expand(stack, n)
        place = torch.arange(n * n, device=condition.device).expand(stack, n * n)
        index = position.unsqueeze(1)
    else:
        slot = found.group * size + found.rank
        # The index n marks padding.
        index = torch.full((stack, n_groups * size), n, device=condition.device)
        index = index.scatter_(1, slot, order).view(stack, n_groups, size)
        row, column = index.unsqueeze(3), index.unsqueeze(2)
        place = torch.where((row < n) & (column < n), row * n + column, n * n).view(stack, -1)
        index = index.remainder(n)
    return Groups(
        index=index,
        place=place,
        same=same,
        order=order,
        first=first,
        n_pairs=extents.n_pairs,
    )


def _listed(groups: Groups) -> PairList:
    """The pairs that share a condition: group by group, in a group row by row."""
    order, first = groups.order, groups.first
    stack, n = order.shape
    position = torch.arange(n, device=order.device).expand(stack, n)
    size = groups.same.sum(2).gather(1, order)
    end = size.cumsum(1)
    start = end - size
    pair = torch.arange(groups.n_pairs, device=order.device).repeat(stack, 1)
    own = torch.searchsorted(end, pair, right=True)
    inside = own < n
    own = own.clamp(max=n - 1)
    other = (first.gather(1, own) + pair - start.gather(1, own)).clamp(max=n - 1)
    along_columns = start.gather(1, first) + position - first
    one = torch.ones_like(size)
    place = order.unsqueeze(2).expand(-1, -1, 3)
    by_row, by_column = (
        torch.zeros_like(place).scatter(1, place, torch.stack(parts, 2))
        for parts in ((start, one, size), (along_columns, size, size))
    )
    return PairList(
        rows=torch.where(inside, order.gather(1, own), -1),
        columns=torch.where(inside, order.gather(1, other), -1),
        n_rows=n,
        n_columns=n,
        row_pairs=by_row,
        column_pairs=by_column,
    )
