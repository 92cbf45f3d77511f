"""The scores of finished runs beside their label bits at a rate, one row per run.

May import pandas and ``fctestbed.results``.
"""

import pandas as pd

from fctestbed.plotting.axes import UNIQUE_RATIO, require_one_world
from fctestbed.plotting.select import require_rows
from fctestbed.results import (
    ALIGNMENT,
    EFFECTIVE_RANK,
    JOINT,
    LABEL,
    LINEAR_CKA,
    LOSS,
    MODALITY_GAP,
    UNIFORMITY,
    Results,
)

SCORE_LABELS = {
    LOSS: "loss",
    ALIGNMENT: "alignment",
    UNIFORMITY: "uniformity",
    MODALITY_GAP: "modality gap",
    LINEAR_CKA: "linear CKA",
    EFFECTIVE_RANK: "effective rank",
}
"""Scores in the order of the figure."""
_RATE = "rate"


def label_rows_at_rate(results: Results) -> tuple[pd.DataFrame, float]:
    """Label rows of the joint readout of finished runs, at the rate in the rows nearest to twice
    the label's bits (the lower one in a tie), and that rate in bits.

    Raises:
        NothingToDraw: if no row has a rate.
        ValueError: one line, if another axis than the unique ratio varies.
    """
    require_one_world(results, UNIQUE_RATIO)
    rows = results.captured
    rows = rows[(rows["status"] == "ok") & (rows["estimator"] == _RATE)]
    rows = rows[(rows["readout"] == JOINT) & (rows["quantity"] == LABEL)]
    require_rows(rows, "label bits at a rate")
    wanted = 2 * float(rows["true_bits"].max())
    rate = min(sorted(rows["rate_bits"].unique()), key=lambda known: abs(known - wanted))
    return rows[rows["rate_bits"] == rate], float(rate)


def score_columns(results: Results) -> pd.DataFrame:
    """Scores of trained runs: a column for each of ``SCORE_LABELS``, a row for each ``run_id``.

    A score of pairs is that of the run's first pair, of modality 1 and modality 2 or of their
    shared factors; the effective rank is that of the joint readout. A run without a loss was not
    trained and has no row.
    """
    rows = results.scores
    rows = rows[rows["score"].isin(list(SCORE_LABELS))]
    rows = rows[(rows["score"] != EFFECTIVE_RANK) | (rows["readout"] == JOINT)]
    # Rows of a run have the order in which they were measured.
    first = rows.drop_duplicates(["run_id", "score"])
    table = first.pivot(index="run_id", columns="score", values="value")
    table = table.reindex(columns=list(SCORE_LABELS))
    return table[table[LOSS].notna()]
