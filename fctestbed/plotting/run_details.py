"""Details from the run table's JSON: loss terms, departures, settings, views, exact numbers.

May import pandas and ``fctestbed.results``.
"""

import json
import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pandas as pd

from fctestbed.plotting.axes import UNIQUE_RATIO, require_one_world
from fctestbed.plotting.select import LABEL
from fctestbed.results import JOINT, Results


@dataclass(frozen=True)
class RunDetails:
    """Details of one run's loss and training.

    Args:
        terms: the columns of the FactorCL paper's Table 2 that its loss has; None if the run does
            not list them.
        departures: the settings in which it departs from the paper, with their values.
        settings: all settings of its method.
        augmentation: the specification of its views.
        views_bits: exact I(X1,X2;X1',X2'); NaN where it is not known.
    """

    terms: tuple[str, ...] | None = None
    departures: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    augmentation: dict[str, Any] = field(default_factory=dict)
    views_bits: float = math.nan


def run_details(results: Results) -> dict[str, RunDetails]:
    """Details of every finished run, by ``run_id``; missing details are empty."""
    runs = results.runs[results.runs["status"] == "ok"]
    details = {}
    texts = ("run_id", "spec", "diagnostics", "truth")
    for run_id, spec, diagnostics, truth in zip(*(runs[name] for name in texts), strict=True):
        training = _mapping(_json_object(spec).get("training"))
        said = _json_object(diagnostics)
        views = _mapping(_json_object(truth).get("augmentation"))
        terms = said.get("terms")
        details[str(run_id)] = RunDetails(
            terms=tuple(map(str, terms)) if isinstance(terms, list) else None,
            departures=_mapping(said.get("departures")),
            settings=_mapping(training.get("settings")),
            augmentation=_mapping(training.get("augmentation")),
            views_bits=_finite_number(views.get("joint_bits")),
        )
    return details


@dataclass(frozen=True)
class UnfinishedRun:
    """A run without rows.

    Args:
        method: its method.
        status: ``diverged`` or ``failed``.
        settings: all settings of its method.
    """

    method: str
    status: str
    settings: dict[str, Any]


def unfinished_runs(results: Results) -> list[UnfinishedRun]:
    """The runs that diverged or failed."""
    runs = results.runs[results.runs["status"] != "ok"]
    names = ("method", "status", "spec")
    return [
        UnfinishedRun(
            str(method),
            str(status),
            _mapping(_mapping(_json_object(spec).get("training")).get("settings")),
        )
        for method, status, spec in zip(*(runs[name] for name in names), strict=True)
    ]


def series_details(results: Results) -> dict[tuple[str, str], RunDetails]:
    """Details of each (method, variant), from its first finished run."""
    details = run_details(results)
    runs = results.runs[results.runs["status"] == "ok"]
    found: dict[tuple[str, str], RunDetails] = {}
    for method, variant, run_id in zip(
        runs["method"], runs["variant"], runs["run_id"], strict=True
    ):
        found.setdefault((str(method), str(variant)), details[str(run_id)])
    return found


def with_detail(rows: pd.DataFrame, values: dict[str, Any], column: str) -> pd.DataFrame:
    """The rows of the runs in ``values``, with the run's value as one more column."""
    known = rows[rows["run_id"].isin(values)]
    return known.assign(**{column: [values[run_id] for run_id in known["run_id"]]})


def exact_along(results: Results, key: str, along: str = UNIQUE_RATIO) -> pd.Series:
    """One exact number of the worlds along an axis.

    Args:
        results: the rows; unfinished runs count too, since their world is known.
        key: the number's name in the truth, ``total_bits`` for instance.
        along: the axis that may vary.

    Returns:
        The mean over the runs at each value of the axis, indexed by the value, ascending, in the
        key's unit. Values without a finite number are absent; empty if no run has the key.

    Raises:
        ValueError: one line, if another axis varies.
    """
    require_one_world(results, along)
    values = [_finite_number(truth.get(key)) for truth in _truths(results)]
    table = pd.DataFrame({along: results.runs[along].to_numpy(), key: values})
    return table.dropna().groupby(along)[key].mean()


def total_label_bits(results: Results, along: str = UNIQUE_RATIO) -> pd.Series:
    """Exact I(X1,X2;Y) in bits along an axis: from the truth, or else from the label's rows."""
    total = exact_along(results, "total_bits", along)
    if not total.empty:
        return total
    rows = results.captured
    own = (rows["status"] == "ok") & (rows["readout"] == JOINT) & rows["quantity"].isin(LABEL)
    rows = rows[own]
    return rows.groupby(along)["true_bits"].mean().dropna()


def label_kinds(results: Results) -> set[str]:
    """The kinds of label rules of the runs' worlds; empty where runs do not say."""
    kinds = set()
    for text in results.runs["spec"].unique():
        training = _mapping(_json_object(text).get("training"))
        label = _mapping(_mapping(training.get("world")).get("label"))
        kinds.add(str(label.get("kind", "")))
    return kinds - {""}


def relevant_latents(results: Results) -> set[str]:
    """Names of the latent bits that the label depends on (``w_s[0]``), if the truth lists them."""
    names: set[str] = set()
    for truth in _truths(results):
        listed = truth.get("relevant_latents")
        if isinstance(listed, list):
            names.update(str(name) for name in listed)
    return names


def _truths(results: Results) -> list[dict[str, Any]]:
    return [_json_object(text) for text in results.runs["truth"]]


@lru_cache(maxsize=4096)
def _json_object(text: str) -> dict[str, Any]:
    """A JSON object from its text, to read; empty for an empty text or another JSON value. Several
    figures ask for the texts of each run."""
    return _mapping(json.loads(text) if text else {})


def _finite_number(value: object) -> float:
    """A number as the store writes it (infinities as text); NaN for anything not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        number = float(value)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
