"""Kills a small sweep at random instants, goes on by the same command, and compares its rows.

``python tests/e2e/kills.py 30`` makes 30 trials. In each, the driver or one of its workers is
killed (SIGKILL or SIGTERM) once or twice: early, late, or with one unit left. The same command then
finishes the sweep. Its rows must be those of an undisturbed sweep, to the last digit, and no output
may hold a traceback.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit")]

from tiny_sweeps import TINY_OPTIONS  # noqa: E402

from fctestbed.results import STORE_NAME, ResultsStore, StoreRefused, load_results  # noqa: E402

# FactorCL's rows depend on the threads and on every rounding.
SWEEP = [
    *("sweep", "--unique-ratio=0,0.5,1", "--seeds=0", "--methods=factorcl-sup,simclr,raw"),
    *("--workers=2", "--max-stack=1", "--device=cpu", "--no-report"),
    *TINY_OPTIONS,
    *("--set=train.steps=60", "--set=measurement.channel=false"),
]
N_RUNS = 9
_SECONDS = 240


@dataclass(frozen=True)
class Trial:
    """What is killed, and when.

    Attributes:
        target: ``driver`` or ``worker``.
        number: the signal.
        instant: ``start`` (while the driver or its workers start), ``commit`` (some time after a
            unit is stored) or ``last`` (with one unit left).
        kills: how often the sweep is killed before it may finish.
    """

    target: str
    number: signal.Signals
    instant: str
    kills: int


def command(out: Path) -> list[str]:
    """The sweep's command line; its figures are not drawn, to save time."""
    return [sys.executable, "-m", "fctestbed", *SWEEP, f"--out={out}", "--no-figures"]


def start(out: Path, log: Path) -> "subprocess.Popen[bytes]":
    """The sweep in a session of its own, whose output is added to the log."""
    with open(log, "ab") as stream:
        return subprocess.Popen(
            command(out),
            stdout=stream,
            stderr=stream,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )


def n_done(out: Path) -> int:
    """Runs in the store; 0 while there is none."""
    if not (out / STORE_NAME).exists():
        return 0
    try:
        with ResultsStore.open_read(out) as store:
            return len(store.finished())
    except StoreRefused:
        return 0


def workers_of(driver: "subprocess.Popen[bytes]") -> list[int]:
    """The driver's worker processes that run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent, *_ = stat.read_text().rpartition(")")[2].split()
            line = (stat.parent / "cmdline").read_bytes()
            if int(parent) == driver.pid and state != "Z" and b"spawn_main" in line:
                found.append(int(stat.parent.name))
    return found


def wait_for(condition: Callable[[], bool], driver: "subprocess.Popen[bytes]") -> bool:
    """Whether the condition came true before the driver ended."""
    deadline = time.monotonic() + _SECONDS
    while not condition():
        if driver.poll() is not None:
            return False
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return True


def kill(driver: "subprocess.Popen[bytes]", trial: Trial, out: Path, rng: random.Random) -> None:
    """Kill the driver or a worker at the trial's instant, and wait for the driver."""
    before = n_done(out)
    if trial.instant == "start":
        if trial.target == "worker":
            wait_for(lambda: bool(workers_of(driver)), driver)
            time.sleep(rng.uniform(0.0, 1.5))
        else:
            time.sleep(rng.uniform(0.0, 4.0))
    elif trial.instant == "commit":
        wait_for(lambda: n_done(out) > before, driver)
        time.sleep(rng.uniform(0.0, 0.5))
    else:
        wait_for(lambda: n_done(out) >= N_RUNS - 1, driver)
    targets = [driver.pid] if trial.target == "driver" else workers_of(driver)
    for target in targets[:1]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(target, trial.number)
    driver.wait(_SECONDS)


def rows_of(out: Path) -> object:
    """All that the runs measured, without times."""
    results = load_results(out)
    assert (results.runs["status"] == "ok").all(), results.runs["reason"].tolist()
    assert len(results.runs) == N_RUNS
    return results.captured.to_csv(index=False), results.accuracy.to_csv(index=False)


def finish(out: Path, log: Path) -> int:
    """Go on by the same command until the sweep is done; how often it had to be called."""
    for call in range(1, 4):
        code = start(out, log).wait(_SECONDS)
        assert code in {0, 3}, f"exit code {code}: {log.read_text()}"
        if code == 0:
            return call
    raise AssertionError(f"never done: {log.read_text()}")


def undisturbed(directory: Path) -> object:
    """The rows of a sweep that nothing disturbs."""
    finish(directory / "rows", directory / "log")
    return rows_of(directory / "rows")


def check(trial: Trial, directory: Path, expected: object, rng: random.Random) -> None:
    """Make one trial.

    Raises:
        AssertionError: if its rows are others, or an output holds a traceback.
    """
    out, log = directory / "rows", directory / "log"
    for _ in range(trial.kills):
        kill(start(out, log), trial, out, rng)
    finish(out, log)
    said = log.read_text()
    assert "Traceback" not in said, said
    assert rows_of(out) == expected, "the rows are others"


def random_trial(rng: random.Random) -> Trial:
    """A trial of any kind."""
    return Trial(
        target=rng.choice(["driver", "worker"]),
        number=rng.choice([signal.SIGKILL, signal.SIGTERM]),
        instant=rng.choice(["start", "commit", "last"]),
        kills=rng.choice([1, 1, 2]),
    )


def main(n_trials: int, seed: int) -> int:
    """Make trials; the number that failed."""
    rng = random.Random(seed)
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "calm").mkdir()
        expected = undisturbed(directory / "calm")
        for number in range(n_trials):
            trial, place = random_trial(rng), directory / "trial"
            place.mkdir()
            began = time.monotonic()
            try:
                check(trial, place, expected, rng)
                verdict = "same rows"
            except (AssertionError, StoreRefused, subprocess.TimeoutExpired) as error:
                failures += 1
                verdict = f"FAILED: {error}"
            print(f"{number}: {trial}: {verdict} ({time.monotonic() - began:.0f} s)", flush=True)
            shutil.rmtree(place)
    print(f"{n_trials} trials, {failures} failed")
    return failures


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*(arguments + [30, 0][len(arguments) :])) > 0)
