"""Alarms of a sweep: runs without a result, warnings of runs, seeds that disagree.

May import numpy, pandas, ``fctestbed.plotting`` and ``fctestbed.results``.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fctestbed._messages import with_ranges, without_numbers
from fctestbed.plotting import series_styles, value_text
from fctestbed.reporting.label_bits import RATIO, LabelBits
from fctestbed.reporting.wording import bits_text, counted, listed
from fctestbed.results import Results

# What the texts of a run's warnings are signs of.
_SIGNS = {
    "puts out a constant": "collapse",
    "its value for constant features": "collapse",
    "at its limit": "saturation",
}
# Not the digits of a name, such as those of Z_S1.
_WIDE = 0.25
"""The share of the label's bits by which the seeds of a cell may differ without an alarm."""
_MOST_PLACES = 6


@dataclass(frozen=True)
class Alarm:
    """Runs with one kind of alarm.

    Attributes:
        kind: ``divergence``, ``failure``, ``collapse``, ``saturation``, ``warning`` or ``spread``.
        series: display name of the method.
        text: what happened, in one line.
        places: where, in words: runs, or cells for ``spread``.
    """

    kind: str
    series: str
    text: str
    places: tuple[str, ...]

    @property
    def where(self) -> str:
        """The first places, in one line."""
        more = len(self.places) - _MOST_PLACES
        text = "; ".join(self.places[:_MOST_PLACES])
        return f"{text}; {more} more" if more > 0 else text


def alarms_of(results: Results, found: LabelBits) -> list[Alarm]:
    """All alarms: unfinished runs, then warnings, then cells whose seeds disagree.

    Args:
        results: the rows.
        found: their label bits.
    """
    return [*_unfinished(results), *_warnings(results), *_spread(found)]


def warning_kind(text: str) -> str:
    """What a run's warning is a sign of: ``collapse``, ``saturation`` or just a ``warning``."""
    return next((kind for sign, kind in _SIGNS.items() if sign in text), "warning")


def _unfinished(results: Results) -> Iterator[Alarm]:
    kinds = {"diverged": "divergence", "failed": "failure"}
    yield from _grouped(
        (kinds[str(run["status"])], run, [str(run["reason"])])
        for run in _runs(results)
        if run["status"] != "ok"
    )


def _warnings(results: Results) -> Iterator[Alarm]:
    yield from _grouped(
        (kind, run, [text for text in texts if warning_kind(text) == kind])
        for run in _runs(results)
        for texts in [[str(text) for text in json.loads(str(run["warnings"]) or "[]")]]
        for kind in dict.fromkeys(map(warning_kind, texts))
    )


def _runs(results: Results) -> list[dict[str, object]]:
    """The runs, each once, with display name and place in words."""
    styles = series_styles(results.runs)
    runs = results.runs.drop_duplicates("run_id").to_dict(orient="records")
    axes = (RATIO, *results.axes)
    return [
        {
            **{str(name): value for name, value in run.items()},
            "series": styles[str(run["method"]), str(run["variant"])].label,
            "place": ", ".join(
                [
                    f"{'unique ratio' if axis == RATIO else axis} {value_text(run[axis])}"
                    for axis in axes
                ]
                + [f"seed {run['seed']}"]
            ),
        }
        for run in runs
    ]


def _grouped(found: Iterator[tuple[str, dict[str, object], list[str]]]) -> Iterator[Alarm]:
    """One alarm for the runs of one method whose texts differ in numbers only."""
    groups: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for kind, run, texts in found:
        for text in texts:
            key = (kind, str(run["series"]), without_numbers(text))
            groups.setdefault(key, []).append((text, str(run["place"])))
    for (kind, series, _), runs in groups.items():
        text = with_ranges([text for text, _ in runs])
        yield Alarm(kind, series, text, tuple(place for _, place in runs))


def _spread(found: LabelBits) -> Iterator[Alarm]:
    """Methods with cells whose seeds differ by more than a quarter of the label's bits."""
    if len(found.seeds) < 2 or not len(found.worlds):
        return
    known = np.isfinite(found.bits)
    high = np.where(known, found.bits, -np.inf).max(axis=2)
    low = np.where(known, found.bits, np.inf).min(axis=2)
    ranges = np.where(known.sum(axis=2) > 1, high - low, 0.0)
    for place, series in enumerate(found.series):
        wide = np.flatnonzero(ranges[place] > _WIDE * found.total_bits)
        if not len(wide):
            continue
        most = int(wide[np.argmax(ranges[place][wide])])
        text = (
            f"seeds of one cell differ by up to {bits_text(float(ranges[place, most]))} bits "
            f"({bits_text(float(low[place, most]))} to {bits_text(float(high[place, most]))})"
        )
        order = wide[np.argsort(-ranges[place][wide], kind="stable")]
        places = [
            ", ".join(
                f"{'unique ratio' if name == RATIO else name} "
                f"{value_text(found.worlds[name].iloc[world])}"
                for name in found.worlds
            )
            for world in order
        ]
        yield Alarm("spread", series.label, text, tuple(places))


def alarm_sentence(alarms: list[Alarm]) -> str:
    """The alarms in one sentence."""
    if not alarms:
        return "No run diverged, failed, collapsed or saturated, and no cell's seeds disagree."
    words = {
        "divergence": "divergence",
        "failure": "failure",
        "collapse": "signs of collapse",
        "saturation": "bounds at their limit",
        "warning": "other warnings",
        "spread": "seeds that disagree",
    }
    parts = []
    for kind, word in words.items():
        own = [alarm for alarm in alarms if alarm.kind == kind]
        if own:
            noun = "cell" if kind == "spread" else "run"
            places = {(alarm.series, place) for alarm in own for place in alarm.places}
            parts.append(f"{word} ({counted(len(places), noun)})")
    text = listed(parts)
    return f"{text[0].upper()}{text[1:]}."
