"""The yardstick of figures: an estimator and, for readings at a stated rate, the rate.

Owns the choice of the rows that a figure compares. May import pandas and ``fctestbed.results``.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fctestbed._messages import did_you_mean
from fctestbed.results import (
    CHANNEL,
    JOINT,
    LABEL,
    LINEAR_PROBE,
    RATE,
    RATE_WHITENED,
    Results,
)

PREFERRED = (RATE, LINEAR_PROBE, CHANNEL, RATE_WHITENED)
"""Estimators in the order in which they are drawn by default."""
RATE_PER_LABEL_BIT = 2.0
"""The default rate, per bit of the label."""


@dataclass(frozen=True)
class Yardstick:
    """An estimator and, if it reads at a stated rate, the rate.

    Args:
        estimator: the estimator's name.
        rate_bits: the rate R in bits; None for an estimator without one.
    """

    estimator: str
    rate_bits: float | None = None

    @property
    def text(self) -> str:
        """How the bits were read: ``read at R = 4 bits``."""
        if self.rate_bits is not None:
            at_rate = f"read at R = {self.rate_bits:g} bits"
            known = {RATE: "", RATE_WHITENED: ", whitened"}
            return at_rate + known.get(self.estimator, f", estimator {self.estimator}")
        if self.estimator == LINEAR_PROBE:
            return "read by a linear probe"
        return f"read by the estimator {self.estimator}"

    @property
    def columns(self) -> dict[str, str | float]:
        """For the columns of a figure's numbers: the estimator and the rate (NaN for none)."""
        rate = np.nan if self.rate_bits is None else self.rate_bits
        return {"estimator": self.estimator, "rate_bits": rate}

    def rows(self, captured: pd.DataFrame) -> pd.DataFrame:
        """The captured rows that this yardstick measured."""
        rate = captured["rate_bits"]
        own = rate.isna() if self.rate_bits is None else rate == self.rate_bits
        return captured[own & (captured["estimator"] == self.estimator)]

    @property
    def limit_bits(self) -> float:
        """The most that it can read of anything."""
        return np.inf if self.rate_bits is None else self.rate_bits

    @property
    def least_bits(self) -> float:
        """The least that it can read: exact information is never below 0, a held-out probe may
        be."""
        return 0.0 if self.estimator in (RATE, RATE_WHITENED, CHANNEL) else -np.inf

    def most_text(self, name: str) -> str:
        """The name of the most that can be read of a quantity: ``min(R, H)``."""
        return name if self.rate_bits is None else f"min(R, {name})"


def choose_yardstick(
    results: Results, estimator: str | None = None, rate: float | None = None
) -> Yardstick:
    """The yardstick of a sweep's figures.

    Args:
        results: the rows.
        estimator: an estimator's name. None for the first of ``PREFERRED`` that measured the label
            in every world with a finished run, or else the first of them that there is.
        rate: a measured rate in bits. None for the measured rate nearest to twice the label's bits,
            the lower of two; where the label's bits differ, the most count. Without label rows it
            is the middle one.

    Raises:
        ValueError: one line, for an unknown estimator, a rate that was not measured, or a rate for
            an estimator without one.
    """
    known = measured_estimators(results)
    if estimator is not None and known and estimator not in known:
        raise ValueError(
            f"estimator: expected one of {', '.join(known)}, got {estimator!r}"
            f"{did_you_mean(estimator, known)}"
        )
    if estimator is None and rate is not None:
        estimator = RATE if RATE in known else _default_estimator(results, known)
    name = _default_estimator(results, known) if estimator is None else estimator
    rates = measured_rates(results, name)
    if rate is None:
        return Yardstick(name, _default_rate(results, name) if rates else None)
    if not rates:
        raise ValueError(f"rate: expected none for the estimator {name}, got {_shown(rate)}")
    if rate not in rates:
        expected = ", ".join(f"{one:g}" for one in rates)
        raise ValueError(f"rate: expected one of {expected}, got {_shown(rate)}")
    return Yardstick(name, float(rate))


def measured_estimators(results: Results) -> list[str]:
    """Names of the estimators that have rows, sorted."""
    names = results.captured["estimator"].dropna()
    return sorted(str(name) for name in names[names != ""].unique())


def measured_rates(results: Results, estimator: str) -> list[float]:
    """The rates of an estimator's rows in bits, ascending; empty for one without rates."""
    rows = results.captured[results.captured["estimator"] == estimator]
    return sorted(float(rate) for rate in rows["rate_bits"].dropna().unique())


def rate_estimator(results: Results, yardstick: Yardstick) -> str | None:
    """The estimator of curves along the rate: the yardstick's, or else ``rate``; None if neither
    was measured at two rates or more."""
    names = (yardstick.estimator, RATE)
    return next((name for name in names if len(measured_rates(results, name)) > 1), None)


def _default_estimator(results: Results, known: list[str]) -> str:
    """The first preferred estimator with label rows in every world, or else the first there is."""
    order = [name for name in PREFERRED if name in known]
    axes = ["unique_ratio", *results.axes]
    finished = results.runs[results.runs["status"] == "ok"]
    worlds = len(finished[axes].drop_duplicates())
    labels = _label_rows(results)
    for name in order:
        if len(labels.loc[labels["estimator"] == name, axes].drop_duplicates()) == worlds:
            return name
    return next(iter([*order, *known]), LINEAR_PROBE)


def _default_rate(results: Results, estimator: str) -> float:
    """The measured rate nearest to twice the label's bits, of those that most runs have."""
    rows = results.captured[results.captured["estimator"] == estimator]
    n_runs = rows.groupby("rate_bits")["run_id"].nunique()
    rates = sorted(float(rate) for rate in n_runs.index[n_runs == n_runs.max()])
    label_bits = _label_rows(results)["true_bits"].max()
    if not np.isfinite(label_bits):
        return rates[(len(rates) - 1) // 2]
    return min(rates, key=lambda rate: abs(rate - RATE_PER_LABEL_BIT * label_bits))


def _label_rows(results: Results) -> pd.DataFrame:
    rows = results.captured
    return rows[(rows["status"] == "ok") & (rows["readout"] == JOINT) & (rows["quantity"] == LABEL)]


def _shown(rate: object) -> str:
    return f"{rate:g}" if isinstance(rate, int | float) else repr(rate)
