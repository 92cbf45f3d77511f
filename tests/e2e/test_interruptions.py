"""A sweep with workers that is interrupted or killed: nothing is lost or stored twice, no process
stays, and the rows are those of an undisturbed sweep."""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import kills
import pytest
from tiny_sweeps import TINY_OPTIONS

from fctestbed.cli.main import run
from fctestbed.results import STORE_NAME, load_results

ROOT = Path(__file__).parents[2]
SWEEP = [
    *("sweep", "--unique-ratio=0:1:0.2", "--seeds=0", "--methods=supcon,raw"),
    *("--workers=2", "--max-stack=1", "--device=cpu", "--no-report"),
    *TINY_OPTIONS,
    # Seven units of work, each far longer than the time from a commit to a signal.
    *("--set=train.steps=200", "--set=measurement.channel=false"),
]
N_RUNS = 12

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc"),
]


@pytest.fixture(autouse=True)
def _signals_are_handled():
    """Jobs in a shell's background ignore SIGINT, those of nohup SIGHUP, and so would all that they
    start."""
    handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def places(out):
    # Drawing takes longer than the sweep.
    return ["--out", str(out), "--no-figures"]


def start(out, errors):
    # A session of its own: SIGINT to the group is what a terminal does at Ctrl-C.
    return subprocess.Popen(
        [sys.executable, "-m", "fctestbed", *SWEEP, *places(out)],
        stdout=subprocess.DEVNULL,
        stderr=errors,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,
    )


def done_runs(out):
    if not (out / STORE_NAME).exists():
        return {}
    with contextlib.closing(sqlite3.connect(out / STORE_NAME)) as connection:
        return dict(connection.execute("SELECT run_id, seconds FROM run"))


def wait_until(condition, seconds=90):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def session_of(process):
    """Processes of the session that still run, itself aside (zombies are gone)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
            if (
                int(session) == process.pid
                and state != "Z"
                and stat.parent.name != str(process.pid)
            ):
                found.append(int(stat.parent.name))
    return found


def test_a_sweep_interrupted_and_killed_is_finished_by_the_same_command(tmp_path, capsys):
    out = tmp_path / "rows"
    errors = tmp_path / "errors"

    with open(errors, "w") as stream:
        interrupted = start(out, stream)
        wait_until(lambda: len(done_runs(out)) >= 1)
        assert len(session_of(interrupted)) >= 2
        os.killpg(interrupted.pid, signal.SIGINT)
        assert interrupted.wait(120) == 130
    wait_until(lambda: not session_of(interrupted), seconds=10)
    said = errors.read_text()
    assert said.endswith(
        f"interrupted: what was done is safe in {out}; the same command goes on from there\n"
    )
    assert "Traceback" not in said
    first = done_runs(out)
    assert 1 <= len(first) < N_RUNS

    with open(errors, "w") as stream:
        killed = start(out, stream)
        wait_until(lambda: len(done_runs(out)) > len(first))
        killed.send_signal(signal.SIGKILL)
        assert killed.wait(120) == -signal.SIGKILL
    # Workers end with their driver.
    wait_until(lambda: not session_of(killed), seconds=10)
    second = done_runs(out)
    assert len(first) < len(second) < N_RUNS
    assert first.items() <= second.items()

    # In this process: starting processes takes longest.
    assert run([*SWEEP, *places(out), "--workers=1"]) == 0
    assert f"{N_RUNS} runs, {len(second)} already done" in capsys.readouterr().err
    third = done_runs(out)
    assert len(third) == N_RUNS
    # The stored runs were not done again.
    assert second.items() <= third.items()
    results = load_results(out)
    keys = results.captured[["run_id", "readout", "quantity", "estimator", "rate_bits"]]
    assert not keys.duplicated().any()
    assert (results.runs["status"] == "ok").all()
    assert results.captured.groupby("method")["run_id"].nunique().to_dict() == {
        "supcon": 6,
        "raw": 6,
    }


def test_ctrl_c_while_workers_start_leaves_one_line(tmp_path):
    errors = tmp_path / "errors"
    with open(errors, "w") as stream:
        process = start(tmp_path / "rows", stream)
        wait_until((tmp_path / "rows" / STORE_NAME).exists)
        wait_until(lambda: len(session_of(process)) >= 2)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(120) == 130
    wait_until(lambda: not session_of(process), seconds=10)
    lines = errors.read_text().splitlines()
    assert [line.split(":")[0] for line in lines] == [f"{N_RUNS} runs", "interrupted"]


def test_sigterm_ends_a_sweep_as_ctrl_c_does(tmp_path):
    errors = tmp_path / "errors"
    with open(errors, "w") as stream:
        process = start(tmp_path / "rows", stream)
        wait_until(lambda: len(session_of(process)) >= 2)
        process.terminate()
        assert process.wait(120) == 130
    wait_until(lambda: not session_of(process), seconds=10)
    assert "Traceback" not in errors.read_text()


def test_six_kills_on_both_engines_leave_the_rows_of_an_undisturbed_sweep(tmp_path):
    rng = random.Random(0)
    # In this process: its rows are a worker's, to the digit.
    calm = tmp_path / "calm"
    assert run([*kills.SWEEP, f"--out={calm}", "--workers=1"]) == 0
    expected = kills.rows_of(calm)
    cluster = kills.Cluster(n_workers=1)
    try:
        for engine, of_sweep in (
            (
                kills.Engine(("--engine=workers", "--workers=1")),
                [(kills.UNITS, "start"), (kills.DRIVER, "checkpoint")],
            ),
            (
                kills.on_cluster(cluster),
                [
                    (kills.UNITS, "start"),
                    (kills.SCHEDULER, "checkpoint"),
                    (kills.DASK_WORKER, "commit"),
                    (kills.DRIVER, "commit"),
                ],
            ),
        ):
            left = [kills.Kill(*kill) for kill in of_sweep]
            # A sweep may be done before a kill, which then finds its target in another sweep.
            for attempt in range(1, 4):
                out = tmp_path / f"{len(of_sweep)} kills, sweep {attempt}"
                sweep = kills.Sweep(out, tmp_path / f"{out.name}.log", engine)
                try:
                    left = [kill for kill in left if not sweep.kill(kill, rng)]
                    sweep.finish()
                finally:
                    sweep.end()
                sweep.check(expected)
                if not left:
                    break
            assert not left, (left, sweep.log.read_text())
    finally:
        cluster.close()


def test_a_terminal_that_closes_ends_a_sweep_with_129_and_no_traceback(tmp_path):
    errors = tmp_path / "errors"
    with open(errors, "w") as stream:
        process = start(tmp_path / "rows", stream)
        wait_until(lambda: len(session_of(process)) >= 2)
        os.killpg(process.pid, signal.SIGHUP)
        assert process.wait(120) == 129
    wait_until(lambda: not session_of(process), seconds=10)
    assert "Traceback" not in errors.read_text()


def test_a_reader_that_goes_away_ends_a_sweep_with_141_and_no_traceback(tmp_path):
    errors = tmp_path / "errors"
    out = tmp_path / "rows"
    # In one process: only the driver prints.
    here = ["--methods=raw", "--workers=1"]
    read, written = os.pipe()
    with open(errors, "w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "fctestbed", *SWEEP, *places(out), *here],
            stdout=written,
            stderr=stream,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        os.close(written)
        os.close(read)
        assert process.wait(120) == 141
    assert "Traceback" not in errors.read_text()
    assert "Exception ignored" not in errors.read_text()
    assert len(done_runs(out)) == 6
