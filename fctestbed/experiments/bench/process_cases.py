"""Cases of whole processes: start-up, and the quick sweep on one unique ratio.

May import ``fctestbed.sweep`` and the benchmark's own modules.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from fctestbed.experiments.bench.case import Case, Prepared
from fctestbed.experiments.bench.timing import timed
from fctestbed.sweep import run_sweep, sweep_spec

_START_UPS = {
    # What Python itself takes, to compare the others with.
    "python": ("python -c pass", ("-c", "pass")),
    "import": ("import fctestbed", ("-c", "import fctestbed")),
    "help": ("fctestbed --help", ("-m", "fctestbed", "--help")),
    "truth": ("fctestbed truth", ("-m", "fctestbed", "truth")),
}
_RATIO = 0.5


def start_up_cases() -> Iterator[Case]:
    """The first things that a user waits for, each in a process of its own."""
    for name, (unit, arguments) in _START_UPS.items():
        yield Case(name=f"start-up/{name}", unit=unit, prepare=partial(_start_up, arguments))


def sweep_cases() -> Iterator[Case]:
    """All methods and seeds of the quick sweep on one unique ratio, with workers on all cores."""
    yield Case(
        name="sweep/one-ratio",
        unit=f"the default sweep at unique ratio {_RATIO:g}",
        prepare=_sweep,
        is_long=True,
    )


def child_environment() -> dict[str, str]:
    """The environment of a Python process that imports this package."""
    paths = [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def _start_up(arguments: tuple[str, ...], device: str) -> Prepared:
    environment = child_environment()

    def work() -> None:
        subprocess.run(
            [sys.executable, *arguments], env=environment, check=True, capture_output=True
        )

    return Prepared(work=timed(work))


def _sweep(device: str) -> Prepared:
    spec = sweep_spec({"unique_ratio": [_RATIO]})

    def work() -> None:
        with tempfile.TemporaryDirectory() as directory:
            run_sweep(spec, Path(directory) / "sweep", device=device, keep_encoders=False)

    return Prepared(work=timed(work), warm=False)
