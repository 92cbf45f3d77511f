"""What an engine costs: CPU time and memory of the driver over thousands of tiny runs.

``python tests/e2e/engine_overhead.py dask 2000`` does 2,000 tiny runs over two workers. It prints
the driver's CPU seconds, those of a run, and their share of the worker processes' CPU seconds; and
the driver's memory. A third number sets the steps of each training, 10 by default, and so the
length of a run. CPU seconds do not depend on what else the machine does, but for its caches.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit")]

from tiny_sweeps import tiny_sweep  # noqa: E402

from fctestbed.sweep import run_sweep  # noqa: E402
from fctestbed.sweep.driver import Silent  # noqa: E402


class Memory(Silent):
    """Takes the driver's memory whenever a unit is stored."""

    def __init__(self) -> None:
        self.megabytes: list[float] = []

    def begin(self, plan, executor):
        self.megabytes.append(memory())

    def committed(self, unit, records):
        self.megabytes.append(memory())


def memory() -> float:
    """Resident megabytes of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def cpu_seconds(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def main(engine: str, n_runs: int, steps: int, address: str | None) -> None:
    spec = tiny_sweep(
        methods=["supcon"],
        unique_ratio=[0.5],
        seeds=list(range(n_runs)),
        train={"steps": steps},
        # Most of the time of a tiny run.
        measurement={"channel": False},
    )
    taken = Memory()
    before, began = cpu_seconds(resource.RUSAGE_SELF), time.monotonic()
    with tempfile.TemporaryDirectory() as out:
        done = run_sweep(
            spec,
            out,
            engine=engine,
            address=address,
            workers=None if address else 2,
            device="cpu",
            display=taken,
        )
    driver = cpu_seconds(resource.RUSAGE_SELF) - before
    workers = cpu_seconds(resource.RUSAGE_CHILDREN)
    found = taken.megabytes
    print(
        f"{engine}: {done.n_new} runs in {time.monotonic() - began:.0f} s; driver {driver:.1f} CPU "
        f"s, {1e3 * driver / n_runs:.1f} ms a run; workers {workers:.1f} CPU s, "
        f"{1e3 * workers / n_runs:.0f} ms a run ({driver / max(workers, 1e-9):.1%}); memory "
        f"{found[0]:.0f} MB at the start, {found[len(found) // 10]:.0f} MB after a tenth, "
        f"{max(found):.0f} MB at most, {found[-1]:.0f} MB at the end",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine")
    parser.add_argument("runs", type=int)
    parser.add_argument("steps", nargs="?", type=int, default=10)
    parser.add_argument("--address", help="of a Dask scheduler")
    given = parser.parse_args()
    main(given.engine, given.runs, given.steps, given.address)
