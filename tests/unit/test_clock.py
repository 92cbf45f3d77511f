"""Nothing depends on the system's clock, which may jump: durations are of the monotonic clock."""

import ast
import itertools
import time
from pathlib import Path

import pytest
from tiny_sweeps import tiny_sweep

from fctestbed.results import ResultsStore, load_results
from fctestbed.sweep import run_sweep

PACKAGE = Path(__file__).parents[2] / "fctestbed"
# The date that a store says it was made on, which nothing reads.
KNOWN = {("results/database.py", "now")}
_CLOCK = {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime", "now", "utcnow", "today"}
_MODULES = {"time", "datetime", "date"}


def readings(source: str) -> list[str]:
    """Names of functions that read the system's clock."""
    tree = ast.parse(source)
    called = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in _CLOCK
        and isinstance(node.value, ast.Name | ast.Attribute)
        and getattr(node.value, "id", getattr(node.value, "attr", "")) in _MODULES
    ]
    imported = [
        name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for name in node.names
        if name.name in _CLOCK
    ]
    return called + imported


def test_no_code_reads_the_system_s_clock() -> None:
    found = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in PACKAGE.rglob("*.py")
        for name in readings(path.read_text(encoding="utf-8"))
    }
    assert found == KNOWN


@pytest.mark.parametrize(
    "source",
    ["time.time()", "datetime.now()", "datetime.datetime.now(UTC)", "from time import time_ns"],
)
def test_a_reading_of_the_clock_is_found(source: str) -> None:
    assert readings(source)


def test_a_sweep_under_a_clock_that_jumps_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_sweep(methods=["simclr"], measurement={"channel": False})
    run_sweep(spec, tmp_path / "calm", device="cpu", workers=1)
    jumps = itertools.cycle([-1e9, 4e9, 0.0, 1.0])
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    monkeypatch.setattr(time, "time_ns", lambda: int(next(jumps) * 1e9))
    outcome = run_sweep(spec, tmp_path / "out", device="cpu", workers=1, checkpoint_seconds=1e-9)
    assert (outcome.n_new, outcome.n_failed) == (2, 0)
    with ResultsStore.open_read(tmp_path / "out") as store:
        assert all(0 < seconds < 600 for seconds in store.seconds().values())
    found, expected = (load_results(tmp_path / name) for name in ("out", "calm"))
    assert found.captured.to_csv() == expected.captured.to_csv()
