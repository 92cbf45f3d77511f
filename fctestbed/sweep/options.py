"""From what a user wrote, a TOML file, options and ``key=value`` pairs, to a sweep.

Reads and layers: preset, then file, then options, axes and pairs. Errors are one line that begins
with what was written: the file and its key, the pair's key, or the field.
"""

import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fctestbed._messages import did_you_mean
from fctestbed._plugins import only_plugins
from fctestbed._toml import check_key, parse_toml, parse_toml_value
from fctestbed.measurement import MeasureSpec
from fctestbed.objectives import NetSpec
from fctestbed.sweep.axes import flat_axes, join_path, split_path, texts_of
from fctestbed.sweep.lines import located_in
from fctestbed.sweep.presets import holds, merge, sweep_spec
from fctestbed.sweep.spec import SweepSpec
from fctestbed.sweep.syntax import parse_grid, parse_integers, parse_values
from fctestbed.synthesis import WorldSpec
from fctestbed.training import TrainSpec

_TABLES: dict[str, type[BaseModel]] = {
    "": SweepSpec,
    "world": WorldSpec,
    "nets": NetSpec,
    "train": TrainSpec,
    "measurement": MeasureSpec,
}


# A line's field: all before the first colon outside quotes.
_FIELD = re.compile(r'(?:"[^"]*"|[^":])*')
_AXIS = "--axis "
MAX_FILE_BYTES = 1 << 20


class SpecError(ValueError):
    """A sweep that cannot be; the message is one line naming the file or option and the key."""


@dataclass(frozen=True)
class _Layer:
    """Values from one place.

    Attributes:
        source: the prefix of their keys in error messages.
        values: nested values.
        file: the file that they are from, if any.
        text: its content.
    """

    source: str
    values: Mapping[str, Any]
    file: Path | None = None
    text: str = ""

    def located(self, line: str) -> str:
        """An error's line, after the place of the value that it is about."""
        if self.file is None:
            return self.source + line
        return located_in(self.file, self.text, line)

    def holds(self, path: str) -> bool:
        """Whether the value at a dotted path, or a part of it, was written here."""
        if path.startswith("axes."):
            axes = self.values.get("axes", {})
            return any(path.removeprefix("axes.").startswith(axis) for axis in axes)
        return holds(self.values, path)


def read_toml(path: Path) -> dict[str, Any]:
    """Values of a sweep file; grids may be written as on the command line.

    Raises:
        SpecError: for a file that is missing, is none of at most 1 MiB or is no TOML, and for a
            malformed grid or an unknown key, whose line is named.
    """
    return dict(_file_layer(path).values)


def _file_layer(path: Path) -> _Layer:
    text = toml_text(path, "a sweep file")
    try:
        values = parse_toml(text)
    except ValueError as error:
        raise SpecError(f"{path}: {error}") from error
    try:
        read = read_grids(values, source="")
    except SpecError as error:
        raise SpecError(located_in(path, text, str(error))) from None
    return _Layer("", read, path, text)


def toml_text(path: Path, what: str) -> str:
    """The text of a TOML file.

    Args:
        path: the file.
        what: what it should be, for the error: ``a sweep file``.

    Raises:
        SpecError: for a file that is missing, or is no UTF-8 text of at most 1 MiB.
    """
    try:
        text = _content(path).decode("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        reason = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else reason
        raise SpecError(f"{path}: expected {what}, got none that can be read ({reason})") from error
    # TOML knows no byte-order mark, which editors write.
    return text.removeprefix("\ufeff")


def _content(path: Path) -> bytes:
    """A file's bytes; devices and pipes, which may have no end, are not opened."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("not a regular file")
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"more than {MAX_FILE_BYTES} bytes")
    return content


def read_grids(values: Mapping[str, Any], *, source: str) -> dict[str, Any]:
    """Values with ``unique_ratio`` and ``seeds`` as lists, also where written ``0:1:0.1`` or 0.5,
    and ``axes`` by dotted path.

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
    try:
        if "axes" in read:
            read["axes"] = flat_axes(read["axes"])
    except ValueError as error:
        raise SpecError(f"{source}axes.{error}") from None
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
                    f"{did_you_mean(key, record.model_fields)}"
                )
    world = values.get("world")
    label = world.get("label") if isinstance(world, Mapping) else None
    if isinstance(label, Mapping) and "unique_ratio" in label:
        raise SpecError(
            f"{source}world.label.unique_ratio: expected the grid unique_ratio alone to say the "
            f"ratios, got {label['unique_ratio']!r}"
        )


def read_pair(pair: str) -> dict[str, Any]:
    """``train.steps=500`` as nested values; the value is TOML, or else text. A key that contains
    dots needs quotes: ``settings."my_pkg.my_module:MyMethod".width=3``.

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
    try:
        check_key(key)
    except ValueError as error:
        raise SpecError(f"--set: {error}") from None
    parts = split_path(key.strip())
    if not equals or not all(parts):
        raise SpecError(f"--set: expected KEY=VALUE such as train.steps=500, got {pair!r}")
    try:
        value = parse_toml_value(text.strip())
    except ValueError as error:
        raise SpecError(f"--set {key.strip()}: {error}") from None
    for part in reversed(parts):
        value = {part: value}
    read: dict[str, Any] = value
    return read


def read_axes(texts: Sequence[str]) -> dict[str, Any]:
    """Axes by dotted path, from texts such as ``world.observation.noise=0,0.1,0.3``.

    Raises:
        SpecError: for text without a field and an equals sign, malformed values, or a field twice.
    """
    axes: dict[str, Any] = {}
    for text in texts:
        path, equals, values = text.partition("=")
        try:
            check_key(path)
        except ValueError as error:
            raise SpecError(f"--axis: {error}") from None
        if not equals or not all(split_path(path.strip())):
            raise SpecError(
                "--axis: expected FIELD=VALUES such as world.observation.noise=0,0.1,0.3, "
                f"got {text!r}"
            )
        field = join_path(split_path(path.strip()))
        try:
            parsed = parse_values(values, option=f"{_AXIS}{field}")
        except ValueError as error:
            raise SpecError(str(error)) from None
        if field in axes:
            raise SpecError(f"{_AXIS}{field}: expected an axis once, got it twice")
        axes[field] = parsed
    return axes


def build_sweep(
    *,
    preset: str | None = None,
    config: Path | None = None,
    options: Mapping[str, Any],
    axes: Sequence[str] = (),
    pairs: Sequence[str] = (),
    allow_plugins: bool = False,
) -> SweepSpec:
    """The sweep that a user asked for, each run of it checked.

    Args:
        preset: a preset's name; over the file's own.
        config: a TOML file.
        options: nested values from options.
        axes: ``field=values`` texts; an axis goes over a value of the file, but not beside a value
            from options or pairs.
        pairs: ``key=value`` texts.
        allow_plugins: whether the file's methods and label function may be a user's own, which are
            imported. Those that options, axes or pairs name may be.

    Raises:
        SpecError: one line.
    """
    command = [_Layer("", options if preset is None else {**options, "preset": preset})]
    if axes:
        command.append(_Layer(_AXIS, {"axes": read_axes(axes)}))
    command += [_Layer("--set ", read_pair(pair)) for pair in pairs]
    given = _merged(command)
    layers = command
    gate = nullcontext() if config is None or allow_plugins else only_plugins(texts_of(given))
    if config is not None:
        file = _file_layer(config)
        layers = [file, *command]
        is_baseline = given.get("one_at_a_time", file.values.get("one_at_a_time"))
        replaced = () if is_baseline else given.get("axes", {})
        given = merge(_without(file.values, replaced), given)
    named = given.pop("preset", "quick")
    try:
        with gate:
            spec = sweep_spec(given, preset=named)
            # Expanded here, so that the error of an impossible run can name the place of its value.
            spec.runs()
    except ValueError as error:
        raise SpecError(_sourced(" ".join(str(error).split()), layers)) from None
    return spec


def _merged(layers: Sequence[_Layer]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for layer in layers:
        values = merge(values, layer.values)
    return values


def _without(values: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """Nested values without those at some dotted paths."""
    kept = dict(values)
    for path in paths:
        key, *rest = split_path(path)
        if not rest:
            kept.pop(key, None)
        elif isinstance(kept.get(key), Mapping):
            kept[key] = _without(kept[key], [join_path(rest)])
    return kept


def _sourced(line: str, layers: Sequence[_Layer]) -> str:
    """The line, after the name of the place where its field was written."""
    field = _FIELD.match(line)
    path = field[0] if field else ""
    if path == "world.label.unique_ratio":
        path = "unique_ratio"
    for layer in reversed(layers):
        if layer.holds(path):
            if layer.source == _AXIS:
                # The option's name replaces the table's.
                return f"--axis{line.removeprefix('axes').replace('.', ' ', 1)}"
            return layer.located(line)
    return line
