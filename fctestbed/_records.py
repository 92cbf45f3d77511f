"""The base of every public record of fields: frozen, strict, and refused in one line.

Imports pydantic and ``fctestbed._messages``.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from fctestbed._messages import did_you_mean, one_line

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


class InvalidSpec(ValueError):  # noqa: N818 - it says what the record is
    """A record of fields that it cannot have; the message is one line."""


class _OneLineErrors(ModelMetaclass):
    """Makes the error of a record that is called with wrong fields one line."""

    def __call__(self, *arguments: Any, **fields: Any) -> Any:
        with _one_line_errors(self):
            return super().__call__(*arguments, **fields)


class Record(BaseModel, metaclass=_OneLineErrors):
    """A frozen record that rejects unknown keys, infinities and NaN.

    Every way to make one raises ``InvalidSpec`` for fields that it cannot have.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _numbers_are_numbers(cls, values: Any) -> Any:
        """Refuse texts and truth values in place of numbers, which pydantic would convert."""
        if isinstance(values, Mapping):
            for name, field in cls.model_fields.items():
                value = values.get(name)
                if field.annotation in (int, float) and isinstance(value, str | bool):
                    raise ValueError(f"{name}: expected a number, got {value!r}")
        return values

    @classmethod
    def model_validate(cls, *arguments: Any, **options: Any) -> Self:
        """As pydantic's; raises ``InvalidSpec``."""
        with _one_line_errors(cls):
            return super().model_validate(*arguments, **options)

    @classmethod
    def model_validate_json(cls, *arguments: Any, **options: Any) -> Self:
        """As pydantic's; raises ``InvalidSpec``."""
        with _one_line_errors(cls):
            return super().model_validate_json(*arguments, **options)

    @classmethod
    def model_validate_strings(cls, *arguments: Any, **options: Any) -> Self:
        """As pydantic's; raises ``InvalidSpec``."""
        with _one_line_errors(cls):
            return super().model_validate_strings(*arguments, **options)


@contextmanager
def _one_line_errors(record: type[Any]) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise InvalidSpec(_error_line(record, error)) from error


def _error_line(record: type[BaseModel], error: ValidationError) -> str:
    """A validation error as one line: field path, expected value, given value.

    If several fields are refused, the line has the first one and the number of the others.
    """
    problems = error.errors(include_url=False)
    first = problems[0]
    line = _line(*_path(record, first["loc"]), first)
    others = len(problems) - 1
    return one_line(f"{line} (and {others} more)" if others else line)


def _path(record: type[BaseModel], loc: Sequence[str | int]) -> tuple[str, type[BaseModel] | None]:
    """The field path without the tags that pydantic adds for unions, and the record at its end."""
    keys: list[str] = []
    here: type[BaseModel] | None = record
    tagged: dict[str, type[BaseModel]] = {}
    for item in map(str, loc):
        if item in tagged:
            here, tagged = tagged[item], {}
            continue
        keys.append(item)
        # Other items are keys of tables, indices of lists, and unknown keys.
        if here is not None and item in here.model_fields:
            parts = _records_of(here.model_fields[item].annotation)
            here = parts[0] if len(parts) == 1 else None
            several = parts if len(parts) > 1 else []
            tagged = {str(part.model_fields["kind"].default): part for part in several}
    return ".".join(keys), here


def _records_of(annotation: Any) -> list[type[BaseModel]]:
    """The records in an annotation, such as those of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [record for part in get_args(annotation) for record in _records_of(part)]


def _line(path: str, record: type[BaseModel] | None, problem: Any) -> str:  # noqa: PLR0911
    kind, given, context = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "value_error":
        # The package's own validators write whole lines: those of records begin with a field.
        said = str(context["error"])
        joint = ": " if said.startswith("expected ") else "."
        return f"{path}{joint}{said}" if path else said
    if kind == "extra_forbidden":
        known = f"one of {', '.join(record.model_fields)}" if record else "a known key"
        key = path.rpartition(".")[2]
        near = did_you_mean(key, record.model_fields if record else ())
        return f"{path}: expected {known}, got the unknown key {key!r}{near}"
    if kind == "union_tag_invalid":
        expected = context["expected_tags"].replace("'", "")
        near = did_you_mean(context["tag"], expected.split(", "))
        return f"{path}.kind: expected one of {expected}, got {context['tag']!r}{near}"
    if kind == "union_tag_not_found":
        return f"{path}.kind: expected the kind of {path}, got none"
    if kind == "json_invalid":
        return f"expected JSON, got {context['error']}"
    if kind == "missing":
        return f"{path}: expected a value, got none"
    expected = str(problem["msg"]).removeprefix("Input should be ").removeprefix("Input should ")
    field = f"{path}: " if path else ""
    return f"{field}expected {expected[:1].lower()}{expected[1:]}, got {given!r}"
