"""Rows of an explanation in files: one for each method, to which levels are added as they are done.

Owns the files, their identity and the columns. May import ``fctestbed.results``,
``fctestbed.synthesis``, ``fctestbed.training`` and this package.
"""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from fctestbed._version import __version__
from fctestbed.faults.levels import Effort
from fctestbed.results import write_atomically
from fctestbed.synthesis import digest
from fctestbed.training import TrainingSpec

COLUMNS = (
    "method",
    "unique_ratio",
    "seed",
    "level",
    "name",
    "label_bits",
    "lowest_label_bits",
    "highest_label_bits",
    "lowest_whitened_bits",
    "highest_whitened_bits",
    "shared_bits",
    "unique_bits",
    "rate_bits",
    "loss_nats",
    "late_loss_nats",
    "converged",
    "criterion",
    "note",
    "failed",
)
_TEXTS = ("criterion", "note", "method", "name")
_TRUTH_COLUMNS = ("converged", "failed")
_INTEGERS = ("seed", "level")
_TRUTHS = {"": None, "True": True, "False": False}

Cell = tuple[float, int]
"""A unique ratio and a seed."""


@dataclass(frozen=True, kw_only=True)
class KeptRows:
    """The rows of one method.

    Attributes:
        path: of the file; None keeps rows in memory alone.
        identity: digest of what all its rows depend on, but ratio and seed.
        rows: by ratio, seed and name.
    """

    path: Path | None
    identity: str
    rows: dict[tuple[float, int, str], dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, directory: Path | None, trainings: Sequence[TrainingSpec], effort: Effort
    ) -> "KeptRows":
        """The rows that a directory has of a method.

        Raises:
            ValueError: one line, for a file of other settings or another version.
        """
        name = "".join(c if c.isalnum() or c in "-_." else "_" for c in trainings[0].method)
        path = None if directory is None else directory / f"{name}.csv"
        found = cls(path=path, identity=_identity(trainings, effort))
        if path is not None and path.exists():
            for row in _read(path, found.identity):
                found.rows[row["unique_ratio"], row["seed"], row["name"]] = row
        return found

    def has(self, ratio: float, seed: int, names: Iterable[str]) -> bool:
        """Whether all of some levels of a cell are known, and none ended in an error."""
        own = [self.rows.get((ratio, seed, name)) for name in names]
        return all(row is not None and not row["failed"] for row in own)

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Keep rows, and write the file."""
        for row in rows:
            self.rows[row["unique_ratio"], row["seed"], row["name"]] = row
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            text = io.StringIO()
            _table(self.rows.values()).to_csv(text, index=False)
            head = json.dumps({"explanation": self.identity})
            write_atomically(self.path, f"# {head}\n{text.getvalue()}".encode())

    def table(self, cells: Sequence[Cell]) -> pd.DataFrame:
        """The rows of some cells, in their order, levels from the truth on."""
        wanted = {cell: place for place, cell in enumerate(cells)}
        held = [row for row in self.rows.values() if (row["unique_ratio"], row["seed"]) in wanted]
        # The sort is stable: rows of one level stay in the order in which they were made.
        held.sort(key=lambda row: (wanted[row["unique_ratio"], row["seed"]], row["level"]))
        return _table(held)


def _table(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return table.astype({"converged": object, "failed": bool})


def _identity(trainings: Sequence[TrainingSpec], effort: Effort) -> str:
    """The same for every ratio and seed of a sweep."""
    first = trainings[0].model_dump(mode="json")
    first.pop("seed")
    first["world"]["label"].pop("unique_ratio")
    return digest(
        {
            "training": first,
            "source": trainings[0].source,
            "effort": asdict(effort),
            "fctestbed": __version__,
        }
    )


def _read(path: Path, identity: str) -> list[dict[str, Any]]:
    head, _, text = path.read_text(encoding="utf-8").partition("\n")
    try:
        held = json.loads(head.removeprefix("# "))["explanation"]
    except (ValueError, KeyError, TypeError):
        held = None
    if held != identity:
        raise ValueError(
            f"{path}: expected an explanation of these settings and this version, got another "
            "(choose another --out, or delete the file)"
        )
    table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    return [
        {name: _value(name, cell) for name, cell in zip(COLUMNS, cells, strict=True)}
        for cells in table[list(COLUMNS)].itertuples(index=False)
    ]


def _value(name: str, cell: str) -> object:
    if name in _TRUTH_COLUMNS:
        return _TRUTHS[cell]
    if name in _TEXTS:
        return cell
    if name in _INTEGERS:
        return int(cell)
    # Python parses a float exactly; pandas' fast parser may differ in the last bit.
    return float(cell or "nan")
