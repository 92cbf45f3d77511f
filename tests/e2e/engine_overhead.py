"""What an engine costs: CPU time and memory of the driver over thousands of tiny runs.

``python tests/e2e/engine_overhead.py dask 2000`` does 2,000 tiny runs over two workers, and prints
the driver's CPU seconds as a share of those of the worker processes, and its memory.
CPU seconds do not depend on what else the machine does.
"""

import resource
import sys
import tempfile
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

    def committed(self, unit, records):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.megabytes.append(pages * resource.getpagesize() / 2**20)


def cpu_seconds(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def main(engine: str, n_runs: int, address: str | None = None) -> None:
    spec = tiny_sweep(methods=["supcon"], unique_ratio=[0.5], seeds=list(range(n_runs)))
    memory = Memory()
    before = cpu_seconds(resource.RUSAGE_SELF)
    with tempfile.TemporaryDirectory() as out:
        done = run_sweep(
            spec,
            out,
            engine=engine,
            address=address,
            workers=None if address else 2,
            device="cpu",
            display=memory,
        )
    driver = cpu_seconds(resource.RUSAGE_SELF) - before
    workers = cpu_seconds(resource.RUSAGE_CHILDREN)
    part = memory.megabytes[len(memory.megabytes) // 10 :]
    print(
        f"{engine}: {done.n_new} runs, driver {driver:.1f} CPU s, workers {workers:.1f} CPU s"
        f" ({driver / max(workers, 1e-9):.1%}); memory {part[0]:.0f} MB after a tenth, "
        f"{max(part):.0f} MB at most, {part[-1]:.0f} MB at the end",
        flush=True,
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
