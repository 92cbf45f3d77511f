"""From what a user wrote, a TOML file and ``key=value`` pairs, to a sweep.

Owns reading and layering: preset, then file, then options, then pairs. Errors are one line naming
the source.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fctestbed.sweep.grid import parse_grid, parse_integers
from fctestbed.sweep.spec import SweepSpec, merge, sweep_spec
from fctestbed.synthesis import spec_error_lines


class SpecError(ValueError):
    """A sweep that cannot be; the message is one line naming the file or option and the key."""


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
    """Values with ``unique_ratio`` and ``seeds`` as lists, from ``0:1:0.1`` where written so.

    Raises:
        SpecError: for a malformed grid; the line begins with ``source``.
    """
    read = dict(values)
    try:
        if isinstance(read.get("unique_ratio"), str):
            read["unique_ratio"] = parse_grid(
                read["unique_ratio"], low=0.0, high=1.0, option=f"{source}unique_ratio"
            )
        if isinstance(read.get("seeds"), str):
            read["seeds"] = parse_integers(read["seeds"], option=f"{source}seeds")
    except ValueError as error:
        raise SpecError(str(error)) from None
    return read


def read_pair(pair: str) -> dict[str, Any]:
    """``train.steps=500`` as nested values; the value is TOML, or else text.

    Raises:
        SpecError: for text without a key and an equals sign.
    """
    key, equals, text = pair.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise SpecError(f"--set: expected KEY=VALUE such as train.steps=500, got {pair!r}")
    try:
        value: Any = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    for part in reversed(parts):
        value = {part: value}
    return read_grids(value, source="--set ")


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
    values = {} if config is None else read_toml(config)
    named = values.pop("preset", None)
    values = merge(values, options)
    for pair in pairs:
        values = merge(values, read_pair(pair))
    source = "" if config is None else f"{config}: "
    try:
        spec = sweep_spec(values, preset=preset or named or "quick")
        spec.runs()
    except ValidationError as error:
        raise SpecError(source + spec_error_lines(error)) from error
    except ValueError as error:
        raise SpecError(source + " ".join(str(error).split())) from error
    return spec
