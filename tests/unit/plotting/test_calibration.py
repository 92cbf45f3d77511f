"""The calibration's figures: what stands in which cell, and under which name."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from printed import cut_texts, note_of, small_texts

from fctestbed.calibration import CALIBRATION_COLUMNS, summarise
from fctestbed.plotting import NothingToDraw, draw_calibration_figures
from fctestbed.plotting.figures.calibration import _duration, _signed, draw_calibration
from fctestbed.plotting.style import PAGE_INCHES, house_style

HALF = 1.959963984540054


def cell(case, estimator, values, **columns):
    """A hundred repetitions of values in turn, standard error 0.1."""
    values = np.resize(np.asarray(values, dtype=float), 100)
    plain = {
        "case": case, "group": "g", "kind": "discrete", "true_bits": 1.0, "estimator": estimator,
        "bound": "none", "target": "information", "n": 200, "tolerance_bits": np.nan,
        "repetition": np.arange(100), "value_bits": values, "low_bits": values - 0.1 * HALF,
        "high_bits": values + 0.1 * HALF, "se_bits": 0.1, "ceiling_bits": 5.0,
        "seconds": 0.002, "refusal": "",
    }  # fmt: skip
    return pd.DataFrame({**plain, **columns})[list(CALIBRATION_COLUMNS)]


@pytest.fixture
def summary():
    # One in twenty off, all on, half off.
    twentieth = [1.0] * 19 + [1.4]
    return summarise(
        pd.concat(
            [
                cell("copy", "counts", twentieth),
                cell("noise", "counts", [1.0]),
                cell("copy", "near", [1.0, 1.4]),
                cell("copy", "bound", [1.6], bound="lower", seconds=2.5),
                cell("noise", "bound", [0.5], bound="lower", seconds=2.5),
                cell("noise", "penalty", [1.0], target="jeffreys"),
                cell("normal", "near", [0.996], kind="continuous"),
                cell("copy", "counts", [1.0], n=1000),
            ]
        )
    )


def texts(axes):
    return {tuple(int(v) for v in t.get_position()[::-1]): t.get_text() for t in axes.texts}


def test_cells_say_the_mean_error_and_the_share_of_intervals(summary):
    left, right = draw_calibration(summary, "discrete", 200).figure.axes
    assert texts(left) == {
        (0, 0): "+.02", (0, 1): "+.20", (0, 2): "+.60",
        (1, 0): "0", (1, 2): "-.50", (1, 3): "0",
    }  # fmt: skip
    assert texts(right) == {(0, 0): "95", (0, 1): "50", (1, 0): "100"}
    assert [t.get_text() for t in left.get_yticklabels()] == ["copy: 1", "noise: 1"]


def test_numbers_are_short_enough_for_their_cells():
    said = {
        0.004: "0", -0.004: "0", 0.4: "+.40", -0.996: "-1.0", 9.96: "+10", -99.9: "-100",
        123.4: "+123", -1502301.2: "-2e6",
    }  # fmt: skip
    assert [_signed(bits) for bits in said] == list(said.values())
    times = {2.52: "2.5 s", 0.9996: "1.0 s", 0.742: "742 ms", 0.0123: "12 ms", 0.00052: "0.52 ms"}
    assert [_duration(seconds) for seconds in times] == list(times.values())


def test_a_dash_stands_where_most_repetitions_have_no_interval():
    mute = cell("noise", "counts", [1.0])
    mute.loc[:50, ["low_bits", "high_bits"]] = np.nan
    half = cell("other", "counts", [1.0])
    half.loc[:49, ["low_bits", "high_bits"]] = np.nan
    summary = summarise(pd.concat([cell("copy", "counts", [1.0]), mute, half]))
    drawing = draw_calibration(summary, "discrete", 200)
    assert texts(drawing.figure.axes[1]) == {(0, 0): "100", (1, 0): "\N{EN DASH}", (2, 0): "100"}


def test_bounds_and_penalties_are_marked_and_their_intervals_left_out(summary):
    left, right = draw_calibration(summary, "discrete", 200).figure.axes
    names = [t.get_text() for t in left.get_xticklabels()]
    assert names == ["counts  2 ms", "near  2 ms", "bound \u2264  2.5 s", "penalty \u2020  2 ms"]
    assert [t.get_text() for t in right.get_xticklabels()] == ["counts", "near"]


def test_a_broken_bound_is_framed_and_the_foot_says_so(summary):
    figure = draw_calibration(summary, "discrete", 200).figure
    (frame,) = figure.axes[0].patches
    assert frame.get_center() == pytest.approx((2, 0))
    foot = figure._supxlabel.get_text()
    assert "lower bound, framed where broken" in foot
    assert "Jeffreys" in foot
    assert "n = 200, 100 repetitions" in foot
    kept = draw_calibration(summary[summary["estimator"] != "bound"], "discrete", 200).figure
    assert not kept.axes[0].patches
    assert "lower bound" not in kept._supxlabel.get_text()


def test_coverage_is_white_from_90_to_99_percent_and_coloured_outside(summary):
    image = draw_calibration(summary, "discrete", 200).figure.axes[1].images[0]
    shades = [to_hex(image.cmap(image.norm(share))) for share in (0.5, 0.95, 0.90, 0.99, 1.0)]
    assert shades[1:4] == ["#ffffff"] * 3
    assert shades[0] != "#ffffff"
    assert shades[4] not in {"#ffffff", shades[0]}


def test_a_kind_or_a_size_without_estimates_is_not_drawn(summary):
    with pytest.raises(NothingToDraw, match="expected estimates of mixed cases at n = 200"):
        draw_calibration(summary, "mixed", 200)
    drawing = draw_calibration(summary, "continuous", 200)
    assert texts(drawing.figure.axes[0]) == {(0, 0): "0"}
    assert len(drawing.numbers) == 1


def test_where_no_interval_is_about_the_truth_the_note_says_so(summary):
    only = summary[summary["estimator"] == "bound"]
    figure = draw_calibration(only, "discrete", 200).figure
    assert [axes.get_title() for axes in figure.axes] == ["mean error (bits)"]
    assert "no estimator has intervals of the truth" in note_of(figure)


def test_many_estimators_have_panels_below_those_with_intervals():
    covered = [cell("copy", f"near {i}", [1.0]) for i in range(9)]
    others = [cell("copy", f"bound {i}", [0.9], bound="lower") for i in range(30)]
    with house_style():
        figure = draw_calibration(summarise(pd.concat([*others, *covered])), "discrete", 200).figure
        shapes = [axes.images[0].get_array().shape[1] for axes in figure.axes]
        assert shapes == [9, 9, 15, 15]
        assert figure.get_figwidth() == PAGE_INCHES
        assert not small_texts(figure)
        assert not cut_texts(figure)


def test_every_kind_and_size_is_a_file_with_its_numbers(summary, tmp_path):
    names = {path.name for path in draw_calibration_figures(summary, tmp_path, ["png"])}
    stems = ("calibration_discrete_200", "calibration_discrete_1000", "calibration_continuous_200")
    assert names == {f"{stem}.{ending}" for stem in stems for ending in ("png", "csv")}
    numbers = pd.read_csv(tmp_path / "calibration_discrete_200.csv")
    assert set(numbers["estimator"]) == {"counts", "near", "bound", "penalty"}


def test_what_cannot_be_drawn_is_refused(summary, tmp_path):
    with pytest.raises(ValueError, match="formats: expected any of png, pdf, svg, got 'gif'"):
        draw_calibration_figures(summary, tmp_path, ["gif"])
    with pytest.raises(ValueError, match="calibration: expected estimates to draw, got none"):
        draw_calibration_figures(summary.assign(repetitions=0), tmp_path)
