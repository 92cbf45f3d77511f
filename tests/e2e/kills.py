"""Kills a small sweep at random instants, goes on by the same command, and compares its rows.

``python tests/e2e/kills.py 30`` makes 30 trials. In each, the driver or one of its workers is
killed (SIGKILL or SIGTERM) once or twice: early, after a checkpoint of a training, late, or with
one unit left. The same command then finishes the sweep. Its rows must be those of an undisturbed
sweep, to the last digit, and no output may hold a traceback.

``--engine NAME`` kills a sweep on that engine, and ``--target NAME=TEXT`` adds processes that are
killed too: those that the driver has started, directly or not, with the text in their command
line.
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    *("--set=train.steps=120", "--set=measurement.channel=false", "--checkpoint-seconds=0.05"),
]
N_RUNS = 9
# Workers of this machine's engine, by their command line.
TARGETS = {"worker": "spawn_main"}
_SECONDS = 240


@dataclass(frozen=True)
class Trial:
    """What is killed, and when.

    Attributes:
        target: ``driver``, or a name of the targets.
        number: the signal.
        instant: ``start`` (while the driver or its workers start), ``checkpoint`` (some time after
            a training is saved), ``commit`` (some time after a unit is stored) or ``last`` (with
            one unit left).
        kills: how often the sweep is killed before it may finish.
    """

    target: str
    number: signal.Signals
    instant: str
    kills: int


@dataclass(frozen=True)
class Engine:
    """What runs the sweep's units.

    Attributes:
        name: the engine, as the command's option takes it; None for the default.
        targets: by its name, what the command lines of processes have that are killed.
    """

    name: str | None = None
    targets: Mapping[str, str] = field(default_factory=lambda: dict(TARGETS))


LOCAL = Engine()


def command(out: Path, engine: Engine = LOCAL) -> list[str]:
    """The sweep's command line; its figures are not drawn, to save time."""
    on = [] if engine.name is None else [f"--engine={engine.name}"]
    return [sys.executable, "-m", "fctestbed", *SWEEP, *on, f"--out={out}", "--no-figures"]


def start(out: Path, log: Path, engine: Engine = LOCAL) -> "subprocess.Popen[bytes]":
    """The sweep in a session of its own, whose output is added to the log."""
    with open(log, "ab") as stream:
        return subprocess.Popen(
            command(out, engine),
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


def saved(out: Path) -> set[tuple[str, int]]:
    """The checkpoints of trainings, each with the instant at which it was written."""
    found = set()
    for path in (out / "checkpoints").glob("[!.]*"):
        with contextlib.suppress(OSError):
            found.add((path.name, path.stat().st_mtime_ns))
    return found


def started_by(driver: "subprocess.Popen[bytes]", text: str) -> list[int]:
    """Processes that run, which the driver has started, directly or not, with a text in their
    command line."""
    parents, found = {}, []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent, *_ = stat.read_text().rpartition(")")[2].split()
            line = (stat.parent / "cmdline").read_bytes()
            parents[int(stat.parent.name)] = int(parent)
            if state != "Z" and text.encode() in line.replace(b"\0", b" "):
                found.append(int(stat.parent.name))
    return [process for process in found if driver.pid in _ancestors(process, parents)]


def _ancestors(process: int, parents: Mapping[int, int]) -> list[int]:
    found = []
    while (process := parents.get(process, 0)) and process not in found:
        found.append(process)
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


def kill(
    driver: "subprocess.Popen[bytes]",
    trial: Trial,
    out: Path,
    rng: random.Random,
    engine: Engine = LOCAL,
) -> None:
    """Kill the driver or another process at the trial's instant, and wait for the driver."""

    def processes() -> list[int]:
        if trial.target == "driver":
            return [driver.pid]
        return started_by(driver, engine.targets[trial.target])

    before, saved_before = n_done(out), saved(out)
    if trial.instant == "start":
        if trial.target == "driver":
            time.sleep(rng.uniform(0.0, 4.0))
        else:
            wait_for(lambda: bool(processes()), driver)
            time.sleep(rng.uniform(0.0, 1.5))
    elif trial.instant == "checkpoint":
        wait_for(lambda: bool(saved(out) - saved_before), driver)
        time.sleep(rng.uniform(0.0, 0.3))
    elif trial.instant == "commit":
        wait_for(lambda: n_done(out) > before, driver)
        time.sleep(rng.uniform(0.0, 0.5))
    else:
        wait_for(lambda: n_done(out) >= N_RUNS - 1, driver)
    found = processes()
    for target in [rng.choice(found)] if found else []:
        with contextlib.suppress(ProcessLookupError):
            os.kill(target, trial.number)
    driver.wait(_SECONDS)


def rows_of(out: Path) -> object:
    """All that the runs measured, without times."""
    results = load_results(out)
    assert (results.runs["status"] == "ok").all(), results.runs["reason"].tolist()
    assert len(results.runs) == N_RUNS
    return results.captured.to_csv(index=False), results.accuracy.to_csv(index=False)


def n_continued(out: Path) -> int:
    """Runs whose training went on from a checkpoint."""
    runs = load_results(out).runs
    return sum("continued_at" in diagnostics for diagnostics in runs["diagnostics"])


def finish(out: Path, log: Path, engine: Engine = LOCAL) -> int:
    """Go on by the same command until the sweep is done; how often it had to be called."""
    for call in range(1, 4):
        code = start(out, log, engine).wait(_SECONDS)
        assert code in {0, 3}, f"exit code {code}: {log.read_text()}"
        if code == 0:
            return call
    raise AssertionError(f"never done: {log.read_text()}")


def undisturbed(directory: Path) -> object:
    """The rows of a sweep that nothing disturbs."""
    # On this machine's own engine, whatever is killed: rows do not depend on it.
    finish(directory / "rows", directory / "log")
    return rows_of(directory / "rows")


def check(
    trial: Trial,
    directory: Path,
    expected: object,
    rng: random.Random,
    engine: Engine = LOCAL,
) -> None:
    """Make one trial.

    Raises:
        AssertionError: if its rows are others, or an output holds a traceback.
    """
    out, log = directory / "rows", directory / "log"
    for _ in range(trial.kills):
        kill(start(out, log, engine), trial, out, rng, engine)
    finish(out, log, engine)
    said = log.read_text()
    assert "Traceback" not in said, said
    assert rows_of(out) == expected, "the rows are others"
    assert not (out / "checkpoints").exists(), "checkpoints stayed"


def random_trial(rng: random.Random, engine: Engine = LOCAL) -> Trial:
    """A trial of any kind."""
    return Trial(
        target=rng.choice(["driver", *engine.targets]),
        number=rng.choice([signal.SIGKILL, signal.SIGTERM]),
        instant=rng.choice(["start", "checkpoint", "commit", "last"]),
        kills=rng.choice([1, 1, 2]),
    )


def main(n_trials: int, seed: int, engine: Engine) -> int:
    """Make trials; the number that failed."""
    rng = random.Random(seed)
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "calm").mkdir()
        expected = undisturbed(directory / "calm")
        for number in range(n_trials):
            trial, place = random_trial(rng, engine), directory / "trial"
            place.mkdir()
            began = time.monotonic()
            try:
                check(trial, place, expected, rng, engine)
                verdict = f"same rows, {n_continued(place / 'rows')} runs went on within a training"
            except (AssertionError, StoreRefused, subprocess.TimeoutExpired) as error:
                failures += 1
                verdict = f"FAILED: {error}"
            print(f"{number}: {trial}: {verdict} ({time.monotonic() - began:.0f} s)", flush=True)
            shutil.rmtree(place)
    print(f"{n_trials} trials, {failures} failed")
    return failures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Kill small sweeps at random instants.")
    parser.add_argument("trials", nargs="?", type=int, default=30)
    parser.add_argument("seed", nargs="?", type=int, default=0)
    parser.add_argument("--engine", help="the sweep's engine; by default this machine's workers")
    parser.add_argument("--target", action="append", default=[], metavar="NAME=TEXT")
    given = parser.parse_args()
    targets = TARGETS | dict(pair.split("=", 1) for pair in given.target)
    sys.exit(main(given.trials, given.seed, Engine(given.engine, targets)) > 0)
