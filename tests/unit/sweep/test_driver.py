import sqlite3
from contextlib import closing

import pytest
import torch
from pandas.testing import assert_frame_equal
from tiny_sweeps import TINY, tiny_sweep

import fctestbed.sweep.execute as execute_module
import fctestbed.sweep.resources as resources_module
from fctestbed.results import STORE_NAME, StoreRefused, drop_damaged_runs, load_results
from fctestbed.sweep import describe_plan, make_plan, resolve_device, run_sweep, sweep_spec
from fctestbed.sweep.driver import Silent
from fctestbed.sweep.executors import InProcess, WorkerProcesses
from fctestbed.sweep.resources import (
    Resources,
    default_max_stack,
    default_workers,
    executor_of,
)
from fctestbed.training import train_stack


def go(spec, out, **how):
    return run_sweep(spec, out, device="cpu", workers=1, **how)


class Watcher(Silent):
    def __init__(self):
        self.said = []

    def begin(self, plan, executor):
        self.plan = plan
        self.said.append("begin")

    def progress(self, progress):
        self.said.append(("progress", progress.unit))

    def committed(self, unit, records):
        self.said.append(("committed", unit, len(records)))


def test_a_sweep_is_kept_with_its_specification_and_its_runs(tmp_path):
    spec = tiny_sweep()
    outcome = go(spec, tmp_path / "a" / "b")
    assert (outcome.n_runs, outcome.n_new, outcome.n_diverged, outcome.n_failed) == (4, 4, 0, 0)
    assert outcome.problems == ()
    results = load_results(tmp_path / "a" / "b")
    assert set(results.runs["run_id"]) == {run.run_id for run in spec.runs()}
    assert results.sweep_spec["unique_ratio"] == [0.0, 1.0]
    assert results.sweep_spec["train"]["steps"] == 10
    assert (results.captured["value_bits"] <= results.captured["ceiling_bits"] + 1e-12).all()


def test_the_same_sweep_again_does_nothing(tmp_path, monkeypatch):
    go(tiny_sweep(), tmp_path)
    before = (tmp_path / STORE_NAME).read_bytes()
    monkeypatch.setattr(execute_module, "train_stack", None)
    outcome = go(tiny_sweep(), tmp_path)
    assert (outcome.n_runs, outcome.n_new) == (4, 0)
    assert (tmp_path / STORE_NAME).read_bytes() == before


def test_a_display_hears_of_the_plan_the_progress_and_each_commit(tmp_path):
    watcher = Watcher()
    go(tiny_sweep(), tmp_path, display=watcher)
    assert watcher.said[0] == "begin"
    commits = [said for said in watcher.said if said[0] == "committed"]
    assert commits == [("committed", 0, 2), ("committed", 1, 2)]
    assert ("progress", 0) in watcher.said
    assert watcher.plan.n_runs == 4


def test_an_interrupted_sweep_goes_on_where_it_was(tmp_path):
    class Interrupter(Watcher):
        def committed(self, unit, records):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(tiny_sweep(), tmp_path, display=Interrupter())
    first = load_results(tmp_path)
    assert len(first.runs) == 2
    outcome = go(tiny_sweep(), tmp_path)
    assert (outcome.n_runs, outcome.n_new) == (4, 2)
    again = load_results(tmp_path)
    assert len(again.runs) == again.runs["run_id"].nunique() == 4
    kept = again.captured[again.captured["run_id"].isin(first.runs["run_id"])]
    assert kept["value_bits"].tolist() == first.captured["value_bits"].tolist()


def test_runs_that_failed_are_tried_again_and_those_that_diverged_are_not(tmp_path, monkeypatch):
    tried = []

    def train(specs, datasets, **how):
        tried.append(specs[0].method)
        if specs[0].method == "supcon":
            raise RuntimeError("not today")
        trained = train_stack(specs, datasets, **how)
        if specs[0].method == "simclr":
            trained.diverged[0] = "too steep"
        return trained

    spec = tiny_sweep(methods=["simclr", "supcon", "raw"], unique_ratio=[0.5])
    monkeypatch.setattr(execute_module, "train_stack", train)
    outcome = go(spec, tmp_path)
    assert (outcome.n_new, outcome.n_diverged, outcome.n_failed) == (3, 1, 1)
    assert sorted(outcome.problems) == [
        "simclr at ratio 0.5, seed 0: diverged: too steep",
        "supcon at ratio 0.5, seed 0: failed: RuntimeError: not today",
    ]
    assert load_results(tmp_path).runs["status"].value_counts().to_dict() == {
        "ok": 1,
        "diverged": 1,
        "failed": 1,
    }
    monkeypatch.setattr(execute_module, "train_stack", train_stack)
    tried.clear()
    again = go(spec, tmp_path)
    assert (again.n_new, again.n_diverged, again.n_failed) == (1, 0, 0)
    runs = load_results(tmp_path).runs.set_index("method")["status"].to_dict()
    assert runs == {"simclr": "diverged", "supcon": "ok", "raw": "ok"}


def test_runs_that_several_values_of_an_axis_share_are_done_once(tmp_path):
    base = {**TINY, "train": {"batch_size": 64}}
    spec = sweep_spec({**base, "axes": {"train.steps": [5, 10], "measurement.ridge": [1e-4, 0.1]}})
    outcome = go(spec, tmp_path)
    # raw has no training: two ratios, two measurements.
    assert (outcome.n_runs, outcome.n_new, outcome.n_failed) == (12, 12, 0)
    results = load_results(tmp_path)
    assert results.axes == ("train.steps", "measurement.ridge")
    assert results.runs.groupby("method")["run_id"].agg(["size", "nunique"]).to_dict("index") == {
        "raw": {"size": 8, "nunique": 4},
        "simclr": {"size": 8, "nunique": 8},
    }
    probes = results.captured[results.captured["estimator"] == "linear_probe"]
    values = probes.groupby(["method", "train.steps", "measurement.ridge"])["value_bits"].sum()
    assert values["raw", 5, 0.1] == values["raw", 10, 0.1] != values["raw", 10, 1e-4]
    assert values["simclr", 5, 0.1] != values["simclr", 10, 0.1] != values["simclr", 10, 1e-4]
    assert go(spec, tmp_path).n_new == 0


def test_a_measurement_of_an_axis_has_the_rows_of_a_sweep_of_its_own(tmp_path):
    go(tiny_sweep(axes={"measurement.ridge": [1e-4, 0.1]}), tmp_path / "both")
    go(tiny_sweep(measurement={"ridge": 0.1}), tmp_path / "alone")
    both = load_results(tmp_path / "both").captured
    alone = load_results(tmp_path / "alone").captured
    found = both[both["measurement.ridge"] == 0.1].drop(columns="measurement.ridge")
    assert_frame_equal(found.reset_index(drop=True), alone)


def test_axis_values_are_named_in_the_plan_and_in_what_went_wrong(tmp_path, monkeypatch):
    def fail(*args, **how):
        raise RuntimeError("not today")

    monkeypatch.setattr(execute_module, "train_stack", fail)
    axes = {"world.observation.noise": [0.25], "settings.simclr.temperature": [0.1, 0.5]}
    spec = tiny_sweep(unique_ratio=[0.5], axes=axes)
    lines = describe_plan(spec, tmp_path, device="cpu")
    assert lines[3:5] == [
        "world.observation.noise: 0.25",
        "settings.simclr.temperature: 0.1, 0.5",
    ]
    assert "runs: 3, of which 0 are done" in lines
    noise = "world.observation.noise=0.25"
    reason = "seed 0: failed: RuntimeError: not today"
    assert sorted(go(spec, tmp_path).problems) == [
        f"raw at ratio 0.5, {noise}, {reason}",
        f"simclr at ratio 0.5, {noise}, settings.simclr.temperature=0.1, {reason}",
        f"simclr at ratio 0.5, {noise}, settings.simclr.temperature=0.5, {reason}",
    ]


def test_a_plan_is_told_without_writing_anything(tmp_path):
    out = tmp_path / "none"
    lines = describe_plan(tiny_sweep(), out, device="cpu", workers=2, max_stack=6)
    assert "runs: 4, of which 0 are done" in lines
    assert "trainings left: 2, in 2 stacks of at most 6" in lines
    assert "  simclr: 2 runs, 1 trainings, 1 stacks" in lines
    assert not out.exists()


def test_a_plan_counts_what_is_done(tmp_path):
    go(tiny_sweep(), tmp_path)
    assert "runs: 4, of which 4 are done" in describe_plan(tiny_sweep(), tmp_path, device="cpu")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"device": "tpu"}, "device: expected auto, cpu, cuda or cuda:N, got 'tpu'"),
        ({"device": "cuda:x"}, "device: expected auto, cpu, cuda or cuda:N, got 'cuda:x'"),
        ({"workers": 0}, "workers: expected at least 1, got 0"),
        ({"max_stack": 0}, "max_stack: expected at least 1, got 0"),
        ({"workers": 1.5}, "workers: expected a whole number, got 1.5"),
        ({"workers": True}, "workers: expected a whole number, got True"),
        ({"workers": "2"}, "workers: expected a whole number, got '2'"),
        ({"max_stack": 2.0}, "max_stack: expected a whole number, got 2.0"),
        ({"device": None}, "device: expected auto, cpu, cuda or cuda:N, got None"),
    ],
)
@pytest.mark.parametrize("how", [run_sweep, describe_plan])
def test_devices_and_numbers_that_cannot_be_are_refused_before_anything_is_written(
    tmp_path, how, values, message
):
    with pytest.raises(ValueError, match="expected") as refused:
        how(tiny_sweep(), tmp_path / "none", **values)
    assert str(refused.value) == message
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("how", [run_sweep, describe_plan])
@pytest.mark.parametrize(
    "values",
    [{"train": {"precision": "bf16"}}, {"axes": {"train.precision": ["float32", "bf16"]}}],
    ids=["a value", "an axis"],
)
def test_a_precision_that_the_device_cannot_do_is_refused_before_anything_is_written(
    tmp_path, how, values
):
    with pytest.raises(ValueError, match="expected") as refused:
        how(tiny_sweep(**values), tmp_path / "none", device="cpu")
    assert str(refused.value) == "train.precision: expected float32 on cpu, got 'bf16'"
    assert not (tmp_path / "none").exists()


def test_cuda_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert resolve_device("cuda:0") == "cuda:0"
    message = r"device: expected a CUDA device that is there \(1 found\), got 'cuda:1'"
    with pytest.raises(ValueError, match=message):
        resolve_device("cuda:1")


def test_auto_is_a_cuda_device_where_there_is_one(monkeypatch):
    for there, name in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert resolve_device("auto") == name


def test_a_gpu_has_one_worker_and_larger_stacks(monkeypatch):
    monkeypatch.setattr(resources_module, "available_cores", lambda: 5)
    assert (default_workers("cpu"), default_workers("cuda:1")) == (5, 1)
    assert default_max_stack("cuda:1", 1) > default_max_stack("cpu", 1) >= 1


def test_a_methods_trainings_of_the_default_sweep_are_shared_evenly_by_the_workers_of_a_cpu():
    assert [default_max_stack("cpu", workers) for workers in (1, 2, 3, 4)] == [17, 17, 11, 8]
    assert [default_max_stack("cpu", workers) for workers in (5, 64, None)] == [6, 6, 6]


def test_stacks_of_large_networks_are_small_on_a_cpu():
    resources = Resources.resolved("cpu", 2, None)
    sizes = {
        preset: {
            resources.stack_size(run.training)
            for run in sweep_spec({"methods": ["factorcl-ssl"]}, preset=preset).runs()
        }
        for preset in ("quick", "official")
    }
    assert sizes == {"quick": {17}, "official": {6}}
    chosen = Resources.resolved("cpu", 2, 9)
    assert chosen.stack_size(tiny_sweep().runs()[0].training) == 9


def test_an_impossible_sweep_writes_nothing(tmp_path):
    spec = tiny_sweep(world={"n_train": 8})
    with pytest.raises(ValueError, match=r"train\.batch_size: expected at most the 8 training"):
        go(spec, tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("how", [run_sweep, describe_plan])
def test_values_in_place_of_a_sweep_are_refused(tmp_path, how):
    with pytest.raises(ValueError, match="spec: expected a SweepSpec, which sweep_spec makes, got"):
        how({"seeds": [0]}, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_where_units_run_and_their_threads_depend_on_the_whole_sweep_alone(monkeypatch):
    monkeypatch.setattr(resources_module, "available_cores", lambda: 8)
    spec = tiny_sweep()
    whole = make_plan(spec, max_stack=1).units
    runs = [run.run_id for unit in whole[1:] for job in unit.jobs for run in job.runs]
    for finished in ([], runs):
        plan = make_plan(spec, finished=finished, max_stack=1)
        for device, threads in (("cpu", 1), ("cpu:0", 1), ("cuda", 4)):
            assert executor_of(Resources(device, 2, 6), plan) == WorkerProcesses(device, 2, threads)
            one_process = Resources(device, 2, 6, engine="process")
            assert isinstance(executor_of(one_process, plan), InProcess)
            one_worker = Resources(device, 1, 6, engine="workers")
            assert isinstance(executor_of(one_worker, plan), WorkerProcesses)
        assert executor_of(Resources("cpu", 1, 6), plan) == InProcess("cpu", 1)
        assert executor_of(Resources("cuda", 1, 6), plan) == InProcess("cuda", None)


def test_damaged_runs_are_refused_and_once_dropped_made_again_to_the_digit(tmp_path):
    go(tiny_sweep(), tmp_path)
    expected = load_results(tmp_path).captured
    (damaged, *_) = sorted(set(expected["run_id"]))
    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as connection, connection:
        connection.execute("UPDATE captured SET value_bits = 0.5 WHERE run_id = ?", (damaged,))
    with pytest.raises(StoreRefused, match=rf"1 of 4 runs .*\({damaged}\)"):
        go(tiny_sweep(), tmp_path)
    drop_damaged_runs(tmp_path)
    assert go(tiny_sweep(), tmp_path).n_new == 1
    assert_frame_equal(load_results(tmp_path).captured, expected, check_exact=True)


def test_a_plan_for_a_place_that_no_sweep_can_have_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"^out: expected a directory that can be written, got "):
        describe_plan(sweep_spec({}), tmp_path / "file" / "out", device="cpu")
    describe_plan(sweep_spec({}), tmp_path / "new" / "out", device="cpu")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
