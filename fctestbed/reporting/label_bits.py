"""Label bits of a sweep as one array: methods, worlds, seeds. Its averages and differences.

A world is one combination of the unique ratio and the values of the sweep's further axes. May
import numpy, pandas, ``fctestbed.plotting``, ``fctestbed.results`` and ``fctestbed.claims``.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fctestbed.plotting import Axis, Yardstick, horizontal_axis, series_styles, table_group
from fctestbed.results import JOINT, LABEL, Results

Floats = NDArray[np.float64]

RATIO = "unique_ratio"
CONTROLS = "control"
SUPERVISED, UNTRAINED, RAW = "supervised", "untrained", "raw"


@dataclass(frozen=True)
class Series:
    """A method and variant.

    Attributes:
        method: its name.
        variant: its variant.
        label: its display name, as in the figures' legends.
    """

    method: str
    variant: str
    label: str

    @property
    def is_control(self) -> bool:
        """Whether it is supervised training, the untrained encoder or the raw inputs."""
        return table_group(self.method) == CONTROLS


@dataclass(frozen=True)
class LabelBits:
    """Label bits read from the joint readout of each finished run.

    Attributes:
        yardstick: how they were read.
        series: the methods with a finished run, in drawing order.
        worlds: a row for each world: ``unique_ratio`` and the sweep's axes.
        seeds: ascending.
        bits: of shape (series, worlds, seeds); NaN where a run is missing or unfinished.
        total_bits: exact I(X1,X2;Y) of each world; NaN where it is not known.
        x: the horizontal axis of the figures.
    """

    yardstick: Yardstick
    series: tuple[Series, ...]
    worlds: pd.DataFrame
    seeds: tuple[int, ...]
    bits: Floats
    total_bits: Floats
    x: str

    @classmethod
    def of(cls, results: Results, yardstick: Yardstick) -> "LabelBits":
        """The label bits of a sweep's rows, as a yardstick read them."""
        x = horizontal_axis(results, None)
        axes = [RATIO, *results.axes]
        captured = results.captured
        wanted = (captured["readout"] == JOINT) & (captured["quantity"] == LABEL)
        rows = yardstick.rows(captured[wanted & (captured["status"] == "ok")])
        rows = rows[np.isfinite(rows["value_bits"].to_numpy(dtype=float))]
        orders = [Axis.of(results.runs[name]) for name in axes]
        places = pd.DataFrame(
            {axis.name: rows[axis.name].map(axis.values.index).astype(int) for axis in orders}
        )
        combined = places.drop_duplicates().sort_values(axes).reset_index(drop=True)
        at = {tuple(values): place for place, values in enumerate(combined.to_numpy().tolist())}
        worlds = pd.DataFrame(
            {axis.name: [axis.values[place] for place in combined[axis.name]] for axis in orders}
        )
        styles = series_styles(results.runs)
        found = set(zip(rows["method"], rows["variant"], strict=True))
        keys = [key for key in styles if key in found]
        seeds = tuple(sorted(int(seed) for seed in rows["seed"].unique()))
        bits = np.full((len(keys), len(worlds), len(seeds)), np.nan)
        total = np.full(len(worlds), np.nan)
        for method, variant, seed, value, true, world in zip(
            rows["method"],
            rows["variant"],
            rows["seed"],
            rows["value_bits"],
            rows["true_bits"],
            map(tuple, places.to_numpy().tolist()),
            strict=True,
        ):
            bits[keys.index((method, variant)), at[world], seeds.index(int(seed))] = value
            total[at[world]] = true
        series = tuple(Series(*key, styles[key].label) for key in keys)
        return cls(yardstick, series, worlds, seeds, bits, total, x)

    @property
    def methods(self) -> list[int]:
        """Places of the series that are no controls."""
        return [place for place, one in enumerate(self.series) if not one.is_control]

    def control(self, method: str) -> int | None:
        """The place of a control; None if the sweep has no finished run of it."""
        return next((i for i, one in enumerate(self.series) if one.method == method), None)

    @property
    def averages(self) -> Floats:
        """The mean over all worlds of each series and seed, of shape (series, seeds).

        NaN where the series lacks a world with this seed.
        """
        return np.asarray(self.bits.mean(axis=1))

    def ends(self) -> tuple[list[int], list[int], list[int]] | None:
        """Worlds at the lowest value of the horizontal axis, between, and at the highest.

        None for an axis of categories or of one value.
        """
        axis = Axis.of(self.worlds[self.x]) if len(self.worlds) else Axis(self.x, ())
        if not axis.is_numeric or len(axis.values) < 2:
            return None
        values = self.worlds[self.x].astype(float).to_numpy()
        low, high = values.min(), values.max()
        ends = np.flatnonzero(values == low), np.flatnonzero(values == high)
        between = np.flatnonzero((values > low) & (values < high))
        return ends[0].tolist(), between.tolist(), ends[1].tolist()

    def mean_of(self, worlds: list[int]) -> Floats:
        """The mean over some worlds of each series and seed, of shape (series, seeds)."""
        return np.asarray(self.bits[:, worlds].mean(axis=1))
