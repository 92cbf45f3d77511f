"""The command-line options of a world, as a table made from the fields of its records.

A field marked with ``Option`` has an option; its ``description`` is the help text. May import
``record`` and ``spec``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, get_args, get_origin

from pydantic.fields import FieldInfo

from fctestbed.synthesis.record import Option, Spec, alternatives
from fctestbed.synthesis.spec import WorldSpec


@dataclass(frozen=True)
class WorldOption:
    """One option.

    Attributes:
        flag: its name on the command line, such as ``--label-bits``.
        name: the same as a Python identifier, such as ``label_bits``.
        type: type of its value: int, float or str.
        paths: the fields that it sets, as keys of nested ``WorldSpec`` values, such as
            ``("label", "label_bits")``; one value may set several fields.
        help: one line; names the kinds of record that have the field if not all have it.
    """

    flag: str
    name: str
    type: type[int] | type[float] | type[str]
    paths: tuple[tuple[str, ...], ...]
    help: str


def world_options() -> tuple[WorldOption, ...]:
    """The options that describe a world, in the order of its fields."""
    options: list[WorldOption] = []
    for part, field in WorldSpec.model_fields.items():
        records = _records(field)
        if not records:
            options += _option(field, (part,))
            continue
        kinds = alternatives(records)
        options += [
            WorldOption(flag, _name(flag), str, ((part, "kind"),), f"{_help(field)[:-1]}: {kinds}.")
            for flag in _flags(field)
        ]
        options += _merged(part, records)
    return tuple(options)


def nested_values(given: dict[str, Any]) -> dict[str, Any]:
    """Nested values of a ``WorldSpec`` from option values by name; None means not given.

    Args:
        given: values by ``WorldOption.name``.

    Raises:
        ValueError: for a name that no option has.
    """
    options = {option.name: option for option in world_options()}
    nested: dict[str, Any] = {}
    for name, value in given.items():
        if name not in options:
            raise ValueError(f"options: expected some of {', '.join(options)}, got {name!r}")
        for *parents, key in options[name].paths if value is not None else ():
            table = nested
            for parent in parents:
                table = table.setdefault(parent, {})
            table[key] = value
    return nested


def _records(field: FieldInfo) -> dict[str, type[Spec]]:
    """The records of a field that is a union of kinds, by kind."""
    if field.discriminator is None:
        return {}
    return {kind.model_fields["kind"].default: kind for kind in get_args(field.annotation)}


def _merged(part: str, records: dict[str, type[Spec]]) -> Iterator[WorldOption]:
    """One option for each flag of the records of a union."""
    found: dict[str, WorldOption] = {}
    kinds: dict[str, list[str]] = {}
    for kind, record in records.items():
        for key, field in record.model_fields.items():
            for option in _option(field, (part, key)):
                known = found.setdefault(option.flag, option)
                paths = tuple(dict.fromkeys((*known.paths, *option.paths)))
                found[option.flag] = replace(known, paths=paths)
                having = kinds.setdefault(option.flag, [])
                having += [kind] if kind not in having else []
    for flag, option in found.items():
        some = "" if len(kinds[flag]) == len(records) else f" ({', '.join(kinds[flag])})"
        yield replace(option, help=f"{option.help[:-1]}{some}.")


def _option(field: FieldInfo, path: tuple[str, ...]) -> list[WorldOption]:
    return [
        WorldOption(flag, _name(flag), _type(field.annotation), (path,), _help(field))
        for flag in _flags(field)
    ]


def _flags(field: FieldInfo) -> list[str]:
    return [mark.flag for mark in field.metadata if isinstance(mark, Option)]


def _name(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")


def _help(field: FieldInfo) -> str:
    assert field.description is not None, "an option needs a description"
    return field.description


def _type(annotation: Any) -> type[int] | type[float] | type[str]:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    for known in (int, float, str):
        if annotation is known:
            return known
    raise TypeError(f"an option needs a whole number, a number or a text, got {annotation}")
