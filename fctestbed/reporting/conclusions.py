"""The three sentences of a report, made from the rows, and what the rows cannot say.

Every comparison is a difference of label bits paired within each seed. A sentence calls a
difference shown where the interval that holds all differences of its kind at once (95 %, Student t,
Bonferroni) leaves out 0. May import numpy, ``fctestbed.claims``, ``fctestbed.plotting`` and
``fctestbed.results``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from fctestbed.claims import PairedDifferences, simultaneous_interval
from fctestbed.plotting import Axis, choose_yardstick, value_text
from fctestbed.reporting.label_bits import (
    RATIO,
    RAW,
    SUPERVISED,
    UNTRAINED,
    Floats,
    LabelBits,
)
from fctestbed.reporting.wording import bits_text, counted, interval_text, listed
from fctestbed.results import Results

_OWN_TAIL = 0.025


@dataclass(frozen=True)
class Differences:
    """Means of paired differences, and the intervals that hold all of them at once.

    Attributes:
        mean: one for each difference; NaN without a common seed.
        low: lower ends; -inf with fewer than two seeds.
        high: upper ends; inf with fewer than two seeds.
    """

    mean: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, differences: Floats) -> "Differences":
        """Of differences of shape (differences, seeds), NaN where a seed lacks one."""
        summary = PairedDifferences.of(differences)
        low, high = simultaneous_interval(summary)
        return cls(summary.mean, low, high)

    def text(self, place: int, *, sign: int = 1) -> str:
        """The size of a difference with its interval; of its negative for a sign of -1."""
        mean, low, high = (float(ends[place]) for ends in (self.mean, self.low, self.high))
        return interval_text(*((mean, low, high) if sign > 0 else (-mean, -high, -low)))


def conclusions(results: Results, rate: float | None = None) -> tuple[str, str, str]:
    """Three sentences on a sweep: which method reads most label bits, how methods change along the
    axis, and how they compare with the controls.

    Args:
        results: the result of ``load_results``.
        rate: the rate in bits at which the label is read; None for the default of the figures.

    Returns:
        Three sentences; each says so where the rows do not decide.

    Raises:
        ValueError: one line, for a rate that was not measured.
    """
    found = LabelBits.of(results, choose_yardstick(results, rate=rate))
    return most_bits(found), change_along(found), against_controls(found)


def most_bits(found: LabelBits) -> str:
    """Which method reads most label bits on average over the worlds."""
    methods = found.methods
    if not found.series:
        return "No finished run has label bits, so the methods cannot be ranked."
    if not methods:
        return "Only controls have label bits, so there is no method to rank."
    averages = found.averages[methods]
    means = [_mean(own) for own in averages]
    if not np.isfinite(means).any():
        return (
            "No method has a seed that finished in every world, so averages cannot be compared: "
            "the tables have each world."
        )
    best = int(np.nanargmax(means))
    start = f"{_read(found)} {found.series[methods[best]].label}"
    value = f"{bits_text(means[best])}{_of_total(found)} label bits"
    if len(methods) == 1:
        return f"{start} reads {value}; there is no other method to compare with."
    if len(found.seeds) < 2:
        return (
            f"{start} has the largest value, {value}, of {len(methods)} methods; one seed has no "
            "interval, so no difference between methods is shown."
        )
    return f"{start} {_ahead(found, methods, best, means, value)}"


def _ahead(
    found: LabelBits, methods: Sequence[int], best: int, means: Sequence[float], value: str
) -> str:
    """What the method with the largest average has over each other one."""
    averages = found.averages[methods]
    names = [found.series[place].label for place in methods]
    # The best one is found from the rows, so all pairs are compared, not only those with it.
    pairs = list(combinations(range(len(methods)), 2))
    table = Differences.of(np.array([averages[a] - averages[b] for a, b in pairs]))
    # Rival, place of the pair, and sign of its difference, the largest average first.
    own = [
        (b if a == best else a, place, 1 if a == best else -1)
        for place, (a, b) in enumerate(pairs)
        if best in (a, b)
    ]
    own.sort(key=lambda one: -means[one[0]] if np.isfinite(means[one[0]]) else np.inf)
    above = [one for one in own if (table.low if one[2] > 0 else -table.high)[one[1]] > 0]
    rivals = [one for one in own if one not in above]
    if not rivals:
        rival, place, sign = above[0]
        return (
            f"reads most, {value}: {table.text(place, sign=sign)} more than the next one, "
            f"{names[rival]}."
        )
    gaps = listed([_gap(names[rival], table.text(p, sign=s)) for rival, p, s in rivals], "or")
    rest = f"; {_the_others(len(above))} below it" if above else ""
    return f"has the largest average, {value}; no difference is shown to {gaps}{rest}."


def _gap(name: str, difference: str) -> str:
    return f"{name} ({difference})" if difference else f"{name} (no common seed)"


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def change_along(found: LabelBits) -> str:
    """How the label bits of the methods change from one end of the axis to the other."""
    name = axis_name(found.x)
    methods = found.methods
    if not methods:
        return f"No method has label bits, so no change along the {name} is stated."
    axis = Axis.of(found.worlds[found.x])
    if len(axis.values) < 2:
        return (
            f"The rows have one {name} ({axis.texts[axis.values[0]]}), so they do not say how "
            "methods change along an axis."
        )
    ends = found.ends()
    if ends is None:
        values = listed([value_text(value) for value in axis.values])
        return (
            f"The {name} has values without an order ({values}), so no trend is stated: the "
            "tables have the label bits at each of them."
        )
    low, between, high = ends
    labels = [found.series[place].label for place in methods]
    first, last = found.mean_of(low)[methods], found.mean_of(high)[methods]
    contrasts = [*(last - first)]
    if between:
        contrasts += [*(found.mean_of(between)[methods] - (first + last) / 2)]
    table = Differences.of(np.array(contrasts))
    falls = [place for place in range(len(methods)) if table.high[place] < 0]
    rises = [place for place in range(len(methods)) if table.low[place] > 0]
    start = (
        f"From {name} {axis.texts[axis.values[0]]} to {axis.texts[axis.values[-1]]}"
        f"{_changing_total(found, low, high)}"
    )
    parts = []
    for word, places, sign in (("fall", falls, -1), ("rise", rises, 1)):
        if places:
            changes = listed([f"{labels[p]} by {table.text(p, sign=sign)}" for p in places])
            parts.append(f"label bits {word} with {changes}")
    open_ones = [labels[p] for p in range(len(methods)) if p not in (*falls, *rises)]
    if open_ones:
        every = len(open_ones) == len(methods)
        whom = "any method" if every and len(methods) > 1 else listed(open_ones, "or")
        parts.append(f"no change is shown for {whom}")
    if between:
        inner = range(len(methods), 2 * len(methods))
        lower = [labels[p - len(methods)] for p in inner if table.high[p] < 0]
        higher = [labels[p - len(methods)] for p in inner if table.low[p] > 0]
        for word, own in (("less", lower), ("more", higher)):
            if own:
                parts.append(f"between the ends {word} is read with {listed(own)} than at them")
    return f"{start}, {'; '.join(parts)}."


def against_controls(found: LabelBits) -> str:
    """How the methods compare with the untrained encoder, raw inputs and supervised training."""
    methods = found.methods
    known = [(name, found.control(name)) for name in (UNTRAINED, RAW, SUPERVISED)]
    controls = [(name, place) for name, place in known if place is not None]
    if not methods or not controls:
        what = "a method" if controls else "a control"
        return f"No finished run of {what} has label bits, so methods and controls do not compare."
    averages = found.averages
    table = Differences.of(
        np.array([averages[m] - averages[place] for _, place in controls for m in methods])
    )
    labels = [found.series[place].label for place in methods]
    parts = []
    for row, (name, place) in enumerate(controls):
        own = slice(row * len(methods), (row + 1) * len(methods))
        sides = [
            "above" if low > 0 else "below" if high < 0 else ""
            for low, high in zip(table.low[own], table.high[own], strict=True)
        ]
        text = _sides(labels, sides, found.series[place].label)
        parts.append(text + _single_worlds(found, methods, place) * (name == UNTRAINED))
    missing = [name for name, place in known if place is None]
    if missing:
        parts.append(f"the sweep has no finished run of {listed(missing, 'or')} to compare with")
    start = f"Averaged over {_worlds(found)}, " if len(found.worlds) > 1 else ""
    text = f"{start}{'; '.join(parts)}."
    return f"{text[0].upper()}{text[1:]}"


def _sides(labels: Sequence[str], sides: Sequence[str], control: str) -> str:
    """Which methods are above and below a control, and of which neither is shown."""
    groups = {
        side: [label for label, own in zip(labels, sides, strict=True) if own == side]
        for side in ("above", "below", "")
    }
    if len(groups[""]) == len(labels):
        return f"no method is shown to differ from {control}"
    most = max(("above", "below"), key=lambda side: len(groups[side]))
    rest = [
        f"{listed(own)} ({side or 'not decided'})"
        for side, own in groups.items()
        if own and side != most
    ]
    if len(groups[most]) == len(labels) > 1:
        return f"all {len(labels)} methods are {most} {control}"
    if len(groups[most]) > 3:
        return f"all methods but {listed(rest)} are {most} {control}"
    verb = "is" if len(groups[most]) == 1 else "are"
    others = f", unlike {listed(rest)}" if rest else ""
    return f"{listed(groups[most])} {verb} {most} {control}{others}"


def _single_worlds(found: LabelBits, methods: Sequence[int], control: int) -> str:
    """The methods below a control in single worlds, each by its own 95 % interval."""
    if len(found.worlds) < 2:
        return ""
    differences = found.bits[methods] - found.bits[control]
    _, high = PairedDifferences.of(differences).interval(_OWN_TAIL)
    below = high < 0
    one_axis = len(found.worlds[found.x].unique()) == len(found.worlds)
    shown = []
    for place, worlds in zip(methods, below, strict=True):
        if not worlds.any():
            continue
        label = found.series[place].label
        if one_axis:
            texts = Axis.of(found.worlds[found.x]).texts
            at = listed([texts[_plain(value)] for value in found.worlds[found.x][worlds]])
            shown.append(f"{label} at {axis_name(found.x)} {at}")
        else:
            shown.append(f"{label} in {int(worlds.sum())} of {len(worlds)}")
    if not shown:
        return " (in no single world is a method below it)"
    return f" (in single worlds, each by its own interval, below it: {listed(shown)})"


def axis_name(name: str) -> str:
    """An axis's name in a sentence."""
    return "unique ratio" if name == RATIO else name


def _read(found: LabelBits) -> str:
    average = f", averaged over {_worlds(found)}" if len(found.worlds) > 1 else ""
    text = f"{found.yardstick.text}{average} and {counted(len(found.seeds), 'seed')}"
    if not average:
        text = f"{found.yardstick.text}, {counted(len(found.seeds), 'seed')}"
    return f"{text[0].upper()}{text[1:]},"


def _worlds(found: LabelBits) -> str:
    if len(found.worlds) == found.worlds[RATIO].nunique():
        return counted(len(found.worlds), "unique ratio")
    return counted(len(found.worlds), "combination of axis values", "combinations of axis values")


def _of_total(found: LabelBits) -> str:
    total = found.total_bits
    if not np.isfinite(total).all():
        return ""
    return f" of {bits_text(float(total.mean()))}"


def _changing_total(found: LabelBits, low: list[int], high: list[int]) -> str:
    """A note where the exact total is another one at the two ends."""
    first, last = (float(found.total_bits[worlds].mean()) for worlds in (low, high))
    if not np.isfinite([first, last]).all() or abs(first - last) < 0.005:
        return ""
    return f" (where the exact total goes from {bits_text(first)} to {bits_text(last)} bits)"


def _the_others(n: int) -> str:
    return "the other method is" if n == 1 else f"the {n} other methods are"


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
