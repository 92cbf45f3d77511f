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

    Groups are padded to the largest group of the whole stack. Scores are therefore computed inside
    groups but summed only after ``spread``, so that the rounding of a run's sums does not depend on
    the other runs.

    Attributes:
        index: samples of each group, [stack, groups, n]; padding repeats some sample.
        place: where each pair inside a group lies in the flattened [samples, samples], [stack,
            groups * n * n]; samples^2 for a pair with padding.
        same: [stack, samples, samples], true where both have the same condition.
        order: samples by their condition, [stack, samples].
        first: for each place of ``order``, the first place of its group.
        n_pairs: most pairs that share the condition, of any run.
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


def group_by_condition(condition: Int[Tensor, "stack n"]) -> Groups:
    """Group a batch's samples by an integer condition, padded to the largest group.

    If one group is so large that padding would cost more than all pairs, the whole batch is one
    group, which also holds pairs that do not share the condition.
    """
    stack, n = condition.shape
    ordered, order = condition.sort(dim=1, stable=True)
    starts = torch.ones_like(ordered, dtype=torch.bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    group = starts.cumsum(1) - 1
    position = torch.arange(n, device=condition.device).expand(stack, n)
    first = torch.where(starts, position, 0).cummax(1).values
    rank = position - first
    same = condition.unsqueeze(2) == condition.unsqueeze(1)
    extents = torch.stack([group.max() + 1, rank.max() + 1, same.sum((1, 2)).max()])
    # One copy to the host, which waits for the device.
    n_groups, size, n_pairs = (int(extent) for extent in extents.tolist())
    # The kernels add four rows at a time; the padding must not change which rows these are.
    size += -size % 4
    if n_groups * size * size >= n * n:
        place = torch.arange(n * n, device=condition.device).expand(stack, n * n)
        return Groups(
            index=position.unsqueeze(1),
            place=place,
            same=same,
            order=order,
            first=first,
            n_pairs=n_pairs,
        )
    slot = group * size + rank
    # The index n marks padding.
    index = torch.full((stack, n_groups * size), n, device=condition.device)
    index = index.scatter_(1, slot, order).view(stack, n_groups, size)
    row, column = index.unsqueeze(3), index.unsqueeze(2)
    place = torch.where((row < n) & (column < n), row * n + column, n * n)
    return Groups(
        index=index.remainder(n),
        place=place.view(stack, -1),
        same=same,
        order=order,
        first=first,
        n_pairs=n_pairs,
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
