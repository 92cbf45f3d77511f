"""Two sweeps compared: with itself, and with one of another learning rate, against SciPy."""

import numpy as np
import pytest
from scipy import stats
from synthetic_results import RATES, as_results, records
from tiny_sweeps import tiny_sweep

import fctestbed
from fctestbed.claims import compare, holm
from fctestbed.results import load_results
from fctestbed.sweep import run_sweep

SEEDS = [0, 1, 2, 3]
MEASUREMENT = {"rate": {"rates": [4.0]}, "scores": False}


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory):
    """A tiny sweep, and the same with a learning rate of 50 times."""
    found = []
    for rate in (0.002, 0.1):
        out = tmp_path_factory.mktemp("sweep")
        train = {"learning_rate": rate}
        spec = tiny_sweep(seeds=SEEDS, train=train, measurement=MEASUREMENT)
        run_sweep(spec, out, device="cpu", workers=1, keep_encoders=False)
        found.append(load_results(out))
    return found


def label_rows(results, method, ratio):
    rows = results.captured
    rows = rows[(rows["method"] == method) & (rows["unique_ratio"] == ratio)]
    rows = rows[(rows["quantity"] == "label") & (rows["readout"] == "joint")]
    return rows[rows["estimator"] == "rate"].sort_values("seed")["value_bits"].to_numpy()


@pytest.mark.parametrize("effect", [None, 0.01])
def test_a_sweep_does_not_differ_from_itself(sweeps, effect):
    found = compare(sweeps[0], sweeps[0], smallest_effect_bits=effect)
    assert found.summary == "4 cells: nothing differs, 4 are equal"
    assert found.notes == ()
    assert (found.cells["difference_bits"] == 0).all()
    assert (found.cells["p_value"] == 1).all()


def test_another_learning_rate_differs_as_the_paired_t_test_says(sweeps):
    found = compare(*sweeps)
    by_hand = []
    for cell in found.cells.to_dict(orient="records"):
        a, b = (label_rows(one, cell["method"], cell["unique_ratio"]) for one in sweeps)
        assert cell["difference_bits"] == pytest.approx((b - a).mean())
        assert (cell["a_bits"], cell["b_bits"]) == pytest.approx((a.mean(), b.mean()))
        if cell["method"] == "raw":
            by_hand.append(1.0)
            continue
        test = stats.ttest_rel(b, a)
        interval = test.confidence_interval(1 - 0.05 / len(found.cells))
        assert cell["p_value"] == pytest.approx(test.pvalue, abs=1e-6)
        assert (cell["low_bits"], cell["high_bits"]) == pytest.approx(
            (interval.low, interval.high), abs=1e-6
        )
        by_hand.append(test.pvalue)
    assert found.cells["p_holm"].to_numpy() == pytest.approx(holm(np.array(by_hand)), abs=1e-6)
    assert ((found.cells["says"] == "differs") == (found.cells["p_holm"] <= 0.05)).all()
    assert found.notes == ("the sweeps differ in train.learning_rate: A 0.002, B 0.1",)


def test_what_differs_and_what_is_equal_is_found():
    results = as_results(records((0.0, 1.0), ("simclr", "raw"), (0, 1, 2, 3), rates=RATES))
    rng = np.random.default_rng(0)
    rows = results.captured.copy()
    rows["value_bits"] += 0.001 * rng.standard_normal(len(rows))
    rows.loc[rows["method"] == "raw", "value_bits"] += 0.5
    changed = as_results(records((0.0, 1.0), ("simclr", "raw"), (0, 1, 2, 3), rates=RATES))
    object.__setattr__(changed, "captured", rows)
    found = fctestbed.compare(results, changed, smallest_effect_bits=0.1)
    says = found.cells.groupby("method")["says"].unique()
    assert list(says["raw"]) == ["differs"]
    assert list(says["simclr"]) == ["equal"]
    assert found.summary == "4 cells: 2 differ, 2 are equal"


def test_cells_are_chosen_and_what_is_in_one_sweep_alone_is_said():
    a = as_results(records((0.0, 0.5), ("simclr", "raw"), (0, 1), rates=RATES))
    b = as_results(records((0.5, 1.0), ("supcon", "raw"), (1, 2), rates=RATES))
    found = compare(a, b, quantities=("label", "shared"), rates=(4.0, 8.0))
    cells = found.cells
    assert len(cells) == 4
    assert set(cells["method"]) == {"raw"}
    assert set(cells["rate_bits"]) == {4.0, 8.0}
    assert (cells["n_seeds"] == 1).all()
    assert (cells["says"] == "open").all()
    assert np.isinf(cells["low_bits"]).all()
    assert found.notes == (
        "not compared, method in A alone: simclr",
        "not compared, method in B alone: supcon",
        "not compared, unique_ratio in A alone: 0",
        "not compared, unique_ratio in B alone: 1",
        "not compared, seed in A alone: 0",
        "not compared, seed in B alone: 2",
        "1 seed in common: with more in both sweeps (--seeds 0:4) intervals are narrower",
    )
    probe = compare(a, b, estimator="linear_probe").cells
    assert probe["rate_bits"].isna().all()


def test_unfinished_runs_are_named():
    runs = records((0.0,), ("raw", "simclr"), (0, 1), rates=RATES, unfinished={("simclr", 0.0, 1)})
    found = compare(as_results(runs), as_results(runs))
    assert found.notes == (
        "not compared, 1 unfinished run of A",
        "not compared, 1 unfinished run of B",
        "2 seeds in common: with more in both sweeps (--seeds 0:4) intervals are narrower",
    )
    assert sorted(found.cells["n_seeds"]) == [1, 2]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"methods": ["supcon"]}, "methods: expected some of raw, simclr, got 'supcon'"),
        ({"quantities": ["labels"]}, "quantities: expected some of label, .*, got 'labels'"),
        ({"readouts": ["z9"]}, "readouts: expected some of .*, got 'z9'"),
        ({"estimator": "none"}, "estimator: expected one of linear_probe, rate, got 'none'"),
        ({"rates": [5.0]}, "rates: expected one of 2, 4, 8, 16, 32, got 5"),
        ({"smallest_effect_bits": 0}, "smallest_effect_bits: expected a finite number of bits abo"),
    ],
)
def test_what_cannot_be_compared_is_refused(how, message):
    results = as_results(records((0.0,), ("simclr", "raw"), (0, 1), rates=RATES))
    with pytest.raises(ValueError, match=message):
        compare(results, results, **how)


def test_sweeps_without_a_common_cell_or_rows_are_refused(sweeps):
    a = as_results(records((0.0,), ("simclr",), (0,), rates=RATES))
    b = as_results(records((1.0,), ("simclr",), (0,), rates=RATES))
    without = as_results(records((0.0,), ("simclr",), (0,)))
    with pytest.raises(ValueError, match="b: expected a cell and seed that a has too"):
        compare(a, b)
    with pytest.raises(ValueError, match="b: expected rows read at R = 4 bits, got none"):
        compare(a, without)
    with pytest.raises(ValueError, match="a: expected what load_results returns, got str"):
        compare("sweeps/quick", b)
    other = as_results(records((0.0,), ("simclr",), (0,), rates=RATES))
    object.__setattr__(other, "axes", ("train.steps",))
    with pytest.raises(ValueError, match=r"b: expected the axes of a, none, got train.steps"):
        compare(a, other)
