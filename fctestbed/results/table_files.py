"""Tables as files that are written a chunk of rows at a time: CSV, JSON, Parquet.

A row is a tuple in the order of its table's columns; a number that is missing is None. The same
rows give the same bytes, in chunks of any size but for Parquet. Imports pandas and pyarrow only for
Parquet.
"""

import csv
import io
import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from fctestbed.results.plain import plain
from fctestbed.results.schema import JSON_COLUMNS, axes_of

Rows = Sequence[tuple[Any, ...]]
Write = Callable[[bytes], object]
# As gzip: with its header, in which there is no time.
_GZIP = 31
_BEST = 9


class TableFile(Protocol):
    """A table's file."""

    def add(self, rows: Rows) -> None:
        """Write the next rows."""
        ...

    def end(self) -> None:
        """Write what comes after the last row."""
        ...


def table_file(format: str, columns: Sequence[str], write: Write, *, compress: bool) -> TableFile:
    """The file of a table.

    Args:
        format: ``csv``, ``json`` or ``parquet``.
        columns: the table's columns.
        write: takes the file's next bytes.
        compress: whether a CSV file is compressed.
    """
    if format == "csv":
        return _Csv(columns, write, compress=compress)
    return _Json(columns, write) if format == "json" else _Parquet(columns, write)


class _Csv:
    def __init__(self, columns: Sequence[str], write: Write, *, compress: bool) -> None:
        self._write = write
        self._gzip = zlib.compressobj(_BEST, wbits=_GZIP) if compress else None
        self.add([tuple(columns)])

    def add(self, rows: Rows) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        content = text.getvalue().encode()
        self._write(content if self._gzip is None else self._gzip.compress(content))

    def end(self) -> None:
        if self._gzip is not None:
            self._write(self._gzip.flush())


class _Json:
    def __init__(self, columns: Sequence[str], write: Write) -> None:
        self._columns = columns
        self._write = write
        self._is_empty = True

    def add(self, rows: Rows) -> None:
        if not rows:
            return
        records = [
            {
                name: json.loads(cell) if name in JSON_COLUMNS else plain(cell)
                for name, cell in zip(self._columns, row, strict=True)
            }
            for row in rows
        ]
        text = json.dumps(records, indent=1, allow_nan=False).removeprefix("[").removesuffix("\n]")
        self._write(f"{'[' if self._is_empty else ','}{text}".encode())
        self._is_empty = False

    def end(self) -> None:
        self._write(b"[]\n" if self._is_empty else b"\n]\n")


class _Parquet:
    def __init__(self, columns: Sequence[str], write: Write) -> None:
        self._columns = list(columns)
        self._write = write
        self._buffer = io.BytesIO()
        self._writer: Any = None

    def add(self, rows: Rows) -> None:
        if rows or self._writer is None:
            self._add(rows)

    def _add(self, rows: Rows) -> None:
        import pandas as pd  # noqa: PLC0415 - slower than an export as CSV
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.parquet as pq  # noqa: PLC0415

        from fctestbed.results.frames import axis_column, typed  # noqa: PLC0415 - imports pandas

        frame = pd.DataFrame(rows, columns=self._columns)
        axes = axes_of(self._columns)
        for axis in axes:
            frame[axis] = axis_column(list(frame[axis]))
        columns = [name for name in self._columns if name not in axes]
        table = pa.Table.from_pandas(typed(frame, columns, axes), preserve_index=False)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._buffer, table.schema)
        if rows:
            self._writer.write_table(table)
        self._pass_on()

    def end(self) -> None:
        # A table without rows has its columns.
        self.add(())
        self._writer.close()
        self._pass_on()

    def _pass_on(self) -> None:
        """Write what the library has written."""
        self._write(self._buffer.getvalue())
        self._buffer.seek(0)
        self._buffer.truncate()
