import math

import pytest
from synthetic_results import as_results, record

from fctestbed.plotting.run_details import exact_along, relevant_latents


def test_exact_numbers_come_by_ratio_from_every_run_even_unfinished_ones():
    runs = [record("raw", 0.4, 0), record("raw", 0.2, 0, status="failed")]
    exact = exact_along(as_results(runs), "shared_bits")
    assert exact.to_dict() == pytest.approx({0.2: 1.6, 0.4: 1.2})


def test_exact_numbers_that_are_infinite_or_unknown_are_absent():
    runs = [record("raw", 0.4, 0, truth={"total_bits": math.inf, "shared_bits": math.nan})]
    for key in ("total_bits", "shared_bits", "nonsense"):
        assert exact_along(as_results(runs), key).empty


def test_relevant_latents_come_from_the_truth():
    assert relevant_latents(as_results([record("raw", 0.4, 0)])) >= {"w_s[0]", "w_2[0]"}
    assert relevant_latents(as_results([record("raw", 0.4, 0, truth={})])) == set()
