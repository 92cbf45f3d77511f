"""The sentences of a report are right for any sweep."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic_results import RATES, as_results, at_world, joined, records

from fctestbed.plotting import Yardstick
from fctestbed.reporting.caveats import caveats
from fctestbed.reporting.conclusions import (
    against_controls,
    change_along,
    conclusions,
    most_bits,
)
from fctestbed.reporting.label_bits import LabelBits, Series

LABELS = {"simclr": "SimCLR", "supcon": "SupCon", "untrained": "Untrained", "raw": "Raw inputs"}


def label_bits(bits, *, seeds=None, worlds=None, total=2.0, x="unique_ratio"):
    """Label bits of methods, each an array [worlds, seeds]."""
    array = np.array(list(bits.values()), dtype=float)
    n_worlds, n_seeds = array.shape[1:]
    ratios = np.linspace(0, 1, n_worlds) if n_worlds > 1 else [0.5]
    return LabelBits(
        yardstick=Yardstick("rate", 4.0),
        series=tuple(Series(name, "paper", LABELS.get(name, name)) for name in bits),
        worlds=pd.DataFrame({"unique_ratio": ratios}) if worlds is None else worlds,
        seeds=tuple(range(n_seeds)) if seeds is None else seeds,
        bits=array,
        total_bits=np.full(n_worlds, total),
        x=x,
    )


def around(means, spread=0.01, seed=0):
    """Bits [worlds, 5 seeds] with these means."""
    noise = np.random.default_rng(seed).standard_normal((len(means), 5))
    noise -= noise.mean(axis=1, keepdims=True)
    return np.array(means)[:, None] + spread * noise


def test_the_method_that_is_above_all_others_reads_most():
    found = label_bits({"simclr": around([1.0, 0.6]), "supcon": around([1.6, 1.2], seed=1)})
    text = most_bits(found)
    assert text.startswith("Read at R = 4 bits, averaged over 2 unique ratios and 5 seeds, SupCon")
    assert "reads most, 1.40 of 2.00 label bits: 0.60\xa0[" in text
    assert text.endswith("more than the next one, SimCLR.")


def test_an_interval_is_that_of_a_paired_t_test_over_all_pairs():
    rng = np.random.default_rng(3)
    bits = {name: 1 + rng.standard_normal((2, 5)) * 0.1 for name in ("a", "b", "c")}
    bits["c"] += 3
    text = most_bits(label_bits(bits))
    difference = (bits["c"] - max((bits["a"], bits["b"]), key=np.mean)).mean(axis=0)
    half = stats.t.isf(0.05 / 2 / 3, 4) * difference.std(ddof=1) / np.sqrt(5)
    low, high = difference.mean() - half, difference.mean() + half
    assert f"{difference.mean():.2f}\xa0[{low:.2f},\xa0{high:.2f}]" in text


def test_a_difference_within_its_interval_ranks_nobody():
    found = label_bits({"simclr": around([1.0], 0.3), "supcon": around([1.05], 0.3, seed=1)})
    text = most_bits(found)
    assert "SupCon has the largest average, 1.05" in text
    assert "no difference is shown to SimCLR (0.05\xa0[" in text


def test_one_seed_shows_no_difference():
    found = label_bits({"simclr": [[1.0], [0.5]], "supcon": [[1.9], [1.9]]})
    assert "one seed has no interval" in most_bits(found)
    assert "no change is shown for any method" in change_along(found)


def test_one_method_has_none_to_compare_with():
    assert "no other method" in most_bits(label_bits({"simclr": around([1.0, 0.6])}))


def test_controls_alone_are_not_ranked():
    found = label_bits({"raw": around([1.0, 0.6]), "supervised": around([2.0, 2.0])})
    assert "Only controls" in most_bits(found)
    assert "No method has label bits" in change_along(found)
    assert "No finished run of a method" in against_controls(found)


def test_no_rows_are_said_to_be_none():
    results = as_results(records((0.0,), ("simclr",), (0,), unfinished=[("simclr", 0.0, 0)]))
    first, second, third = conclusions(results)
    assert first.startswith("No finished run has label bits")
    assert second.startswith("No method has label bits")
    assert third.startswith("No finished run of a control")


def test_a_seed_that_lacks_a_world_is_in_no_average():
    bits = around([1.0, 0.6])
    bits[1, 0] = np.nan
    found = label_bits({"simclr": bits, "supcon": around([1.6, 1.2], seed=1)})
    assert np.isnan(found.averages[0]).tolist() == [True, False, False, False, False]
    assert "reads most" in most_bits(found)
    results = as_results(
        records((0.0, 1.0), ("simclr", "raw"), (0, 1, 2), unfinished=[("simclr", 1.0, 0)])
    )
    read = LabelBits.of(results, Yardstick("linear_probe"))
    lines = caveats(results, read)
    assert any("leave out each seed of SimCLR" in line for line in lines)
    assert any(line.startswith("1 run of 12 did not finish") for line in lines)


def test_without_a_whole_seed_averages_are_not_compared():
    bits = around([1.0, 0.6])
    bits[0] = np.nan
    found = label_bits({"simclr": bits, "supcon": bits})
    assert "No method has a seed that finished in every world" in most_bits(found)


def test_changes_from_end_to_end_and_between_them_are_told_apart():
    found = label_bits(
        {
            "simclr": around([1.5, 0.8, 0.1]),
            "supcon": around([1.5, 1.1, 1.5], seed=1),
            "unimodal-ssl": around([0.5, 0.8, 1.1], seed=2),
        }
    )
    text = change_along(found)
    assert text.startswith("From unique ratio 0 to 1, label bits fall with SimCLR by 1.40\xa0[")
    assert "label bits rise with unimodal-ssl by 0.60\xa0[" in text
    assert "no change is shown for SupCon" in text
    assert text.endswith("between the ends less is read with SupCon than at them.")


def test_an_exact_total_that_changes_is_said_with_the_change():
    found = label_bits({"simclr": around([1.5, 0.1])})
    changing = LabelBits(**{**vars(found), "total_bits": np.array([2.0, 0.5])})
    assert "(where the exact total goes from 2.00 to 0.50 bits)" in change_along(changing)


def test_one_value_of_the_axis_says_nothing_of_a_change():
    assert "one unique ratio (0.5)" in change_along(label_bits({"simclr": around([1.0])}))


def test_categories_have_no_trend():
    worlds = pd.DataFrame({"unique_ratio": [0.5, 0.5], "critic": ["concat", "cosine"]})
    found = label_bits({"simclr": around([1.0, 0.6])}, worlds=worlds, x="critic")
    text = change_along(found)
    assert text.startswith("The critic has values without an order (concat and cosine)")
    assert "combinations of axis values" in most_bits(found)


def test_a_further_numeric_axis_is_named_in_the_sentence():
    runs = as_results(records((0.5,), ("simclr", "raw"), (0, 1, 2), rates=RATES))
    results = joined(*(at_world(runs, world__observation__noise=n) for n in (0.0, 0.2)))
    first, second, _ = conclusions(results)
    assert "averaged over 2 combinations of axis values" in first
    assert second.startswith("From world.observation.noise 0 to 0.2")


def test_methods_are_compared_with_each_control():
    found = label_bits(
        {
            "simclr": around([0.5, 0.1]),
            "supcon": around([1.5, 1.5], seed=1),
            "untrained": around([0.4, 0.4], seed=2),
            "raw": around([0.1, 0.1], seed=3),
        }
    )
    text = against_controls(found)
    assert text.startswith(
        "Averaged over 2 unique ratios, SupCon is above Untrained, unlike SimCLR"
    )
    assert "SimCLR (below)" in text
    assert "below it: SimCLR at unique ratio 1)" in text
    assert "all 2 methods are above Raw inputs" in text
    assert "no finished run of supervised" in text


def test_controls_that_differ_from_no_method_are_said_to():
    found = label_bits({"simclr": around([0.4], 0.3), "raw": around([0.4], 0.3, seed=1)})
    assert "No method is shown to differ from Raw inputs" in against_controls(found)


def test_most_methods_on_one_side_are_told_by_the_exceptions():
    bits = {name: around([1.0, 1.0], seed=n) for n, name in enumerate("abcd")}
    bits |= {"simclr": around([0.1, 0.1], seed=9), "raw": around([0.5, 0.5], seed=8)}
    assert "all methods but SimCLR (below) are above Raw inputs" in against_controls(
        label_bits(bits)
    )


@pytest.mark.parametrize(
    ("rates", "word"), [(RATES, "about one rate, R = 4 bits"), ((), "linear probe gives a lower")]
)
def test_caveats_name_the_yardstick_and_factorcl(rates, word):
    results = as_results(records((0.0, 1.0), ("factorcl-sup",), (0, 1, 2), rates=rates))
    yardstick = Yardstick("rate", 4.0) if rates else Yardstick("linear_probe")
    lines = caveats(results, LabelBits.of(results, yardstick))
    assert any(word in line for line in lines)
    assert any("FactorCL's trainings are chaotic" in line for line in lines)
    assert any(line.startswith("3 seeds: intervals are wide") for line in lines)


def test_runs_that_are_missing_from_the_sweep_are_counted():
    spec = {"methods": ["simclr", "raw"], "unique_ratio": [0.0, 1.0], "seeds": [0, 1]}
    results = as_results(records((0.0, 1.0), ("simclr",), (0, 1)), spec)
    lines = caveats(results, LabelBits.of(results, Yardstick("linear_probe")))
    assert any("4 combinations of method, unique ratio and seed are still" in x for x in lines)
