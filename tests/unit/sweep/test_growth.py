import json

import pytest
from synthetic_results import record
from tiny_sweeps import TINY

import fctestbed.sweep.execute as execute_module
from fctestbed.results import STORE_NAME, ResultsStore, StoreRefused, load_results
from fctestbed.sweep import merge, run_sweep, sweep_digest, sweep_spec
from fctestbed.sweep.growth import grown_sweep
from fctestbed.training import train_stack

QUIET = {"methods": ["simclr", "raw"], "measurement": {"rate": False, "scores": False}}


def swept(**values):
    base = {key: value for key, value in TINY.items() if key != "train"}
    train = {"batch_size": 64, **values.pop("train", {})}
    if "train.steps" not in values.get("axes", {}) or values.get("one_at_a_time"):
        train = {"steps": 10, **train}
    return sweep_spec(merge(merge(base, QUIET), {**values, "train": train}))


def go(spec, out):
    return run_sweep(spec, out, device="cpu", workers=1, keep_encoders=False)


def both_of(stored, asked):
    kept = json.loads(json.dumps(sweep_digest(stored)[0]))
    return grown_sweep(kept, asked, sweep_digest(asked)[0])


GROWING = {
    "seeds": {"seeds": [0, 1]},
    "ratios": {"unique_ratio": [0.0, 0.5, 1.0]},
    "methods": {"methods": ["simclr", "raw", "untrained"]},
    "a new axis": {"axes": {"train.steps": [10, 5]}},
    "an axis of the world": {"axes": {"world.observation.noise": [0.0, 0.5]}},
    "a variant": {"variants": {"paper": {}, "warm": {"settings": {"simclr": {"temperature": 1}}}}},
}


@pytest.mark.parametrize("more", GROWING.values(), ids=GROWING)
def test_a_sweep_grows_without_doing_a_run_twice_and_is_then_the_larger_one(tmp_path, more):
    small, large = swept(), swept(**more)
    done = go(small, tmp_path)
    grown = go(large, tmp_path)
    assert grown.n_new == len(large.runs()) - done.n_runs
    (note,) = grown.notes
    assert note.startswith("the sweep grows by ")
    results = load_results(tmp_path)
    assert set(results.runs["run_id"]) == {run.run_id for run in large.runs()}
    assert results.axes == tuple(large.axes)
    before = (tmp_path / STORE_NAME).read_bytes()
    again = go(large, tmp_path)
    assert (again.n_new, again.notes) == (0, ())
    # The smaller sweep is in there.
    once_more = go(small, tmp_path)
    assert (once_more.n_new, once_more.notes) == (0, ())
    assert (tmp_path / STORE_NAME).read_bytes() == before


def test_values_of_an_axis_grow(tmp_path):
    go(swept(axes={"measurement.ridge": [0.1]}), tmp_path)
    grown = go(swept(axes={"measurement.ridge": [0.2, 0.1]}), tmp_path)
    assert grown.notes == ("the sweep grows by axes.measurement.ridge 0.2",)
    runs = load_results(tmp_path).runs
    assert sorted(set(runs["measurement.ridge"])) == [0.1, 0.2]
    assert len(runs) == 8


def test_axes_that_vary_one_at_a_time_grow():
    small = swept(axes={"train.steps": [5]}, one_at_a_time=True)
    large = swept(axes={"train.steps": [5, 7], "nets.embed_dim": [2]}, one_at_a_time=True)
    both = both_of(small, large)
    assert both.axes == {"train.steps": (5, 7), "nets.embed_dim": (2,)}
    assert both.grid.runs.keys() == large.grid.runs.keys()
    assert both_of(swept(), large).grid.runs.keys() == large.grid.runs.keys()


def test_a_part_of_the_grid_that_nobody_asked_for_is_named_and_left_out(tmp_path):
    go(swept(), tmp_path)
    outcome = go(swept(methods=["untrained"], seeds=[1]), tmp_path)
    assert (outcome.n_runs, outcome.n_new) == (2, 2)
    assert outcome.notes[0] == "the sweep grows by methods untrained; seeds 1"
    assert outcome.notes[1] == (
        "6 runs of the directory's grid were not asked for and are not done (simclr, raw, "
        "untrained): ask for all of its methods, ratios and seeds to do them"
    )
    whole = go(swept(methods=["simclr", "raw", "untrained"], seeds=[0, 1]), tmp_path)
    assert (whole.n_new, whole.notes) == (6, ())


def test_a_grown_sweep_that_is_interrupted_goes_on(tmp_path, monkeypatch):
    go(swept(), tmp_path)

    def interrupted(*arguments, **how):
        raise KeyboardInterrupt

    larger = swept(seeds=[0, 1])
    monkeypatch.setattr(execute_module, "train_stack", interrupted)
    with pytest.raises(KeyboardInterrupt):
        go(larger, tmp_path)
    assert load_results(tmp_path).sweep_spec["seeds"] == [0, 1]
    monkeypatch.setattr(execute_module, "train_stack", train_stack)
    assert go(larger, tmp_path).n_new == 4


SETTING = {"simclr": {"temperature": 0.3}}
INCOMPARABLE = {
    "steps": ({}, {"train": {"steps": 9}}, r"train\.steps: stored 10, asked 9$"),
    "world": ({}, {"world": {"n_test": 120}}, r"world\.n_test: stored 128, asked 120$"),
    "a method's settings": (
        {},
        {"settings": SETTING},
        r"settings\.simclr\.temperature: stored nothing, asked 0\.3$",
    ),
    "an axis without the stored value": (
        {},
        {"axes": {"train.steps": [5, 7]}},
        r"axes\.train\.steps: stored 10, asked 5, 7$",
    ),
    "an axis that is not asked for": (
        {"axes": {"train.steps": [5, 7]}},
        {},
        r"axes\.train\.steps: stored 5, 7, asked 10$",
    ),
    "a variant": (
        {"variants": {"mine": {"settings": SETTING}, "paper": {}}},
        {"variants": {"mine": {}, "paper": {"methods": ["raw"]}}},
        r"variants\.(mine|paper)",
    ),
    "how axes vary": (
        {"axes": {"train.warmup": [5]}},
        {"axes": {"train.warmup": [5]}, "one_at_a_time": True},
        r"one_at_a_time: stored nothing, asked True",
    ),
}


@pytest.mark.parametrize(("small", "other", "line"), INCOMPARABLE.values(), ids=INCOMPARABLE)
def test_what_makes_runs_incomparable_is_named(small, other, line):
    with pytest.raises(ValueError, match=line):
        both_of(swept(**small), swept(**{"seeds": [0, 1], **other}))


def test_settings_of_methods_that_only_one_of_the_sweeps_has_do_not_hinder():
    asked = swept(methods=["raw", "supcon"], settings={**SETTING, "supcon": {"temperature": 0.7}})
    both = both_of(swept(), asked)
    assert both.settings["supcon"] == {"temperature": 0.7}
    assert "simclr" not in both.settings
    assert asked.grid.runs.keys() < both.grid.runs.keys()


def test_another_version_is_refused_by_name():
    content = json.loads(json.dumps(sweep_digest(swept())[0]))
    asked = swept(seeds=[0, 1])
    with pytest.raises(ValueError, match=r"^fctestbed: stored '0\.0\.1', asked '"):
        grown_sweep({**content, "fctestbed": "0.0.1"}, asked, sweep_digest(asked)[0])


def test_another_sweep_s_directory_is_refused_and_nothing_is_written(tmp_path):
    go(swept(), tmp_path)
    before = (tmp_path / STORE_NAME).read_bytes()
    with pytest.raises(
        StoreRefused, match=r"holds another sweep: train\.steps: stored 10, asked 9$"
    ):
        go(swept(train={"steps": 9}), tmp_path)
    assert (tmp_path / STORE_NAME).read_bytes() == before


def test_runs_that_this_version_does_not_make_are_not_mixed_with_its_own(tmp_path):
    content, name = sweep_digest(swept())
    with ResultsStore.create_or_open(tmp_path, content, name) as store:
        store.commit([record("raw", 0.0, 0)])
    with pytest.raises(StoreRefused, match="1 of its 1 runs are none of this version's"):
        go(swept(seeds=[0, 1]), tmp_path)
