"""Explanations: the levels of methods at unique ratios, and the step at which bits are lost.

Owns the order of levels, the table and the files. May import ``fctestbed.sweep``,
``fctestbed.results`` and this package.
"""

import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

from fctestbed._version import __version__
from fctestbed.faults.levels import (
    LEVELS,
    Effort,
    Reading,
    batch_level,
    network_level,
    objective_level,
    run_levels,
    samples_level,
    truth_level,
)
from fctestbed.results import write_atomically
from fctestbed.sweep import SweepSpec, process_as_a_worker, sweep_spec
from fctestbed.synthesis import digest, world_truth
from fctestbed.training import TrainingSpec

LARGE_BITS = 0.1
"""The least drop of label bits between two levels that can be a culprit."""
_MOST_RUNS = 16
_NOT_TRAINED = "the method is not trained"
COLUMNS = (
    "method",
    "unique_ratio",
    "seed",
    "level",
    "name",
    "label_bits",
    "lowest_label_bits",
    "highest_label_bits",
    "shared_bits",
    "unique_bits",
    "rate_bits",
    "converged",
    "criterion",
    "note",
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """The drop of label bits from one level to the next that exists.

    Attributes:
        name: of the lower level, to which the drop is attributed.
        lost_bits: the mean drop over seeds; negative where bits are gained.
        half_width: of its 95 % interval over seeds (Student t); 0 where both levels are the same
            for all seeds, NaN for a single seed.
        converged: whether the lower level converged for all seeds; None where it has no criterion.
    """

    name: str
    lost_bits: float
    half_width: float
    converged: bool | None


def explain(
    spec: SweepSpec | Mapping[str, Any],
    out: str | Path | None = None,
    *,
    rate: float | None = None,
    n_starts: int = 8,
    long: int = 4,
    report: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """Label, shared and unique bits at every level, from the world's truth to the reader.

    Args:
        spec: methods, unique ratios, seeds and everything that trainings depend on, as of a sweep.
        out: a directory; each method's rows are written to a file there when they are known, and
            what is there already is not computed again. None writes nothing.
        rate: of all readings, in bits; None: twice the label's bits.
        n_starts: starts of level 1.
        long: steps of levels 2 to 4, as a multiple of the training's own.
        report: called with a line when a level of a method begins.

    Returns:
        The rows, with the columns ``COLUMNS``: one for each method, ratio, seed and level.

    Raises:
        ValueError: one line, for a sweep with variants or axes, numbers that are not positive, or a
            file of other settings in ``out``.
    """
    sweep = spec if isinstance(spec, SweepSpec) else sweep_spec(spec)
    if sweep.axes:
        raise ValueError(f"axes: expected none to explain, got {', '.join(sweep.axes)}")
    for name, value in (("n_starts", n_starts), ("long", long)):
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, got {value}")
    runs = sweep.runs()
    variants = sorted({run.variant for run in runs})
    if len(variants) != 1:
        raise ValueError(f"variants: expected one to explain, got {', '.join(variants)}")
    if rate is None:
        rate = 2 * world_truth(runs[0].training.world).total_bits
    if not 0 < rate < math.inf:
        raise ValueError(f"rate: expected a number of bits above 0, got {rate}")
    effort = Effort(rate=rate, n_starts=n_starts, long=long)
    tables = []
    for method in dict.fromkeys(run.training.method for run in runs):
        own = [run.training for run in runs if run.training.method == method]
        path = None if out is None else Path(out) / f"{_file_name(method)}.csv"
        content = _identity(own, effort)
        table = None if path is None else _stored(path, content)
        if table is None:
            table = _of_method(own, effort, report or (lambda line: None))
            if path is not None:
                _store(path, content, table)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def steps_of(rows: pd.DataFrame) -> list[Step]:
    """The steps of one method at one unique ratio, from its rows, in the order of the levels."""
    levels = rows.dropna(subset=["label_bits"]).sort_values("level")
    present = list(dict.fromkeys(levels["name"]))
    by_name = {
        name: levels[levels["name"] == name].set_index("seed")["label_bits"] for name in present
    }
    steps = []
    for upper, lower in pairwise(present):
        drops = (by_name[upper] - by_name[lower]).dropna().to_numpy()
        met = levels.loc[levels["name"] == lower, "converged"].dropna()
        steps.append(
            Step(
                name=lower,
                lost_bits=float(drops.mean()),
                half_width=_half_width(drops),
                converged=None if met.empty else bool(met.astype(bool).all()),
            )
        )
    return steps


def culprit(rows: pd.DataFrame) -> str | None:
    """The first level of one method at one ratio to which a large drop leads.

    A drop is large if it is at least 0.1 bit and more than its interval over seeds. None: no drop
    is.
    """
    for step in steps_of(rows):
        half = 0.0 if math.isnan(step.half_width) else step.half_width
        if step.lost_bits >= LARGE_BITS and step.lost_bits > half:
            return step.name
    return None


def _half_width(drops: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    if len(drops) < 2:
        return math.nan
    spread = float(drops.std(ddof=1))
    return float(t.ppf(0.975, len(drops) - 1)) * spread / math.sqrt(len(drops))


def _of_method(
    trainings: Sequence[TrainingSpec], effort: Effort, report: Callable[[str], None]
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    # Stacks this small gain nothing from more threads.
    with process_as_a_worker(1):
        for start in range(0, len(trainings), _MOST_RUNS):
            own = list(trainings[start : start + _MOST_RUNS])
            rows += _rows(own, _levels(own, effort, report), effort)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({"converged": object})


def _levels(
    trainings: Sequence[TrainingSpec], effort: Effort, report: Callable[[str], None]
) -> list[list[Reading]]:
    """The readings of each level, of each training."""
    method = trainings[0].method

    def begin(name: str) -> None:
        report(f"{method}: {name}")

    found = [truth_level(trainings, effort)]
    if trainings[0].train is None or trainings[0].nets is None:
        found += [[Reading(note=_NOT_TRAINED) for _ in trainings] for _ in LEVELS[1:5]]
    else:
        for name, level in (
            ("objective", objective_level),
            ("batch", batch_level),
            ("samples", samples_level),
            ("network", network_level),
        ):
            begin(name)
            found.append(level(trainings, effort))
    begin("run")
    found += run_levels(trainings, effort)
    return found


def _rows(
    trainings: Sequence[TrainingSpec], levels: Sequence[Sequence[Reading]], effort: Effort
) -> list[dict[str, Any]]:
    nan = math.nan
    return [
        {
            "method": one.method,
            "unique_ratio": one.world.label.unique_ratio,
            "seed": one.seed,
            "level": level,
            "name": LEVELS[level],
            "label_bits": nan if reading.bits is None else reading.bits.label,
            "lowest_label_bits": reading.lowest_label,
            "highest_label_bits": reading.highest_label,
            "shared_bits": nan if reading.bits is None else reading.bits.shared,
            "unique_bits": nan if reading.bits is None else reading.bits.unique,
            "rate_bits": effort.rate,
            "converged": reading.converged,
            "criterion": reading.criterion,
            "note": reading.note,
        }
        for place, one in enumerate(trainings)
        for level, readings in enumerate(levels)
        for reading in (readings[place],)
    ]


def _identity(trainings: Sequence[TrainingSpec], effort: Effort) -> str:
    content = [one.model_dump(mode="json") for one in trainings]
    sources = [one.source for one in trainings]
    return digest(
        {
            "trainings": content,
            "sources": sources,
            "effort": asdict(effort),
            "fctestbed": __version__,
        }
    )


def _file_name(method: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in method)


def _store(path: Path, content: str, table: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    table.to_csv(text, index=False)
    head = json.dumps({"explanation": content})
    write_atomically(path, f"# {head}\n{text.getvalue()}".encode())


def _stored(path: Path, content: str) -> pd.DataFrame | None:
    """The rows of a file, None where there is none.

    Raises:
        ValueError: one line, for a file of other settings.
    """
    if not path.exists():
        return None
    head, _, text = path.read_text(encoding="utf-8").partition("\n")
    try:
        held = json.loads(head.removeprefix("# "))["explanation"]
    except (ValueError, KeyError, TypeError):
        held = None
    if held != content:
        raise ValueError(
            f"{path}: expected an explanation of these settings and this version, got another "
            "(choose another --out, or delete the file)"
        )
    texts = ("criterion", "note", "converged")
    table = pd.read_csv(
        io.StringIO(text),
        dtype=dict.fromkeys(texts, str),
        keep_default_na=False,
        na_values={name: [""] for name in COLUMNS if name not in texts},
    )
    truths = {"": None, "True": True, "False": False}
    table["converged"] = pd.Series([truths[value] for value in table["converged"]], dtype=object)
    return table
