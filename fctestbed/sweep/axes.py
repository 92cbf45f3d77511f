"""Axes of a sweep: which fields can be one, and how their values are put into a sweep's tables.

May import pydantic, ``fctestbed.objectives`` and ``fctestbed.results``.
"""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from fctestbed.objectives import find_method
from fctestbed.results import AxisValue
from fctestbed.sweep.syntax import parse_values

_RATIO = "world.label.unique_ratio"
# Lists of a sweep that have an option of their own.
_OPTIONS = {
    "unique_ratio": "--unique-ratio",
    _RATIO: "--unique-ratio",
    "methods": "--methods",
    "seeds": "--seeds",
    "variants": "--variant",
}
# A dot that an even number of quotes follows.
_DOT = re.compile(r'\.(?=(?:[^"]*"[^"]*")*[^"]*$)')
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def split_path(path: str) -> list[str]:
    """The keys of a dotted path; a key in quotes may hold dots."""
    return [part.strip().strip('"') for part in _DOT.split(path)]


def join_path(keys: Iterable[str]) -> str:
    """The dotted path of some keys, with quotes where a key needs them."""
    return ".".join(key if _BARE.fullmatch(key) else f'"{key}"' for key in keys)


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted path as tables in tables."""
    tables: dict[str, Any] = {}
    for path, value in values.items():
        *parents, last = split_path(path)
        table = tables
        for key in parents:
            table = table.setdefault(key, {})
        table[last] = value
    return tables


def flat_axes(axes: object) -> object:
    """Axes by dotted path, each a tuple of values, from dotted paths or tables in tables.

    A text holds values in the syntax of ``parse_values``; a value alone is an axis of one value.

    Raises:
        ValueError: one line that begins with the path, for one that occurs twice.
    """
    if not isinstance(axes, Mapping):
        return axes
    flat: dict[str, tuple[Any, ...]] = {}
    for keys, value in _leaves(axes):
        if not all(keys):
            raise ValueError(f"{join_path(keys)}: expected a field, got an empty name")
        path = join_path(keys)
        if path in flat:
            raise ValueError(f"{path}: expected an axis once, got it twice")
        if isinstance(value, str):
            flat[path] = parse_values(value, option=path)
        else:
            values = value if isinstance(value, list | tuple) else (value,)
            if any(isinstance(value, Mapping) for value in values):
                raise ValueError(f"{path}: expected values, got a table")
            flat[path] = tuple(plain_number(value) for value in values)
    return flat


def _leaves(table: Mapping[Any, Any]) -> Iterator[tuple[list[str], Any]]:
    for key, value in table.items():
        # An import path, package.module:ClassName, is one key.
        name = str(key)
        keys = [name] if ":" in name and '"' not in name else split_path(name)
        if isinstance(value, Mapping):
            for rest, leaf in _leaves(value):
                yield [*keys, *rest], leaf
        else:
            yield keys, value


def axis_fields(sweep: type[BaseModel], methods: Iterable[str]) -> list[str]:
    """Dotted paths of the fields that can be an axis of a sweep with these methods' settings."""
    fields = dict.fromkeys(path for path in _fields(sweep) if "." in path or path == "critic")
    fields.pop(_RATIO)
    for method in methods:
        kind = find_method(method)
        for name in dict.fromkeys(filter(None, (kind.trains_as, method))):
            for key in find_method(name).Settings.model_fields:
                fields[join_path(("settings", name, key))] = None
    return list(fields)


def check_fields(paths: Iterable[str], sweep: type[BaseModel], methods: Sequence[str]) -> None:
    """Refuse axes that no sweep has.

    Raises:
        ValueError: one line with the nearest path.
    """
    for path in paths:
        if path in _OPTIONS:
            name = "unique_ratio" if path == _RATIO else path
            raise ValueError(
                f"axes.{path}: expected another field than {name}, which a sweep lists by itself "
                f"({name} = [...], {_OPTIONS[path]}), got {path!r}"
            )
        keys = split_path(path)
        asked = keys[1:2] if keys[0] == "settings" else []
        for name in asked:
            try:
                find_method(name)
            except ValueError as error:
                raise ValueError(f"axes.{path}: {error}") from None
        known = axis_fields(sweep, [*methods, *asked])
        if path not in known:
            raise ValueError(
                f"axes.{path}: expected a field such as {_nearest(path, known)}, got {path!r}"
            )


def _nearest(path: str, known: Sequence[str]) -> str:
    last = split_path(path)[-1]
    same = [name for name in known if split_path(name)[-1] == last]
    return difflib.get_close_matches(path, same or known, n=1, cutoff=0.0)[0]


def _fields(record: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name in record.model_fields:
        parts = _records(record, name)
        for part in parts:
            yield from _fields(part, f"{prefix}{name}.")
        if not parts:
            yield prefix + name


def _records(record: type[BaseModel], name: str) -> list[type[BaseModel]]:
    """The records that a field may hold; none for a field that holds a value."""
    annotation = record.model_fields[name].annotation
    union = get_origin(annotation) in (Union, UnionType)
    options = get_args(annotation) if union else (annotation,)
    return [kind for kind in options if isinstance(kind, type) and issubclass(kind, BaseModel)]


def with_values(sweep: BaseModel, values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a sweep that change when values are put at their dotted paths, by name.

    Where a table becomes one of another ``kind``, the fields that both kinds have keep what the
    sweep gave them beside their defaults.
    """
    changed: dict[str, Any] = {}
    for name, change in nested(values).items():
        old = getattr(sweep, name)
        if name == "settings":
            tables = {method: {**old.get(method, {}), **new} for method, new in change.items()}
            changed[name] = {**old, **tables}
        elif isinstance(change, Mapping):
            changed[name] = _with_change(old, change, _records(type(sweep), name))
        else:
            changed[name] = change
    return changed


def _with_change(
    old: BaseModel | None, change: Mapping[str, Any], records: Sequence[type[BaseModel]]
) -> dict[str, Any]:
    if old is None:
        return dict(change)
    kind = getattr(old, "kind", None)
    if change.get("kind", kind) != kind:
        found = [
            record for record in records if record.model_fields["kind"].default == change["kind"]
        ]
        given = old.model_dump(exclude_defaults=True) if found else {}
        kept = {name: value for name, value in given.items() if name in found[0].model_fields}
        return {**kept, **change}
    values = {name: getattr(old, name) for name in type(old).model_fields}
    for name, part in change.items():
        if isinstance(part, Mapping):
            values[name] = _with_change(values.get(name), part, _records(type(old), name))
        else:
            values[name] = part
    return values


def value_at(sweep: BaseModel, path: str) -> Any:
    """The value that a sweep's records hold at a dotted path; None where they have no such field.

    Settings that a sweep does not give have the method's defaults.
    """
    name, *keys = split_path(path)
    value = getattr(sweep, name)
    if name == "settings":
        method, *keys = keys
        kind = find_method(method)
        given = {**value.get(kind.trains_as or method, {}), **value.get(method, {})}
        value = kind.Settings.model_validate(given)
    for key in keys:
        value = getattr(value, key, None)
    return value


def plain_number(value: Any) -> Any:
    """The value; 0 where it is -0: the two are equal but their JSON is not."""
    return value + 0.0 if isinstance(value, float) else value


def column_value(value: Any) -> AxisValue:
    """A value as tables hold it: a number, a truth value, or text (JSON for a list)."""
    return value if isinstance(value, AxisValue) else json.dumps(value)


def describe(values: Mapping[str, Any]) -> str:
    """Axis values as text: ``world.observation.noise=0.1, train.steps=50``."""
    return ", ".join(f"{path}={shown(value)}" for path, value in values.items())


def shown(value: Any) -> str:
    """A value as text: ``0.1``, ``true``, ``[64, 64]``; different values have different texts."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else str(column_value(value))


def located(line: str, values: Mapping[str, Any]) -> str:
    """An error's line with the axis values at which it arose; ``axes.`` before an axis's path."""
    own = next((path for path in values if line.startswith((f"{path}:", f"{path}."))), None)
    others = {path: value for path, value in values.items() if path != own}
    line = line if own is None else f"axes.{line}"
    return f"{line} (at {describe(others)})" if others else line


def texts_of(value: Any) -> Iterator[str]:
    """Every text of nested values: keys, parts of dotted keys, and values."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield key
            yield from split_path(key)
            yield from texts_of(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts_of(part)
    elif isinstance(value, str):
        yield value
