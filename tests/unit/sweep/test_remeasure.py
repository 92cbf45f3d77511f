"""A sweep measured again from the encoders that it kept: equal rows, nothing trained."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import unordered
from tiny_sweeps import tiny_sweep, tiny_units

import fctestbed.sweep.execute as execute_module
import fctestbed.sweep.resources as resources_module
from fctestbed import load_encoder
from fctestbed.results import (
    ENCODERS,
    STORE_NAME,
    ResultsStore,
    StoreRefused,
    encoder_path,
    load_results,
)
from fctestbed.sweep import measure_sweep, run_sweep
from fctestbed.sweep.driver import Silent
from fctestbed.sweep.execute import execute
from fctestbed.synthesis import make_dataset
from fctestbed.training import TrainingSpec, train_stack

METHODS = ["simclr", "supcon", "factorcl-sup", "ourcl-sup", "raw"]
FEWER = {"measurement": {"n_fit": 100}}


def go(spec, out, **how):
    return run_sweep(spec, out, device="cpu", workers=1, **how)


def again(directory, out, values=None, **how):
    return measure_sweep(directory, values, out=out, device="cpu", workers=1, **how)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A finished sweep; tests that change it copy it first."""
    out = tmp_path_factory.mktemp("swept") / "rows"
    outcome = go(tiny_sweep(methods=METHODS), out)
    assert outcome.n_new == 10
    return out


@pytest.fixture
def copied(swept, tmp_path):
    return shutil.copytree(swept, tmp_path / "copied")


@pytest.fixture(autouse=True)
def _nothing_is_trained(swept, monkeypatch):
    """A test that trains sets it back."""
    monkeypatch.setattr(execute_module, "train_stack", None)


def files(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def keys(directory):
    return sorted(path.stem for path in (directory / ENCODERS).iterdir())


def test_each_training_has_one_file_which_its_runs_share(swept):
    runs = load_results(swept).runs
    named = [json.loads(text)["encoder"] for text in runs["diagnostics"]]
    assert sorted(set(named)) == keys(swept)
    # SimCLR and raw do not depend on the label; FactorCL and OurCL share theirs.
    assert len(set(named)) == 1 + 2 + 2 + 1
    trainings = [TrainingSpec.model_validate(json.loads(text)["training"]) for text in runs["spec"]]
    assert [training.key for training in trainings] == named


def test_equal_settings_give_equal_rows_without_a_training(swept, tmp_path):
    before = files(swept)
    outcome = again(swept, tmp_path / "new")
    assert (outcome.n_new, outcome.n_failed, outcome.n_left_out) == (10, 0, 0)
    old, new = load_results(swept), load_results(tmp_path / "new")
    pd.testing.assert_frame_equal(new.captured, old.captured, check_exact=True)
    pd.testing.assert_frame_equal(new.accuracy, old.accuracy, check_exact=True)
    pd.testing.assert_frame_equal(new.scores, old.scores, check_exact=True)
    assert len(new.scores) > 0
    for column in ("run_id", "spec", "truth", "warnings", "status"):
        assert new.runs[column].tolist() == old.runs[column].tolist()
    losses = [[json.loads(d)["losses_nats"] for d in r.runs["diagnostics"]] for r in (old, new)]
    assert losses[0] == losses[1]
    assert files(swept) == before
    assert not (tmp_path / "new" / ENCODERS).exists()


def test_workers_measure_the_same_rows_in_any_order(swept, tmp_path, monkeypatch):
    monkeypatch.setattr(resources_module, "WorkerProcesses", unordered.WorkerProcesses)
    measure_sweep(swept, out=tmp_path / "new", device="cpu", workers=2, max_stack=1)
    for table in ("captured", "accuracy", "scores"):
        old, new = (getattr(load_results(place), table) for place in (swept, tmp_path / "new"))
        pd.testing.assert_frame_equal(new, old, check_exact=True)


def test_other_settings_give_the_rows_of_a_sweep_with_these(swept, tmp_path, monkeypatch):
    outcome = again(swept, tmp_path / "measured", FEWER)
    assert outcome.n_new == 10
    monkeypatch.undo()
    go(tiny_sweep(methods=METHODS, **FEWER), tmp_path / "trained")
    found, expected = load_results(tmp_path / "measured"), load_results(tmp_path / "trained")
    pd.testing.assert_frame_equal(found.captured, expected.captured, check_exact=True)
    assert not set(found.runs["run_id"]) & set(load_results(swept).runs["run_id"])
    assert json.loads(found.runs["spec"][0])["measurement"]["n_fit"] == 100


def test_provenance_says_which_store_and_training_a_run_was_measured_from(swept, tmp_path):
    again(swept, tmp_path / "new")
    old = load_results(swept).runs.set_index("run_id")["provenance"].map(json.loads)
    for run_id, text in (
        load_results(tmp_path / "new").runs.set_index("run_id")["provenance"].items()
    ):
        origin = json.loads(text)["measured_from"]
        assert origin["store"] == str(swept)
        assert origin["encoder"] in keys(swept)
        trained_on = {key: origin["provenance"][key] for key in ("torch", "threads", "fctestbed")}
        assert trained_on.items() <= old[run_id].items()


def test_a_measurement_that_was_interrupted_goes_on(swept, tmp_path):
    class Interrupted(Silent):
        def begin(self, plan, executor):
            pass

        def progress(self, progress):
            pass

        def committed(self, unit, records):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        again(swept, tmp_path / "new", display=Interrupted())
    done = len(load_results(tmp_path / "new").runs)
    assert 0 < done < 10
    assert again(swept, tmp_path / "new").n_new == 10 - done
    new, old = (load_results(place).captured for place in (tmp_path / "new", swept))
    pd.testing.assert_frame_equal(new, old, check_exact=True)


def test_axes_of_the_sweep_stay_and_are_not_set_as_well(tmp_path, monkeypatch):
    monkeypatch.undo()
    go(tiny_sweep(axes={"measurement.ridge": [1e-4, 0.1]}), tmp_path / "rows")
    again(tmp_path / "rows", tmp_path / "new", FEWER)
    new = load_results(tmp_path / "new")
    assert new.axes == ("measurement.ridge",)
    assert set(new.runs["measurement.ridge"]) == {1e-4, 0.1}
    with pytest.raises(ValueError, match=r"measurement.ridge: expected a field that is no axis"):
        again(tmp_path / "rows", tmp_path / "more", {"measurement": {"ridge": 1.0}})


def test_rows_along_training_stay_with_equal_settings_and_cannot_be_made_anew(
    tmp_path, monkeypatch
):
    monkeypatch.undo()
    spec = tiny_sweep(methods=["simclr", "supcon"], measurement={"along": 3, "channel": {}})
    go(spec, tmp_path / "rows")
    monkeypatch.setattr(execute_module, "train_stack", None)
    again(tmp_path / "rows", tmp_path / "equal")
    old, new = (load_results(tmp_path / name) for name in ("rows", "equal"))
    assert set(old.along["step"]) == {1, 3, 10}
    pd.testing.assert_frame_equal(new.along, old.along, check_exact=True)
    again(tmp_path / "rows", tmp_path / "fewer", FEWER)
    other = load_results(tmp_path / "fewer")
    assert other.along.empty
    assert "along" not in json.loads(other.runs["spec"][0])["measurement"]
    refused(
        ValueError,
        r"measurement\.along: expected none with other settings .*, got 2$",
        tmp_path / "rows",
        tmp_path / "more",
        {"measurement": {"along": 2}},
    )


def test_a_diverged_run_stays_diverged_with_its_losses(tmp_path, monkeypatch):
    def train(specs, datasets, **how):
        trained = train_stack(specs, datasets, **how)
        trained.diverged[0] = "too steep"
        return trained

    monkeypatch.setattr(execute_module, "train_stack", train)
    outcome = go(tiny_sweep(methods=["supcon"]), tmp_path / "rows")
    assert outcome.n_diverged == 1
    assert len(keys(tmp_path / "rows")) == 1
    monkeypatch.setattr(execute_module, "train_stack", None)
    outcome = again(tmp_path / "rows", tmp_path / "new")
    assert (outcome.n_new, outcome.n_diverged, outcome.n_left_out) == (2, 1, 0)
    old, new = (load_results(tmp_path / place) for place in ("rows", "new"))
    assert new.runs["reason"].tolist() == old.runs["reason"].tolist() == ["too steep", ""]
    pd.testing.assert_frame_equal(new.captured, old.captured, check_exact=True)


def test_runs_without_encoders_are_left_out_and_named(copied, tmp_path):
    gone = keys(copied)[0]
    encoder_path(copied, gone).unlink()
    runs = load_results(copied).runs
    left_out = [
        run_id
        for run_id, text in zip(runs["run_id"], runs["diagnostics"], strict=True)
        if json.loads(text)["encoder"] == gone
    ]
    outcome = again(copied, tmp_path / "new")
    assert (outcome.n_new, outcome.n_left_out) == (10 - len(left_out), len(left_out))
    (note,) = outcome.notes
    assert note.startswith(
        f"{len(left_out)} runs left out, whose encoders are not in {copied / ENCODERS}: "
    )
    assert all(run_id in note for run_id in left_out)
    assert not set(load_results(tmp_path / "new").runs["run_id"]) & set(left_out)


def test_a_sweep_goes_on_without_encoders_and_with_them_the_rows_are_the_same(
    tmp_path, monkeypatch
):
    monkeypatch.undo()
    spec = tiny_sweep(methods=["simclr", "supcon"])

    class Interrupted(KeyboardInterrupt):
        pass

    class Display(Silent):
        def begin(self, plan, executor):
            pass

        def progress(self, progress):
            pass

        def committed(self, unit, records):
            raise Interrupted

    with pytest.raises(Interrupted):
        go(spec, tmp_path / "rows", keep_encoders=False, display=Display())
    assert not (tmp_path / "rows" / ENCODERS).exists()
    first = set(load_results(tmp_path / "rows").runs["run_id"])
    go(spec, tmp_path / "rows")
    go(spec, tmp_path / "other")
    both = [load_results(tmp_path / name).captured for name in ("rows", "other")]
    pd.testing.assert_frame_equal(*both, check_exact=True)
    outcome = again(tmp_path / "rows", tmp_path / "new")
    assert (outcome.n_new, outcome.n_left_out) == (4 - len(first), len(first))


def refused(kind, match, directory, out, values=None, **how):
    """The line of a refusal, after which nothing was written."""
    before = files(directory.parent)
    with pytest.raises(kind, match=match) as error:
        again(directory, out, values, **how)
    assert files(directory.parent) == before
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"train": {"steps": 5}}, "train: expected settings of the measurement alone, such as"),
        ({"measurement": {"nothing": 1}}, r"measurement\.nothing: "),
        ({"measurement": {"n_fit": -1}}, r"measurement\.n_fit: "),
        ({"measurement": 3}, r"measurement: "),
        ([1], "expected settings of the measurement alone"),
        ({1: 2}, "expected settings of the measurement alone"),
    ],
)
def test_values_that_are_no_measurement_are_refused(copied, tmp_path, values, match):
    refused(ValueError, match, copied, tmp_path / "new", values)


def test_the_sweep_s_own_directory_is_refused_as_the_new_one(copied):
    refused(ValueError, "out: expected another directory than the sweep's", copied, copied)
    refused(ValueError, "out: expected another", copied, copied / ".." / copied.name)


def test_a_directory_without_a_sweep_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    match = f"directory: expected a sweep's directory, with its {STORE_NAME}, got"
    refused(ValueError, match, tmp_path / "empty", tmp_path / "new")


def test_a_sweep_without_encoders_is_refused(copied, tmp_path):
    shutil.rmtree(copied / ENCODERS)
    match = r"directory: expected kept encoders in .*, got none: the sweep was made with --no-enc"
    refused(ValueError, match, copied, tmp_path / "new")


def test_a_store_that_was_measured_itself_is_refused_with_its_source(swept, copied, tmp_path):
    again(copied, tmp_path / "new")
    match = f"which was itself measured from {copied}"
    refused(ValueError, match, tmp_path / "new", tmp_path / "newer")


def test_a_store_of_other_settings_or_of_a_sweep_is_refused(copied, tmp_path):
    again(copied, tmp_path / "new")
    refused(StoreRefused, "holds another sweep: measurement.n_fit", copied, tmp_path / "new", FEWER)
    other = shutil.copytree(copied, tmp_path / "other")
    refused(StoreRefused, "holds another sweep: measured_from: stored nothing", copied, other)


@pytest.mark.parametrize("damage", ["cut", "swapped", "not one"])
def test_a_damaged_encoder_file_is_refused(copied, tmp_path, damage):
    first, second = (encoder_path(copied, key) for key in keys(copied)[:2])
    content = {
        "cut": second.read_bytes()[:-1],
        "swapped": first.read_bytes(),
        "not one": b"nothing of the kind",
    }
    second.write_bytes(content[damage])
    refused(StoreRefused, f"^{second}: expected .* sets damaged", copied, tmp_path / "new")


def test_a_file_damaged_after_the_plan_was_made_fails_its_runs_alone(copied, tmp_path):
    victim = encoder_path(copied, keys(copied)[0])

    class Damaging(Silent):
        def begin(self, plan, executor):
            victim.write_bytes(b"nothing")

        def progress(self, progress):
            pass

        def committed(self, unit, records):
            pass

    content = victim.read_bytes()
    outcome = again(copied, tmp_path / "new", display=Damaging())
    assert 1 <= outcome.n_failed <= 2
    assert all(str(victim) in problem for problem in outcome.problems)
    victim.write_bytes(content)
    assert again(copied, tmp_path / "new").n_new == outcome.n_failed


def test_a_store_with_a_file_in_place_of_the_encoders_is_refused_before_a_training(tmp_path):
    out = tmp_path / "rows"
    out.mkdir()
    (out / ENCODERS).write_text("mine")
    with pytest.raises(StoreRefused, match="expected a directory for encoders, got a file"):
        go(tiny_sweep(), out)
    assert [path.name for path in out.iterdir()] == [ENCODERS]


def test_encoders_are_written_before_their_rows(tmp_path, monkeypatch):
    monkeypatch.undo()
    seen = []
    commit = ResultsStore.commit

    def watched(self, records):
        named = {record.diagnostics["encoder"] for record in records}
        seen.append(named <= set(keys(tmp_path)))
        return commit(self, records)

    monkeypatch.setattr(ResultsStore, "commit", watched)
    go(tiny_sweep(methods=METHODS), tmp_path)
    assert seen == [True] * len(seen)
    assert len(seen) > 1


def test_halves_of_a_stack_that_failed_keep_their_encoders(monkeypatch):
    def train(specs, datasets, **how):
        if len(specs) > 1:
            raise MemoryError
        return train_stack(specs, datasets, **how)

    monkeypatch.setattr(execute_module, "train_stack", train)
    (unit,) = tiny_units(methods=["supcon"], seeds=[0, 1], unique_ratio=[0.5])
    result = execute(unit, device="cpu")
    assert set(result.encoders) == {job.training.key for job in unit.jobs}
    assert execute(replace(unit, keeps_encoders=False), device="cpu").encoders == {}


def run_of(directory, method):
    runs = load_results(directory).runs
    return runs[runs["method"] == method].iloc[0]


@pytest.mark.parametrize("method", ["supcon", "factorcl-sup", "ourcl-sup", "raw"])
def test_an_encoder_gives_the_readouts_that_were_measured(swept, method):
    run = run_of(swept, method)
    training = TrainingSpec.model_validate(json.loads(run["spec"])["training"])
    dataset = make_dataset(training.world, training.seed)
    trained = train_stack([training], [dataset])
    found = load_encoder(swept, run["run_id"])(dataset.test.x1, dataset.test.x2)
    inputs = (torch.from_numpy(x.copy()).unsqueeze(0) for x in (dataset.test.x1, dataset.test.x2))
    expected = trained.readouts(*inputs)
    assert {*expected, "joint"} == set(found)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values[0].numpy(), rtol=1e-4, atol=1e-5)


def test_an_encoder_that_is_not_there_is_one_line(copied, tmp_path):
    run_id = run_of(copied, "supcon")["run_id"]
    with pytest.raises(ValueError, match=r"run_id: expected a run of .*, got 'nothing'"):
        load_encoder(copied, "nothing")
    with pytest.raises(ValueError, match="device: expected a torch device that is there, got 'no'"):
        load_encoder(copied, run_id, device="no")
    again(copied, tmp_path / "new")
    with pytest.raises(ValueError, match=f"whose encoders were kept, got {run_id}: none were"):
        load_encoder(tmp_path / "new", run_id)
    key = json.loads(run_of(copied, "supcon")["diagnostics"])["encoder"]
    other = next(name for name in keys(copied) if name != key)
    shutil.copy(encoder_path(copied, other), encoder_path(copied, key))
    with pytest.raises(StoreRefused, match=f"expected the encoders of training {key[:16]}, got"):
        load_encoder(copied, run_id)
    encoder_path(copied, key).unlink()
    with pytest.raises(
        ValueError, match=rf"run_id: expected the encoders of {run_id} in .*, got no"
    ):
        load_encoder(copied, run_id)
