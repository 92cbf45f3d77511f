"""Lost label bits along each numeric axis of a sweep, and the power laws through them.

A list of equal numbers, such as ``nets.encoder_hidden``, is two axes: the numbers, at one length,
and the length, at one number. A setting of several methods (``settings.METHOD.temperature``) is one
axis, along which each method has the rows of its own. May import numpy, pandas and
``fctestbed.results``.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fctestbed.plotting.axes import Axis, AxisValue, varying_axes
from fctestbed.plotting.baseline import at_baseline, baseline_of
from fctestbed.plotting.power_law import LEAST_VALUES, PowerLaw, fit_power_law
from fctestbed.plotting.select import LABEL, quantity_rows
from fctestbed.plotting.summarise import SERIES
from fctestbed.plotting.yardstick import Yardstick
from fctestbed.results import Results

VALUE = "value"
LOST = "lost_bits"
INDEPENDENT = "does not depend on it"
_SETTINGS = "settings."


@dataclass(frozen=True)
class ScalingAxis:
    """Lost bits along one axis.

    Args:
        name: ``train.steps``, ``nets.encoder_hidden: width``, ``settings.*.temperature``.
        rows: one row per run and value: ``run_id, method, variant, seed, value, lost_bits,
            true_bits``.
        own: the values of the baseline; empty where it is not known.
    """

    name: str
    rows: pd.DataFrame
    own: tuple[float, ...]

    @property
    def values(self) -> Axis:
        """The axis's values."""
        return Axis.of(self.rows[VALUE])


def scaling_axes(results: Results, yardstick: Yardstick) -> list[ScalingAxis]:
    """The axes of a sweep along which lost bits can have a power law: of three positive numbers or
    more.

    Lost bits are the exact label bits minus those read of the joint readout.

    Args:
        results: the rows, at one unique ratio. Their axes vary one at a time, or one axis varies;
            others have no such axes.
        yardstick: how the bits are read.

    Raises:
        ValueError: one line, if the unique ratio varies.
    """
    baseline = baseline_of(results)
    varying = [axis for axis in varying_axes(results) if axis.name in results.axes]
    if len(varying) > 1 and not baseline:
        return []
    found: dict[str, list[ScalingAxis]] = {}
    for axis in varying:
        rows = quantity_rows(
            at_baseline(results, baseline, axis.name), LABEL, yardstick, along=axis.name
        )
        rows = rows.assign(**{LOST: rows["true_bits"] - rows["value_bits"]})
        own = baseline.get(axis.name)
        for name, places in _places(axis, own):
            one = rows.assign(**{VALUE: rows[axis.name].map(places)}).dropna(subset=[VALUE])
            key = _shared_name(name)
            known = (places[own],) if own is not None and own in places else ()
            found.setdefault(key, []).append(ScalingAxis(name, one, known))
    merged = [_merged(key, parts) for key, parts in found.items()]
    return [axis for axis in merged if len(axis.values.values) >= LEAST_VALUES]


def power_laws(axis: ScalingAxis, rng: np.random.Generator) -> dict[tuple[str, str], PowerLaw]:
    """The power law of each method and variant along an axis, or why there is none.

    Args:
        axis: the axis.
        rng: draws the resamples of seeds.
    """
    return {
        (str(method), str(variant)): _law(own, rng)
        for (method, variant), own in axis.rows.groupby(SERIES)
    }


def _law(rows: pd.DataFrame, rng: np.random.Generator) -> PowerLaw:
    if rows["run_id"].nunique() == rows["seed"].nunique() < len(rows):
        return PowerLaw(n_seeds=rows["seed"].nunique(), reason=INDEPENDENT)
    table = rows.pivot(index="seed", columns=VALUE, values=LOST)
    return fit_power_law([float(value) for value in table.columns], table.to_numpy(), rng)


def _places(axis: Axis, own: AxisValue | None) -> Iterator[tuple[str, Mapping[AxisValue, float]]]:
    """The numeric axes that an axis is, each with the number of each of its values."""
    if axis.is_numeric:
        yield axis.name, {value: float(value) for value in axis.values if float(value) > 0}
        return
    lists = {text: found for text in axis.values if (found := _equal_numbers(text))}
    if not lists:
        return
    for name, kept, number in (("width", 1, 0), ("layers", 0, 1)):
        # At the baseline's other number, or at the one that most of the lists have.
        usual = Counter(found[kept] for found in lists.values()).most_common(1)[0][0]
        at = lists[own][kept] if own is not None and own in lists else usual
        places = {text: found[number] for text, found in lists.items() if found[kept] == at}
        yield f"{axis.name}: {name}", places


def _equal_numbers(value: AxisValue) -> tuple[float, float] | None:
    """The number and the length of a list of equal positive numbers in JSON; None for others."""
    try:
        numbers = json.loads(str(value))
    except ValueError:
        return None
    if not isinstance(numbers, list) or not numbers or numbers != numbers[:1] * len(numbers):
        return None
    first = numbers[0]
    is_number = isinstance(first, int | float) and not isinstance(first, bool) and first > 0
    return (float(first), float(len(numbers))) if is_number else None


def _shared_name(name: str) -> str:
    """``settings.*.temperature`` for the setting of any method."""
    return f"{_SETTINGS}*.{name.rpartition('.')[2]}" if name.startswith(_SETTINGS) else name


def _merged(name: str, parts: list[ScalingAxis]) -> ScalingAxis:
    """Axes of one setting of several methods as one: each method has the rows of the axis that it
    depends on, or else of the first."""
    if len(parts) == 1:
        return parts[0]
    rows = []
    for method in dict.fromkeys(name for part in parts for name in part.rows["method"]):
        found = [part.rows[part.rows["method"] == method] for part in parts]
        # The most runs, and the first part where none depends on it.
        rows.append(max(found, key=lambda own: own["run_id"].nunique()))
    own = tuple(sorted({value for part in parts for value in part.own}))
    return ScalingAxis(name, pd.concat(rows, ignore_index=True), own)
