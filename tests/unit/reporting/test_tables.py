"""The tables of a report."""

import numpy as np
import pytest
from scipy import stats
from synthetic_results import RATES, as_results, at_world, departing, joined, record, records

from fctestbed.plotting import Yardstick, choose_yardstick
from fctestbed.reporting import captured as captured_module
from fctestbed.reporting.captured import captured_table
from fctestbed.reporting.label_bits import LabelBits
from fctestbed.reporting.tables import (
    MOST_FIGURE_ROWS,
    MOST_WORLD_TABLES,
    controls_table,
    frame_table,
    label_tables,
    numbers_table,
)

METHODS = ("simclr", "factorcl-sup", "untrained", "raw")


@pytest.fixture(scope="module")
def results():
    return as_results(records((0.0, 1.0), METHODS, (0, 1, 2), rates=RATES))


def test_captured_bits_have_students_interval_ceiling_and_truth(results):
    table, left_out = captured_table(results, Yardstick("rate", 4.0))
    assert left_out == ""
    own = table[(table["method"] == "FactorCL-SUP") & (table["unique_ratio"] == 0.0)]
    row = own[(own["readout"] == "joint") & (own["quantity"] == "shared")].iloc[0]
    rows = results.captured
    wanted = (rows["method"] == "factorcl-sup") & (rows["unique_ratio"] == 0.0)
    wanted &= (rows["readout"] == "joint") & (rows["quantity"] == "shared")
    values = rows[wanted & (rows["rate_bits"] == 4.0)]["value_bits"]
    low, high = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    assert (row["bits"], row["low"], row["high"]) == pytest.approx((values.mean(), low, high))
    assert (row["ceiling"], row["truth"], row["seeds"]) == (4.0, 6.0, 3)


def test_an_interval_ends_at_what_is_possible(results):
    table, _ = captured_table(results, Yardstick("rate", 4.0))
    most = np.fmin(table["ceiling"], table["truth"])
    within = table["bits"] <= most
    assert (table["high"] <= np.fmax(most, table["bits"]))[within].all()
    exact = table["read_by"].str.startswith("rate")
    assert (table.loc[exact, "low"] >= 0).all()


def test_the_label_is_first_and_every_reading_is_there(results):
    table, _ = captured_table(results, Yardstick("rate", 4.0))
    assert table["quantity"].iloc[0] == "label"
    assert set(table["read_by"]) == {"linear_probe", *(f"rate, R = {rate:g}" for rate in RATES)}
    assert not table.duplicated(["method", "unique_ratio", "readout", "quantity", "read_by"]).any()


def test_too_many_rows_leave_out_the_least_important(results, monkeypatch):
    monkeypatch.setattr(captured_module, "MOST_ROWS", 40)
    table, left_out = captured_table(results, Yardstick("rate", 4.0))
    assert set(table["readout"]) == {"joint"}
    assert "other readouts" in left_out


def test_one_seed_has_no_interval():
    one = as_results(records((0.0,), ("simclr",), (0,), rates=RATES))
    table, _ = captured_table(one, Yardstick("rate", 4.0))
    assert table["low"].isna().all()
    assert table["high"].isna().all()


def test_variants_are_told_apart():
    run = record("simclr", 0.0, 0)
    both = as_results([run, departing(run, "official", {"normalize": False})])
    table, _ = captured_table(both, Yardstick("linear_probe"))
    assert set(table["method"]) == {"SimCLR (paper)", "SimCLR (official)"}


def test_label_bits_have_the_exact_total_and_the_ceiling(results):
    (table,), n_more = label_tables(results, Yardstick("rate", 4.0), "command")
    assert n_more == 0
    assert [row[0] for row in table.first] == ["Exact total", "Ceiling"]
    assert table.first[0][1:] == ["2.00", "2.00"]
    assert [row[0] for row in table.rows] == ["FactorCL-SUP", "SimCLR", "Raw inputs", "Untrained"]
    assert all("±" in cell for row in table.rows for cell in row[1:])


def test_unfinished_runs_are_named_in_their_cell():
    some = as_results(records((0.0, 1.0), ("simclr",), (0, 1), unfinished=[("simclr", 1.0, 0)]))
    (table,), _ = label_tables(some, Yardstick("linear_probe"), "command")
    assert table.rows[0][2].endswith("(1 unfinished)")


def test_a_sweep_of_many_worlds_has_some_tables_and_says_how_many_more():
    some = as_results(records((0.0, 1.0), ("simclr",), (0,)))
    n = MOST_WORLD_TABLES + 2
    many = joined(*(at_world(some, train__steps=step) for step in range(n)))
    tables, n_more = label_tables(many, choose_yardstick(many), "command")
    assert (len(tables), n_more) == (MOST_WORLD_TABLES, 2)
    assert len({table.name for table in tables}) == len(tables)


def test_controls_are_subtracted_within_seeds(results):
    found = LabelBits.of(results, Yardstick("rate", 4.0))
    table = controls_table(found, "command")
    assert [column.name for column in table.columns] == [
        "method", "average", "minus Untrained", "minus Raw inputs",
    ]  # fmt: skip
    averages = {one.label: own for one, own in zip(found.series, found.averages, strict=True)}
    difference = (averages["SimCLR"] - averages["Untrained"]).mean()
    (row,) = (row for row in table.rows if row[0] == "SimCLR")
    assert row[2].startswith(f"{difference:.2f}\xa0[")


def test_methods_alone_have_no_table_of_controls():
    alone = as_results(records((0.0,), ("simclr",), (0,)))
    assert controls_table(LabelBits.of(alone, Yardstick("linear_probe")), "command") is None


def test_long_numbers_of_a_figure_are_cut_and_the_caption_says_so(results):
    long = results.captured.head(MOST_FIGURE_ROWS + 1)
    table = numbers_table(long, name="a", caption="Numbers", command="command")
    assert len(table.rows) == MOST_FIGURE_ROWS
    assert table.caption.endswith(f"of {MOST_FIGURE_ROWS + 1} rows)")


def test_cells_of_every_kind_are_texts(results):
    frame = results.captured.head(1)[["method"]].assign(
        flag=True, nothing=None, missing=np.nan, many=np.inf, few=-np.inf, number=-0.12345
    )
    (row,) = frame_table(frame, name="a", caption="a", command="", fixed=("number",)).rows
    assert row[1:] == ["true", "", "", "∞", "\N{MINUS SIGN}∞", "\N{MINUS SIGN}0.123"]
