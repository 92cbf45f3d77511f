"""Units on a Dask cluster: the rows of any other executor, and what happens when something dies."""

import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dask_clusters import scheduler_with
from tiny_sweeps import tiny_units

from fctestbed._dask_setup import software
from fctestbed.sweep.dask_cluster import ClusterLost, connected, local_cluster
from fctestbed.sweep.dask_executor import DaskTasks
from fctestbed.sweep.dask_worker import IdleProcesses
from fctestbed.sweep.executors import InProcess

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


def rows(result):
    return result.encoders, {
        record.run_id: (record.status, record.captured, record.accuracy)
        for record in result.records
    }


def ignore(message):
    pass


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def no_children():
    return not multiprocessing.active_children()


@pytest.fixture(scope="module")
def units():
    return tiny_units(1, methods=["supcon", "factorcl-sup"], unique_ratio=[0.0, 0.5, 1.0])


@pytest.fixture(scope="module")
def expected(units):
    return {place: rows(result) for place, result in InProcess("cpu").run(units, ignore)}


def test_rows_are_those_of_one_process_on_one_worker_and_on_three(units, expected):
    seen = []
    with local_cluster(1, "cpu", ignore) as cluster:
        one = {place: rows(result) for place, result in DaskTasks(cluster).run(units, seen.append)}
    assert one == expected
    assert {progress.unit for progress in seen} <= set(expected)
    assert seen
    assert no_children()
    with (
        scheduler_with(3) as made,
        connected(made.scheduler_address, "cpu", ignore) as cluster,
    ):
        done = [(place, rows(result)) for place, result in DaskTasks(cluster).run(units, ignore)]
    assert len(done) == len(units)
    assert dict(done) == expected
    wait_until(no_children)


def test_a_unit_whose_process_is_killed_twice_fails_and_the_others_are_done(units, expected):
    killed = []

    def kill_at_the_first(progress):
        if progress.unit == 0 and len(killed) < 2:
            (worker,) = multiprocessing.active_children()
            if worker.pid not in killed:
                os.kill(worker.pid, signal.SIGKILL)
                killed.append(worker.pid)

    few = [units[0], *units[-2:]]
    long = tiny_units(1, methods=["supcon"], unique_ratio=[0.0], train={"steps": 100_000})
    with local_cluster(1, "cpu", ignore) as cluster:
        done = dict(DaskTasks(cluster).run([*long, *few[1:]], kill_at_the_first))
    (failed,) = done[0].records
    assert failed.status == "failed"
    assert failed.reason.startswith("its worker process died (signal 9): was there too little mem")
    assert len(killed) == 2
    assert [rows(done[place]) for place in (1, 2)] == [expected[4], expected[5]]
    assert no_children()


@contextlib.contextmanager
def worker_process(address, root=ROOT):
    """A Dask worker as a user starts one, without a nanny that starts it again."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", "worker", address, "--no-nanny", "--nthreads=1"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_worker_killed_in_mid_unit_is_replaced_by_one_that_joins(units, expected):
    (long,) = tiny_units(1, methods=["supcon"], unique_ratio=[0.5], train={"steps": 3000})
    warned = []
    with (
        scheduler_with(0) as made,
        worker_process(made.scheduler_address) as process,
        connected(made.scheduler_address, "cpu", warned.append) as cluster,
    ):

        def kill(progress):
            if process.poll() is None:
                process.kill()
                process.wait()
                made.scale(1)

        done = dict(DaskTasks(cluster).run([long, units[0]], kill))
    assert process.returncode == -signal.SIGKILL
    assert warned == ["no worker is left; the sweep goes on when one joins"]
    assert rows(done[1]) == expected[0]
    ((_, calm),) = InProcess("cpu").run([long], ignore)
    assert rows(done[0]) == rows(calm)


class EnoughError(Exception):
    pass


def test_a_worker_of_another_version_that_joins_later_is_named_and_gets_no_units(tmp_path):
    (long,) = tiny_units(1, methods=["supcon"], unique_ratio=[0.5], train={"steps": 100_000})
    shutil.copytree(ROOT / "fctestbed", tmp_path / "fctestbed")
    (tmp_path / "fctestbed" / "_version.py").write_text('__version__ = "0.0"\n')
    warned = []
    with (
        scheduler_with(1) as made,
        connected(made.scheduler_address, "cpu", warned.append) as cluster,
        contextlib.ExitStack() as joined,
    ):
        (first,) = cluster.slots
        left = [tmp_path]

        def join(progress):
            if left:
                joined.enter_context(worker_process(made.scheduler_address, left.pop()))
            if warned:
                raise EnoughError

        with pytest.raises(EnoughError):
            list(DaskTasks(cluster).run([long], join))
        there = cluster.client.scheduler_info(n_workers=-1)["workers"]
        (other,) = set(there) - {first}
        assert there[other]["resources"] == {}
        assert list(cluster.slots) == [first]
    (line,) = warned
    assert line.startswith(
        f"left out a worker that joined: expected workers with {software()}, got {other} with "
        "fctestbed 0.0 (source "
    )


def test_a_scheduler_that_goes_away_and_an_interrupt_end_the_units(units):
    (long,) = tiny_units(1, methods=["supcon"], unique_ratio=[0.5], train={"steps": 100_000})
    with scheduler_with(1) as made:
        with connected(made.scheduler_address, "cpu", ignore) as cluster:

            def interrupt(progress):
                raise KeyboardInterrupt

            with pytest.raises(KeyboardInterrupt):
                list(DaskTasks(cluster).run([long], interrupt))
            # Its process is killed: the unit is not waited for any more.
            wait_until(no_children)
        with connected(made.scheduler_address, "cpu", ignore) as cluster:

            def end_the_scheduler(progress):
                made.loop.add_callback(made.scheduler.close)

            with pytest.raises(
                ClusterLost, match=rf"^lost the Dask scheduler at {cluster.address}$"
            ):
                list(DaskTasks(cluster).run([long], end_the_scheduler))
    wait_until(no_children)


def test_idle_processes_are_used_again_and_ended_when_nobody_needs_them():
    idle = IdleProcesses()
    first = idle.take("cpu")
    wait_until(lambda: first.idle or (first.pipe.poll() and first.receive() is not None))
    idle.put_back("cpu", first)
    assert idle.take("cpu") is first
    idle.put_back("cpu", first)
    assert idle.end(idle_seconds=60.0) == 1
    os.kill(first._process.pid, signal.SIGKILL)
    wait_until(first.pipe.poll)
    second = idle.take("cpu")
    assert second is not first
    idle.put_back("cpu", second)
    assert idle.end() == 0
    assert no_children()
