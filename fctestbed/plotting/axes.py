"""The axes of a sweep: the choice of the horizontal one, and the split along the others.

Every sweep has the axis ``unique_ratio``; ``Results.axes`` names further ones. One combination of
values of the other axes is called a world here. May import pandas and ``fctestbed.results``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fctestbed._messages import did_you_mean
from fctestbed.results import Results

AxisValue = bool | int | float | str
UNIQUE_RATIO = "unique_ratio"
_NOT_IN_NAMES = re.compile(r"[^\w.=+-]+")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Axis:
    """A column along which runs differ.

    Args:
        name: the column: ``unique_ratio``, or a field's dotted path.
        values: its different values in drawing order.
    """

    name: str
    values: tuple[AxisValue, ...]

    @classmethod
    def of(cls, column: pd.Series) -> "Axis":
        """The axis of a column: its values, booleans before numbers before text, each ascending.

        Numbers in text are compared as numbers: ``[64]``, ``[64, 64]``, ``[128]``.
        """
        values = {_plain(value) for value in column.unique()}
        return cls(str(column.name), tuple(sorted(values, key=_order)))

    @property
    def is_numeric(self) -> bool:
        """Whether all values are numbers; else the axis is categorical."""
        return all(not isinstance(value, bool | str) for value in self.values)

    @property
    def texts(self) -> dict[AxisValue, str]:
        """The values as short texts."""
        return dict(zip(self.values, value_texts(self.values), strict=True))

    def places(self, values: Iterable[object]) -> NDArray[np.float64]:
        """Horizontal positions of values: the numbers themselves, or 0, 1, ... for categories."""
        if self.is_numeric:
            return np.asarray(list(values), dtype=float)
        return np.array([self.values.index(_plain(value)) for value in values], dtype=float)


@dataclass(frozen=True)
class World:
    """Results at one combination of axis values.

    Args:
        values: the axes that were fixed, with their values.
        results: the rows with these values; ``results.axes`` has the other axes only.
        title: the values for a panel's title, one line per axis; names are shortened as far as they
            stay different.
    """

    values: tuple[tuple[str, AxisValue], ...]
    results: Results
    title: str

    @property
    def note(self) -> str:
        """The values for a note: ``world.observation.noise = 0.1``; empty for none."""
        return ", ".join(f"{name} = {value_text(value)}" for name, value in self.values)

    @property
    def suffix(self) -> str:
        """The values for the end of a file's name: ``_noise=0.1``, ``_hidden=64-64``; empty for
        none."""
        lines = self.title.replace(" = ", "=").replace("[", "").replace("]", "").split("\n")
        return "".join("_" + _NOT_IN_NAMES.sub("-", line) for line in lines if line)


def varying_axes(results: Results) -> list[Axis]:
    """The axes with several values, in the order of the columns."""
    known = [Axis.of(results.runs[name]) for name in (UNIQUE_RATIO, *results.axes)]
    return [axis for axis in known if len(axis.values) > 1]


def horizontal_axis(results: Results, asked: str | None) -> str:
    """Name of the axis that curves are drawn along.

    Args:
        results: the rows.
        asked: an axis; None for the default: ``unique_ratio`` if it varies or nothing varies, else
            the first axis with several numbers, else the first one with several values.

    Raises:
        ValueError: one line, if the results have no such axis.
    """
    known = (UNIQUE_RATIO, *results.axes)
    if asked is not None:
        if asked not in known:
            raise ValueError(
                f"x: expected one of {', '.join(known)}, got {asked!r}{did_you_mean(asked, known)}"
            )
        return asked
    axes = varying_axes(results)
    if not axes or axes[0].name == UNIQUE_RATIO:
        return UNIQUE_RATIO
    return next((axis.name for axis in axes if axis.is_numeric), axes[0].name)


def split_worlds(results: Results, fixed: Sequence[str]) -> list[World]:
    """The results at each combination of values of some axes that has a run.

    Args:
        results: the rows.
        fixed: names of axes; those with a single value are not split.

    Returns:
        The worlds in the axes' order; the results as one world where no axis of ``fixed`` varies.
    """
    axes = [axis for axis in varying_axes(results) if axis.name in fixed]
    short = _short_names([axis.name for axis in varying_axes(results)])
    texts = {axis.name: axis.texts for axis in axes}
    worlds = []
    for values in _combinations(results.runs, axes):
        at = tuple((axis.name, value) for axis, value in zip(axes, values, strict=True))
        own = at_values(results, dict(at))
        if len(own.runs):
            title = "\n".join(f"{short[name]} = {texts[name][value]}" for name, value in at)
            worlds.append(World(at, own, title))
    return worlds


def at_values(results: Results, values: Mapping[str, AxisValue]) -> Results:
    """The results at some axes' values; ``axes`` has the other axes only.

    Args:
        results: the rows.
        values: by the axis's name.
    """
    if not values:
        return results

    def rows(frame: pd.DataFrame) -> pd.DataFrame:
        keep = np.ones(len(frame), dtype=bool)
        for name, value in values.items():
            keep &= (frame[name] == value).to_numpy(dtype=bool)
        return frame[keep]

    return replace(
        results,
        captured=rows(results.captured),
        accuracy=rows(results.accuracy),
        runs=rows(results.runs),
        scores=rows(results.scores),
        along=rows(results.along),
        axes=tuple(name for name in results.axes if name not in values),
    )


def other_axes(results: Results, x: str) -> tuple[str, ...]:
    """Names of all axes except one."""
    return tuple(name for name in (UNIQUE_RATIO, *results.axes) if name != x)


def require_one_world(results: Results, along: str) -> None:
    """Refuse to average rows of different worlds.

    Args:
        results: the rows.
        along: the one axis that may vary; ``unique_ratio`` for tables, which pool over it.

    Raises:
        ValueError: one line, if another axis has several values.
    """
    for axis in varying_axes(results):
        if axis.name != along:
            values = ", ".join(map(value_text, axis.values))
            raise ValueError(
                f"results: expected one value of {axis.name} in one mean, got {values}"
            )


def with_world(numbers: pd.DataFrame, world: World, order: Sequence[str]) -> pd.DataFrame:
    """A figure's numbers with a column for each axis that the world fixes.

    Args:
        numbers: with a column ``unique_ratio`` or ``variant``, which the new columns follow.
        world: the world of these numbers.
        order: the axes in the order of their columns.
    """
    table = numbers.copy()
    for name, value in world.values:
        if name not in table:
            table.insert(_place(table), name, value)
    own = [name for name in order if name in table]
    if not own:
        return table
    columns = [str(name) for name in table.columns]
    first = min(columns.index(name) for name in own)
    rest = [name for name in columns if name not in own]
    return table[[*rest[:first], *own, *rest[first:]]]


def value_text(value: AxisValue, digits: int = 12) -> str:
    """A value as figures write it: ``0.1``, ``true``, ``gaussian``.

    Args:
        value: the value.
        digits: of a number; 12 leave out rounding errors only.
    """
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:.{digits}g}"


def value_texts(values: Sequence[AxisValue]) -> list[str]:
    """Different values as texts: numbers with six digits, or with 12 if six do not tell them
    apart."""
    short = [value_text(value, 6) for value in values]
    return short if len(set(short)) == len(short) else [value_text(value) for value in values]


def _combinations(runs: pd.DataFrame, axes: Sequence[Axis]) -> list[tuple[AxisValue, ...]]:
    """The combinations of values of some axes that have a run, in the axes' order."""
    columns = [runs[axis.name].map(axis.values.index) for axis in axes]
    places = set(zip(*columns, strict=True)) if columns else {()}
    return [
        tuple(axis.values[place] for axis, place in zip(axes, found, strict=True))
        for found in sorted(places)
    ]


def _short_names(names: Sequence[str]) -> dict[str, str]:
    """Each dotted name's shortest ending that no other name has, underscores as spaces."""
    short = {}
    for name in names:
        parts = name.split(".")
        endings = [".".join(parts[-n:]) for n in range(1, len(parts) + 1)]
        others = [f".{other}" for other in names if other != name]
        alone = (e for e in endings if not any(other.endswith(f".{e}") for other in others))
        short[name] = next(alone, name).replace("_", " ")
    return short


def _place(table: pd.DataFrame) -> int:
    after = UNIQUE_RATIO if UNIQUE_RATIO in table else "variant"
    return list(table.columns).index(after) + 1 if after in table else 0


def _plain(value: Any) -> AxisValue:
    plain: AxisValue = value.item() if isinstance(value, np.generic) else value
    return plain


def _order(value: AxisValue) -> tuple[int, float, list[tuple[bool, float, str]]]:
    if not isinstance(value, str):
        return int(not isinstance(value, bool)), float(value), []
    # Without brackets a list comes before its continuations.
    parts = enumerate(_NUMBER.split(value.strip("[]")))
    # Every second part is a number.
    return 2, 0.0, [(True, float(p), "") if n % 2 else (False, 0.0, p) for n, p in parts]
