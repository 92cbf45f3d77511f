"""Which estimator and rate figures are of."""

import dataclasses

import pytest
from synthetic_results import RATES, as_results, at_world, joined, record, records, relabelled

from fctestbed.plotting import Yardstick, choose_yardstick, draw_figures, summary_table
from fctestbed.plotting.select import LABEL, SHARED, captured_rows, quantity_rows

PROBE = Yardstick("linear_probe")


def some(rates=RATES, methods=("simclr", "raw"), **grid):
    return as_results(records((0.0, 1.0), methods, (0, 1), rates=rates, **grid))


@pytest.fixture(scope="module")
def results():
    return some()


def test_readings_at_twice_the_labels_bits_come_first(results):
    assert choose_yardstick(results) == Yardstick("rate", 4.0)


def test_the_nearest_measured_rate_is_taken_and_of_two_the_lower():
    assert choose_yardstick(some((1.0, 7.0))).rate_bits == 1.0
    assert choose_yardstick(some((16.0, 32.0))).rate_bits == 16.0


def test_rows_without_a_rate_are_drawn_as_a_linear_probe_reads_them():
    old = some(())
    assert choose_yardstick(old) == PROBE
    with pytest.raises(ValueError, match="rate: expected none for the estimator linear_probe, got"):
        choose_yardstick(old, rate=4.0)


def test_a_world_without_readings_at_a_rate_brings_all_back_to_the_linear_probe():
    both = joined(at_world(some(), train__steps=1), at_world(some(()), train__steps=2))
    assert choose_yardstick(both) == PROBE
    assert choose_yardstick(both, rate=8.0) == Yardstick("rate", 8.0)
    assert choose_yardstick(both, "rate") == Yardstick("rate", 4.0)


def test_an_unfinished_world_needs_no_readings():
    lost = {(m, 1.0, s) for m in ("simclr", "raw") for s in (0, 1)}
    assert choose_yardstick(some(unfinished=lost)) == Yardstick("rate", 4.0)
    none = as_results([record("raw", 0.5, 0, status="failed")])
    assert choose_yardstick(none) == PROBE


def test_of_rates_that_differ_between_runs_one_that_most_runs_have_is_taken():
    few, many = some((4.0, 8.0)), some((8.0, 16.0), methods=("supcon",))
    mixed = joined(few, many)
    assert choose_yardstick(mixed).rate_bits == 8.0


def test_without_label_rows_the_middle_rate_of_an_estimator_is_taken(results):
    blocks = results.captured["quantity"] != "label"
    no_label = dataclasses.replace(results, captured=results.captured[blocks])
    assert choose_yardstick(no_label) == Yardstick("rate", 8.0)


def test_a_label_of_no_bits_is_read_at_the_lowest_rate(results):
    assert choose_yardstick(relabelled(results, true_bits=0.0)).rate_bits == 2.0


@pytest.mark.parametrize(
    ("estimator", "rate", "message"),
    [
        (None, 5.0, "rate: expected one of 2, 4, 8, 16, 32, got 5"),
        (None, float("nan"), "rate: expected one of 2, 4, 8, 16, 32, got nan"),
        (None, "4", "rate: expected one of 2, 4, 8, 16, 32, got '4'"),
        ("linear_probe", 4.0, "rate: expected none for the estimator linear_probe, got 4"),
        ("mine", None, "estimator: expected one of linear_probe, rate, got 'mine'"),
    ],
)
def test_what_was_not_measured_is_refused_and_nothing_is_drawn(
    results, tmp_path, estimator, rate, message
):
    with pytest.raises(ValueError, match=message):
        draw_figures(results, tmp_path / "out", estimator=estimator, rate=rate)
    assert not (tmp_path / "out").exists()


def test_one_yardstick_has_one_row_for_each_run_readout_and_quantity(results):
    for yardstick in (PROBE, Yardstick("rate", 8.0)):
        rows = captured_rows(results, yardstick, readout=None)
        assert len(rows)
        assert not rows.duplicated(["run_id", "readout", "quantity"]).any()
    assert captured_rows(results, Yardstick("rate")).empty
    read = quantity_rows(results, LABEL, Yardstick("rate", 2.0))
    all_read = quantity_rows(results, SHARED, Yardstick("rate", 32.0))
    assert (read["value_bits"] <= 2.0).all()
    assert (all_read["value_bits"] > 4.0).any()


@pytest.mark.parametrize(
    ("yardstick", "text"),
    [
        (PROBE, "read by a linear probe"),
        (Yardstick("rate", 4.0), "read at R = 4 bits"),
        (Yardstick("rate_whitened", 2.5), "read at R = 2.5 bits, whitened"),
        (Yardstick("channel"), "read by the estimator channel"),
        (Yardstick("mine", 8.0), "read at R = 8 bits, estimator mine"),
    ],
)
def test_figures_say_how_bits_were_read(yardstick, text):
    assert yardstick.text == text


def test_the_summary_is_at_the_rate_of_the_figures_or_at_another(results):
    def shown(**options):
        rows = summary_table(results, **options)
        return {(row.method, row.value): row.label_bits for row in rows}, rows[0].yardstick

    for options, rate in (({}, 4.0), ({"rate": 16.0}, 16.0)):
        table, yardstick = shown(**options)
        assert yardstick == Yardstick("rate", rate)
        own = quantity_rows(results, LABEL, yardstick).query("method == 'raw'")
        mean = own[own["unique_ratio"] == 1.0]["value_bits"].mean()
        assert table["raw", 1.0] == pytest.approx(mean)
    with pytest.raises(ValueError, match="rate: expected one of 2, 4, 8, 16, 32, got 3"):
        summary_table(results, rate=3)
