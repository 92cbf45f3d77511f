"""The figure of a docket: what is drawn where, from tables alone."""

import numpy as np
import pandas as pd
import pytest

from fctestbed.plotting import NothingToDraw, draw_docket_figures
from fctestbed.plotting.figures import draw_docket


def cell(claim, broken, region, mean, half, *, verdict):
    low, high = region
    return {
        "claim": claim,
        "broken": broken,
        "evidence": "trained",
        "smallest_effect_bits": 0.1,
        "difference_bits": mean,
        "own_low_bits": mean - half,
        "own_high_bits": mean + half,
        "low_bits": mean - 2 * half,
        "high_bits": mean + 2 * half,
        "region_low_bits": low,
        "region_high_bits": high,
        "verdict": verdict,
    }


CELLS = pd.DataFrame(
    [
        cell("one", "", (0.1, np.inf), 0.5, 0.1, verdict="holds"),
        cell("one", "", (0.1, np.inf), 0.3, 0.1, verdict="holds"),
        cell("one", "tight bounds", (-0.1, 0.1), 0.0, 0.05, verdict="holds"),
        cell("two|$", "", (-np.inf, -0.1), 0.4, 0.1, verdict="fails"),
        cell("three", "", (-0.1, 0.1), 0.3, np.inf, verdict="not decided"),
    ]
)
VERDICTS = pd.DataFrame(
    [
        {"claim": claim, "broken": broken, "evidence": "trained", "verdict": verdict, "reason": "",
         "source": "A | B", "n_cells": n, "n_hold": hold, "n_seeds": 3, "seeds_to_decide": needed}
        for claim, broken, verdict, n, hold, needed in [
            ("one", "", "holds", 2, 2, np.nan),
            ("one", "tight bounds", "holds", 1, 1, np.nan),
            ("two|$", "", "fails", 1, 0, np.nan),
            ("three", "", "not decided", 1, 0, 12),
        ]
    ]
)  # fmt: skip


def test_marks_are_at_the_distance_into_the_region_in_smallest_effects():
    (axes,) = draw_docket(VERDICTS, CELLS).figure.axes
    marks = [line for line in axes.lines if len(line.get_xdata()) == 1]
    assert [float(mark.get_xdata()[0]) for mark in marks] == pytest.approx([4, 2, 1, -5, -2])
    texts = [text.get_text() for text in axes.texts if text.get_text()]
    assert texts == ["holds", "holds", "fails", "not decided"]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["one", "without: tight bounds", r"two|\$", "three"]
    assert "smallest effects that matter" in axes.get_xlabel()


def test_intervals_keep_the_deepest_point_of_a_band():
    (axes,) = draw_docket(VERDICTS.iloc[1:2], CELLS.iloc[2:3]).figure.axes
    ends = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 2][:2]
    assert [list(map(float, pair)) for pair in ends] == [
        pytest.approx([0.0, 1.0]),
        pytest.approx([0.5, 1.0]),
    ]


def test_the_files_are_written_with_the_table(tmp_path):
    paths = draw_docket_figures(VERDICTS, CELLS, tmp_path, ["svg"])
    assert {path.name for path in paths} == {"docket.svg", "docket.csv", "docket.md"}
    table = (tmp_path / "docket.md").read_text().splitlines()
    assert table[2] == r"| one | A \| B |  | holds | 2 of 2 | 3 |  |  |"
    assert table[-1].endswith("| not decided | 0 of 1 | 3 | 12 seeds |  |")


def test_the_verdict_at_the_optimum_is_a_word_beside_that_of_trained_networks(tmp_path):
    at_optimum = VERDICTS.iloc[[0, 1]].assign(
        evidence="optimum", verdict=["fails", "none"], reason=["", "a | b has none"]
    )
    cells = pd.concat([CELLS, CELLS.iloc[:1].assign(evidence="optimum", difference_bits=9.0)])
    both = pd.concat([VERDICTS, at_optimum])
    drawing = draw_docket(both, cells)
    (axes,) = drawing.figure.axes
    texts = [text.get_text() for text in axes.texts if text.get_text()]
    assert texts == ["holds", "fails", "holds", "\N{EN DASH}", "fails", "not decided", "trained",
                     "optimum"]  # fmt: skip
    # Marks are of trained networks; the table of numbers has both.
    assert sum(len(line.get_xdata()) == 1 for line in axes.lines) == len(CELLS)
    assert len(drawing.numbers) == len(cells)
    draw_docket_figures(both, cells, tmp_path, ["svg"])
    table = (tmp_path / "docket.md").read_text().splitlines()
    assert table[2].endswith("| fails, 2 of 2 |")
    assert table[3].endswith(r"| none: a \| b has none |")


def test_no_verdict_is_nothing_to_draw(tmp_path):
    with pytest.raises(NothingToDraw, match="verdicts: expected claims that were judged"):
        draw_docket_figures(VERDICTS.iloc[:0], CELLS.iloc[:0], tmp_path)
