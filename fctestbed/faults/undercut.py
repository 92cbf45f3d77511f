"""Levels that a level of less freedom undercuts: a lower loss is known, so they did not converge.

Owns the comparison of losses. Takes rows of explanations as tables. May import pandas, and this
package.
"""

import math
from typing import Any

import pandas as pd

from fctestbed.faults.free import scored_width
from fctestbed.faults.levels import CONTINUED, LEVELS
from fctestbed.faults.reached import SETTLED_NATS
from fctestbed.training import TrainingSpec

_EXACT, _LATE = "loss_nats", "late_loss_nats"
_, _OBJECTIVE, _BATCH, _SAMPLES, _NETWORK, _RUN, _ = LEVELS
_WITHOUT_HEADS = ("supervised", "disentangled-ssl")
_LOWER = (
    (_OBJECTIVE, (_BATCH, _SAMPLES, _NETWORK, CONTINUED, _RUN)),
    (_BATCH, (_NETWORK, CONTINUED)),
    (_SAMPLES, (_RUN,)),
)
"""Levels of free vectors, and those whose codes these vectors can be."""

_Levels = dict[str, dict[str, Any]]


def has_comparable_losses(training: TrainingSpec) -> bool:
    """Whether free vectors can have the loss of every network of a method.

    They cannot where the method's heads are wider than the vectors that stand for them, and the
    losses of a game are no measure of its progress.
    """
    if training.nets is None or training.build_method().has_inner_loop:
        return False
    width = scored_width(training.method, training.nets)
    return training.method in _WITHOUT_HEADS or width is None or width >= training.nets.head_dim


def with_undercut_levels(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in which a level of free vectors is not converged where a level of less freedom has a
    loss that is lower by more than 0.02 nat.

    Losses are in exact expectation; where there are none, fresh batches are compared with fresh
    batches, and the training's samples with them, over the last fifth of the schedule.

    Args:
        rows: of one method for which ``has_comparable_losses``; they are not modified.
    """
    found = rows.copy()
    for _, cell in rows.groupby(["unique_ratio", "seed"], sort=False):
        records = cell.to_dict(orient="records")
        by_name: _Levels = {
            row["name"]: {str(key): value for key, value in row.items()} for row in records
        }
        places = dict(zip(by_name, cell.index, strict=True))
        for upper, lowers in _LOWER:
            if upper not in by_name or by_name[upper]["converged"] is not True:
                continue
            gap, name = min((_gap(by_name, upper, lower), lower) for lower in lowers)
            if gap >= -SETTLED_NATS:
                continue
            note = f"not at its optimum: the loss of {name} is lower by {-gap:.2f} nat"
            known = by_name[upper]["note"]
            found.at[places[upper], "converged"] = False
            found.at[places[upper], "note"] = f"{known}; {note}" if known else note
    return found


def _gap(by_name: _Levels, upper: str, lower: str) -> float:
    """The lower level's loss minus the upper one's, in nats; infinite where they have none in
    common."""
    if lower not in by_name:
        return math.inf
    columns = {_OBJECTIVE: (_EXACT,), _BATCH: (_EXACT, _LATE), _SAMPLES: (_LATE,)}[upper]
    for column in columns:
        gap = float(by_name[lower][column]) - float(by_name[upper][column])
        if math.isfinite(gap):
            return gap
    return math.inf
