"""What is said of intervals on drawn laws: cells, the table over laws, and the figure."""

import numpy as np
import pandas as pd
import pytest

from fctestbed.calibration import CALIBRATION_COLUMNS, drawn_cells, drawn_laws, drawn_table
from fctestbed.laws import ROUGH, SMOOTH
from fctestbed.plotting import NothingToDraw
from fctestbed.plotting.figures.drawn_laws import draw_drawn_laws

HALF = 1.959963984540054


def rows(case, *, given, holding, of=12, **columns):
    """A law's repetitions: intervals twice as wide as the spread, some of which hold the truth."""
    values = np.where(np.arange(of) < holding, 1.0, 9.0)
    has = np.arange(of) < given
    plain = {
        "case": case, "group": SMOOTH, "kind": "continuous", "true_bits": 1.0, "estimator": "e",
        "bound": "none", "target": "information", "n": 300, "tolerance_bits": np.nan,
        "repetition": np.arange(of), "value_bits": values,
        "low_bits": np.where(has, values - 2 * HALF, np.nan),
        "high_bits": np.where(has, values + 2 * HALF, np.nan), "se_bits": 1.0,
        "ceiling_bits": 5.0, "seconds": 0.5, "refusal": "",
    }  # fmt: skip
    return pd.DataFrame({**plain, **columns})[list(CALIBRATION_COLUMNS)]


@pytest.fixture
def cells():
    return drawn_cells(
        pd.concat(
            [
                rows("a", given=12, holding=12),
                rows("b", given=6, holding=5),
                rows("c", given=1, holding=0, group=ROUGH),
                rows("d", given=2, holding=2, group=ROUGH, bound="lower"),
                rows("published", given=12, holding=0, group="nothing"),
                rows("a", given=12, holding=0, estimator="bounds", bound="lower"),
                rows("a", given=12, holding=0, estimator="penalty", target="jeffreys"),
                rows("a", given=0, holding=0, estimator="silent"),
            ]
        )
    )


def test_a_cell_counts_its_intervals_on_both_sides(cells):
    own = cells[cells["estimator"] == "e"].set_index("case")
    assert list(own.index) == ["a", "b", "c", "d"]
    assert list(own["intervals"]) == [12, 6, 1, 2]
    assert list(own["coverage"]) == [1.0, pytest.approx(5 / 6), 0.0, 1.0]
    assert list(own["judged"]) == [True, True, False, True]
    assert own.loc["a", "width_ratio"] == pytest.approx(2.0)
    assert set(cells["estimator"]) == {"e", "silent"}


def test_the_table_has_laws_that_cover_and_shares_that_are_given(cells):
    (row,) = drawn_table(cells).itertuples()
    assert (row.estimator, row.kind, row.n, row.laws, row.repetitions) == (
        "e", "continuous", 300, 4, 12,
    )  # fmt: skip
    assert (row.judged, row.covering) == (3, 2)
    assert row.coverage == pytest.approx(19 / 21)
    assert row.given == pytest.approx((1 + 1 / 2 + 1 / 12 + 1 / 6) / 4)
    assert row.given_smooth == pytest.approx(3 / 4)
    assert row.width_ratio == pytest.approx(2.0)


def test_no_drawn_law_is_an_empty_table():
    cells = drawn_cells(rows("published", given=12, holding=0, group="nothing"))
    assert len(cells) == 0
    assert len(drawn_table(cells)) == 0
    with pytest.raises(NothingToDraw, match="expected laws with intervals"):
        draw_drawn_laws(cells)


def test_each_seed_has_a_law_of_columns_and_one_of_classes():
    laws = drawn_laws([3, 5])
    assert [law.kind for law in laws] == ["continuous", "continuous", "mixed", "mixed"]
    assert [law.name.partition(":")[0] for law in laws] == [
        "drawn 3", "drawn 5", "drawn classes 3", "drawn classes 5",
    ]  # fmt: skip


def test_the_figure_counts_the_laws_that_cover_and_marks_all_of_them(cells):
    drawing = draw_drawn_laws(cells)
    above, below = drawing.figure.axes
    assert [text.get_text() for text in above.texts] == ["2 of 3"]
    assert [tick.get_text() for tick in above.get_yticklabels()] == ["e"]
    assert sum(len(marks.get_offsets()) for marks in above.collections) == 3
    assert sum(len(marks.get_offsets()) for marks in below.collections) == 4
    assert len(drawing.numbers) == len(cells)
