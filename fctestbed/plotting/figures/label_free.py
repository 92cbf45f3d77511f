"""Which score without labels predicts label bits: rank correlations over runs.

A number that is watched in pre-training is of use for a comparison if it orders runs as their label
bits do.
"""

import math
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.captions import add_legend
from fctestbed.plotting.interface import Drawing, DrawOptions, NothingToDraw
from fctestbed.plotting.rank_correlation import (
    Floats,
    Interval,
    interval,
    rank_correlations,
    seed_weights,
)
from fctestbed.plotting.scores import SCORE_LABELS, label_rows_at_rate, score_columns
from fctestbed.plotting.select import n_unfinished, readable_series, require_rows
from fctestbed.plotting.style import NOTE_COLOR, PAGE_INCHES, TEXT_POINTS, series_styles
from fctestbed.plotting.table import Column, markdown_table
from fctestbed.results import Results

ALL_RUNS, WITHIN, ONE_METHOD = "all runs", "within methods", "one method"
"""Over which runs a correlation is: all, the mean of those of each method, those of one method."""
_OFFSETS = {ALL_RUNS: -0.14, WITHIN: 0.14}
_COLORS = "RdBu"
_PALE = 0.6
# Columns that have room for their numbers beside the other panel; more are below it.
_ROOMY = 9


def label_free_correlations(rows: pd.DataFrame, scores: Sequence[str]) -> pd.DataFrame:
    """Rank correlations of scores with label bits, with 95 % bootstrap intervals over seeds.

    Args:
        rows: one row per run: ``method, variant, seed, value_bits`` and a column for each score.
        scores: the scores.

    Returns:
        Columns ``score, runs, method, variant, rank_correlation, low, high, n_runs, n_seeds``:
        for each score one row over all runs, one for the mean over methods of the correlation
        within a method, and one for each method. NaN where there is none.
    """
    table = []
    for score in scores:
        known = rows[rows[score].notna()]
        seeds = sorted(known["seed"].unique())
        weights = seed_weights(len(seeds))
        each: dict[tuple[str, str], Floats] = {
            key: _samples(_runs_of(known, key), score, weights, seeds)
            for key in sorted(set(zip(known["method"], known["variant"], strict=True)))
        }
        every = _samples(known, score, weights, seeds)
        table.append(_row(score, ALL_RUNS, ("", ""), interval(every), known))
        table.append(_row(score, WITHIN, ("", ""), interval(_mean(list(each.values()))), known))
        for key, samples in each.items():
            own = _runs_of(known, key)
            table.append(_row(score, ONE_METHOD, key, interval(samples), own))
    return pd.DataFrame(table)


def draw_label_free(results: Results, options: DrawOptions) -> Drawing:
    """Left: correlations over all runs and within methods. Right: of each method, over its ratios
    and seeds.

    Args:
        results: the rows.
        options: ``any_variant``; the bits are at a rate whatever the estimator.

    Raises:
        NothingToDraw: without trained runs that have scores and label bits at a rate, or with too
            few of them.
    """
    bits, rate = label_rows_at_rate(results)
    found = bits.merge(score_columns(results), left_on="run_id", right_index=True)
    require_rows(found, "trained runs with scores and label bits at a rate")
    rows, left_out = readable_series(found, any_variant=options.any_variant)
    require_rows(rows, "scores of a variant to show")
    scores = [score for score in SCORE_LABELS if rows[score].notna().any()]
    numbers = label_free_correlations(rows, scores)
    if numbers["rank_correlation"].isna().all():
        raise NothingToDraw(f"results: expected runs that differ, got {len(rows)} alike")
    styles = series_styles(rows)
    note = _note(rows, rate, n_unfinished(results), left_out) + options.world_note
    figure = _figure(numbers, scores, {key: style.text for key, style in styles.items()}, note)
    labels = {key: style.label for key, style in styles.items()}
    markdown = markdown_table(_columns(numbers, scores, labels), note)
    return Drawing(figure, numbers.assign(rate_bits=rate), markdown)


def _runs_of(rows: pd.DataFrame, key: tuple[str, str]) -> pd.DataFrame:
    return rows[(rows["method"] == key[0]) & (rows["variant"] == key[1])]


def _samples(rows: pd.DataFrame, score: str, weights: Floats, seeds: Sequence[int]) -> Floats:
    places = np.searchsorted(seeds, rows["seed"].to_numpy())
    x, y = (rows[name].to_numpy(dtype=float) for name in (score, "value_bits"))
    return rank_correlations(x, y, weights[:, places])


def _mean(each: list[Floats]) -> Floats:
    """Mean over the methods that have a correlation; NaN for none."""
    table = np.array(each)
    known = np.isfinite(table)
    counts = known.sum(0)
    sums = np.where(known, table, 0.0).sum(0)
    return np.divide(sums, counts, out=np.full(table.shape[1], math.nan), where=counts > 0)


def _row(
    score: str, runs: str, key: tuple[str, str], found: Interval, rows: pd.DataFrame
) -> dict[str, object]:
    return {
        "score": score,
        "runs": runs,
        "method": key[0],
        "variant": key[1],
        "rank_correlation": found.value,
        "low": found.low,
        "high": found.high,
        "n_runs": len(rows),
        "n_seeds": rows["seed"].nunique(),
    }


def _note(rows: pd.DataFrame, rate: float, n_lost: int, left_out: str) -> str:
    n_seeds = rows["seed"].nunique()
    interval_text = (
        f"95 % bootstrap interval over {n_seeds} seeds" if n_seeds > 1 else "1 seed, no interval"
    )
    parts = [
        f"Spearman's rank correlation with label bits at a rate of {rate:g} bits over {len(rows)} "
        "trained runs",
        interval_text,
        *([f"{n_lost} unfinished run{'s' if n_lost > 1 else ''} left out"] if n_lost else []),
        *([left_out] if left_out else []),
    ]
    return "; ".join(parts)


def _figure(
    numbers: pd.DataFrame, scores: list[str], labels: dict[tuple[str, str], str], note: str
) -> Figure:
    height = 1.5 + 0.24 * len(scores)
    beside = len(labels) <= _ROOMY
    figure = Figure(figsize=(PAGE_INCHES, height if beside else 2 * height), layout="constrained")
    if beside:
        dots, heat = figure.subplots(1, 2, sharey=True, width_ratios=(1.0, 1.3))
    else:
        dots, heat = figure.subplots(2, 1, sharey=True)
    handles = [_draw_dots(dots, numbers, scores, runs) for runs in (ALL_RUNS, WITHIN)]
    dots.axvline(0.0, color=NOTE_COLOR, linewidth=0.8)
    dots.set_xlim(-1.05, 1.05)
    dots.set_xticks([-1.0, -0.5, 0.0, 0.5, 1.0])
    dots.set_yticks(range(len(scores)), [SCORE_LABELS[score] for score in scores])
    dots.set_ylim(len(scores) - 0.5, -0.5)
    dots.set_xlabel("rank correlation with label bits")
    dots.set_title("over runs")
    _draw_heat(heat, numbers, scores, labels)
    add_legend(figure, handles, 2, note)
    return figure


def _draw_dots(axes: Axes, numbers: pd.DataFrame, scores: list[str], runs: str) -> Line2D:
    own = numbers[numbers["runs"] == runs].set_index("score").loc[scores]
    places = np.arange(len(scores)) + _OFFSETS[runs]
    marker, face = ("o", "black") if runs == ALL_RUNS else ("D", "white")
    axes.hlines(places, own["low"], own["high"], color="black", linewidth=1.0)
    (line,) = axes.plot(
        own["rank_correlation"],
        places,
        marker,
        color="black",
        markerfacecolor=face,
        markersize=4.0,
        label="all runs" if runs == ALL_RUNS else "within a method (mean over methods)",
    )
    return line


def _draw_heat(
    axes: Axes, numbers: pd.DataFrame, scores: list[str], labels: dict[tuple[str, str], str]
) -> None:
    own = numbers[numbers["runs"] == ONE_METHOD]
    found = own.set_index(["score", "method", "variant"])["rank_correlation"]
    values = np.array(
        [[found.get((score, *key), math.nan) for key in labels] for score in scores], dtype=float
    )
    axes.imshow(values, cmap=_COLORS, norm=TwoSlopeNorm(0.0, -1.0, 1.0), aspect="auto")
    axes.grid(visible=False)
    axes.set_xticks(range(len(labels)), labels.values(), rotation=45, ha="right")
    axes.tick_params(length=0)
    axes.set_title("within each method, over ratios and seeds")
    for (row, column), value in np.ndenumerate(values):
        if math.isfinite(value):
            color = "white" if abs(value) > _PALE else "black"
            axes.text(
                column,
                row,
                _signed(value),
                ha="center",
                va="center",
                fontsize=TEXT_POINTS,
                color=color,
            )


def _columns(
    numbers: pd.DataFrame, scores: list[str], labels: dict[tuple[str, str], str]
) -> list[Column]:
    keys = ["score", "runs", "method", "variant"]
    found = {tuple(row[name] for name in keys): row for row in numbers.to_dict("records")}
    headers = {
        "all runs": (ALL_RUNS, "", ""),
        "within a method": (WITHIN, "", ""),
        **{label: (ONE_METHOD, *key) for key, label in labels.items()},
    }
    cells = {
        header: tuple(
            _cell(found[score, *key]) if (score, *key) in found else "" for score in scores
        )
        for header, key in headers.items()
    }
    names = tuple(SCORE_LABELS[score] for score in scores)
    return [Column("score", names, left=True), *(Column(h, texts) for h, texts in cells.items())]


def _cell(row: dict[Hashable, Any]) -> str:
    """``+0.61 [+0.40, +0.78]``, the number alone without an interval."""
    if math.isnan(row["rank_correlation"]):
        return ""
    text = _signed(row["rank_correlation"])
    if math.isnan(row["low"]):
        return text
    return f"{text} [{_signed(row['low'])}, {_signed(row['high'])}]"


def _signed(value: float) -> str:
    return f"{value:+z.2f}".replace("-", "\N{MINUS SIGN}")
