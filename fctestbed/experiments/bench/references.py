"""Plain forms of the cases, from a file: they are not part of the package.

A file of references is a Python module with a mapping ``REFERENCES``. Its keys are the names in
``Case.plain``; a value takes the case's inputs and returns other ways to do the same, by name. Each
is a work: it does it once and returns the seconds that one unit took. May import nothing of the
project but ``timing``.
"""

import sys
from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from fctestbed.experiments.bench.timing import Work

References = Mapping[str, Callable[[Any], Mapping[str, Work]]]

_MODULE = "fctestbed_bench_references"


def load_references(path: str | Path) -> References:
    """The references of a file, which is run as any Python module is.

    Args:
        path: the file; modules beside it can be imported by it.

    Raises:
        ValueError: one line, for what is no such file.
    """
    path = Path(path).resolve()
    spec = spec_from_file_location(_MODULE, path) if path.is_file() else None
    if spec is None or spec.loader is None:
        raise ValueError(f"references: expected a Python file, got {path}")
    module = module_from_spec(spec)
    # As for a script: its directory is the first on the path.
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    found = getattr(module, "REFERENCES", None)
    if not isinstance(found, Mapping) or not all(map(callable, found.values())):
        raise ValueError(f"references: expected functions in REFERENCES of {path}, got none")
    return found
