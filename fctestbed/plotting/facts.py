"""What runs tell about themselves beside their rows: terms, departures, settings, augmentation."""

import json
import math
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from fctestbed.results import Results


@dataclass(frozen=True)
class RunFacts:
    """What one run says of its loss and its training.

    Args:
        terms: which of the paper's Table 2 columns its loss has; None where the run does not say.
        departures: settings in which it parts from the paper, with their values.
        settings: all settings of its method.
        augmentation: how its views were made.
        views_bits: exact I(X1,X2;X1',X2'); NaN where it is not known.
    """

    terms: tuple[str, ...] | None = None
    departures: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    augmentation: dict[str, Any] = field(default_factory=dict)
    views_bits: float = math.nan


def run_facts(results: Results) -> dict[str, RunFacts]:
    """Facts of every finished run, by ``run_id``; what a run does not say is empty."""
    runs = results.runs[results.runs["status"] == "ok"]
    facts = {}
    texts = ("run_id", "spec", "diagnostics", "truth")
    for run_id, spec, diagnostics, truth in zip(*(runs[name] for name in texts), strict=True):
        training = _mapping(json_object(spec).get("training"))
        about = json_object(diagnostics)
        views = _mapping(json_object(truth).get("augmentation"))
        terms = about.get("terms")
        facts[str(run_id)] = RunFacts(
            terms=tuple(map(str, terms)) if isinstance(terms, list) else None,
            departures=_mapping(about.get("departures")),
            settings=_mapping(training.get("settings")),
            augmentation=_mapping(training.get("augmentation")),
            views_bits=finite_number(views.get("joint_bits")),
        )
    return facts


def series_facts(results: Results) -> dict[tuple[str, str], RunFacts]:
    """Facts of each (method, variant), from its first finished run."""
    facts = run_facts(results)
    runs = results.runs[results.runs["status"] == "ok"]
    found: dict[tuple[str, str], RunFacts] = {}
    for method, variant, run_id in zip(
        runs["method"], runs["variant"], runs["run_id"], strict=True
    ):
        found.setdefault((str(method), str(variant)), facts[str(run_id)])
    return found


def with_fact(rows: pd.DataFrame, values: dict[str, Any], column: str) -> pd.DataFrame:
    """The rows of the runs named in ``values``, with their value as one more column."""
    known = rows[rows["run_id"].isin(values)]
    return known.assign(**{column: [values[run_id] for run_id in known["run_id"]]})


def json_object(text: str) -> dict[str, Any]:
    """A JSON object from its text; empty for an empty text or anything else than an object."""
    return _mapping(json.loads(text) if text else {})


def finite_number(value: object) -> float:
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
