"""Kills small sweeps at random instants, goes on by the same command, and compares their rows.

``python tests/e2e/kills.py 60`` kills (SIGKILL) 60 times: drivers, worker processes, Dask's workers
and Dask's scheduler, on every engine. A sweep is killed up to four times: early, after a
checkpoint of a training, after a commit, or with one unit left. After each kill that ended the
driver, the same command goes on. In the end its rows must be those of an undisturbed sweep, to the
last digit, and no output may hold a traceback.
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit")]

from tiny_sweeps import TINY_OPTIONS  # noqa: E402

from fctestbed.results import STORE_NAME, ResultsStore, StoreRefused, load_results  # noqa: E402

# FactorCL's rows depend on the threads and on every rounding.
SWEEP = [
    *("sweep", "--unique-ratio=0,0.5,1", "--seeds=0", "--methods=factorcl-sup,simclr,raw"),
    *("--max-stack=1", "--device=cpu", "--no-report", "--no-figures"),
    *TINY_OPTIONS,
    *("--set=train.steps=100", "--set=measurement.channel=false", "--checkpoint-seconds=0.05"),
]
N_RUNS = 9
DRIVER, UNITS, DASK_WORKER, SCHEDULER = "driver", "worker process", "dask worker", "dask scheduler"
# The command lines of processes that are killed, by what they are.
_TEXTS = {UNITS: "spawn_main", DASK_WORKER: "dask worker", SCHEDULER: "dask scheduler"}
INSTANTS = ("start", "checkpoint", "commit", "last")
_SECONDS = 300


@dataclass(frozen=True)
class Kill:
    """What is killed, and when.

    Attributes:
        target: what.
        instant: ``start`` (while the driver or its workers start), ``checkpoint`` (some time after
            a training is saved), ``commit`` (some time after a unit is stored) or ``last`` (with
            one unit left).
    """

    target: str
    instant: str


class Cluster:
    """A Dask scheduler and its workers, each a process, which is started again when it ends.

    They are started as ``docs/clusters.md`` says.
    """

    def __init__(self, n_workers: int = 2) -> None:
        self._n_workers = n_workers
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        port = self.address.rpartition(":")[2]
        scheduler = ["scheduler", "--host=127.0.0.1", f"--port={port}", "--no-dashboard"]
        worker = ["worker", self.address, "--no-nanny", "--nthreads=1", "--memory-limit=0"]
        self._commands = [scheduler, *[worker] * n_workers]
        self._processes = [self._start(command) for command in self._commands]
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._mend)
        self._thread.start()

    @property
    def processes(self) -> list[int]:
        """The ids of the processes."""
        return [process.pid for process in self._processes]

    def wait(self) -> None:
        """Wait until the workers are there."""
        from distributed import Client

        with Client(f"tcp://{self.address}", timeout=_SECONDS, set_as_default=False) as client:
            client.wait_for_workers(self._n_workers, timeout=_SECONDS)

    def close(self) -> None:
        """End all."""
        self._closed.set()
        self._thread.join()
        for process in self._processes:
            process.kill()
            process.wait()

    def _start(self, command: list[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )

    def _mend(self) -> None:
        while not self._closed.wait(0.2):
            for place, process in enumerate(self._processes):
                if process.poll() is not None:
                    self._processes[place] = self._start(self._commands[place])


@dataclass(frozen=True)
class Engine:
    """What runs the sweep's units.

    Attributes:
        options: of the command.
        targets: what is killed.
        cluster: the one that the units run on; None for what the driver starts.
    """

    options: tuple[str, ...] = ("--workers=2",)
    targets: tuple[str, ...] = (DRIVER, UNITS)
    cluster: Cluster | None = None


LOCAL = Engine()


@contextlib.contextmanager
def engines() -> Iterator[Mapping[str, Engine]]:
    """Every engine, by its name."""
    cluster = Cluster()
    try:
        yield {
            "dask with an address": on_cluster(cluster),
            "dask": Engine(("--engine=dask", "--workers=2")),
            "workers": LOCAL,
        }
    finally:
        cluster.close()


def on_cluster(cluster: Cluster) -> Engine:
    """The engine of a cluster."""
    options = "--engine=dask", f"--address={cluster.address}"
    return Engine(options, (DRIVER, UNITS, DASK_WORKER, SCHEDULER), cluster)


@dataclass
class Sweep:
    """A sweep that is killed.

    Attributes:
        out: its directory.
        log: the file of its output.
        engine: what runs its units.
        driver: its last driver.
    """

    out: Path
    log: Path
    engine: Engine = LOCAL
    driver: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def runs(self) -> bool:
        """Whether its driver runs."""
        return self.driver is not None and self.driver.poll() is None

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it, or let it go on, in a session of its own."""
        if self.driver is not None and self.runs:
            return self.driver
        if self.engine.cluster is not None:
            self.engine.cluster.wait()
        with open(self.log, "ab") as stream:
            self.driver = subprocess.Popen(
                command(self.out, self.engine),
                stdout=stream,
                stderr=stream,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                start_new_session=True,
            )
        return self.driver

    def kill(self, kill: Kill, rng: random.Random) -> bool:
        """Kill a process of the sweep, which goes on where it has ended; whether one was killed:
        the sweep may be done before."""
        before, saved_before = n_done(self.out), saved(self.out)
        driver = self.start()
        if kill.instant == "start" and kill.target == DRIVER:
            time.sleep(rng.uniform(0.0, 6.0))
        elif kill.instant == "start":
            wait_for(lambda: bool(self._processes(kill.target)), driver)
            time.sleep(rng.uniform(0.0, 2.0))
        elif kill.instant == "checkpoint":
            wait_for(lambda: bool(saved(self.out) - saved_before), driver)
            time.sleep(rng.uniform(0.0, 0.3))
        elif kill.instant == "commit":
            wait_for(lambda: n_done(self.out) > before, driver)
            time.sleep(rng.uniform(0.0, 0.5))
        else:
            wait_for(lambda: n_done(self.out) >= N_RUNS - 1, driver)
        found = self._processes(kill.target)
        if not found or not self.runs:
            return False
        try:
            os.kill(rng.choice(found), signal.SIGKILL)
        except ProcessLookupError:
            return False
        if kill.target in (DRIVER, SCHEDULER):
            # Without its scheduler a driver says so and ends with exit code 3; with its last row
            # stored, with 0.
            code = driver.wait(_SECONDS)
            expected = {-signal.SIGKILL} if kill.target == DRIVER else {0, 3}
            assert code in expected, f"exit code {code}: {self.log.read_text()}"
        return True

    def finish(self) -> int:
        """Go on by the same command until the sweep is done; how often it was called."""
        for call in range(1, 5):
            code = self.start().wait(_SECONDS)
            assert code in {0, 3}, f"exit code {code}: {self.log.read_text()}"
            if code == 0:
                return call
        raise AssertionError(f"never done: {self.log.read_text()}")

    def end(self) -> None:
        """End its driver, if it runs."""
        if self.driver is not None:
            self.driver.kill()
            self.driver.wait()

    def check(self, expected: object) -> None:
        """Hold a sweep that is done to the rows of an undisturbed one.

        Raises:
            AssertionError: if its rows are others, or its output holds a traceback.
        """
        said = self.log.read_text()
        assert "Traceback" not in said, said
        assert rows_of(self.out) == expected, "the rows are others"
        assert not (self.out / "checkpoints").exists(), "checkpoints stayed"

    def _processes(self, target: str) -> list[int]:
        assert self.driver is not None
        if target == DRIVER:
            return [self.driver.pid]
        cluster = self.engine.cluster
        roots = [self.driver.pid] if cluster is None else cluster.processes
        return started_by(roots, _TEXTS[target])


def command(out: Path, engine: Engine = LOCAL) -> list[str]:
    """The sweep's command line; its figures are not drawn, to save time."""
    return [sys.executable, "-m", "fctestbed", *SWEEP, *engine.options, f"--out={out}"]


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


def started_by(roots: list[int], text: str) -> list[int]:
    """Processes that run, those given and all that they have started, directly or not, with a text
    in their command line."""
    parents, found = {}, []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent, *_ = stat.read_text().rpartition(")")[2].split()
            line = (stat.parent / "cmdline").read_bytes()
            parents[int(stat.parent.name)] = int(parent)
            if state != "Z" and text.encode() in line.replace(b"\0", b" "):
                found.append(int(stat.parent.name))
    return [process for process in found if {process, *_ancestors(process, parents)} & {*roots}]


def _ancestors(process: int, parents: Mapping[int, int]) -> list[int]:
    found: list[int] = []
    while (process := parents.get(process, 0)) and process not in found:
        found.append(process)
    return found


def wait_for(condition: Callable[[], bool], driver: "subprocess.Popen[bytes]") -> None:
    """Wait until the condition is true or the driver has ended."""
    deadline = time.monotonic() + _SECONDS
    while driver.poll() is None and not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


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


def dealt(engine: Engine, n_kills: int, rng: random.Random) -> deque[Kill]:
    """So many kills of an engine: every target at every instant in turn."""
    found: deque[Kill] = deque()
    while len(found) < n_kills:
        kinds = [Kill(*kind) for kind in product(engine.targets, INSTANTS)]
        found.extend(rng.sample(kinds, len(kinds)))
    return deque(list(found)[:n_kills])


def main(n_kills: int, seed: int) -> int:
    """Kill so many times; the number of sweeps that failed."""
    rng = random.Random(seed)
    failures, n_sweeps, n_done_kills = 0, 0, Counter[str]()
    with tempfile.TemporaryDirectory() as name, engines() as found:
        directory = Path(name)
        # On this machine's own engine, whatever is killed: rows do not depend on it.
        calm = Sweep(directory / "calm", directory / "log of calm")
        calm.finish()
        expected = rows_of(calm.out)
        n_targets = sum(len(engine.targets) for engine in found.values())
        for named, engine in found.items():
            waiting = dealt(engine, round(n_kills * len(engine.targets) / n_targets), rng)
            while waiting:
                # The instants' order is that in which a sweep has them.
                of_sweep = [waiting.popleft() for _ in range(min(4, len(waiting)))]
                of_sweep.sort(key=lambda kill: INSTANTS.index(kill.instant))
                sweep = Sweep(directory / "rows", directory / "log", engine)
                began, killed = time.monotonic(), []
                try:
                    for kill in of_sweep:
                        if sweep.kill(kill, rng):
                            killed.append(f"{kill.target} at {kill.instant}")
                            n_done_kills[kill.target] += 1
                        else:
                            waiting.append(kill)
                    calls = sweep.finish()
                    sweep.check(expected)
                    verdict = f"same rows after {calls} more calls, "
                    verdict += f"{n_continued(sweep.out)} runs went on within a training"
                except (AssertionError, StoreRefused, subprocess.TimeoutExpired) as error:
                    failures += 1
                    verdict = f"FAILED: {error}"
                n_sweeps += 1
                print(
                    f"{n_done_kills.total()} kills; {named}: {', '.join(killed)}: {verdict} "
                    f"({time.monotonic() - began:.0f} s)",
                    flush=True,
                )
                sweep.end()
                shutil.rmtree(sweep.out, ignore_errors=True)
                sweep.log.unlink()
    kinds = ", ".join(f"{count} of a {target}" for target, count in sorted(n_done_kills.items()))
    print(f"{n_done_kills.total()} kills ({kinds}) in {n_sweeps} sweeps, {failures} failed")
    return failures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kills", nargs="?", type=int, default=60)
    parser.add_argument("seed", nargs="?", type=int, default=0)
    given = parser.parse_args()
    sys.exit(main(given.kills, given.seed) > 0)
