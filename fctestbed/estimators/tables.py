"""Columns of csv tables: the layout checked line by line, then the values as pandas takes them.

May import numpy, pandas and ``_array_files``.
"""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

import numpy as np
import pandas as pd

from fctestbed._array_files import MOST_BYTES_VARIABLE, most_unpacked
from fctestbed.estimators.conversion import Column, column_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# What pandas takes for a missing value.
_MISSING = frozenset(
    {
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    }
)  # fmt: skip
# Fortran's exponent of a double.
_DOUBLE = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))[dD]([+-]?\d+)$")
_OTHER_SEPARATORS = {";": "';'", "\t": "tab", "|": "'|'"}
_SOURCE_BYTES = 1 << 16
_MOST_LINE = 1 << 26


def csv_columns(
    path: Path,
    wanted: Sequence[str] | None,
    name: str,
    separator: str | None,
    encoding: str | None,
    header: bool | None,
) -> list[Column]:
    """Columns of a csv table, [n] each: see ``read_samples``.

    Raises:
        ValueError: as ``read_samples``.
    """
    table = _Csv(path, name, _separator(separator), separator is not None, _codec(encoding))
    try:
        layout = table.layout(header)
        places = _places(layout, wanted, path, name)
        return table.columns(layout, places)
    except (csv.Error, pd.errors.ParserError, zlib.error, EOFError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{name}: expected a .csv file that can be read, got {path} ({reason})"
        ) from error
    except UnicodeError as error:
        raise ValueError(
            f"encoding: expected that of {path}, got {encoding or 'utf-8'} "
            f"({' '.join(str(error).split())})"
        ) from error


@dataclass(frozen=True)
class _Layout:
    """Rows before the data, names of the columns, and the number of rows of data."""

    n_before: int
    names: tuple[str, ...]
    n_rows: int


@dataclass(frozen=True)
class _Csv:
    """A csv file and how it is written."""

    path: Path
    name: str
    separator: str
    is_named: bool
    encoding: str

    def layout(self, header: bool | None) -> _Layout:
        """Read the file once for its layout; each row has to have as many cells as the first.

        Raises:
            ValueError: one line that names the line of the file.
        """
        with self._text() as lines:
            reader = self._reader(lines)
            n_before, first = 0, None
            for row in reader:
                if not _is_blank(row):
                    first = row
                    break
                n_before += 1
            if first is None:
                raise self._refusal("expected a table", "an empty file")
            if not self.is_named and len(first) == 1:
                self._check_separator(first[0], reader.line_num)
            has_names = self._has_names(first, reader.line_num) if header is None else header
            width = len(first)
            n_rows, blank = 0 if has_names else 1, 0
            for row in reader:
                if _is_blank(row):
                    blank = blank or reader.line_num
                    continue
                if blank and width == 1:
                    raise self._refusal("expected a value in each line", f"none in line {blank}")
                if len(row) != width:
                    raise self._refusal(
                        f"expected {width} cell{'s'[: width != 1]} in each row, as in the first",
                        f"{len(row)} in line {reader.line_num}",
                    )
                n_rows += 1
        names = tuple(first) if has_names else tuple(map(str, range(width)))
        return _Layout(n_before + has_names, names, n_rows)

    def columns(self, layout: _Layout, places: Sequence[int]) -> list[Column]:
        """The values of some columns.

        Raises:
            ValueError: one line, for an empty cell of text.
        """
        if not layout.n_rows:
            return [np.empty(0) for _ in places]
        found = self._parsed(layout, places)
        as_text = [
            place
            for place in set(places)
            if found[place].dtype.kind not in "biuf" or found[place].isna().all()
        ]
        if as_text:
            # Only now is it known that their NA, null and None are words.
            texts = self._parsed(layout, as_text, dtype=str, na_filter=False)
            for place in as_text:
                found[place] = self._words(layout, place, texts[place])
        return [
            column_of(self.name, f" of column {layout.names[place]!r}", found[place])
            for place in places
        ]

    def _parsed(
        self, layout: _Layout, places: Sequence[int], **how: Any
    ) -> dict[int, "pd.Series[Any]"]:
        with self._text() as lines:
            for _ in islice(self._reader(lines), layout.n_before):
                pass
            frame = pd.read_csv(
                lines,
                sep=self.separator,
                header=None,
                usecols=sorted(set(places)),
                skipinitialspace=True,
                low_memory=False,
                **how,
            )
        if len(frame) != layout.n_rows:
            raise self._refusal(f"expected {layout.n_rows} rows", str(len(frame)))
        return {place: frame[place] for place in places}

    def _words(self, layout: _Layout, place: int, text: "pd.Series[Any]") -> "pd.Series[Any]":
        if text.str.match(_DOUBLE).any():
            with_e = text.str.replace(_DOUBLE, r"\1e\2", regex=True)
            doubles = pd.to_numeric(with_e, errors="coerce")
            if (doubles.notna() | text.isin(_MISSING)).all():
                return doubles
        empty = np.flatnonzero(text == "")
        if len(empty):
            line = self._line(layout.n_before, int(empty[0]))
            raise self._refusal(
                f"expected a value in each row of column {layout.names[place]!r}",
                f"none in line {line}",
            )
        return text

    def _line(self, n_before: int, row: int) -> int:
        """The line of the file on which a row of data ends."""
        with self._text() as lines:
            reader = self._reader(lines)
            rows = (cells for cells in islice(reader, n_before, None) if not _is_blank(cells))
            next(islice(rows, row, None))
            return reader.line_num

    def _has_names(self, first: Sequence[str], line: int) -> bool:
        numbers = [cell for cell in first if _is_number(cell)]
        texts = [cell for cell in first if not _is_number(cell) and cell.strip() not in _MISSING]
        if numbers and texts:
            raise self._refusal(
                "expected a first row of names or of data (--header or --no-header says which)",
                f"{numbers[0]!r} beside {texts[0]!r} in line {line}",
            )
        return bool(texts)

    def _check_separator(self, cell: str, line: int) -> None:
        for other, shown in _OTHER_SEPARATORS.items():
            if other in cell:
                raise self._refusal(
                    "expected commas between columns (separator names another one)",
                    f"{shown} in line {line}",
                )

    def _reader(self, lines: TextIO) -> Any:
        return csv.reader(
            self._lines(lines), delimiter=self.separator, skipinitialspace=True, strict=True
        )

    def _lines(self, lines: TextIO) -> Iterator[str]:
        """The lines, none of which takes more memory than a line of a table needs."""
        while line := lines.readline(_MOST_LINE):
            if len(line) == _MOST_LINE:
                raise self._refusal(f"expected lines of under {_MOST_LINE:,} characters", "more")
            yield line

    def _refusal(self, expected: str, got: str) -> ValueError:
        return ValueError(f"{self.name}: {self.path}: {expected}, got {got}")

    @contextmanager
    def _text(self) -> Iterator[TextIO]:
        with self.path.open("rb") as file:
            raw: IO[bytes] = file
            if self.path.suffix.lower() == ".gz":
                raw = io.BufferedReader(_Unpacked(self.path, self.name, file), _SOURCE_BYTES)
            with io.TextIOWrapper(raw, encoding=self.encoding, newline="") as lines:
                yield lines


class _Unpacked(io.RawIOBase):
    """The content of a gzip file, up to the most bytes that it may unpack to."""

    def __init__(self, path: Path, name: str, file: IO[bytes]) -> None:
        self._where, self._most, self._n = f"{name}: {path}", most_unpacked(path), 0
        self._gzip = gzip.GzipFile(fileobj=file)

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer.

        Raises:
            ValueError: one line, for a file that unpacks to more than allowed.
        """
        count = self._gzip.readinto(cast(Any, buffer))
        self._n += count
        if self._n > self._most:
            raise ValueError(
                f"{self._where}: expected at most {self._most:,} bytes once unpacked (the "
                f"environment variable {MOST_BYTES_VARIABLE} allows more), got more"
            )
        return count


def _is_blank(row: Sequence[str]) -> bool:
    return not row or (len(row) == 1 and not row[0].strip())


def _is_number(cell: str) -> bool:
    cell = cell.strip()
    if cell in _MISSING:
        return False
    try:
        float(_DOUBLE.sub(r"\1e\2", cell))
    except ValueError:
        return False
    return True


def _separator(separator: str | None) -> str:
    found = {None: ",", "tab": "\t", "\\t": "\t"}.get(separator, separator)
    if found is None or len(found) != 1 or found in '"\r\n':
        raise ValueError(f"separator: expected one character or tab, got {separator!r}")
    return found


def _codec(encoding: str | None) -> str:
    codec = "utf-8" if encoding is None else encoding
    try:
        "".encode(codec)
        known = codecs.lookup(codec).name
    except (LookupError, ValueError) as error:
        raise ValueError(f"encoding: expected one that Python knows, got {encoding!r}") from error
    # A byte-order mark belongs to no cell.
    return "utf-8-sig" if known == "utf-8" else known


def _places(layout: _Layout, wanted: Sequence[str] | None, path: Path, name: str) -> list[int]:
    if wanted is None:
        return list(range(len(layout.names)))
    for column in wanted:
        if layout.names.count(column) != 1:
            raise ValueError(
                f"{name}: expected columns of {path} among {', '.join(layout.names)}, "
                f"got {'two of ' if column in layout.names else ''}{column!r}"
            )
    return [layout.names.index(column) for column in wanted]
