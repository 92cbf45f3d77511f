"""The command ``doctor``."""

import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from fctestbed.cli import options
from fctestbed.cli.checks import usage_errors
from fctestbed.cli.driving import UNFINISHED
from fctestbed.cli.output import emit
from fctestbed.experiments import SelfTest, run_self_test
from fctestbed.sweep import available_cores, environment, resolve_device, tune_process

_GIB = 2**30
_LEAST_FREE_GIB = 1.0
_SHOWN = (
    "fctestbed", "commit", "python", "platform", "torch", "numpy", "scipy", "numba", "pandas",
    "pydantic",
)  # fmt: skip


def doctor(device: options.Device = "auto") -> int:
    """Say what is installed here, test that it works, and say how long the default sweep takes.

    The test takes about ten seconds: a tiny sweep whose exact answers are known, then some
    trainings of the default sweep. Exit code 3 if an answer is not the known one.

    Example: fctestbed doctor
    """
    with usage_errors():
        place = resolve_device(device)
    about = _machine(place)
    for name, value in about.items():
        typer.echo(f"{name:14} {value}")
    tune_process()
    workers = available_cores()
    test = run_self_test(
        device=place, workers=workers, report=lambda line: typer.echo(f"testing: {line}", err=True)
    )
    warnings = _warnings(about)
    for line in (*_lines(test, workers), *(f"warning: {text}" for text in warnings)):
        typer.echo(line)
    sweep = None if test.default_sweep is None else asdict(test.default_sweep)
    findings = [asdict(one) for one in test.findings]
    emit(machine=about, findings=findings, default_sweep=sweep, warnings=warnings)
    return 0 if test.passed else UNFINISHED


def _machine(device: str) -> dict[str, Any]:
    found = environment()
    versions = {name: found[name] for name in _SHOWN if found.get(name) is not None}
    free, total = _memory_gib()
    return {
        **versions,
        "processor": found["cpu"],
        "cores": available_cores(),
        "device": device,
        "memory": f"{free:.1f} GiB free of {total:.1f}",
        "disk": f"{shutil.disk_usage(Path.cwd()).free / _GIB:.1f} GiB free here",
    }


def _memory_gib() -> tuple[float, float]:
    """Free memory and all of it, in GiB; what the system would give a program counts as free."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GIB
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return total, total
    kib = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return (total if kib is None else int(kib) * 1024 / _GIB), total


def _warnings(about: dict[str, Any]) -> list[str]:
    return [
        f"little {name}: {about[name]}"
        for name in ("memory", "disk")
        if float(about[name].partition(" ")[0]) < _LEAST_FREE_GIB
    ]


def _lines(test: SelfTest, workers: int) -> list[str]:
    lines = [
        f"{'passed' if one.passed else 'FAILED'}  {one.name}: {one.found:.3g}, exactly "
        f"{one.expected:g}"
        for one in test.findings
    ]
    if test.default_sweep is None:
        return [*lines, "default sweep: no estimate on a GPU; `fctestbed bench` measures it"]
    minutes = test.default_sweep.seconds / 60
    return [
        *lines,
        f"default sweep: about {minutes:.0f} minutes with {workers} workers (from "
        f"{test.default_sweep.basis})",
    ]
