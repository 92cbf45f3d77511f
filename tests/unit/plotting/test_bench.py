"""The figures of a benchmark's report."""

import numpy as np
import pandas as pd
import pytest

from fctestbed.plotting import NothingToDraw, draw_bench_figures
from fctestbed.plotting.figures.bench import draw_bench, draw_bench_growth
from fctestbed.plotting.style import house_style

EMPTY = {"reference": "", "ratio": None, "ratio_low": None, "ratio_high": None}
BESIDE = {
    "name": "step/a",
    "reference": "a loop",
    "ratio": 3.0,
    "ratio_low": 2.0,
    "ratio_high": 5.0,
}
REPORT = {
    "cases": [
        {**BESIDE, "matrix_share": None},
        {**EMPTY, "name": "critic/b", "matrix_share": 0.75},
        {**EMPTY, "name": "pid/c", "matrix_share": None},
    ],
    "growth": [
        {
            "name": "growth/a/batch",
            "axis": "batch",
            "sizes": [64, 128, 256],
            "seconds": [1.0, 3.0, 8.0],
            "exponent": 1.5,
            "exponent_error": 0.05,
        }
    ],
}


def test_cases_with_a_ratio_or_a_share_are_drawn_in_their_order() -> None:
    with house_style():
        drawing = draw_bench(pd.DataFrame(REPORT["cases"]))
    ratios, shares = drawing.figure.axes
    labels = [label.get_text() for label in ratios.get_yticklabels()]
    assert labels == ["step/a, a loop", "critic/b"]
    (dots,) = (line for line in ratios.lines if line.get_marker() == "o")
    assert (list(dots.get_xdata()), list(dots.get_ydata())) == ([3.0], [0])
    (spread,) = ratios.collections[0].get_segments()
    assert spread[:, 0].tolist() == [2.0, 5.0]
    assert [bar.get_width() for bar in shares.patches] == [0.0, 0.75]
    assert ratios.get_xscale() == "log"
    assert list(drawing.numbers["name"]) == ["step/a", "critic/b"]


def test_growth_is_drawn_from_the_smallest_size_with_its_exponent() -> None:
    with house_style():
        drawing = draw_bench_growth(pd.DataFrame(REPORT["growth"]))
    (axes,) = drawing.figure.axes
    (curve,) = (line for line in axes.lines if line.get_marker() == "o")
    np.testing.assert_allclose(curve.get_xdata(), [1, 2, 4])
    np.testing.assert_allclose(curve.get_ydata(), [1, 3, 8])
    assert str(curve.get_label()).startswith("a/batch: 1.50")
    guides = [line.get_ydata()[-1] for line in axes.lines if line is not curve]
    assert guides == [4.0, 16.0]
    assert drawing.numbers["size"].tolist() == [64, 128, 256]


@pytest.mark.parametrize(
    ("draw", "rows"),
    [(draw_bench, pd.DataFrame(REPORT["cases"][2:])), (draw_bench_growth, pd.DataFrame())],
)
def test_rows_with_nothing_to_draw_are_refused(draw, rows) -> None:
    with pytest.raises(NothingToDraw, match="expected"):
        draw(rows)


def test_both_figures_of_a_report_are_written_with_their_numbers(tmp_path) -> None:
    paths = draw_bench_figures(REPORT, tmp_path, ["svg"])
    assert [path.name for path in paths] == [
        "bench.svg",
        "bench.csv",
        "bench_growth.svg",
        "bench_growth.csv",
    ]
    assert draw_bench_figures({"cases": [], "growth": []}, tmp_path, ["svg"]) == []
