"""What Dask's workers run before any unit: which software they have, and that they take units.

Imported on every worker, also on one that is refused, and hence small. Imports the standard library
and ``fctestbed._version``.
"""

from dataclasses import astuple, dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version_tuple
from typing import Any

from fctestbed._version import __version__


@dataclass(frozen=True)
class Software:
    """What has to be the same on all machines of a sweep.

    Attributes:
        fctestbed: its version.
        source: the beginning of the digest of its source files, which differ between checkouts of
            one version.
        torch: its version, without the name of the build.
        python: major and minor version.
    """

    fctestbed: str
    source: str
    torch: str
    python: str

    def __str__(self) -> str:
        return (
            f"fctestbed {self.fctestbed} (source {self.source}), torch {self.torch}, "
            f"Python {self.python}"
        )

    @property
    def resource(self) -> str:
        """The name of Dask's resource that workers with this software have."""
        return f"fctestbed-{sha256(repr(astuple(self)).encode()).hexdigest()[:8]}"


@cache
def software() -> Software:
    """The software of this process."""
    major, minor, _ = python_version_tuple()
    try:
        torch = version("torch").partition("+")[0]
    except PackageNotFoundError:
        torch = "missing"
    return Software(__version__, _source_digest(), torch, f"{major}.{minor}")


def sees_cuda() -> bool:
    """Whether torch finds a CUDA device in this process."""
    import torch  # noqa: PLC0415 - only where a GPU is asked for

    return torch.cuda.is_available()


async def take_units(resource: str, at_a_time: int, dask_worker: Any = None) -> None:
    """Let a Dask worker take units: tasks that need this resource go to workers that have it.

    Args:
        resource: the resource's name.
        at_a_time: how many units it takes at a time.
        dask_worker: the worker, which Dask puts in.
    """
    await dask_worker.set_resources(**{resource: at_a_time})


def _source_digest() -> str:
    root = Path(__file__).parent
    found = sha256()
    for path in sorted(root.rglob("*.py")):
        found.update(f"{path.relative_to(root).as_posix()}\n".encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:8]
