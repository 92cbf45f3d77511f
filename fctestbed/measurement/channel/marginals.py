"""Posteriors of groups of bits from posteriors of patterns, by summing over the other bits.

Owns marginalisation and the entropies of its results. May import torch and the kernel. An array of
posteriors has shape [n, 2^k] for k columns, the first column slowest.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import torch
from jaxtyping import Float
from torch import Tensor

from fctestbed.measurement.channel.entropy_kernels import row_entropies

Columns = tuple[int, ...]

# Cells of a table of sums above which a marginal is summed without one.
_MOST_CELLS = 1 << 14


def marginal(
    p: Float[Tensor, "n patterns"], columns: Columns, kept: Iterable[int]
) -> Float[Tensor, "n kept_patterns"]:
    """Posteriors of the kept columns, in the order of ``columns``.

    Args:
        p: posteriors of ``columns``.
        columns: the bits of the second axis, slowest first.
        kept: the columns to keep, a subset.
    """
    stay = set(kept)
    runs = [(stays, len(list(run))) for stays, run in groupby(columns, stay.__contains__)]
    dropped = [axis for axis, (stays, _) in enumerate(runs, 1) if not stays]
    if not dropped:
        return p
    view = p.view(len(p), *[2**size for _, size in runs])
    return view.sum(dropped).reshape(len(p), -1)


def entropy_nats(p: Float[Tensor, "n outcomes"]) -> Float[Tensor, " n"]:
    """Entropy of each row, in nats."""
    if p.device.type == "cpu" and p.dtype is torch.float32:
        entropies = torch.empty(len(p))
        row_entropies(p.contiguous().numpy(), entropies.numpy())
        return entropies
    # Torch's own -p log p has no vector form on a CPU; 0 times this logarithm is 0.
    logs = p.clamp_min(torch.finfo(p.dtype).tiny).log_()
    return logs.mul_(p).sum(-1).neg_()


def plan_marginals(
    groups: Iterable[Columns], leaves: Iterable[Columns] = ()
) -> dict[Columns, list[Columns]]:
    """Which marginals are summed from the posteriors of all patterns, and which from those.

    Blocks are sums of the patterns, and their parts and bits sums of the blocks.

    Args:
        groups: different sets of columns, each in the order of the patterns' columns.
        leaves: further sets. No marginal is summed from them, so that they do not affect the
            rounding of the groups.

    Returns:
        The marginals that are summed from the patterns, each with those that are summed from it.
    """
    plan: dict[Columns, list[Columns]] = {}
    firm: list[Columns] = []
    for group in sorted(groups, key=len, reverse=True):
        if not _placed(group, firm, plan):
            plan[group] = []
            firm.append(group)
    for leaf in leaves:
        if leaf not in plan and not _placed(leaf, firm, plan):
            plan[leaf] = []
    return plan


def _placed(
    group: Columns, sources: Sequence[Columns], plan: Mapping[Columns, list[Columns]]
) -> bool:
    """Put a group under the smallest source that contains it; whether there is one."""
    holders = [source for source in sources if set(group) <= set(source)]
    if not holders:
        return False
    source = min(holders, key=len)
    if group != source and group not in plan[source]:
        plan[source].append(group)
    return True


class MarginalEntropies:
    """Entropies of posteriors of some columns and of marginals of them.

    The rounding of each entropy depends on no other group. Small marginals are products with a
    table of zeros and ones, which takes a fraction of the time of a sum over several axes; all
    single bits are one product.

    Args:
        columns: the columns of the posteriors, the first slowest.
        groups: the marginals, each a smaller set of columns.
        like: an array on the device and of the type of the posteriors.
    """

    def __init__(self, columns: Columns, groups: Sequence[Columns], like: Tensor) -> None:
        self.columns, self.groups = columns, tuple(groups)
        self._wide = [group for group in groups if len(group) > 1]
        self._bits = [columns.index(group[0]) for group in groups if len(group) == 1]
        self._sums = {
            group: _indicators(columns, group).to(like)
            for group in self._wide
            if 2 ** (len(columns) + len(group)) <= _MOST_CELLS
        }
        every = [_indicators(columns, (column,)) for column in columns]
        self._bit_sums = torch.cat(every, 1).to(like) if self._bits else None

    def __call__(self, p: Float[Tensor, "n patterns"]) -> Float[Tensor, "n marginals"]:
        """Entropies in nats: that of the posteriors, then those of the groups."""
        found = {self.columns: entropy_nats(p)}
        for group in self._wide:
            sums = self._sums.get(group)
            kept = marginal(p, self.columns, group) if sums is None else p @ sums
            found[group] = entropy_nats(kept)
        if self._bit_sums is not None:
            bits = entropy_nats((p @ self._bit_sums).view(-1, 2)).view(len(p), -1)
            for place in self._bits:
                found[self.columns[place],] = bits[:, place]
        return torch.stack([found[group] for group in (self.columns, *self.groups)], 1)


def _indicators(columns: Columns, group: Columns) -> Float[Tensor, "patterns kept_patterns"]:
    """Ones where a pattern of the columns has the pattern of the group."""
    index = torch.arange(2 ** len(columns))
    value = torch.zeros_like(index)
    for column in group:
        value = 2 * value + ((index >> (len(columns) - 1 - columns.index(column))) & 1)
    return torch.nn.functional.one_hot(value, 2 ** len(group))


def ordered(columns: Columns, group: Iterable[int]) -> Columns:
    """The columns of a group that are in ``columns``, in that order."""
    wanted = set(group)
    return tuple(column for column in columns if column in wanted)
