"""The settings of a sweep as a table: every key with its meaning, default and range.

Made from the records themselves: a meaning is a field's description or its line in the docstring of
its record. May import ``fctestbed.sweep.spec`` and what it imports.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from fctestbed._docstrings import documented_fields
from fctestbed.objectives import METHODS
from fctestbed.sweep.axes import join_path, shown
from fctestbed.sweep.presets import PRESETS
from fctestbed.sweep.spec import SweepSpec

_KIND = "kind"
NOT_WRITTEN = frozenset({"world.label.unique_ratio", "world.label.source"})
"""Fields of records that no file sets: the grid gives the first, a function's file the other."""
_SIGNS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


@dataclass(frozen=True)
class Setting:
    """A key of a sweep file.

    Attributes:
        key: its dotted path, such as ``train.steps``.
        meaning: what it sets, in one or two sentences.
        default: its value in the quick preset where nothing is said, as text.
        range: the values that it can have, as text.
        of: the kinds of record that have it, where not all have it; the method of a method's own.
    """

    key: str
    meaning: str
    default: str
    range: str
    of: str = ""


def sweep_settings() -> tuple[Setting, ...]:
    """Every key of a sweep file, in the order of the records' fields; settings of methods last."""
    found = [one for one in _settings(SweepSpec, (), "") if one.key not in NOT_WRITTEN]
    for method, kind in METHODS.items():
        found += _settings(kind.Settings, ("settings", method), method)
    preset = {key: {"default": _shown(value)} for key, value in _flat(PRESETS["quick"], ())}
    own = {
        "preset": {"default": "quick", "range": ", ".join(PRESETS)},
        "methods": {"range": f"list of {', '.join(METHODS)} or package.module:ClassName"},
    }
    return tuple(replace(one, **(preset | own).get(one.key, {})) for one in found)


def meaning_of(record: type[BaseModel], name: str) -> str:
    """What a field of a record means; empty if neither the field nor a docstring says it."""
    field = record.model_fields[name]
    if field.description:
        return field.description
    return documented_fields(record).get(name, "")


def _settings(record: type[BaseModel], keys: tuple[str, ...], of: str) -> Iterator[Setting]:
    for name, field in record.model_fields.items():
        path = (*keys, name)
        if name == "settings" and not keys:
            continue
        parts = records_of(field.annotation)
        kinds = {kind: part for part in parts if (kind := _kind_of(part))}
        if kinds:
            default = _default(field)
            yield Setting(
                join_path((*path, _KIND)),
                meaning_of(record, name),
                str(getattr(default, _KIND, "none")),
                ", ".join(kinds),
                of,
            )
            yield from _of_kinds(kinds, path)
        elif parts and not _is_table(field):
            (part,) = parts
            if NoneType in get_args(field.annotation):
                default = _default(field)
                on = "on" if isinstance(default, BaseModel) else "off"
                yield Setting(join_path(path), meaning_of(record, name), on, "true, false", of)
            yield from _settings(part, path, of)
        elif name != _KIND:
            yield Setting(
                join_path(path),
                meaning_of(record, name),
                _shown(_default(field)),
                range_of(field),
                of,
            )


def _of_kinds(kinds: Mapping[str, type[BaseModel]], path: tuple[str, ...]) -> Iterator[Setting]:
    """The settings of the kinds of a record, those that several kinds share once."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for kind, part in kinds.items():
        for one in _settings(part, path, ""):
            found.setdefault((one.key, one.meaning, one.default, one.range), []).append(kind)
    for about, having in found.items():
        yield Setting(*about, of="" if len(having) == len(kinds) else ", ".join(having))


def records_of(annotation: Any) -> list[type[BaseModel]]:
    """The records in an annotation, such as those of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [record for part in get_args(annotation) for record in records_of(part)]


def _kind_of(record: type[BaseModel]) -> str | None:
    field = record.model_fields.get(_KIND)
    return None if field is None else str(field.default)


def _is_table(field: FieldInfo) -> bool:
    """Whether a field holds records by names of the user's own."""
    return get_origin(field.annotation) is dict


def _default(field: FieldInfo) -> Any:
    value = field.get_default(call_default_factory=True, validated_data={})
    return None if value is PydanticUndefined else value


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, tuple | list):
        return json.dumps(list(value))
    return shown(value)


def range_of(field: FieldInfo) -> str:
    """The values that a field can have, as text: ``whole number >= 1``, ``cosine, constant``."""
    return _range(field.annotation, field.metadata)


def _range(annotation: Any, metadata: list[Any]) -> str:  # noqa: PLR0911
    inner = [part for mark in metadata for part in (getattr(mark, "metadata", None) or [mark])]
    marks = [mark for mark in inner if isinstance(mark, annotated_types.BaseMetadata)]
    origin, parts = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return _range(parts[0], [*metadata, *annotation.__metadata__])
    if hasattr(annotation, "__value__"):
        return _range(annotation.__value__, metadata)
    if origin is Literal:
        return ", ".join(map(str, parts))
    if origin in (tuple, list):
        return f"list of {_range(parts[0], [])}"
    if origin is dict:
        return "table"
    if parts:
        some = [_range(part, metadata) for part in parts if part is not NoneType]
        return " or ".join(dict.fromkeys([*some, *(["none"] if NoneType in parts else [])]))
    words = {int: "whole number", float: "number", str: "text", bool: "true, false"}
    limits = [
        f"{sign} {getattr(mark, name):g}"
        for mark in marks
        for name, sign in _SIGNS.items()
        if getattr(mark, name, None) is not None
    ]
    word = words.get(annotation, "value")
    return " ".join([word, " and ".join(limits)]).strip()


def _flat(values: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*keys, key))
        else:
            yield join_path((*keys, key)), value
