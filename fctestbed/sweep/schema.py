"""The JSON Schema of sweep files, for editors that complete and check TOML.

May import ``fctestbed.sweep.spec`` and what it imports, and ``settings``.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from fctestbed.objectives import METHODS
from fctestbed.sweep.presets import PRESETS
from fctestbed.sweep.settings import NOT_WRITTEN, meaning_of, records_of
from fctestbed.sweep.spec import SweepSpec
from fctestbed.sweep.variants import NAMED

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_GRID: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "number"}]}


def sweep_schema() -> dict[str, Any]:
    """The schema of sweep files: what a file may say, with the meaning of each key.

    What it accepts may still be refused for the values together; what it refuses is refused.
    """
    schema = SweepSpec.model_json_schema()
    for name, record in _records(SweepSpec):
        table = schema["$defs"].get(name, schema) if name != "SweepSpec" else schema
        _describe(table, record)
    for method, kind in METHODS.items():
        _add_settings(schema, method, kind.Settings)
    fields = schema["properties"]
    for grid in ("unique_ratio", "seeds"):
        fields[grid] = _or(fields[grid], *_GRID["anyOf"])
    fields["preset"] |= {"enum": list(PRESETS)}
    fields["methods"]["items"] = {
        "anyOf": [{"enum": list(METHODS)}, {"type": "string", "pattern": ":"}]
    }
    fields["axes"] = {"type": "object", "description": meaning_of(SweepSpec, "axes")}
    names = {"type": "array", "items": {"enum": list(NAMED)}}
    fields["variants"] = _or(fields["variants"], names, {"type": "string"})
    meters = schema["$defs"]["MeasureSpec"]["properties"]
    for name in meters:
        if any("$ref" in part for part in meters[name].get("anyOf", ())):
            meters[name] = _or(meters[name], {"type": "boolean"})
    for table, field in (key.removeprefix("world.").split(".") for key in NOT_WRITTEN):
        for part in _parts(schema["$defs"]["WorldSpec"]["properties"][table]):
            schema["$defs"][part.rpartition("/")[2]]["properties"].pop(field, None)
    return {"$schema": DIALECT, "title": "A sweep of fctestbed", **_tidy(schema)}


def _add_settings(schema: dict[str, Any], method: str, record: type[BaseModel]) -> None:
    own = record.model_json_schema()
    _describe(own, record)
    schema["$defs"].update(own.pop("$defs", {}))
    settings = schema["properties"]["settings"]
    settings.setdefault("properties", {})[method] = own


def _records(record: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield record.__name__, record
    for field in record.model_fields.values():
        for part in records_of(field.annotation):
            yield from _records(part)


def _describe(table: dict[str, Any], record: type[BaseModel]) -> None:
    """Give each key of a table its meaning; a table of a file may leave out any key."""
    table.pop("required", None)
    for name, field in table.get("properties", {}).items():
        meaning = meaning_of(record, name)
        if meaning:
            field["description"] = meaning


def _or(field: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    about: dict[str, Any] = {
        key: field.pop(key) for key in ["description", "default"] if key in field
    }
    return {**about, "anyOf": [*field.pop("anyOf", [field]), *others]}


def _parts(field: dict[str, Any]) -> list[str]:
    return [part["$ref"] for part in field.get("oneOf", field.get("anyOf", ()))]


def _tidy(value: Any) -> Any:
    """The schema as editors need it: TOML has no null, titles repeat names, a table without its
    kind is of the default one."""
    if isinstance(value, list):
        return [_tidy(part) for part in value if part != {"type": "null"}]
    if not isinstance(value, dict):
        return value
    kept = {
        key: _tidy(part)
        for key, part in value.items()
        if key not in ("discriminator",)
        and not (key == "title" and isinstance(part, str))
        and not (key == "default" and (part is None or isinstance(part, dict)))
    }
    if "oneOf" in kept:
        kept["anyOf"] = kept.pop("oneOf")
    return kept
