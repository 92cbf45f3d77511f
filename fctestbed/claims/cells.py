"""The cells of a claim: paired differences of its predictions, from a sweep's rows.

May import numpy, pandas, ``fctestbed.results``, ``claim``, ``reading`` and ``statistics``.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fctestbed.claims.claim import Claim, Prediction
from fctestbed.claims.reading import Reading, Side
from fctestbed.claims.statistics import Floats, Region
from fctestbed.results import Results

RATIO, SEED = "unique_ratio", "seed"


@dataclass(frozen=True)
class Cells:
    """The cells of one claim in one sweep.

    Attributes:
        table: a row for each cell: ``prediction`` (text), ``place`` (of the prediction in the
            claim), ``unique_ratio`` (NaN for a mean over ratios or two fixed ones), the sweep's
            further axes, ``left_bits``, ``right_bits`` (means over seeds), ``relation``,
            ``smallest_effect_bits``.
        differences: left minus right, of shape (cells, seeds); NaN where a run is missing or
            unfinished.
    """

    table: pd.DataFrame
    differences: Floats

    @property
    def region(self) -> Region:
        """Where each cell's difference is predicted to be."""
        return Region.of(self.table["relation"], self.table["smallest_effect_bits"])


def claim_cells(claim: Claim, results: Results) -> Cells:
    """The cells of a claim.

    Args:
        claim: the claim.
        results: the rows of one of its sweeps.

    Raises:
        ValueError: one line, for a side whose finished runs have no such rows.
    """
    rows: list[dict[str, object]] = []
    differences: list[dict[int, float]] = []
    for place, prediction in enumerate(claim.predictions):
        left, right = _sides(claim, place, prediction, results)
        pairs = paired_sides(left, right, prediction, results.axes)
        about = {
            "prediction": prediction.text(claim.reading),
            "place": place,
            "relation": prediction.relation,
            "smallest_effect_bits": claim.smallest_effect(prediction),
        }
        keys = [name for name in (RATIO, *results.axes) if name in pairs]
        groups = pairs.groupby(keys, sort=True) if keys else [((), pairs)]
        for values, own in groups:
            cell = dict(zip(keys, values, strict=True))
            both = own.dropna(subset=["left", "right"])
            rows.append(
                {
                    **about,
                    RATIO: np.nan,
                    **cell,
                    "left_bits": both["left"].mean(),
                    "right_bits": both["right"].mean(),
                }
            )
            seeds = [int(seed) for seed in both[SEED]]
            difference = (both["left"] - both["right"]).to_numpy(dtype=float)
            differences.append(dict(zip(seeds, difference.tolist(), strict=True)))
    seeds = sorted({seed for own in differences for seed in own})
    array = np.array([[own.get(seed, np.nan) for seed in seeds] for own in differences])
    columns = ["prediction", "place", RATIO, *results.axes, "left_bits", "right_bits", "relation",
               "smallest_effect_bits"]  # fmt: skip
    return Cells(pd.DataFrame(rows, columns=columns), array.reshape(len(rows), len(seeds)))


def _sides(
    claim: Claim, place: int, prediction: Prediction, results: Results
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bits of both sides by ratio, axes and seed; a number and a truth are those of each run on
    the left."""
    field = f"claims.{claim.id}.predictions.{place}"
    left = _bits(f"{field}.left", prediction.left, claim.reading, results)
    side = prediction.right
    if side.method is not None:
        return left, _bits(f"{field}.right", side, claim.reading, results)
    if side.truth is not None:
        keys = [RATIO, *results.axes, SEED]
        truths = _truths(side.truth, prediction.left, results)
        return left, left[keys].merge(truths, on=keys, how="left")
    return left, left.assign(bits=side.value_bits)


def _bits(field: str, side: Side, usual: Reading, results: Results) -> pd.DataFrame:
    """Columns unique_ratio, axes, seed, bits; one row per run and axis value, NaN where the run is
    unfinished."""
    reading = side.reading(usual)
    runs = _of_side(side, results.runs)
    if reading.step is None:
        rows = _of_side(side, results.captured)
    else:
        rows = _of_side(side, results.along)
        rows = rows[rows["step"] == reading.step]
    wanted = (
        (rows["status"] == "ok")
        & (rows["readout"] == reading.readout)
        & (rows["estimator"] == reading.estimator)
        & rows["quantity"].isin(reading.quantity)
    )
    rate = rows["rate_bits"]
    wanted &= rate.isna() if reading.rate_bits is None else rate == reading.rate_bits
    if not wanted.any() and (runs.empty or (runs["status"] == "ok").any()):
        raise ValueError(f"{field}: expected rows of {reading.text}, got none")
    keys = [RATIO, *results.axes, SEED]
    # min_count: a sum that lacks a quantity is unknown, not smaller.
    sums = rows[wanted].groupby(keys)["value_bits"].sum(min_count=len(reading.quantity))
    return runs[keys].merge(sums.rename("bits").reset_index(), on=keys, how="left")


def _of_side(side: Side, table: pd.DataFrame) -> pd.DataFrame:
    own = (table["method"] == side.method) & (table["variant"] == side.variant)
    if side.unique_ratio is not None:
        own &= table[RATIO] == side.unique_ratio
    return table[own]


def _truths(name: str, side: Side, results: Results) -> pd.DataFrame:
    runs = _of_side(side, results.runs)
    bits = [json.loads(truth).get(name) for truth in runs["truth"]]
    keys = [RATIO, *results.axes, SEED]
    return runs[keys].assign(bits=pd.array(bits, dtype="Float64").to_numpy(float, na_value=np.nan))


def paired_sides(
    left: pd.DataFrame, right: pd.DataFrame, prediction: Prediction, axes: Sequence[str]
) -> pd.DataFrame:
    """The bits of both sides of each cell and seed.

    Args:
        left: columns ``unique_ratio``, the axes, ``seed`` and ``bits``.
        right: the same.
        prediction: which of these are a cell.
        axes: the sweep's further axes.

    Returns:
        Columns of the cell's keys, ``seed``, ``left`` and ``right``.
    """
    # A number or a truth has the ratio of the run that it is compared with.
    fixed = [side.unique_ratio is not None for side in prediction.sides]
    if prediction.right.method is None:
        fixed = [False, False]
    keys = [*axes, SEED] if any(fixed) else [RATIO, *axes, SEED]
    left, right = left.rename(columns={"bits": "left"}), right.rename(columns={"bits": "right"})
    if all(fixed):
        left, right = left.drop(columns=RATIO), right.drop(columns=RATIO)
    elif any(fixed):
        # The ratio that varies is the cell's.
        left, right = (
            (left.drop(columns=RATIO), right) if fixed[0] else (left, right.drop(columns=RATIO))
        )
    pairs = left.merge(right, on=keys, how="outer")
    if prediction.unique_ratio is not None and RATIO in pairs:
        pairs = pairs[pairs[RATIO].isin(prediction.unique_ratio)]
    if not prediction.average:
        return pairs
    grouped = pairs.groupby([*axes, SEED])[["left", "right"]]
    # A seed that lacks a ratio has a mean over others.
    whole = grouped.count().min(axis=1) == pairs[RATIO].nunique()
    return grouped.mean().where(whole).reset_index()
