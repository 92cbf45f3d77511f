"""The cells of a claim at the optimum of its methods' objectives, and what they decide.

There are no seeds and no samples: an objective is an exact expectation, and a cell's difference has
a range only where optima of equal loss differ, or by the Monte Carlo error of the reading. May
import numpy, pandas and the rest of this package.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fctestbed.claims.cells import RATIO, SEED, paired_sides
from fctestbed.claims.claim import Claim, Prediction
from fctestbed.claims.feasible import check_claim
from fctestbed.claims.optima import (
    FoundOptimum,
    found_optimum,
    objective_key,
    why_no_optimum,
    why_not_read,
)
from fctestbed.claims.reading import Reading, Side
from fctestbed.claims.statistics import Floats, Region, Verdict
from fctestbed.results import AxisValue
from fctestbed.sweep import RunSpec, SweepSpec
from fctestbed.synthesis import WorldSpec, world_truth

_ERRORS = 3.0
"""Monte Carlo standard errors by which a reading may be off."""
INDIFFERENT = "the objective is indifferent"
AT_THE_END = "at the end of the predicted region"
_ENDS = ("left", "right")


@dataclass(frozen=True)
class OptimumJudgement:
    """What the optima decide about a claim.

    Attributes:
        verdict: empty where no prediction has an exact objective and an exact reading.
        reason: why it is not decided, or has no verdict; empty where it is decided.
        cells: as ``Judgement.cells`` from ``prediction`` on; the own and the simultaneous interval
            are both the range over optima of equal loss, with the reading's error, and ``n_seeds``
            is the fewest of these optima.
    """

    verdict: str
    reason: str
    cells: pd.DataFrame


def decide_range(
    low: Floats, high: Floats, error: Floats, region: Region
) -> list[tuple[Verdict, str]]:
    """The verdict of each cell, and why it is not decided.

    A cell holds where its whole range is inside the region, and fails where the whole range is
    outside, both by more than the reading's error. Where some optima are inside and others outside,
    nothing is decided: the objective is indifferent.

    Args:
        low: the least difference over optima of equal loss.
        high: the greatest.
        error: by which either may be off.
        region: what each cell is predicted to be.
    """
    found = []
    for least, most, off, start, end in zip(low, high, error, region.low, region.high, strict=True):
        if least - off > start and most + off < end:
            found.append((Verdict.HOLDS, ""))
        elif most + off < start or least - off > end:
            found.append((Verdict.FAILS, ""))
        else:
            spread = most - least > 2 * off
            found.append((Verdict.UNDECIDED, INDIFFERENT if spread else AT_THE_END))
    return found


def judge_at_optimum(claim: Claim, broken: str | None, out: Path) -> OptimumJudgement:
    """Judge a claim at the optimum of its objectives, in its small world.

    Args:
        claim: the claim.
        broken: the name of an assumption that is broken; None for none.
        out: the docket's directory, which keeps what is found.

    Raises:
        ValueError: one line, for a world that the claim's methods cannot be in.
    """
    spec = claim.optimum_spec(broken)
    if broken is not None and _same_objectives(spec, claim.optimum_spec()):
        return OptimumJudgement("", "the assumption is about the training", _no_cells())
    try:
        check_claim(claim, spec)
    except ValueError:
        sizes = " + ".join(map(str, spec.runs()[0].training.world.block_sizes))
        return OptimumJudgement("", f"cannot be judged in a world of {sizes} bits", _no_cells())
    reasons = [_why_not(claim, prediction, spec) for prediction in claim.predictions]
    cells, notes = [_no_cells()], [reason for reason in reasons if reason]
    if len(notes) == len(reasons):
        return OptimumJudgement("", notes[0], cells[0])
    optima = _optima(claim, [not reason for reason in reasons], spec, out)
    for place, prediction in enumerate(claim.predictions):
        if not reasons[place]:
            table, open_because = _cells(claim, place, prediction, spec, optima)
            cells.append(table)
            notes += [reason for reason in open_because if reason]
    table = pd.concat([part for part in cells if len(part)], ignore_index=True)
    if (table["verdict"] == Verdict.FAILS).any():
        return OptimumJudgement(Verdict.FAILS, "", table)
    if notes:
        return OptimumJudgement(Verdict.UNDECIDED, notes[0], table)
    return OptimumJudgement(Verdict.HOLDS, "", table)


def _same_objectives(spec: SweepSpec, stated: SweepSpec) -> bool:
    keys, of_stated = (
        {objective_key(run.training) for run in one.runs()} for one in (spec, stated)
    )
    return keys <= of_stated


def _why_not(claim: Claim, prediction: Prediction, spec: SweepSpec) -> str:
    """Why a prediction cannot be read at an optimum; empty where it can."""
    for side in prediction.sides:
        if side.method is not None:
            for training in (run.training for run in _runs(side, spec)):
                reading = side.reading(claim.reading)
                reason = why_no_optimum(training) or why_not_read(training.build_method(), reading)
                if reason:
                    return reason
    return ""


def _runs(side: Side, spec: SweepSpec) -> list[RunSpec]:
    return [
        run
        for run in spec.runs()
        if (run.training.method, run.variant) == (side.method, side.variant)
        and side.unique_ratio in (None, run.unique_ratio)
    ]


def _optima(
    claim: Claim, judged: Sequence[bool], spec: SweepSpec, out: Path
) -> dict[str, FoundOptimum]:
    """The optimum of each objective that the predictions need, by its key."""
    needed: dict[str, tuple[RunSpec, dict[str, Reading]]] = {}
    for prediction, wanted in zip(claim.predictions, judged, strict=True):
        for side in prediction.sides if wanted else ():
            if side.method is not None:
                reading = side.reading(claim.reading)
                for run in _runs(side, spec):
                    if _is_wanted(prediction, side, run.unique_ratio):
                        key = objective_key(run.training)
                        needed.setdefault(key, (run, {}))[1][reading.text] = reading
    return {
        key: found_optimum(run.training, readings.values(), out, n_starts=claim.optimum.starts)
        for key, (run, readings) in needed.items()
    }


def _is_wanted(prediction: Prediction, side: Side, ratio: float) -> bool:
    if side.unique_ratio is not None or prediction.unique_ratio is None:
        return True
    return ratio in prediction.unique_ratio


def _cells(
    claim: Claim,
    place: int,
    prediction: Prediction,
    spec: SweepSpec,
    optima: Mapping[str, FoundOptimum],
) -> tuple[pd.DataFrame, list[str]]:
    """The cells of a prediction, and why each is not decided."""
    axes = list(spec.axes)
    left, right = (_side_bits(side, claim, prediction, spec, optima) for side in prediction.sides)
    if prediction.right.method is None:
        right = _fixed(prediction.right, prediction.left, left, spec)

    def pairs(of_left: str, of_right: str) -> pd.DataFrame:
        sides = [
            frame[[RATIO, *axes, SEED, column]].rename(columns={column: "bits"})
            for frame, column in ((left, of_left), (right, of_right))
        ]
        return paired_sides(sides[0], sides[1], prediction, axes)

    # Each method may be at any of its optima.
    lowest, highest = pairs("low", "high"), pairs("high", "low")
    errors, equal = pairs("error", "error"), pairs("n_equal", "n_equal")
    undone = pairs("undone", "undone")
    low = (lowest["left"] - lowest["right"]).to_numpy(float)
    high = (highest["left"] - highest["right"]).to_numpy(float)
    error = (errors["left"] + errors["right"]).to_numpy(float)
    delta = claim.smallest_effect(prediction)
    region = Region.of([prediction.relation] * len(low), [delta] * len(low))
    decided = decide_range(low, high, error, region)
    # The least of what both sides have; a mean over ratios that has any undone one is above 0.
    incomplete = (undone["left"] + undone["right"]).to_numpy(float) > 0
    notes = _undone(prediction, claim, spec, optima)
    decided = [
        (Verdict.UNDECIDED, notes) if bad else one
        for one, bad in zip(decided, incomplete, strict=True)
    ]
    keys = [name for name in (RATIO, *axes) if name in lowest]
    table = pd.DataFrame(
        {
            "prediction": prediction.text(claim.reading),
            "place": place,
            RATIO: lowest[RATIO] if RATIO in keys else np.nan,
            "axes": [
                ", ".join(f"{name}={row[name]}" for name in axes if name in keys)
                for row in lowest[keys].to_dict(orient="records")
            ],
            "left_bits": (lowest["left"] + highest["left"]) / 2,
            "right_bits": (lowest["right"] + highest["right"]) / 2,
            "relation": prediction.relation,
            "smallest_effect_bits": delta,
            "n_seeds": equal[["left", "right"]].min(axis=1).astype(int),
            "difference_bits": (low + high) / 2,
            **{f"{name}_bits": low - error for name in ("own_low", "low")},
            **{f"{name}_bits": high + error for name in ("own_high", "high")},
            "region_low_bits": region.low,
            "region_high_bits": region.high,
            "verdict": [str(verdict) for verdict, _ in decided],
        }
    )
    return table, [reason for _, reason in decided]


def _side_bits(
    side: Side,
    claim: Claim,
    prediction: Prediction,
    spec: SweepSpec,
    optima: Mapping[str, FoundOptimum],
) -> pd.DataFrame:
    """A row for each ratio and value of the axes: the range of a side's bits over its optima."""
    columns = [RATIO, *spec.axes, SEED, "low", "high", "error", "n_equal", "undone"]
    if side.method is None:
        return pd.DataFrame(columns=columns)
    text = side.reading(claim.reading).text
    cells: dict[str, list[tuple[AxisValue, ...]]] = {}
    for run_id, values in spec.grid.cells:
        cells.setdefault(run_id, []).append(values)
    rows = []
    for run in _runs(side, spec):
        if not _is_wanted(prediction, side, run.unique_ratio):
            continue
        optimum = optima[objective_key(run.training)]
        read = optimum.readings[text]
        about = {
            RATIO: run.unique_ratio,
            SEED: 0,
            "low": read.lowest_bits,
            "high": read.highest_bits,
            "error": _ERRORS * read.standard_error_bits,
            "n_equal": optimum.n_equal,
            "undone": float(bool(_why_undone(optimum))),
        }
        for place in cells.get(run.run_id, [()]):
            rows.append({**about, **dict(zip(spec.axes, place, strict=True))})
    return pd.DataFrame(rows, columns=columns)


def _fixed(side: Side, other: Side, like: pd.DataFrame, spec: SweepSpec) -> pd.DataFrame:
    """A number, or a truth of the worlds of the other side, at each of its cells."""
    worlds: dict[float, WorldSpec] = {
        run.unique_ratio: run.training.world for run in _runs(other, spec)
    }

    def bits(ratio: float) -> float:
        if side.truth is None:
            return np.nan if side.value_bits is None else side.value_bits
        found = getattr(world_truth(worlds[ratio]), side.truth)
        return np.nan if found is None else float(found)

    values = [bits(ratio) for ratio in like[RATIO]]
    return like.assign(low=values, high=values, error=0.0, undone=0.0)


def _why_undone(optimum: FoundOptimum) -> str:
    """Why the least loss of a search is not known to be an optimum; empty where it is."""
    if optimum.note or optimum.n_converged < optimum.n_equal:
        return "did not converge"
    # One start alone says nothing about other optima of the same loss.
    return "has its least loss from one start alone" if optimum.n_equal == 1 else ""


def _undone(
    prediction: Prediction, claim: Claim, spec: SweepSpec, optima: Mapping[str, FoundOptimum]
) -> str:
    for side in prediction.sides:
        if side.method is None:
            continue
        for run in _runs(side, spec):
            optimum = optima.get(objective_key(run.training))
            if optimum is not None and _why_undone(optimum):
                return f"the search for {side.method} {_why_undone(optimum)}"
    return ""


def _no_cells() -> pd.DataFrame:
    return pd.DataFrame(columns=["prediction", "verdict"])
