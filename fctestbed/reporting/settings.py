"""A sweep's settings and environment as rows of text, and its settings as a sweep file.

May import pandas and ``fctestbed.results``.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from fctestbed.reporting.wording import counted
from fctestbed.results import Results

_GRID = ("preset", "methods", "unique_ratio", "seeds", "axes", "one_at_a_time", "variants")
# What a sweep file does not have: the code's version, users' sources, and a ratio of the grid.
_NOT_IN_FILES = ("fctestbed", "sources", "world.label.unique_ratio")
_ENVIRONMENT = {
    "fctestbed": "fctestbed",
    "commit": "commit",
    "python": "Python",
    "torch": "PyTorch",
    "numpy": "NumPy",
    "blas": "linear algebra",
    "device_name": "device",
    "threads": "threads",
    "platform": "platform",
}
_MOST_VALUES = 3


def grid_rows(results: Results) -> list[tuple[str, str]]:
    """What varies in the sweep, by name."""
    runs = results.runs
    rows = [
        ("preset", ", ".join(sorted(map(str, runs["preset"].unique())))),
        ("methods", ", ".join(map(str, runs["method"].unique()))),
        ("unique ratios", _numbers(sorted(runs["unique_ratio"].unique()))),
        ("seeds", _numbers(sorted(runs["seed"].unique()))),
    ]
    rows += [(axis, ", ".join(map(str, runs[axis].unique()))) for axis in results.axes]
    variants = sorted(map(str, runs["variant"].unique()))
    if variants != ["paper"]:
        rows.append(("variants", ", ".join(variants)))
    unique = runs.drop_duplicates("run_id")
    counts = Counter(map(str, unique["status"]))
    states = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
    rows.append(("runs", f"{len(unique)}: {states}"))
    rows.append(("time of all runs", _duration(float(unique["seconds"].sum()))))
    return rows


def setting_rows(results: Results) -> list[tuple[str, str]]:
    """Every other setting, by dotted name."""
    return [
        (name, _text(value))
        for name, value in _flattened(results.sweep_spec)
        if name.partition(".")[0] not in _GRID and name not in _NOT_IN_FILES
    ]


def environment_rows(results: Results) -> list[tuple[str, str]]:
    """Where the runs were made, by name; several values with the number of runs of each."""
    runs = results.runs.drop_duplicates("run_id")
    about = [json.loads(text) if text else {} for text in runs["provenance"]]
    rows = []
    for key, name in _ENVIRONMENT.items():
        counts = Counter(_text(one[key]) for one in about if one.get(key) is not None)
        if not counts:
            continue
        if len(counts) == 1 and counts.total() == len(about):
            rows.append((name, next(iter(counts))))
            continue
        shown = [f"{value} ({counted(n, 'run')})" for value, n in counts.most_common(_MOST_VALUES)]
        more = len(counts) - _MOST_VALUES
        rows.append((name, "; ".join(shown) + (f"; {more} more" if more > 0 else "")))
    return rows


def sweep_toml(spec: Mapping[str, Any]) -> str:
    """A sweep's specification as a sweep file with the same runs, for ``fctestbed sweep --config``.

    Args:
        spec: JSON-able; None stands for a key that is not given.

    Returns:
        The file's text; empty for an empty specification.
    """
    content = dict(spec)
    for path in _NOT_IN_FILES:
        content = _without(content, path.split("."))
    return "\n".join(_table(content, ())).strip() + "\n" if content else ""


def _without(values: Mapping[str, Any], path: list[str]) -> dict[str, Any]:
    """Nested values without the one at a path, if it is there."""
    name, *rest = path
    if not rest or not isinstance(values.get(name), Mapping):
        return {key: value for key, value in values.items() if key != name or rest}
    return {**values, name: _without(values[name], rest)}


def _table(values: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """The lines of a table: its values, then its tables, each with a header."""
    tables = {name: value for name, value in values.items() if isinstance(value, Mapping)}
    given = {k: v for k, v in values.items() if k not in tables and v is not None}
    if path and (given or not tables):
        yield f"\n[{'.'.join(map(_key, path))}]"
    yield from (f"{_key(name)} = {_value(value)}" for name, value in given.items())
    for name, table in tables.items():
        yield from _table(table, (*path, name))


def _key(name: str) -> str:
    plain = name.replace("-", "").replace("_", "")
    return name if plain.isascii() and plain.isalnum() else json.dumps(name)


def _value(value: Any) -> str:
    """A value in TOML; a table in a list is an inline table."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None)
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, str):
        # A JSON string is a TOML string, but for characters that JSON leaves as they are.
        return json.dumps(value).replace("\x7f", "\\u007f")
    return json.dumps(value)


def _flattened(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flattened(inner, f"{name}.{key}" if name else str(key))
    elif value is not None:
        yield name, value


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _numbers(values: Any) -> str:
    return ", ".join(f"{float(value):g}" for value in values)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
