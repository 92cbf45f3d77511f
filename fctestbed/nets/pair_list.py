"""Lists of pairs: which rows and columns a critic scores, if not all of them.

Owns the index list of pairs. May import torch only.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class PairList:
    """Pairs (row, column) of each run, in the order of their rows.

    The pairs of one row, and those of one column, lie at equal distances in the list, so that sums
    over them need no search and always have the same order.

    Attributes:
        rows: row of each pair, [stack, pairs]; -1 behind a run's last pair.
        columns: column of each pair, [stack, pairs]; -1 behind a run's last pair.
        n_rows: number of rows of a run.
        n_columns: number of columns of a run.
        row_pairs: for each row its first pair, the distance of its pairs and their number,
            [stack, n_rows, 3].
        column_pairs: the same for each column, [stack, n_columns, 3].
    """

    rows: Int[Tensor, "stack pairs"]
    columns: Int[Tensor, "stack pairs"]
    n_rows: int
    n_columns: int
    row_pairs: Int[Tensor, "stack n_rows 3"]
    column_pairs: Int[Tensor, "stack n_columns 3"]

    def spread(
        self, scores: Float[Tensor, "stack pairs"]
    ) -> Float[Tensor, "stack n_rows n_columns"]:
        """Scores of the pairs at their places among all pairs, 0 elsewhere."""
        stack = scores.shape[0]
        n = self.n_rows * self.n_columns
        # Everything behind a run's last pair goes to one extra place, which is cut off.
        place = torch.where(self.rows < 0, n, self.rows * self.n_columns + self.columns)
        everywhere = scores.new_zeros(stack, n + 1).scatter(1, place.long(), scores)
        return everywhere[:, :-1].view(stack, self.n_rows, self.n_columns)


@runtime_checkable
class PairGroups(Protocol):
    """Groups of samples, whose pairs inside a group a critic scores."""

    @property
    def pair_list(self) -> PairList:
        """The pairs inside groups, one by one."""
        ...

    def gather(
        self, rows: Float[Tensor, "stack samples width"]
    ) -> Float[Tensor, "stack_groups n width"]:
        """Rows of samples, group by group, padded to the largest group."""
        ...

    def spread(
        self, scores: Float[Tensor, "stack_groups n n"]
    ) -> Float[Tensor, "stack samples samples"]:
        """Scores of pairs inside groups at their places among all pairs, 0 elsewhere."""
        ...
