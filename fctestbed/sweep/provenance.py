"""Provenance of a run: versions, commit, processor, libraries, threads. May import torch."""

import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_info

from fctestbed._version import __version__

_PACKAGES = ("torch", "numpy", "scipy", "numba", "pandas", "pydantic")


@cache
def environment() -> dict[str, Any]:
    """Versions, platform, processor and commit of this process."""
    return {
        "fctestbed": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _processor(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        **{name: _version(name) for name in _PACKAGES},
    }


def provenance(*, device: str, stack_size: int) -> dict[str, Any]:
    """The provenance that is stored with each run of a stack.

    A run's rounding depends on its threads, the processor and the versions of the libraries.
    """
    is_cuda = device.startswith("cuda")
    libraries = sorted(
        (_library_name(library), int(library["num_threads"]))
        for library in threadpool_info()
        if library["user_api"] == "blas"
    )
    return {
        **environment(),
        "device": device,
        "device_name": torch.cuda.get_device_name(device) if is_cuda else _processor(),
        "threads": torch.get_num_threads(),
        "blas": sorted({name for name, _ in libraries}),
        "blas_threads": max((threads for _, threads in libraries), default=None),
        "mkl": torch.backends.mkl.is_available(),
        "stack_size": stack_size,
    }


def _library_name(library: dict[str, Any]) -> str:
    """The name, version and instruction set of a linear algebra library."""
    parts = (library.get(key) for key in ("internal_api", "version", "architecture"))
    return " ".join(str(part) for part in parts if part)


@cache
def _processor() -> str:
    """The processor's model; its architecture where the system does not say the model."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "model name" and value.strip():
            return value.strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the checkout that the code runs from, with ``-dirty`` if files were changed;
    None outside a checkout."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        head = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", "fctestbed")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{head}-dirty" if changed else head


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
