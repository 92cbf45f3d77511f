import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from tiny_sweeps import tiny_units

import fctestbed.sweep.executors as executors_module
from fctestbed.sweep.executors import InProcess, WorkerProcesses
from fctestbed.sweep.worker import WorkersCannotStart


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
    assert [len(result.records) for _, result in done] == [unit.n_runs for unit in units]
    assert [progress.unit for progress in seen] == sorted(progress.unit for progress in seen)
    assert {progress.unit for progress in seen} == {0, 1, 2}


@pytest.mark.slow
def test_worker_processes_give_the_same_rows():
    units = tiny_units(1, methods=["supcon", "factorcl-sup", "raw"])
    here = dict(InProcess("cpu").run(units, ignore))
    seen = set()
    there = dict(WorkerProcesses("cpu", 2).run(units, lambda progress: seen.add(progress.unit)))
    assert there.keys() == here.keys() == seen == set(range(len(units)))
    for place, result in there.items():
        found, expected = rows(result.records), rows(here[place].records)
        assert result.encoders == here[place].encoders
        assert len(result.encoders) == len(units[place].jobs)
        assert found.keys() == expected.keys()
        for run_id, (status, captured, accuracy) in found.items():
            # To the digit: both have the same threads and the same denormal numbers.
            assert (status, captured, accuracy) == expected[run_id]
    assert not wait_for_no_children()


@pytest.mark.slow
def test_a_unit_whose_worker_is_killed_twice_fails_and_the_others_are_done():
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
    (failed,) = done[0].records
    assert (failed.status, failed.reason) == (
        "failed",
        "its worker process died (signal 9): was there too little memory for so many workers or so "
        "large a stack?",
    )
    assert len(set(killed)) == 2
    assert [done[place].records[0].status for place in (1, 2)] == ["ok", "ok"]
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


def test_a_process_s_threads_and_denormals_are_a_worker_s_while_units_run_and_then_its_own():
    (unit,) = tiny_units(methods=["raw"], unique_ratio=[0.5])
    denormal = torch.tensor(1e-310, dtype=torch.float64)
    torch.set_num_threads(2)
    try:
        seen = []

        def report(progress):
            seen.append((torch.get_num_threads(), float(denormal * 0.5)))

        for place, result in InProcess("cpu").run([unit], report):
            assert (place, torch.get_num_threads()) == (0, 2)
            assert {record.provenance["threads"] for record in result.records} == {1}
            assert {record.provenance["blas_threads"] for record in result.records} == {1}
        assert set(seen) == {(1, 0.0)}
        assert float(denormal * 0.5) > 0
        assert torch.get_num_threads() == 2
        ((_, result),) = InProcess("cpu", threads=None).run([unit], ignore)
        assert {record.provenance["threads"] for record in result.records} == {2}
    finally:
        torch.set_num_threads(1)


class FakeWorkers:
    """Workers of which the first ones end while they start."""

    def __init__(self, monkeypatch, exit_codes):
        self.exit_codes = list(exit_codes)
        self.started = 0
        real = executors_module.Worker.start

        def start(device, threads):
            self.started += 1
            worker = real(device, threads)
            if self.exit_codes:
                code = self.exit_codes.pop(0)
                worker._process.kill()
                worker._process.join()
                if code > 0:
                    worker._process = FakeProcess(code)
            return worker

        monkeypatch.setattr(executors_module.Worker, "start", start)


class FakeProcess:
    def __init__(self, exit_code):
        self.exitcode = exit_code

    def join(self, timeout=None):
        pass

    def kill(self):
        pass


@pytest.mark.slow
def test_workers_that_a_signal_ends_while_they_start_are_replaced(monkeypatch):
    workers = FakeWorkers(monkeypatch, [-9, -9])
    units = tiny_units(1, methods=["raw"], seeds=[0, 1])
    done = dict(WorkerProcesses("cpu", 1).run(units, ignore))
    assert workers.started == 3
    assert {record.status for result in done.values() for record in result.records} == {"ok"}
    assert not wait_for_no_children()


def test_workers_that_keep_ending_while_they_start_are_one_line(monkeypatch):
    workers = FakeWorkers(monkeypatch, [-9] * 9)
    message = r"worker processes cannot start: 5 in a row ended .*\(signal 9\): expected"
    with pytest.raises(WorkersCannotStart, match=message):
        list(WorkerProcesses("cpu", 1).run(tiny_units(1, methods=["raw"]), ignore))
    assert workers.started == 5
    assert not wait_for_no_children()


def test_a_worker_that_ends_by_itself_while_it_starts_is_not_tried_again(monkeypatch):
    workers = FakeWorkers(monkeypatch, [1, 1])
    with pytest.raises(WorkersCannotStart, match=r"\(exit code 1\): expected a script that calls"):
        list(WorkerProcesses("cpu", 1).run(tiny_units(1, methods=["raw"]), ignore))
    assert workers.started == 1


def test_a_system_that_starts_no_process_is_one_line(monkeypatch):
    def refuse(self):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    process = multiprocessing.get_context("spawn").Process
    monkeypatch.setattr(process, "start", refuse)
    with pytest.raises(WorkersCannotStart, match=r"cannot start \(Resource temporarily"):
        list(WorkerProcesses("cpu", 1).run(tiny_units(1, methods=["raw"]), ignore))


def test_a_script_without_a_guard_ends_in_one_error_and_no_worker_s_traceback(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from fctestbed import run_sweep, sweep_spec\n"
        "from fctestbed.sweep import WorkersCannotStart, results_as_completed\n"
        "try:\n"
        "    list(results_as_completed(abs, [(1,)], 2))\n"
        "except WorkersCannotStart as error:\n"
        "    print(error)\n"
        "values = {'methods': ['raw', 'untrained'], 'seeds': [0, 1], 'unique_ratio': [0.5],\n"
        "          'world': {'n_train': 64, 'n_test': 64}}\n"
        f"run_sweep(sweep_spec(values), {str(tmp_path / 'out')!r}, workers=2, device='cpu')\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(Path(executors_module.__file__).parents[2])},
    )
    assert done.returncode == 1
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith("worker processes ended before a first result: expected a script")
    assert done.stderr.count("Traceback") == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("fctestbed.sweep.worker.WorkersCannotStart: worker processes cannot")
    assert "under if __name__ == '__main__'" in last
