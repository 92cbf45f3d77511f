"""Results of trainings on real data in a directory: one file for each method and seed.

May import ``fctestbed.results`` and the standard library.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fctestbed._version import __version__
from fctestbed.results import StoreRefused, describe_difference, write_atomically

STUDY, RUNS = "study.json", "runs"
FORMAT = 1


class RunStore:
    """The runs of one data set with one set of settings.

    Methods and seeds may be added; everything else must be the same.

    Args:
        directory: where they are; nothing is written before the first run.
        shared: what all runs have in common, as JSON holds it: data and settings.

    Raises:
        ValueError: one line, if the directory has runs of other data or settings (it names them),
            or other files.
        StoreRefused: a file is damaged.
    """

    def __init__(self, directory: Path, shared: Mapping[str, Any]) -> None:
        self.directory = directory
        self._shared = json.loads(json.dumps({"format": FORMAT, **shared}))
        path = directory / STUDY
        if not path.exists() and directory.is_dir() and any(directory.iterdir()):
            raise ValueError(
                f"out: expected a new directory or one of train's, got {directory}, which has "
                "other files"
            )
        if path.exists():
            stored = _read(path)
            if stored != self._shared:
                raise ValueError(
                    f"out: expected the data and settings of {directory} or another directory, "
                    f"got others ({describe_difference(stored, self._shared)})"
                )

    def run(self, method: str, seed: int, settings: Mapping[str, Any]) -> dict[str, Any] | None:
        """A stored run, or None if it is not there.

        Args:
            method: its name.
            seed: its seed.
            settings: of the method, which must be the stored ones.

        Raises:
            ValueError: one line, for a run with other settings of the method.
            StoreRefused: the file is damaged.
        """
        path = self._path(method, seed)
        if not path.exists():
            return None
        found = _read(path)
        if found.get("settings") != dict(settings):
            raise ValueError(
                f"out: expected the settings of {method} that {self.directory} has or another "
                f"directory, got others "
                f"({describe_difference(found.get('settings', {}), settings)})"
            )
        return found

    def put(self, method: str, seed: int, content: Mapping[str, Any]) -> None:
        """Store a run; its file is whole or not there."""
        study = self.directory / STUDY
        if not study.exists():
            _write(study, self._shared)
        _write(self._path(method, seed), content)

    def _path(self, method: str, seed: int) -> Path:
        # A user's method is an import path.
        safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in method)
        if safe != method:
            safe += "-" + hashlib.sha256(method.encode()).hexdigest()[:8]
        return self.directory / RUNS / f"{safe}-{seed}.json"


def _write(path: Path, content: Mapping[str, Any]) -> None:
    body = json.dumps({**content}, sort_keys=True)
    document = {
        "content": json.loads(body),
        "sha256": hashlib.sha256(body.encode()).hexdigest(),
        "fctestbed": __version__,
    }
    write_atomically(path, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode())


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        content = document["content"]
        body = json.dumps(content, sort_keys=True)
        whole = document["sha256"] == hashlib.sha256(body.encode()).hexdigest()
    # Damage can be of any kind.
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreRefused(f"{path}: damaged ({type(error).__name__})") from error
    if not whole or not isinstance(content, dict):
        raise StoreRefused(f"{path}: damaged (its content has another digest than it says)")
    return content
