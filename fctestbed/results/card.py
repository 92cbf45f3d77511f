"""The data-set card of exported results: a README with the header that Hugging Face reads.

Imports the standard library and the schema.
"""

import json
from collections.abc import Mapping, Sequence

from fctestbed._docstrings import documented_fields
from fctestbed.results.schema import (
    JSON_COLUMNS,
    AccuracyRow,
    AlongRow,
    CapturedRow,
    RunRecord,
    ScoreRow,
    axes_of,
)

CARD_NAME = "README.md"
_RECORDS: dict[str, type] = {
    "captured": CapturedRow,
    "accuracy": AccuracyRow,
    "scores": ScoreRow,
    "along": AlongRow,
}
_TABLES = {
    "captured": "Bits that a readout of a trained encoder has of a quantity, beside the exact bits "
    "that there are.",
    "accuracy": "Accuracy of probes on the label, beside the best that any classifier can have.",
    "scores": "Numbers about readouts that need no label, and the last loss.",
    "along": "As captured, at steps of the training.",
    "runs": "One row for each run: settings, truth, versions, losses, warnings.",
}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"


def dataset_card(
    tables: Mapping[str, tuple[Sequence[str], int]],
    sweep_spec: Mapping[str, object],
    ending: str = "parquet",
) -> str:
    """A data-set card: a YAML header, what the sweep was, and every column with its meaning.

    Args:
        tables: the columns and the number of rows of each table, by the name of its file.
        sweep_spec: the sweep that was asked for; empty if unknown.
        ending: of the files.
    """
    n_rows = sum(n for _, n in tables.values())
    size = next((name for most, name in _SIZES if n_rows < most), _LARGEST)
    lines = [
        "---",
        "pretty_name: Results of a sweep of fctestbed",
        "tags:",
        *(f"- {tag}" for tag in ("fctestbed", "contrastive-learning", "mutual-information")),
        "size_categories:",
        f"- {size}",
        "configs:",
    ]
    # Files without rows have no types that a reader could load.
    for name in (name for name, (_, n) in tables.items() if n):
        lines += [f"- config_name: {name}", f"  data_files: {name}.{ending}"]
        lines += ["  default: true"] if name == "captured" else []
    lines += ["---", "", "# Results of a sweep of fctestbed", "", *_about(sweep_spec)]
    for name, (columns, n) in tables.items():
        axes = axes_of(list(columns))
        lines += ["", f"## {name}", "", f"{_TABLES[name]} {n} rows.", ""]
        lines += ["| column | meaning |", "|---|---|"]
        lines += [f"| `{column}` | {_cell(name, column, axes)} |" for column in columns]
    return "\n".join(lines) + "\n"


def column_meaning(table: str, column: str, axes: Sequence[str] = ()) -> str:
    """What a column of a table means; empty if nothing says it."""
    if column in axes:
        return f"Value of the sweep's axis {column}."
    meanings = documented_fields(RunRecord) | documented_fields(_RECORDS.get(table, RunRecord))
    meaning = meanings.get(column, "")
    if table == "runs" and column in JSON_COLUMNS:
        meaning = f"{meaning.rstrip('.')} (JSON)."
    return meaning


def _cell(table: str, column: str, axes: Sequence[str]) -> str:
    meaning = column_meaning(table, column, axes)
    return (meaning[:1].upper() + meaning[1:]).replace("|", "\\|")


def _about(spec: Mapping[str, object]) -> list[str]:
    version = f" {spec['fctestbed']}" if "fctestbed" in spec else ""
    lines = [
        "Encoders trained by methods of multimodal contrastive learning on worlds whose "
        "information is known exactly, and what readers find in them, in bits. Made by "
        f"fctestbed{version}.",
    ]
    shown = {name: spec[name] for name in ("methods", "unique_ratio", "seeds") if name in spec}
    if shown:
        lines += ["", *(f"- {name}: `{json.dumps(value)}`" for name, value in shown.items())]
        lines += ["", "All settings are in `sweep.json`, those of each run in `runs`."]
    return lines
