"""Estimators on readouts: panels, errors, Table 1. On artist data."""

import math

import numpy as np
import pandas as pd
import pytest
from readout_rows import EXACT, METHODS, readout_rows

from fctestbed.plotting import NothingToDraw, draw_readout_figures
from fctestbed.plotting.figures import READOUT_FIGURES
from fctestbed.plotting.figures.estimators import draw_estimator_errors, draw_estimator_panels
from fctestbed.plotting.figures.table1 import draw_table1
from fctestbed.plotting.judged import estimator_errors
from fctestbed.plotting.style import house_style, style_of

N_CELLS = 3 * sum(map(len, METHODS.values()))


@pytest.fixture(autouse=True)
def _style():
    with house_style():
        yield


@pytest.fixture
def table():
    return estimator_errors(readout_rows()).set_index("estimator")


def test_estimators_are_in_the_order_of_their_error(table):
    assert list(table.index) == ["usable-linear", "classifier", "vclub"]
    assert (table["n_cells"] == N_CELLS).all()


def test_errors_are_told_apart_by_what_there_is(table):
    linear = table.loc["usable-linear"]
    assert linear["bias_shared_bits"] == pytest.approx(-0.5)
    assert linear["bias_unique_bits"] == pytest.approx(-0.5)
    assert linear["bias_nothing_bits"] == 0.0
    # A third of the cells hold nothing, where the error is 0.
    assert linear["bias_bits"] == pytest.approx(-1 / 3)
    assert linear["rmse_bits"] == pytest.approx(math.sqrt(2 / 3) * 0.5)
    assert table.loc["classifier", "bias_shared_bits"] == pytest.approx(1.5)
    assert table.loc["classifier", "share_read"] == pytest.approx(1.5)
    assert table["rank_correlation"].to_list() == pytest.approx([1.0, 1.0, 1.0])
    # All shared blocks hold the same here, which has no ranks.
    assert table["rank_shared"].isna().all()
    assert table["rank_unique"].to_list() == pytest.approx([1.0, 1.0, 1.0])


def test_an_estimator_may_rank_blocks_rightly_and_the_methods_of_one_block_wrongly():
    rows = readout_rows()
    shared = rows["quantity"] == "shared"
    order = rows["case"].rank(method="dense") / 1000
    exact = rows["exact_bits"] + order * shared
    errors = estimator_errors(
        rows.assign(exact_bits=exact, value_bits=exact - 2 * order * shared)
    ).iloc[0]
    assert errors["rank_shared"] == pytest.approx(-1.0)
    assert errors["rank_unique"] == pytest.approx(1.0)
    assert errors["rank_correlation"] > 0.7


def test_far_above_the_exact_value_is_beyond_three_standard_errors():
    rows = readout_rows()
    # A standard error of 0.1: 0.29 is within three of them, 0.31 is not.
    for error, share in ((0.29, 0.0), (0.31, 1.0)):
        moved = rows.assign(
            value_bits=rows["exact_bits"] + error,
            se_bits=0.1,
        )
        assert estimator_errors(moved)["share_above"].to_list() == [share] * 3
    less_sure = estimator_errors(moved.assign(exact_se_bits=0.1))
    assert less_sure["share_above"].to_list() == [0.0] * 3


def test_an_estimator_without_standard_errors_has_no_share_above():
    rows = readout_rows()
    rows.loc[rows["estimator"] == "vclub", "se_bits"] = np.nan
    drawing = draw_estimator_errors(rows)
    assert drawing.numbers.set_index("estimator")["share_above"].isna().to_dict()["vclub"]
    assert "| vclub | none |" in drawing.markdown


def test_all_are_judged_on_the_cells_that_all_have():
    rows = readout_rows()
    lost = (rows["estimator"] == "vclub") & (rows["method"] == "raw")
    table = estimator_errors(rows[~lost])
    assert set(table["n_cells"]) == {N_CELLS - 3}
    refused = rows.copy()
    refused.loc[lost, "value_bits"] = np.nan
    pd.testing.assert_frame_equal(estimator_errors(refused), table)


def test_there_is_a_panel_per_estimator_with_the_identity_and_every_cell():
    drawing = draw_estimator_panels(readout_rows())
    panels = [axes for axes in drawing.figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == [
        "usable-linear (lower bound)",
        "classifier",
        "vclub",
    ]
    for axes in panels:
        identity = [line for line in axes.lines if line.get_xydata().shape == (2, 2)]
        assert any(line.get_slope() == 1 for line in identity if hasattr(line, "get_slope"))
        points = np.concatenate([bars[0].get_xydata() for bars in axes.containers])
        assert len(points) == N_CELLS
        assert set(points[:, 0]) == {0.0, *EXACT.values()}
        colors = [bars[0].get_color() for bars in axes.containers]
        assert set(colors) == {style_of(method).color for method in METHODS}
    assert len(drawing.numbers) == 3 * N_CELLS


def test_what_is_off_the_scale_stands_on_the_edge_and_is_counted():
    drawing = draw_estimator_panels(readout_rows())
    vclub = next(axes for axes in drawing.figure.axes if axes.get_title() == "vclub")
    top = vclub.get_ylim()[1]
    assert top == pytest.approx(1.5 * max(EXACT.values()))
    heights = np.concatenate([bars[0].get_ydata() for bars in vclub.containers])
    assert heights.max() == top
    words = "\n".join(text.get_text() for text in vclub.texts)
    assert f"{(heights == top).sum()} off the scale" in words


def test_what_is_far_below_stands_on_the_lower_edge_and_penalties_are_named():
    rows = readout_rows()
    far = (rows["estimator"] == "vclub") & (rows["quantity"] == "shared")
    rows.loc[far, "value_bits"] = -1e6
    rows.loc[rows["estimator"] == "vclub", "target"] = "jeffreys"
    drawing = draw_estimator_panels(rows)
    vclub = next(axes for axes in drawing.figure.axes if axes.get_title() == "vclub (penalty)")
    low, top = vclub.get_ylim()
    assert low == pytest.approx(-0.25 * max(EXACT.values()))
    heights = np.concatenate([bars[0].get_ydata() for bars in vclub.containers])
    off = (heights == low) | (heights == top)
    assert (heights == low).sum() == far.sum()
    assert f"{off.sum()} off the scale" in "\n".join(text.get_text() for text in vclub.texts)
    assert "| vclub | penalty |" in draw_estimator_errors(rows).markdown


def test_table_1_has_exact_usable_and_classifier_bits_beside_the_paper():
    drawing = draw_table1(readout_rows())
    numbers = drawing.numbers.set_index(["method", "readout", "quantity"])
    assert set(drawing.numbers["method"]) == {"simclr", "supcon", "factorcl-sup"}
    row = numbers.loc[("factorcl-sup", "z_s1", "unique1")]
    assert row["exact_bits"] == 2.0
    assert row["usable-linear_bits"] == 1.5
    assert row["classifier_bits"] == 3.0
    assert row["classifier_ceiling_bits"] == 20.0
    assert row["paper_nats"] == 6.25
    (line,) = [line for line in drawing.markdown.splitlines() if "| Z_S1 " in line]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:6] == ["Z_S1", "2.00", "1.50", "3.00", "6.25"]
    assert "at most 20.0 bits" in drawing.markdown
    assert "X = Z + 0.5 N" in drawing.markdown
    assert "compare patterns, not values" in drawing.markdown


def test_table_1_shows_the_ratio_nearest_to_a_half_and_means_over_seeds():
    rows = readout_rows()
    known = rows["unique_ratio"].notna()
    other = rows[known].assign(unique_ratio=1.0, exact_bits=9.0)
    again = rows.assign(seed=1, exact_bits=rows["exact_bits"] + 1)
    numbers = draw_table1(pd.concat([rows, other, again])).numbers
    numbers = numbers.set_index(["method", "readout", "quantity"])
    assert numbers.loc[("supcon", "z1", "shared"), "exact_bits"] == 3.5
    assert numbers.loc[("simclr", "z1", "shared"), "n_seeds"] == 2


def test_other_methods_make_no_table_1():
    rows = readout_rows()
    with pytest.raises(NothingToDraw, match="readouts of the paper's Table 1"):
        draw_table1(rows[rows["method"] == "raw"])


@pytest.mark.parametrize("draw", READOUT_FIGURES.values(), ids=READOUT_FIGURES)
def test_rows_that_cannot_be_drawn_are_refused(draw):
    rows = readout_rows()
    with pytest.raises(ValueError, match=r"rows: expected one tau, got 0\.5, 1"):
        draw(pd.concat([rows, rows.assign(tau=1.0)]))
    with pytest.raises(ValueError, match="rows: expected a column exact_se_bits of estimates"):
        draw(rows.drop(columns="exact_se_bits"))
    with pytest.raises(NothingToDraw, match=r"got none in \d+ rows"):
        draw(rows.assign(value_bits=np.nan))


def test_figures_are_files_with_their_numbers(tmp_path):
    rows = readout_rows()
    written = draw_readout_figures(rows, tmp_path, ("svg",))
    assert sorted(path.name for path in written) == sorted(path.name for path in tmp_path.iterdir())
    names = {path.name for path in written}
    assert {f"{name}.svg" for name in READOUT_FIGURES} <= names
    assert {"estimator_verdicts.md", "table1.md", "table1.csv"} <= names
    assert draw_readout_figures(rows.assign(value_bits=np.nan), tmp_path / "none") == []
