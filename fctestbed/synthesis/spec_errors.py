"""One line for a refused specification. May import pydantic, ``spec`` and ``augmentation.spec``."""

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from fctestbed._messages import one_line
from fctestbed.synthesis.augmentation.spec import AugmentationSpec
from fctestbed.synthesis.spec import WorldSpec

_UNIONS: dict[str, Any] = {
    **{name: field.annotation for name, field in WorldSpec.model_fields.items()},
    "augmentation": get_args(AugmentationSpec)[0],
}
_RECORDS: dict[tuple[str, str], type[BaseModel]] = {
    (part, record.model_fields["kind"].default): record
    for part, union in _UNIONS.items()
    for record in get_args(union)
    if isinstance(record, type) and issubclass(record, BaseModel)
}
_TITLES: dict[str, type[BaseModel]] = {
    WorldSpec.__name__: WorldSpec,
    **{record.__name__: record for record in _RECORDS.values()},
}


def spec_error_lines(error: ValueError) -> str:
    """A validation error of a record as one line: field path, expected value, given value.

    If several fields are refused, the line has the first one and the number of the others.
    """
    if not isinstance(error, ValidationError):
        return str(error)
    problems = error.errors(include_url=False)
    first = problems[0]
    path, record = _path(first["loc"])
    line = _line(path, record or _TITLES.get(error.title), first)
    others = len(problems) - 1
    return one_line(f"{line} (and {others} more)" if others else line)


def _path(loc: Sequence[str | int]) -> tuple[str, type[BaseModel] | None]:
    """The field path without the tags that pydantic adds for discriminated unions."""
    keys: list[str] = []
    record: type[BaseModel] | None = None
    for item in map(str, loc):
        tagged = _RECORDS.get((keys[-1], item)) if keys else None
        if tagged is not None and record is None:
            record = tagged
        else:
            keys.append(item)
    return ".".join(keys), record


def _line(path: str, record: type[BaseModel] | None, problem: Any) -> str:  # noqa: PLR0911
    kind, given, context = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "value_error":
        # The package's own validators write whole lines: those of records begin with a field.
        said = str(context["error"])
        joint = ": " if said.startswith("expected ") else "."
        return f"{path}{joint}{said}" if path else said
    if kind == "extra_forbidden":
        known = f"one of {', '.join(record.model_fields)}" if record else "a known key"
        return f"{path}: expected {known}, got the unknown key {path.rpartition('.')[2]!r}"
    if kind == "union_tag_invalid":
        expected = context["expected_tags"].replace("'", "")
        return f"{path}.kind: expected one of {expected}, got {context['tag']!r}"
    if kind == "union_tag_not_found":
        return f"{path}.kind: expected the kind of {path}, got none"
    if kind == "json_invalid":
        return f"expected JSON, got {context['error']}"
    if kind == "missing":
        return f"{path}: expected a value, got none"
    expected = str(problem["msg"]).removeprefix("Input should be ").removeprefix("Input should ")
    field = f"{path}: " if path else ""
    return f"{field}expected {expected[:1].lower()}{expected[1:]}, got {given!r}"
