"""Posteriors of groups of bits from posteriors of patterns, by summing over the other bits.

Owns marginalisation and the entropies of its results. May import torch only. An array of
posteriors has shape [n, 2^k] for k columns, the first column slowest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from jaxtyping import Float
from torch import Tensor

Columns = tuple[int, ...]


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
    return torch.special.entr(p).sum(1)


@dataclass(frozen=True)
class Step:
    """One marginal of a plan, and the earlier marginal that it is a sum of (None: the patterns)."""

    columns: Columns
    source: int | None


def plan_marginals(groups: Sequence[Columns], leaves: Sequence[Columns] = ()) -> list[Step]:
    """An order of marginals in which each is a sum of the smallest earlier one that contains it.

    Single bits are then sums of their blocks, and only blocks are sums of the patterns.

    Args:
        groups: different sets of columns, each in the order of the patterns' columns.
        leaves: further sets; no marginal is summed from them, so they do not affect the rounding
            of the groups.
    """
    steps: list[Step] = []
    for group in (*sorted(groups, key=len, reverse=True), *leaves):
        if group in (step.columns for step in steps):
            continue
        holders = [
            place
            for place, step in enumerate(steps[: len(groups)])
            if set(group) <= set(step.columns)
        ]
        source = min(holders, key=lambda place: len(steps[place].columns), default=None)
        steps.append(Step(group, source))
    return steps


def ordered(columns: Columns, group: Iterable[int]) -> Columns:
    """The columns of a group that are in ``columns``, in that order."""
    wanted = set(group)
    return tuple(column for column in columns if column in wanted)
