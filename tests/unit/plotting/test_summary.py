import dataclasses

import pytest
from synthetic_results import METHODS, RATIOS, as_results, records, relabelled

from fctestbed.plotting import summary_table


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
