"""Checkpoints of a sweep's units: a sweep that was interrupted goes on within its trainings."""

from dataclasses import replace

import pytest
import torch
from tiny_sweeps import tiny_sweep, tiny_units

from fctestbed.cli.main import run
from fctestbed.results import (
    CHECKPOINTS,
    load_results,
    read_checkpoint,
    remove_stale_checkpoints,
)
from fctestbed.results.lock import LOCK_NAME
from fctestbed.sweep import checkpoints, run_sweep
from fctestbed.sweep.checkpoints import unit_key
from fctestbed.sweep.execute import execute
from fctestbed.sweep.plan import CheckpointPlace
from fctestbed.training import Checkpoints

MEASURED = {"channel": False, "along": 3, "rate": {"target_bits": 0.5}}
SWEEP = {"methods": ["supcon"], "measurement": MEASURED}


@pytest.fixture
def interrupt(monkeypatch):
    """Saves every stack at each step, and interrupts the training at the first of these."""
    save = Checkpoints.save
    steps = []

    def saved(self, stack, done):
        save(self, stack, done)
        if steps and done == steps[0]:
            steps.pop(0)
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoints, "is_due", lambda self: True)
    monkeypatch.setattr(Checkpoints, "save", saved)
    return steps


def sweep(out, **how):
    return run_sweep(tiny_sweep(**SWEEP), out, device="cpu", workers=1, **how)


def rows(out):
    found = load_results(out)
    assert (found.runs["status"] == "ok").all()
    tables = found.captured, found.accuracy, found.along, found.scores
    return [table.to_csv(index=False) for table in tables]


def test_an_interrupted_sweep_goes_on_within_a_training_with_the_same_rows(tmp_path, interrupt):
    out, calm = tmp_path / "out", tmp_path / "calm"
    interrupt += [4, 7]
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            sweep(out)
        assert len(list((out / CHECKPOINTS).iterdir())) == 1
    outcome = sweep(out)
    assert outcome.n_new == 2
    assert outcome.notes == ()
    sweep(calm, checkpoint_seconds=0)
    assert rows(out) == rows(calm)
    assert "continued_at" in load_results(out).runs["diagnostics"].iloc[0]
    assert "continued_at" not in load_results(calm).runs["diagnostics"].iloc[0]
    # Removed with their directory.
    assert not (out / CHECKPOINTS).exists()
    assert not (calm / CHECKPOINTS).exists()


def test_without_checkpoints_nothing_is_written_or_gone_on_from(tmp_path, interrupt):
    interrupt += [4]
    with pytest.raises(KeyboardInterrupt):
        sweep(tmp_path)
    (path,) = (tmp_path / CHECKPOINTS).iterdir()
    before = path.read_bytes()
    with pytest.raises(ValueError, match="stop"):
        sweep(tmp_path, checkpoint_seconds=0, display=_Stopping())
    assert path.read_bytes() == before
    sweep(tmp_path, checkpoint_seconds=0)
    assert "continued_at" not in load_results(tmp_path).runs["diagnostics"].iloc[0]
    assert not (tmp_path / CHECKPOINTS).exists()


class _Stopping:
    def warn(self, line):
        pass

    def begin(self, plan, executor):
        raise ValueError("stop")


def test_a_damaged_checkpoint_is_one_note_of_the_sweep(tmp_path, interrupt):
    out, calm = tmp_path / "out", tmp_path / "calm"
    interrupt += [4]
    with pytest.raises(KeyboardInterrupt):
        sweep(out)
    (path,) = (out / CHECKPOINTS).iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    (note,) = sweep(out).notes
    assert note.startswith(f"{path.resolve()}: expected a whole safetensors file of a checkpoint")
    sweep(calm)
    assert rows(out) == rows(calm)


def test_a_part_of_a_unit_and_what_is_left_of_it_have_other_keys():
    (unit,) = tiny_units(methods=["simclr"], seeds=[0, 1])
    first, second = unit.halves()
    (run, *_), *_ = (job.runs for job in unit.jobs)
    left = unit.without([run.run_id])
    keys = [unit_key(one) for one in (unit, first, second, left)]
    assert len(set(keys)) == len(keys)
    assert unit_key(replace(unit, keeps_encoders=False)) == keys[0]


def place_of(directory):
    driver = "process 1 on here\n"
    (directory / LOCK_NAME).write_text(driver)
    return CheckpointPlace(directory, 1e-9, driver)


def test_halves_of_a_stack_that_runs_out_of_memory_have_checkpoints_of_their_own(
    tmp_path, interrupt, monkeypatch
):
    (unit,) = tiny_units(methods=["supcon"])
    place = place_of(tmp_path)
    steps = []
    interrupt_at = Checkpoints.save

    def out_of_memory(self, stack, done):
        interrupt_at(self, stack, done)
        steps.append((len(stack.trained.specs), done))
        if len(stack.trained.specs) == 2 and done == 6:
            raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Checkpoints, "save", out_of_memory)
    result = execute(replace(unit, checkpoints=place), device="cpu")
    assert [record.status for record in result.records] == ["ok", "ok"]
    assert result.notes == ()
    # The halves begin at their first step.
    assert steps[5:8] == [(2, 6), (1, 1), (1, 2)]
    for part in (unit, *unit.halves()):
        assert read_checkpoint(tmp_path, unit_key(part)) is not None
    checkpoints.remove_unit_checkpoints(tmp_path, unit)
    assert list((tmp_path / CHECKPOINTS).iterdir()) == []


@pytest.mark.parametrize("there", [None, "process 1 on another machine\n"])
def test_a_worker_that_does_not_see_the_sweep_s_directory_has_no_checkpoints(
    tmp_path, interrupt, there
):
    unit, *_ = tiny_units(methods=["simclr"])
    place = place_of(tmp_path)
    if there is None:
        (tmp_path / LOCK_NAME).unlink()
    else:
        (tmp_path / LOCK_NAME).write_text(there)
    result = execute(replace(unit, checkpoints=place), device="cpu")
    assert result.notes == (
        f"{tmp_path}: not seen by all workers: trainings there had no checkpoints",
    )
    assert not (tmp_path / CHECKPOINTS).exists()


def test_checkpoints_that_no_unit_goes_on_from_are_removed(tmp_path, interrupt):
    place = place_of(tmp_path)
    units = tiny_units(methods=["supcon"], max_stack=1)
    for unit in units:
        execute(replace(unit, checkpoints=place), device="cpu")
    directory = tmp_path / CHECKPOINTS
    (directory / f"{'0' * 64}.safetensors").write_bytes(b"cut off")
    (directory / f".{'1' * 64}.safetensors.0123").write_bytes(b"draft")
    (directory / "notes.txt").write_text("mine")
    # Of a run that another command is to finish.
    kept, stale = units
    remove_stale_checkpoints(tmp_path, [run.run_id for run in stale.jobs[0].runs])
    assert sorted(path.name for path in directory.iterdir()) == sorted(
        [f"{unit_key(kept)}.safetensors", "notes.txt"]
    )


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "60", None, True])
def test_an_interval_that_is_no_number_of_seconds_is_refused_and_nothing_is_written(
    tmp_path, value
):
    with pytest.raises(ValueError, match="checkpoint_seconds: expected a number of seconds of at"):
        sweep(tmp_path / "out", checkpoint_seconds=value)
    assert not (tmp_path / "out").exists()


def test_the_command_names_its_option(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["sweep", "--checkpoint-seconds=-1"]) == 2
    assert capsys.readouterr().err == (
        "fctestbed: --checkpoint-seconds: expected a number of seconds of at least 0, got -1.0\n"
    )
    assert list(tmp_path.iterdir()) == []
