import multiprocessing
import os
import signal
import time

import pytest
from tiny_sweeps import tiny_units

import fctestbed.sweep.executors as executors_module
from fctestbed.sweep.executors import InProcess, WorkerProcesses


def rows(records):
    return {record.run_id: (record.status, record.captured, record.accuracy) for record in records}


def ignore(progress):
    pass


def wait_for_no_children():
    deadline = time.monotonic() + 10
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    return multiprocessing.active_children()


def test_units_run_here_come_in_order_with_their_progress():
    units = tiny_units(1, methods=["supcon", "raw"])
    seen = []
    done = list(InProcess("cpu").run(units, seen.append))
    assert [place for place, _ in done] == [0, 1, 2]
    assert [len(records) for _, records in done] == [unit.n_runs for unit in units]
    assert [progress.unit for progress in seen] == sorted(progress.unit for progress in seen)
    assert {progress.unit for progress in seen} == {0, 1, 2}


@pytest.mark.slow
def test_worker_processes_give_the_same_rows():
    units = tiny_units(1, methods=["supcon", "factorcl-sup", "raw"])
    here = dict(InProcess("cpu").run(units, ignore))
    seen = set()
    there = dict(WorkerProcesses("cpu", 2).run(units, lambda progress: seen.add(progress.unit)))
    assert there.keys() == here.keys() == seen == set(range(len(units)))
    for place, records in there.items():
        found, expected = rows(records), rows(here[place])
        assert found.keys() == expected.keys()
        for run_id, (status, captured, accuracy) in found.items():
            assert status == "ok"
            for row, other in zip(captured, expected[run_id][1], strict=True):
                assert row.value_bits == pytest.approx(other.value_bits, abs=1e-4)
            assert [r.readout for r in accuracy] == [r.readout for r in expected[run_id][2]]
    assert not wait_for_no_children()


@pytest.mark.slow
def test_a_unit_whose_worker_is_killed_twice_fails_and_the_others_are_done(monkeypatch):
    # Threads that share their core with others wait for each other.
    monkeypatch.setattr(executors_module, "available_cores", lambda: 1)
    before = dict(os.environ)
    units = tiny_units(1, methods=["supcon"], unique_ratio=[0.0, 0.5, 1.0])
    killed = []

    def kill_at_the_first(progress):
        # One worker: the only child is the one that reports.
        if progress.unit == 0:
            (worker,) = multiprocessing.active_children()
            os.kill(worker.pid, signal.SIGKILL)
            killed.append(worker.pid)

    done = dict(WorkerProcesses("cpu", 1).run(units, kill_at_the_first))
    assert done.keys() == {0, 1, 2}
    (failed,) = done[0]
    assert (failed.status, failed.reason) == ("failed", "its worker process died (signal 9)")
    assert len(set(killed)) == 2
    assert [done[place][0].status for place in (1, 2)] == ["ok", "ok"]
    assert not wait_for_no_children()
    assert dict(os.environ) == before


@pytest.mark.slow
def test_closing_ends_the_workers_and_leaves_other_children_alone():
    units = tiny_units(1, methods=["supcon"], train={"steps": 100_000, "batch_size": 64})
    bystander = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    bystander.start()
    try:
        started = []

        def interrupt(progress):
            started.append(progress)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            list(WorkerProcesses("cpu", 2).run(units, interrupt))
        assert started
        assert multiprocessing.active_children() == [bystander]
    finally:
        bystander.terminate()
        bystander.join()
