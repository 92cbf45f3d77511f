"""Results as files for other programs: CSV, JSON, Parquet. The same results give the same bytes."""

import gzip
import importlib.util
import io
import json
from pathlib import Path

import pandas as pd

from fctestbed._messages import did_you_mean
from fctestbed.results.card import CARD_NAME, dataset_card
from fctestbed.results.files import write_atomically
from fctestbed.results.load import SWEEP_NAME, Results
from fctestbed.results.plain import plain
from fctestbed.results.schema import FLOAT_COLUMNS, JSON_COLUMNS, VALUE_TABLES
from fctestbed.results.sums import SUMS_NAME, sums_of

FORMATS: tuple[str, ...] = ("csv", "json", "parquet", "hf")
_PARQUET = ("parquet", "hf")
_ALL_DIGITS = 17
TABLE_NAMES: tuple[str, ...] = (*(table.name for table in VALUE_TABLES), "runs")


def export_results(
    results: Results,
    out_dir: str | Path,
    format: str = "csv",
    *,
    compress: bool = False,
    digits: int | None = None,
) -> list[Path]:
    """Write the tables, the sweep's spec and checksums, each file whole or not at all.

    Args:
        results: what ``load_results`` gave.
        out_dir: directory for ``captured``, ``accuracy``, ``scores``, ``along``, ``runs``,
            ``sweep.json`` and ``SHA256SUMS``; made if missing, files of these names are replaced.
        format: ``csv`` (floats in full, so that they read back exactly; NaN is empty), ``json``
            (arrays of records; NaN is null, infinities are strings), ``parquet``, or ``hf``:
            ``parquet`` and a data-set card, ``README.md``, as Hugging Face reads them.
        compress: for ``csv``, write ``.csv.gz``; ``load_results`` reads both.
        digits: significant digits of measured numbers, 1 to 17; None for all that they have. Six
            digits take a third of the space.

    Returns:
        The files written.

    Raises:
        ValueError: one line, for an unknown format, ``parquet`` without pyarrow, ``compress`` with
            another format than ``csv``, other digits, or a directory that cannot be written.
    """
    if format not in FORMATS:
        raise ValueError(
            f"format: expected one of {', '.join(FORMATS)}, got {format!r}"
            f"{did_you_mean(format, FORMATS)}"
        )
    if compress and format != "csv":
        raise ValueError(f"compress: expected format 'csv' with it, got {format!r}")
    if format in _PARQUET and importlib.util.find_spec("pyarrow") is None:
        raise ValueError(
            f"format: expected csv or json, got {format!r}, which needs pyarrow "
            "(pip install pyarrow)"
        )
    is_number = isinstance(digits, int) and not isinstance(digits, bool)
    if digits is not None and not (is_number and 1 <= digits <= _ALL_DIGITS):
        raise ValueError(f"digits: expected a whole number from 1 to {_ALL_DIGITS}, got {digits!r}")
    out_dir = Path(out_dir)
    tables = {name: _rounded(getattr(results, name), digits) for name in TABLE_NAMES}
    ending = "csv.gz" if compress else "parquet" if format in _PARQUET else format
    # All are made before the first is written: an error leaves no mixture of old and new.
    contents = {
        f"{name}.{ending}": _encoded(table, format, compress) for name, table in tables.items()
    }
    sweep = json.dumps(plain(results.sweep_spec), indent=2, sort_keys=True, allow_nan=False)
    contents[SWEEP_NAME] = f"{sweep}\n".encode()
    if format == "hf":
        contents[CARD_NAME] = dataset_card(tables, results.sweep_spec).encode()
    # The last file: a kill before it is written leaves tables that its old lines do not fit.
    contents[SUMS_NAME] = sums_of(contents, out_dir)
    return [write_atomically(out_dir / name, content) for name, content in contents.items()]


def _rounded(table: pd.DataFrame, digits: int | None) -> pd.DataFrame:
    """The table with measured numbers in so many significant digits."""
    if digits is None:
        return table
    measured = [name for name in table.columns if name in FLOAT_COLUMNS - {"unique_ratio"}]
    rounded = {name: [float(f"{value:.{digits}g}") for value in table[name]] for name in measured}
    return table.assign(**rounded)


def _encoded(table: pd.DataFrame, format: str, compress: bool) -> bytes:
    if format == "csv":
        text = table.to_csv(index=False, lineterminator="\n").encode()
        # No time in the header, so that the same rows give the same bytes.
        return gzip.compress(text, mtime=0) if compress else text
    if format == "json":
        records = [
            {
                str(name): json.loads(cell) if name in JSON_COLUMNS else plain(cell)
                for name, cell in record.items()
            }
            for record in table.to_dict(orient="records")
        ]
        return (json.dumps(records, indent=1, allow_nan=False) + "\n").encode()
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()
