"""From what a user wrote, a TOML file and ``key=value`` pairs, to a sweep.

Owns reading and layering: preset, then file, then options, then pairs. Errors are one line that
begins with what was written: the file and its key, the pair's key, or the field.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from fctestbed.measurement.spec import MeasureSpec
from fctestbed.objectives import NetSpec
from fctestbed.sweep.grid import parse_grid, parse_integers
from fctestbed.sweep.spec import SweepSpec, merge, sweep_spec
from fctestbed.synthesis import WorldSpec, spec_error_lines
from fctestbed.training import TrainSpec

_TABLES: dict[str, type[BaseModel]] = {
    "": SweepSpec,
    "world": WorldSpec,
    "nets": NetSpec,
    "train": TrainSpec,
    "measurement": MeasureSpec,
}


# A dot that an even number of quotes follows, and all before the first colon outside quotes.
_DOT = re.compile(r'\.(?=(?:[^"]*"[^"]*")*[^"]*$)')
_FIELD = re.compile(r'(?:"[^"]*"|[^":])*')


class SpecError(ValueError):
    """A sweep that cannot be; the message is one line naming the file or option and the key."""


@dataclass(frozen=True)
class _Layer:
    """Values from one place, and what that place's keys are called in errors."""

    source: str
    values: Mapping[str, Any]

    def holds(self, path: str) -> bool:
        """Whether the value at a dotted path, or a part of it, was written here."""
        value: Any = self.values
        for key in _keys(path):
            if not isinstance(value, Mapping):
                return True
            if key not in value:
                return False
            value = value[key]
        return True


def read_toml(path: Path) -> dict[str, Any]:
    """Values of a sweep file; grids may be written as on the command line.

    Raises:
        SpecError: for a file that is missing or is no TOML.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SpecError(
            f"{path}: expected a sweep file, got none that can be read ({reason})"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path}: expected TOML, got {error}") from error
    return read_grids(values, source=f"{path}: ")


def read_grids(values: Mapping[str, Any], *, source: str) -> dict[str, Any]:
    """Values with ``unique_ratio`` and ``seeds`` as lists, also where written ``0:1:0.1`` or 0.5.

    Raises:
        SpecError: for a malformed grid or an unknown key; the line begins with ``source``.
    """
    read = dict(values)
    for key in ("unique_ratio", "seeds"):
        if isinstance(read.get(key), int | float) and not isinstance(read[key], bool):
            read[key] = [read[key]]
    try:
        if isinstance(read.get("unique_ratio"), str):
            read["unique_ratio"] = parse_grid(
                read["unique_ratio"], low=0.0, high=1.0, option=f"{source}unique_ratio"
            )
        if isinstance(read.get("seeds"), str):
            read["seeds"] = parse_integers(read["seeds"], option=f"{source}seeds")
    except ValueError as error:
        raise SpecError(str(error)) from None
    _check_keys(read, source)
    return read


def _check_keys(values: Mapping[str, Any], source: str) -> None:
    for name, record in _TABLES.items():
        table = values.get(name) if name else values
        for key in table if isinstance(table, Mapping) else ():
            if key not in record.model_fields:
                where = f"{source}{name}." if name else source
                known = ", ".join(record.model_fields)
                raise SpecError(
                    f"{where}{key}: expected one of {known}, got the unknown key {key!r}"
                )
    world = values.get("world")
    label = world.get("label") if isinstance(world, Mapping) else None
    if isinstance(label, Mapping) and "unique_ratio" in label:
        raise SpecError(
            f"{source}world.label.unique_ratio: expected the grid unique_ratio alone to say the "
            f"ratios, got {label['unique_ratio']!r}"
        )


def read_pair(pair: str) -> dict[str, Any]:
    """``train.steps=500`` as nested values; the value is TOML, or else text. A key with dots of its
    own stands in quotes: ``settings."my_pkg.my_module:MyMethod".width=3``.

    Raises:
        SpecError: for text without a key and an equals sign.
    """
    return read_grids(read_values(pair), source="--set ")


def read_values(pair: str) -> dict[str, Any]:
    """As ``read_pair``, whatever the keys.

    Raises:
        SpecError: for text without a key and an equals sign.
    """
    key, equals, text = pair.partition("=")
    parts = _keys(key.strip())
    if not equals or not all(parts):
        raise SpecError(f"--set: expected KEY=VALUE such as train.steps=500, got {pair!r}")
    try:
        value: Any = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    for part in reversed(parts):
        value = {part: value}
    read: dict[str, Any] = value
    return read


def _keys(path: str) -> list[str]:
    """The keys of a dotted path; one in quotes may have dots."""
    return [part.strip('"') for part in _DOT.split(path)]


def build_sweep(
    *,
    preset: str | None = None,
    config: Path | None = None,
    options: Mapping[str, Any],
    pairs: Sequence[str] = (),
) -> SweepSpec:
    """The sweep that a user asked for, each run of it checked.

    Args:
        preset: a preset's name; over the file's own.
        config: a TOML file.
        options: nested values from options.
        pairs: ``key=value`` texts.

    Raises:
        SpecError: one line.
    """
    layers = [] if config is None else [_Layer(f"{config}: ", read_toml(config))]
    layers.append(_Layer("", options if preset is None else {**options, "preset": preset}))
    layers += [_Layer("--set ", read_pair(pair)) for pair in pairs]
    values: dict[str, Any] = {}
    for layer in layers:
        values = merge(values, layer.values)
    named = values.pop("preset", "quick")
    try:
        spec = sweep_spec(values, preset=named)
        spec.runs()
    except ValidationError as error:
        raise SpecError(_sourced(spec_error_lines(error), layers)) from None
    except ValueError as error:
        raise SpecError(_sourced(" ".join(str(error).split()), layers)) from None
    return spec


def _sourced(line: str, layers: Sequence[_Layer]) -> str:
    """The line, before it the place where its field was written."""
    field = _FIELD.match(line)
    path = (field[0] if field else "").replace("world.label.unique_ratio", "unique_ratio")
    for layer in reversed(layers):
        if layer.holds(path):
            return layer.source + line
    return line
