"""Hypothesis strategies of score matrices and conditions."""

import torch
from hypothesis import strategies as st
from torch import Tensor


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


SEEDS = st.integers(0, 2**32 - 1)
# From scores that hardly differ to scores whose exponentials would overflow.
SCALES = st.sampled_from([1e-3, 1.0, 30.0, 3000.0])


@st.composite
def score_matrices(
    draw: st.DrawFn, *, stack: int = 1, rows: int | None = None, columns: int | None = None
) -> Tensor:
    """Scores [stack, rows, columns] in float64, square unless sizes are given."""
    rows = draw(st.integers(1, 9)) if rows is None else rows
    shape = (stack, rows, columns or rows)
    scores = torch.randn(shape, generator=_generator(draw(SEEDS)), dtype=torch.float64)
    # Positives that stand out, or stand back: the corners where a bound could be exceeded.
    lift = draw(st.sampled_from([-100.0, 0.0, 5.0, 100.0]))
    scores.diagonal(dim1=-2, dim2=-1).add_(lift)
    return scores * draw(SCALES)


@st.composite
def labelled_scores(
    draw: st.DrawFn, *, stack: int = 2, n_classes: int | None = None
) -> tuple[Tensor, Tensor]:
    """Scores [stack, n, n] and conditions [stack, n]: skewed, uniform, all alike or all apart."""
    scores = draw(score_matrices(stack=stack))
    n = scores.shape[-1]
    most = n if n_classes is None else n_classes
    rows = st.lists(st.integers(0, most - 1), min_size=n, max_size=n)
    skewed = st.lists(st.sampled_from([0] * 6 + list(range(most))), min_size=n, max_size=n)
    alike, apart = st.just([0] * n), st.permutations(range(n))
    kinds = [rows, skewed, alike] if n_classes else [rows, skewed, alike, apart]
    conditions = [draw(st.one_of(kinds)) for _ in range(stack)]
    return scores, torch.tensor(conditions)
