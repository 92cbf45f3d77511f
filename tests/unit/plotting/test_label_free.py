"""The figure of scores without labels: correlations, intervals, and the runs that they are over."""

import dataclasses
import math

import numpy as np
import pytest
from drawings import drawing_of
from scipy.stats import spearmanr
from synthetic_results import as_results, record, records
from synthetic_scores import scored

from fctestbed.plotting import FIGURES, NothingToDraw, draw_figures, write
from fctestbed.plotting.rank_correlation import interval, rank_correlations, seed_weights
from fctestbed.plotting.scores import label_rows_at_rate, score_columns
from fctestbed.plotting.style import house_style

METHODS = ("simclr", "factorcl-sup", "raw", "untrained")
RATIOS = (0.0, 0.3, 0.5, 0.8)


@pytest.fixture(scope="module")
def results():
    return as_results([scored(run) for run in records(ratios=RATIOS, methods=METHODS)])


@pytest.fixture(scope="module")
def drawing(results):
    return drawn(results)


def drawn(results, **options):
    return drawing_of("label_free", results, **options)


def number(drawing, score, runs, method=""):
    rows = drawing.numbers
    key = (rows["score"] == score) & (rows["runs"] == runs) & (rows["method"] == method)
    (row,) = rows[key].to_dict("records")
    return row


def by_hand(results, score, methods):
    """Spearman's correlation by scipy over the runs of some methods."""
    bits, _ = label_rows_at_rate(results)
    bits = bits[bits["method"].isin(methods)].set_index("run_id")["value_bits"]
    rows = results.scores
    rows = rows[(rows["score"] == score) & (rows["readout"] != "z_u1,z_u2")]
    values = rows.set_index("run_id")["value"]
    both = [run for run in bits.index if run in values.index]
    return spearmanr(bits[both], values[both]).statistic


def test_weighted_correlations_are_those_of_repeated_pairs():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, 20).astype(float), rng.standard_normal(20)
    weights = rng.integers(0, 4, (30, 20)).astype(float)
    expected = [
        spearmanr(*(np.repeat(v, w.astype(int)) for v in (x, y))).statistic for w in weights
    ]
    np.testing.assert_allclose(rank_correlations(x, y, weights), expected, rtol=1e-12)


def test_a_constant_and_too_few_pairs_have_no_correlation():
    weights = np.ones((2, 4))
    line = np.arange(4.0)
    np.testing.assert_allclose(rank_correlations(line, -line, weights), -1.0)
    assert np.isnan(rank_correlations(line, np.ones(4), weights)).all()
    assert np.isnan(rank_correlations(line[:3], line[:3], weights[:, :3])).all()


def test_resamples_have_as_many_seeds_as_there_are_and_are_the_same_each_time():
    weights = seed_weights(5)
    assert set(weights.sum(1)) == {5.0}
    assert list(weights[0]) == [1.0] * 5
    assert weights.mean() == pytest.approx(1.0)
    np.testing.assert_array_equal(weights, seed_weights(5))
    assert seed_weights(1).shape == (1, 1)


def test_an_interval_holds_95_percent_of_the_resamples():
    found = interval(np.concatenate([[0.5], np.linspace(0, 1, 2001)]))
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.025, 0.975))
    alone = interval(np.array([0.5]))
    assert alone.value == 0.5
    assert math.isnan(alone.low)
    unknown = interval(np.concatenate([[0.5], np.full(60, math.nan), np.zeros(40)]))
    assert math.isnan(unknown.high)


def test_intervals_over_seeds_cover_a_known_correlation():
    # Spearman's correlation of a Gaussian pair with correlation 0.6 is 6 / pi asin(0.3).
    expected = 6 / math.pi * math.asin(0.3)
    rng = np.random.default_rng(0)
    n_seeds, each, hits = 12, 10, 0
    weights = seed_weights(n_seeds)[:400].repeat(each, axis=1)
    for _ in range(100):
        x, noise = rng.standard_normal((2, n_seeds * each))
        found = interval(rank_correlations(x, 0.6 * x + 0.8 * noise, weights))
        hits += found.low <= expected <= found.high
    # Percentile intervals over 12 seeds cover somewhat less than 95 %.
    assert 82 <= hits <= 100


def test_correlations_over_all_runs_and_within_methods_are_scipy_s(results, drawing):
    for score in ("alignment", "loss", "effective_rank"):
        row = number(drawing, score, "all runs")
        trained = ("simclr", "factorcl-sup")
        assert row["rank_correlation"] == pytest.approx(by_hand(results, score, trained))
        assert (row["n_runs"], row["n_seeds"]) == (24, 3)
        own = [by_hand(results, score, (method,)) for method in trained]
        for method, expected in zip(trained, own, strict=True):
            found = number(drawing, score, "one method", method)["rank_correlation"]
            assert found == pytest.approx(expected)
        mean = number(drawing, score, "within methods")["rank_correlation"]
        assert mean == pytest.approx(sum(own) / 2)


def test_a_score_that_follows_the_label_bits_is_found_and_the_loss_only_within_methods(drawing):
    assert number(drawing, "alignment", "all runs")["rank_correlation"] < -0.9
    assert number(drawing, "loss", "within methods")["rank_correlation"] == pytest.approx(-1)
    # The losses of these methods lie apart.
    assert number(drawing, "loss", "all runs")["rank_correlation"] > 0
    row = number(drawing, "effective_rank", "all runs")
    assert row["low"] <= row["rank_correlation"] <= row["high"]


def test_runs_without_a_loss_were_not_trained_and_do_not_count(results, drawing):
    assert set(drawing.numbers["method"]) == {"", "simclr", "factorcl-sup"}
    assert not score_columns(results).index.str.contains("raw|untrained").any()


def test_the_first_pair_of_a_run_is_taken(results):
    columns = score_columns(results)
    assert columns["alignment"].max() < 10
    assert list(columns.columns)[:2] == ["loss", "alignment"]


def test_the_rate_is_the_one_nearest_to_twice_the_label_s_bits(results, drawing):
    rows, rate = label_rows_at_rate(results)
    assert rate == 4.0
    assert set(rows["rate_bits"]) == {4.0}
    assert set(drawing.numbers["rate_bits"]) == {4.0}
    few = results.captured[results.captured["rate_bits"] != 4.0]
    assert label_rows_at_rate(dataclasses.replace(results, captured=few))[1] == 2.0


def test_one_seed_has_no_interval():
    runs = [scored(run) for run in records(ratios=RATIOS, methods=METHODS, seeds=(3,))]
    drawing = drawn(as_results(runs))
    row = number(drawing, "alignment", "one method", "simclr")
    assert -1 <= row["rank_correlation"] <= 1
    assert math.isnan(row["low"])
    assert "1 seed, no interval" in drawing.markdown
    assert "[" not in drawing.markdown


def test_a_score_that_a_method_lacks_leaves_its_cell_empty(results):
    scores = results.scores
    lost = (scores["method"] == "simclr") & (scores["score"] == "alignment")
    drawing = drawn(dataclasses.replace(results, scores=scores[~lost]))
    line = next(text for text in drawing.markdown.splitlines() if text.startswith("| alignment"))
    *_, factorcl, simclr, _ = line.split("|")
    assert simclr.strip() == ""
    assert factorcl.strip() != ""
    found = number(drawing, "alignment", "within methods")["rank_correlation"]
    expected = number(drawing, "alignment", "one method", "factorcl-sup")["rank_correlation"]
    assert found == expected


@pytest.mark.parametrize("lost", ["scores", "captured"])
def test_results_without_scores_or_rates_are_not_drawn(results, lost):
    plain = as_results(records(ratios=RATIOS, methods=METHODS))
    without = dataclasses.replace(results, **{lost: getattr(plain, lost)})
    if lost == "scores":
        without = dataclasses.replace(without, scores=results.scores[:0])
    with pytest.raises(NothingToDraw, match=r"results: expected rows of .*, got none") as error:
        drawn(without)
    assert "\n" not in str(error.value)


def test_too_few_runs_are_not_drawn():
    few = [scored(record("simclr", ratio, 0)) for ratio in (0.0, 0.5)]
    with pytest.raises(NothingToDraw, match="expected runs that differ, got 2 alike"):
        drawn(as_results(few))


def test_the_figure_its_numbers_and_its_table_are_written(results, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "FIGURES", {"label_free": FIGURES["label_free"]})
    names = {path.name for path in draw_figures(results, tmp_path, formats=("svg",))}
    assert names == {"label_free.svg", "label_free.csv", "label_free.md"}


def test_no_text_is_cut_off(drawing):
    with house_style():
        figure = drawing.figure
        figure.draw_without_rendering()
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert box.x0 >= figure.bbox.x0 - 1
        assert box.x1 <= figure.bbox.x1 + 1
        assert box.y0 >= figure.bbox.y0 - 1
    (legend,) = figure.legends
    assert (
        legend.get_title().get_text().startswith("Spearman's rank correlation with label bits at")
    )
