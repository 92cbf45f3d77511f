"""The rows of a table as columns, which take a tenth of the memory of tuples.

Imports numpy; never pandas.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fctestbed.results.contents import Row
from fctestbed.results.schema import FLOAT_COLUMNS, INTEGER_COLUMNS, ValueTable

Array = npt.NDArray[Any]
RUN_ID = "run_id"


class RowColumns:
    """The rows of a table: numbers in arrays, and texts as places in a list of different ones.

    Args:
        table: whose rows; a row is a run's id and the table's values.
        rows: the first rows.
    """

    def __init__(self, table: ValueTable, rows: Iterable[Row] = ()) -> None:
        self.names = (RUN_ID, *table.values)
        self._texts: dict[str, dict[str, int]] = {
            name: {} for name in self.names if name not in FLOAT_COLUMNS | INTEGER_COLUMNS
        }
        self._parts: dict[str, list[Array]] = {name: [] for name in self.names}
        self.add(list(rows))

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows; what is no number in a column of numbers, as after damage, is NaN or 0."""
        for name, cells in zip(self.names, zip(*rows, strict=True), strict=False):
            if name in self._texts:
                known = self._texts[name]
                places = [known.setdefault(cell, len(known)) for cell in cells]
                self._parts[name].append(np.array(places, dtype=np.int32))
            else:
                self._parts[name].append(_numbers(cells, whole=name in INTEGER_COLUMNS))

    def take(self, name: str) -> tuple[Array, list[str]]:
        """A column's numbers, or places and texts. The column is taken away, so that it is in
        memory once."""
        is_whole = name in INTEGER_COLUMNS
        kind = np.int32 if name in self._texts else np.int64 if is_whole else np.float64
        parts = self._parts.pop(name)
        return np.concatenate([np.empty(0, kind), *parts]), list(self._texts.get(name, ()))


def _numbers(cells: Sequence[Any], *, whole: bool) -> Array:
    try:
        return np.array(cells, dtype=np.int64 if whole else np.float64)
    except (TypeError, ValueError, OverflowError):
        missing = 0 if whole else math.nan
        kinds = int if whole else (int, float)
        found = [cell if isinstance(cell, kinds) else missing for cell in cells]
        return np.array(found, dtype=np.int64 if whole else np.float64)
