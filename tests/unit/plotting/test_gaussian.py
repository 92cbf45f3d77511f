"""The Gaussian figures, from made-up rows."""

import math

import numpy as np
import pandas as pd
import pytest

from fctestbed.plotting import draw_gaussian_figures, gaussian_levels, gaussian_rows
from fctestbed.plotting.figures.gaussian import ESTIMATOR_STYLES, draw_levels, draw_staircase
from fctestbed.plotting.style import PAGE_INCHES, house_style

DIMS, LEVELS, STEPS, WINDOW = (20, 200), (2.0, 4.0), 400, 100


def made_up(seeds=3):
    rows = []
    for dim in DIMS:
        for place, level in enumerate(LEVELS):
            true = level / math.log(2)
            exact = dim * math.expm1(2 * level / dim) / math.log(2)
            for level_step in range(WINDOW, STEPS + 1, WINDOW):
                for seed in range(seeds):
                    for name, share in (("infonce", 0.8), ("nce-club", 1.8), ("vclub", 2.0)):
                        rows.append(
                            {
                                "estimator": name,
                                "dim": dim,
                                "seed": seed,
                                "step": place * STEPS + level_step,
                                "level_step": level_step,
                                "true_bits": true,
                                "value_bits": share * true + 0.1 * seed + level_step / 1000,
                                "exact_club_bits": exact,
                                "ceiling_bits": 6.0 if name == "infonce" else math.inf,
                            }
                        )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def rows():
    return made_up()


def test_the_staircase_has_a_panel_for_each_dimension_with_curves_of_means(rows):
    with house_style():
        figure = draw_staircase(rows).figure
    assert [axes.get_title() for axes in figure.axes] == ["d = 20", "d = 200"]
    for axes, dim in zip(figure.axes, DIMS, strict=True):
        own = rows[rows["dim"] == dim]
        for name, style in ESTIMATOR_STYLES.items():
            curve = own[own["estimator"] == name].groupby("step")["value_bits"].mean()
            (line,) = [
                line
                for line in axes.lines
                if line.get_color() == style.color and len(line.get_xdata()) == len(curve)
            ]
            np.testing.assert_allclose(line.get_ydata(), curve)
        assert len(axes.collections) == 3


def test_truth_exact_club_and_the_cap_of_nce_are_drawn(rows):
    with house_style():
        figure = draw_levels(rows).figure
    for axes, dim in zip(figure.axes, DIMS, strict=True):
        black = [line for line in axes.lines if line.get_color() == "black"]
        truth, club = (np.asarray(line.get_ydata()) for line in black)
        np.testing.assert_allclose(truth * math.log(2), LEVELS)
        np.testing.assert_allclose(
            club * math.log(2), [dim * math.expm1(2 * level / dim) for level in LEVELS]
        )
        assert any(list(line.get_ydata()) == [6.0, 6.0] for line in axes.lines)


def test_levels_are_the_means_of_the_last_quarter(rows):
    numbers = gaussian_levels(rows)
    pd.testing.assert_frame_equal(numbers, draw_levels(rows).numbers)
    assert len(numbers) == 3 * len(DIMS) * len(LEVELS)
    one = numbers[(numbers["dim"] == 20) & (numbers["estimator"] == "vclub")].iloc[0]
    assert one["mean"] == pytest.approx(2.0 * 2.0 / math.log(2) + 0.1 + 0.4)
    # Student's t of 2 degrees of freedom, 4.303, times 0.1 / sqrt(3).
    assert one["high"] - one["mean"] == pytest.approx(4.3027 * 0.1 / math.sqrt(3), rel=1e-3)


def test_axes_say_bits_and_nats(rows):
    with house_style():
        figure = draw_staircase(rows).figure
        figure.draw_without_rendering()
    left, right = figure.axes
    assert left.get_ylabel() == "information (bits)"
    (nats,) = right.child_axes
    assert nats.get_ylabel() == "information (nats)"
    bottom, top = left.get_ylim()
    np.testing.assert_allclose(nats.get_ylim(), (bottom * math.log(2), top * math.log(2)))


def test_the_legend_names_all_and_the_note_says_what_the_bands_are(rows):
    for count, note in (
        (3, "mean and 95 % interval (Student t) over 3 seeds"),
        (1, "1 seed, no interval"),
    ):
        with house_style():
            drawing = draw_levels(made_up(count))
        (legend,) = drawing.figure.legends
        texts = [text.get_text() for text in legend.get_texts()]
        assert len(texts) == 6
        assert {style.label for style in ESTIMATOR_STYLES.values()} < set(texts)
        assert legend.get_title().get_text() == note
        assert drawing.figure.get_figwidth() == PAGE_INCHES


def test_a_wild_exact_club_does_not_flatten_the_rest(rows):
    wild = rows.assign(exact_club_bits=rows["exact_club_bits"] * 100)
    assert draw_levels(wild).figure.axes[0].get_ylim()[1] < 2 * rows["value_bits"].max()


def test_figures_and_their_numbers_are_written(rows, tmp_path):
    rows.to_csv(tmp_path / "gaussian.csv", index=False)
    out = tmp_path / "figures"
    paths = draw_gaussian_figures(gaussian_rows(tmp_path), out, ("png",))
    assert {path.name for path in paths} == {
        "gaussian.png",
        "gaussian.csv",
        "gaussian_levels.png",
        "gaussian_levels.csv",
    }
    assert all(path.stat().st_size for path in paths)
    first = (out / "gaussian.png").read_bytes()
    draw_gaussian_figures(gaussian_rows(tmp_path), out, ("png",))
    assert (out / "gaussian.png").read_bytes() == first


def test_rows_that_are_not_there_or_not_the_staircase_s_are_refused(rows, tmp_path):
    with pytest.raises(ValueError, match=r"gaussian: expected a directory with gaussian.csv"):
        gaussian_rows(tmp_path)
    path = tmp_path / "gaussian.csv"
    rows.drop(columns="level_step").to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"rows of the staircase, got .* without level_step"):
        gaussian_rows(tmp_path)
    rows.iloc[:0].to_csv(path, index=False)
    with pytest.raises(ValueError, match="without a row"):
        gaussian_rows(tmp_path)
    with pytest.raises(ValueError, match="formats: expected any of png, pdf, svg, got 'gif'"):
        draw_gaussian_figures(rows, tmp_path, ("gif",))
