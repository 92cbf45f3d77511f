import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from synthetic_results import METHODS, RATIOS, as_results, record, records, relabelled

from fctestbed.plotting import METHOD_STYLES, style_of, summary_table
from fctestbed.plotting.exact import exact_by_ratio, relevant_latents
from fctestbed.plotting.intervals import seed_intervals, seeds_note
from fctestbed.plotting.style import method_order


def rows_of(values, method="simclr", ratio=0.5):
    return pd.DataFrame(
        {"method": method, "variant": "", "unique_ratio": ratio, "value_bits": values}
    )


def test_the_interval_is_students_over_seeds():
    (point,) = seed_intervals(rows_of([1.0, 2.0, 3.0]), "value_bits").to_dict(orient="records")
    # Tables give t(0.975, 2) = 4.302653; s = 1 here.
    half = 4.302653 / math.sqrt(3)
    assert point["mean"] == 2.0
    assert point["high"] - 2.0 == pytest.approx(half, abs=1e-6)
    assert 2.0 - point["low"] == pytest.approx(half, abs=1e-6)
    assert point["n_seeds"] == 3


def test_one_seed_has_a_mean_and_no_interval():
    (point,) = seed_intervals(rows_of([1.5]), "value_bits").to_dict(orient="records")
    assert point["mean"] == 1.5
    assert math.isnan(point["low"])
    assert math.isnan(point["high"])


def test_values_that_are_no_numbers_are_left_out_of_the_mean():
    (point,) = seed_intervals(rows_of([1.0, np.nan, 3.0]), "value_bits").to_dict(orient="records")
    assert (point["mean"], point["n_seeds"]) == (2.0, 2)


@pytest.mark.parametrize(
    ("counts", "unfinished", "note"),
    [
        ([3, 3], 0, "mean and 95 % interval (Student t) over 3 seeds"),
        ([1, 1], 0, "1 seed, no interval"),
        (
            [2, 3],
            1,
            "mean and 95 % interval (Student t) over 2 to 3 seeds; 1 unfinished run left out",
        ),
    ],
)
def test_the_note_says_seeds_interval_and_what_is_missing(counts, unfinished, note):
    assert seeds_note(pd.Series(counts), unfinished) == note


def test_no_two_methods_look_the_same():
    styles = METHOD_STYLES.values()
    assert len({style.color for style in styles}) == len(styles)
    assert len({(style.marker, style.dash) for style in styles if style.control}) == 5
    assert len({style.label for style in styles}) == len(styles)


def test_an_unknown_method_has_a_style_of_its_own_and_always_the_same():
    style = style_of("my_method")
    assert style == style_of("my_method")
    assert style.label == "my_method"
    assert style.color not in {known.color for known in METHOD_STYLES.values()}
    # Written down, so that another process is known to agree.
    assert (style.color, style.marker) == ("#79573a", "p")


def test_variants_share_a_colour_and_differ_in_dash():
    first, second = style_of("simclr", 0), style_of("simclr", 1)
    assert first.color == second.color
    assert first.dash != second.dash


def test_unknown_methods_come_between_methods_and_controls():
    names = sorted(["raw", "my_method", "factorcl-sup", "simclr"], key=method_order)
    assert names == ["factorcl-sup", "simclr", "my_method", "raw"]


def test_exact_numbers_come_by_ratio_from_every_run_even_unfinished_ones():
    runs = [record("raw", 0.4, 0), record("raw", 0.2, 0, status="failed")]
    exact = exact_by_ratio(as_results(runs), "shared_bits")
    assert exact.to_dict() == pytest.approx({0.2: 1.6, 0.4: 1.2})


def test_exact_numbers_that_are_infinite_or_unknown_are_absent():
    runs = [record("raw", 0.4, 0, truth={"total_bits": math.inf, "shared_bits": math.nan})]
    for key in ("total_bits", "shared_bits", "nonsense"):
        assert exact_by_ratio(as_results(runs), key).empty


def test_relevant_latents_come_from_the_truth():
    assert relevant_latents(as_results([record("raw", 0.4, 0)])) >= {"w_s[0]", "w_2[0]"}
    assert relevant_latents(as_results([record("raw", 0.4, 0, truth={})])) == set()


def test_the_summary_counts_every_run_beside_the_exact_total():
    lost = {("simclr", 0.3, 0), ("raw", 0.0, 0), ("raw", 0.0, 1), ("raw", 0.0, 2)}
    results = as_results(records(unfinished=lost))
    table = {(row.method, row.unique_ratio): row for row in summary_table(results)}
    assert len(table) == len(METHODS) * len(RATIOS)
    assert all(row.n_seeds + row.n_unfinished == 3 for row in table.values())
    assert all(row.total_bits == 2.0 for row in table.values())
    nothing = table["raw", 0.0]
    assert (nothing.label_bits, nothing.half_interval_bits, nothing.n_unfinished) == (None, None, 3)
    values = results.captured[
        (results.captured["method"] == "supcon")
        & (results.captured["unique_ratio"] == 0.7)
        & (results.captured["quantity"] == "label")
        & (results.captured["readout"] == "joint")
    ]["value_bits"]
    assert table["supcon", 0.7].label_bits == pytest.approx(values.mean())


def test_the_summary_names_variants_where_there_are_two():
    runs = records(methods=("simclr",), ratios=(0.5,), seeds=(0,))
    other = dataclasses.replace(runs[0], run_id="other", variant="official")
    labels = [row.label for row in summary_table(as_results([*runs, other]))]
    assert labels == ["SimCLR (paper)", "SimCLR (official)"]


def test_one_seed_has_no_half_interval_in_the_summary():
    results = as_results(records(seeds=(0,), ratios=(0.5,)))
    assert {row.half_interval_bits for row in summary_table(results)} == {None}


def test_the_total_falls_back_on_the_rows_where_the_truth_is_silent():
    results = relabelled(as_results(records(ratios=(0.5,))), truth="{}")
    assert {row.total_bits for row in summary_table(results)} == {2.0}
