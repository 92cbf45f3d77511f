"""A sweep in one call, and figures of its results."""

import re

import pandas as pd
import pytest

from fctestbed import FIGURES, load_results, sweep_results
from fctestbed.interactive import SweepBar, SweepResults
from fctestbed.results import StoreRefused, load_results as load_tables

TINY = {
    "train.steps": 4,
    "train.batch_size": 32,
    "nets.encoder_hidden": [8],
    "measurement.rate.max_draws": 256,
    "measurement.scores": {"n_samples": 32, "n_uniformity": 16},
}
WORLD = {"shared": 2, "unique": 2, "n_train": 64, "n_test": 64}


def tiny(ratios="0:1:0.5", out=None, **changes):
    given = {"methods": "simclr,raw", "seeds": "0:1", "values": TINY, "workers": 1, **WORLD}
    return sweep_results(ratios, out=out, progress=False, **{**given, **changes})


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    out = tmp_path_factory.mktemp("sweeps") / "store"
    tiny(out=out)
    return out


@pytest.fixture(scope="module")
def results(store):
    return load_results(store)


def test_one_call_gives_the_rows_of_the_whole_grid(results):
    assert isinstance(results, SweepResults)
    runs = results.runs.set_index(["method", "unique_ratio", "seed"])
    assert len(runs) == 2 * 3 * 2
    assert set(runs.index.get_level_values("unique_ratio")) == {0.0, 0.5, 1.0}
    rows = results.captured.query("method == 'simclr' and quantity == 'label' and seed == 1")
    assert len(rows) > 0


def test_the_same_call_continues_its_store_and_another_is_refused(store, results):
    again = tiny(out=store)
    pd.testing.assert_frame_equal(again.captured, results.captured)
    with pytest.raises(StoreRefused):
        tiny(out=store, values={**TINY, "train.steps": 5})


def test_numbers_and_lists_say_the_same_as_texts(results):
    other = tiny([0, 0.5, 1.0], methods=["simclr", "raw"], seeds=[0, 1])
    assert set(other.runs["run_id"]) == set(results.runs["run_id"])
    one = tiny(0.5, methods="raw", seeds=0)
    assert set(one.runs["run_id"]) <= set(results.runs["run_id"])


def test_axes_and_settings_are_dotted_paths():
    rows = tiny(0.5, methods="simclr", seeds=0, axes={"train.learning_rate": [0.001, 0.01]})
    assert sorted(rows.captured["train.learning_rate"].unique()) == [0.001, 0.01]


def test_without_a_place_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tiny(0.5, methods="raw", seeds=0)
    assert list(tmp_path.iterdir()) == []


def test_results_show_their_summary(results):
    summary = results.summary
    assert list(summary.columns[:4]) == ["method", "variant", "unique_ratio", "label_bits"]
    assert len(summary) == 2 * 3
    shown = results._repr_html_()
    assert "12 ok" in shown
    assert shown.count("<tr>") == 1 + len(summary)


def test_a_figure_comes_as_axes_that_can_be_changed(results, tmp_path):
    (axes, *_) = results.plot("label_bits", rate=4)
    assert axes.get_ylabel() == "label bits read at R = 4 bits"
    axes.set_title("mine")
    axes.figure.savefig(tmp_path / "mine.svg")
    assert "mine" in (tmp_path / "mine.svg").read_text()
    assert len(results.plot("rate_curves", curve_ratios=[0.0, 1.0])) == 2


def test_figures_that_cannot_be_are_refused_in_one_line(results):
    with pytest.raises(ValueError, match=re.escape(f"expected one of {', '.join(FIGURES)}, got")):
        results.plot("no-such")
    with pytest.raises(ValueError, match="rate: expected one of 2, 4, 8, 16, 32, got 5"):
        results.plot(rate=5)


def test_results_have_the_rows_of_the_plain_reader(store, results):
    plain = load_tables(store)
    pd.testing.assert_frame_equal(plain.captured, results.captured)
    assert plain.sweep_spec == results.sweep_spec


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"methods": "no-such"}, "no-such"),
        ({"seeds": "0:"}, "seeds: expected"),
        ({"ratios": "0:2:1"}, "unique_ratio: expected"),
        ({"no_such": 1}, "no_such: expected an option of a world"),
        ({"values": {"train.no_such": 1}}, "train.no_such: expected one of"),
        ({"axes": {"no.such": [1]}}, "no.such"),
        ({"preset": "no-such"}, "preset: expected"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_in_one_line(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message) as caught:
        tiny(out=tmp_path / "out", **changes)
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_bar_counts_runs(capsys, tmp_path):
    given = {"methods": "raw", "seeds": 0, "values": TINY, "workers": 1, **WORLD}
    sweep_results(0.5, out=tmp_path / "out", **given)
    assert "1/1" in capsys.readouterr().out
    with SweepBar().shown() as bar:
        assert bar is not None
