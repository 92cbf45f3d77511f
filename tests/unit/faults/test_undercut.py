"""Levels of free vectors that a level of less freedom undercuts."""

import math
from typing import Any

import pandas as pd
import pytest

from fctestbed import NetSpec, TrainingSpec
from fctestbed.faults.undercut import has_comparable_losses, with_undercut_levels

NAN = math.nan


def _rows(losses: dict[str, tuple[float, float]], seed: int = 0) -> pd.DataFrame:
    """A cell whose levels have the given losses, in exact expectation and late in training."""
    rows: list[dict[str, Any]] = [
        {
            "method": "unimodal-sup",
            "unique_ratio": 0.5,
            "seed": seed,
            "name": name,
            "loss_nats": exact,
            "late_loss_nats": late,
            "converged": True,
            "note": "",
        }
        for name, (exact, late) in losses.items()
    ]
    return pd.DataFrame(rows).astype({"converged": object})


@pytest.mark.parametrize(
    ("losses", "level", "undercut_by"),
    [
        ({"objective": (-1.0, NAN), "run": (-1.01, NAN)}, "objective", None),
        ({"objective": (-1.0, NAN), "run": (-1.03, NAN)}, "objective", "run"),
        ({"batch": (-1.0, -2.0), "network": (-1.1, -1.0)}, "batch", "network"),
        ({"batch": (NAN, -1.0), "network": (NAN, -1.1)}, "batch", "network"),
        ({"batch": (-1.0, -1.0), "run": (-1.5, -1.5)}, "batch", None),
        ({"samples": (-1.0, -1.0), "run": (-1.5, -1.0)}, "samples", None),
        ({"samples": (-1.0, -1.0), "run": (-0.5, -1.2)}, "samples", "run"),
        ({"samples": (NAN, -1.0), "run": (NAN, NAN)}, "samples", None),
    ],
)
def test_a_level_is_not_converged_where_less_freedom_has_a_lower_loss(
    losses: dict[str, tuple[float, float]], level: str, undercut_by: str | None
) -> None:
    rows = pd.concat([_rows(losses), _rows(dict.fromkeys(losses, (0.0, 0.0)), seed=1)])
    rows = rows.reset_index(drop=True)
    found = with_undercut_levels(rows)
    own = found[found["seed"] == 0].set_index("name")
    assert own.loc[level, "converged"] is (undercut_by is None)
    expected = f"not at its optimum: the loss of {undercut_by} is lower by" if undercut_by else ""
    assert own.loc[level, "note"].startswith(expected)
    assert own.drop(level)["converged"].all()
    assert found[found["seed"] == 1]["converged"].all()
    assert rows["converged"].all()


@pytest.mark.parametrize(
    ("method", "head_dim", "comparable"),
    [
        ("unimodal-sup", 16, True),
        # The loss of wider heads may be lower than that of any vectors of the encoder's width.
        ("simclr", 16, False),
        ("simclr", 8, True),
        ("supervised", 16, True),
        ("comm", 16, True),
        # A game's losses do not measure its progress.
        ("factorcl-sup", 8, False),
        # Own heads behind a table.
        ("users_methods:Mine", 64, True),
        ("raw", 8, False),
    ],
)
def test_losses_are_comparable_where_vectors_can_be_any_code(
    method: str, head_dim: int, comparable: bool
) -> None:
    training = TrainingSpec(method=method, nets=NetSpec(embed_dim=8, head_dim=head_dim))
    assert has_comparable_losses(training) is comparable
