import contextlib
import json
import math
import re
import resource
import weakref
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_sweeps import tiny_units

import fctestbed.sweep.execute as execute_module
from fctestbed.sweep.execute import execute
from fctestbed.training import Readouts, stack_readouts, train_stack


def rows(records):
    """What was measured, by run: no times, no stack sizes."""
    return {record.run_id: (record.captured, record.accuracy) for record in records}


def test_every_run_of_a_unit_has_a_record_with_its_truth():
    (unit,) = tiny_units(methods=["supcon"])
    records = execute(unit, device="cpu").records
    assert [record.unique_ratio for record in records] == [0.0, 1.0]
    for record in records:
        assert (record.status, record.reason, record.method) == ("ok", "", "supcon")
        assert record.truth["total_bits"] == 2.0
        assert record.truth["relevant_latents"] == ["w_s[0]", "w_s[1]", "w_1[0]", "w_2[0]"]
        assert record.captured
        assert record.provenance["stack_size"] == 2
        assert record.seconds > 0
        json.dumps([record.spec, record.truth, record.provenance, record.diagnostics])
    assert records[0].truth["shared_bits"] == 2.0
    assert records[1].truth["shared_bits"] == 0.0


def test_rows_do_not_depend_on_the_stack():
    (together,) = tiny_units(methods=["factorcl-sup"], seeds=[0, 1])
    alone = tiny_units(1, methods=["factorcl-sup"], seeds=[0, 1])
    expected = rows(execute(together, device="cpu").records)
    found = rows(record for unit in alone for record in execute(unit, device="cpu").records)
    assert found.keys() == expected.keys()
    for run_id, (captured, accuracy) in found.items():
        for row, other in zip(captured, expected[run_id][0], strict=True):
            assert row.value_bits == pytest.approx(other.value_bits, abs=2e-3)
        assert [row.n_eval for row in accuracy] == [128] * len(accuracy)


def test_runs_that_share_a_training_are_measured_as_each_alone():
    (unit,) = tiny_units(methods=["simclr"], unique_ratio=[0.0, 0.5, 1.0])
    assert (len(unit.jobs), unit.n_runs) == (1, 3)
    together = rows(execute(unit, device="cpu").records)
    for ratio in (0.0, 0.5, 1.0):
        (single,) = tiny_units(methods=["simclr"], unique_ratio=[ratio])
        (record,) = execute(single, device="cpu").records
        expected = together[record.run_id][0]
        for row, other in zip(record.captured, expected, strict=True):
            assert row.value_bits == pytest.approx(other.value_bits, abs=2e-3)


@pytest.mark.parametrize(
    ("ratio", "world"),
    [
        (
            1.0,
            {
                "label": {"kind": "noiseless", "label_bits": 4},
                "latents": {"n_unique1": 2, "n_unique2": 2},
            },
        ),
        (1.0, {"label": {"kind": "threshold", "n_relevant": 2}}),
        (
            0.75,
            {
                "label": {"kind": "planar", "n_relevant": 4, "balance": 2 / 3},
                "latents": {"n_unique1": 2},
            },
        ),
        (1.0, {"latents": {"kind": "gaussian", "n_shared": 2, "n_unique1": 1, "n_unique2": 1}}),
    ],
)
def test_worlds_whose_label_could_not_be_all_shared_are_run(ratio, world):
    (unit,) = tiny_units(methods=["simclr"], unique_ratio=[ratio], world=world)
    (record,) = execute(unit, device="cpu").records
    assert (record.status, record.reason) == ("ok", "")
    assert record.truth["asked_unique_ratio"] == ratio


@pytest.mark.parametrize("steps", [1, 2, 51, 75])
def test_the_last_loss_is_kept(steps):
    (unit,) = tiny_units(methods=["simclr"], train={"steps": steps, "batch_size": 8})
    losses = execute(unit, device="cpu").records[0].diagnostics["losses_nats"]
    assert losses["step"][-1] == steps
    assert all(len(points) == len(losses["step"]) for points in losses.values())
    assert math.isfinite(losses["total"][-1])


def test_a_run_that_diverges_is_a_record_with_its_reason_and_the_others_are_done():
    (unit,) = tiny_units(methods=["supervised"], train={"learning_rate": 1e30})
    records = execute(unit, device="cpu").records
    assert {record.status for record in records} == {"diverged"}
    for record in records:
        assert record.reason.startswith("loss was not finite, or exploded, by step ")
        assert record.captured == record.accuracy == ()
        assert record.truth["total_bits"] == 2.0


def test_a_readout_that_is_not_finite_makes_the_run_diverged(monkeypatch):
    def broken(*stack, **how):
        first, *others = stack_readouts(*stack, **how)
        z1 = first.by_name["z1"]
        test = torch.full_like(z1.test, torch.nan)
        yield Readouts({**first.by_name, "z1": replace(z1, test=test)})
        yield from others

    monkeypatch.setattr(execute_module, "stack_readouts", broken)
    (unit,) = tiny_units(methods=["supcon"])
    first, second = execute(unit, device="cpu").records
    assert first.status == "diverged"
    assert first.reason == "a readout was not finite after the last step"
    assert second.status == "ok"


def test_a_job_that_fails_is_recorded_and_the_others_of_its_stack_are_done(monkeypatch):
    tried = []

    def train(specs, datasets, **how):
        tried.append([spec.seed for spec in specs])
        if any(spec.seed == 2 for spec in specs):
            raise MemoryError("out of\nmemory")
        return train_stack(specs, datasets, **how)

    monkeypatch.setattr(execute_module, "train_stack", train)
    (unit,) = tiny_units(methods=["supcon"], seeds=[0, 1, 2], unique_ratio=[0.5])
    records = {record.seed: record for record in execute(unit, device="cpu").records}
    assert tried == [[0, 1, 2], [0], [1, 2], [1], [2]]
    assert {seed: record.status for seed, record in records.items()} == {
        0: "ok",
        1: "ok",
        2: "failed",
    }
    assert re.fullmatch(
        r"out of memory: one training with batches of 64 needs about [\d,]+ bytes "
        r"\(MemoryError: out of memory\)",
        records[2].reason,
    )
    assert "in train" in records[2].diagnostics["traceback"]
    assert "fctestbed" in records[2].provenance


class _Array:
    """Stands for the memory of an attempt."""


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (torch.OutOfMemoryError, "CUDA out of memory. Tried to allocate 2.00 GiB."),
        (RuntimeError, "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
    ],
    ids=["cuda", "cpu"],
)
def test_a_stack_that_memory_does_not_hold_is_halved_after_its_arrays_are_gone(
    monkeypatch, kind, text
):
    sizes, held, released = [], [], []

    def train(specs, datasets, **how):
        assert not any(array() is not None for array in held)
        sizes.append(len(specs))
        if len(specs) > 1:
            array = _Array()
            held.append(weakref.ref(array))
            raise kind(text)
        return train_stack(specs, datasets, **how)

    monkeypatch.setattr(execute_module, "train_stack", train)
    monkeypatch.setattr(execute_module, "release_memory", released.append)
    (unit,) = tiny_units(methods=["supcon"], seeds=[0, 1, 2, 3], unique_ratio=[0.5])
    records = execute(unit, device="cpu").records
    assert {record.status for record in records} == {"ok"}
    assert sizes == [4, 2, 1, 1, 2, 1, 1]
    assert released == ["cpu"] * 3


def test_a_warning_of_the_training_is_in_the_record_of_each_run(monkeypatch):
    def train(specs, datasets, **how):
        trained = train_stack(specs, datasets, **how)
        trained.warnings.append("steps are not captured as a CUDA graph: no")
        return trained

    monkeypatch.setattr(execute_module, "train_stack", train)
    (unit,) = tiny_units(methods=["supcon"])
    for record in execute(unit, device="cpu").records:
        assert "steps are not captured as a CUDA graph: no" in record.warnings


def test_progress_begins_at_zero_and_ends_with_the_last_step():
    (unit,) = tiny_units(methods=["simclr"])
    seen = []
    execute(unit, device="cpu", report=seen.append)
    assert (seen[0].step, seen[0].losses_nats) == (0, ())
    assert (seen[-1].step, seen[-1].steps) == (10, 10)
    assert all(math.isfinite(loss) for progress in seen for loss in progress.losses_nats)


def test_the_record_of_a_run_with_views_says_what_they_hold():
    (unit,) = tiny_units(methods=["unimodal-ssl"], unique_ratio=[0.5])
    (record,) = execute(unit, device="cpu").records
    # Optimal copies hold of the originals what the label does.
    copies = record.truth["augmentation"]
    assert copies["joint_bits"] == pytest.approx(record.truth["total_bits"], abs=1e-12)
    assert copies["x1_bits"] == pytest.approx(record.truth["x1_label_bits"], abs=1e-12)


def test_official_views_give_their_originals_away_and_have_no_such_number():
    (unit,) = tiny_units(
        methods=["unimodal-ssl"], unique_ratio=[0.5], augmentation={"kind": "official"}
    )
    (record,) = execute(unit, device="cpu").records
    assert "augmentation" not in record.truth


@contextlib.contextmanager
def more_memory_of_at_most(n_bytes):
    """Limit the address space of this process to so much more than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + n_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_a_training_that_the_system_has_no_memory_for_is_recorded_with_what_it_needs():
    n = 8192
    # Modules that are imported at the first training need memory too.
    given = {"methods": ["supcon"], "unique_ratio": [0.5], "measurement": {"channel": False}}
    (small,) = tiny_units(**given, train={"steps": 1})
    execute(small, device="cpu")
    (unit,) = tiny_units(**given, world={"n_train": n}, train={"steps": 1, "batch_size": n})
    # One matrix of its similarities has as much.
    with more_memory_of_at_most(4 * n * n):
        (record,) = execute(unit, device="cpu").records
    assert record.status == "failed"
    assert record.reason.startswith(f"out of memory: one training with batches of {n} needs about ")
