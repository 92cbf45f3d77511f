"""Provenance of a run: versions, commit, device. May import torch."""

import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from fctestbed._version import __version__

_PACKAGES = ("torch", "numpy", "scipy", "numba", "pandas", "pydantic")


@cache
def environment() -> dict[str, Any]:
    """Versions, platform and commit of this process."""
    return {
        "fctestbed": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: _version(name) for name in _PACKAGES},
    }


def provenance(*, device: str, stack_size: int) -> dict[str, Any]:
    """The provenance that is stored with each run of a stack."""
    if device.startswith("cuda"):
        name = torch.cuda.get_device_name(device)
    else:
        name = platform.processor() or platform.machine()
    return {
        **environment(),
        "device": device,
        "device_name": name,
        "threads": torch.get_num_threads(),
        "stack_size": stack_size,
    }


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
