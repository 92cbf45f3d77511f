"""The verdicts of a docket: each claim as it is stated, and with each of its assumptions broken,
for trained networks and at the optimum of the objectives.

May import ``fctestbed.plotting``, ``fctestbed.sweep`` and the rest of this package.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fctestbed.claims.at_optimum import judge_at_optimum
from fctestbed.claims.cells import Cells, claim_cells
from fctestbed.claims.claim import Claim
from fctestbed.claims.docket import read_docket
from fctestbed.claims.evidence import (
    OPTIMUM,
    TRAINED,
    Resources,
    check_stores,
    store_place,
    trained_results,
)
from fctestbed.claims.power import seeds_to_decide
from fctestbed.claims.statistics import Verdict, decide
from fctestbed.plotting import check_formats, draw_docket_figures
from fctestbed.results import Results, check_directory, write_atomically
from fctestbed.sweep import Display, SweepSpec

VERDICTS = "verdicts.csv"
"""The file with the verdicts."""
AS_STATED = ""
"""The condition in which no assumption is broken."""
NO_VERDICT = "none"
"""In the place of a verdict at the optimum where there is no exact objective or reading."""


@dataclass(frozen=True)
class Condition:
    """A claim with no or one assumption broken.

    Attributes:
        claim: the claim.
        broken: the assumption's name; empty for none.
        spec: the sweep that has the runs.
    """

    claim: Claim
    broken: str
    spec: SweepSpec

    @property
    def name(self) -> str:
        """The claim's id, and the assumption that is broken."""
        return f"{self.claim.id}{f', without: {self.broken}' if self.broken else ''}"


@dataclass(frozen=True)
class Judgement:
    """The verdicts of a docket.

    Attributes:
        verdicts: a row for each claim, condition and evidence, columns ``claim, broken, evidence,
            verdict, reason, source, statement, n_cells, n_hold, n_fail, n_seeds, seeds_to_decide,
            n_unfinished``. ``n_seeds`` is the fewest of a cell; ``seeds_to_decide`` is NaN where
            the claim is decided or no number up to 1000 would decide it. At the optimum
            ``n_seeds`` is the fewest starts of a cell that reached the least loss, and ``reason``
            says why a claim is not decided or has no verdict (``none``).
        cells: a row for each cell: ``claim, broken, evidence``, what ``Cells.table`` has,
            ``n_seeds, difference_bits``, its own interval ``own_low_bits, own_high_bits``, the
            simultaneous one ``low_bits, high_bits``, the predicted region ``region_low_bits,
            region_high_bits``, and ``verdict``.
        paths: the files that were written.
    """

    verdicts: pd.DataFrame
    cells: pd.DataFrame
    paths: tuple[Path, ...] = ()


def plan_docket(
    docket: str | Path, claims: Sequence[str] | None = None, *, allow_plugins: bool = False
) -> list[Condition]:
    """Every claim of a docket in every condition, each with its sweep.

    Raises:
        ValueError: as ``read_docket``.
    """
    return [
        Condition(claim, name or AS_STATED, claim.sweep_spec(name))
        for claim in read_docket(docket, claims, allow_plugins=allow_plugins)
        for name in (None, *claim.assumptions)
    ]


def docket_plan(
    docket: str | Path,
    out: str | Path,
    *,
    claims: Sequence[str] | None = None,
    device: str = "auto",
    workers: int | None = None,
    max_stack: int | None = None,
    sources: Sequence[str | Path] = (),
    allow_plugins: bool = False,
) -> list[str]:
    """What ``judge`` would do, in lines: each sweep, the claims that it is for, and its runs.

    Raises:
        ValueError: as ``judge``.
        StoreRefused: as ``judge``.
    """
    conditions = plan_docket(docket, claims, allow_plugins=allow_plugins)
    places: dict[Path, list[Condition]] = {}
    for condition in conditions:
        places.setdefault(store_place(condition.spec, Path(out)), []).append(condition)
    specs = [own[0].spec for own in places.values()]
    resources = Resources(device=device, workers=workers, max_stack=max_stack)
    plans = check_stores(specs, Path(out), resources, list(map(Path, sources)))
    lines = []
    for (place, own), plan in zip(places.items(), plans, strict=True):
        lines += [str(place), *(f"  for {condition.name}" for condition in own)]
        lines += [f"  {line}" for line in plan]
    n_runs = len({run_id for spec in specs for run_id in spec.grid.runs})
    return [*lines, f"{len(conditions)} verdicts from {len(places)} sweeps of {n_runs} runs in all"]


def judge(
    docket: str | Path,
    out: str | Path,
    *,
    claims: Sequence[str] | None = None,
    device: str = "auto",
    workers: int | None = None,
    max_stack: int | None = None,
    sources: Sequence[str | Path] = (),
    display: Callable[[], AbstractContextManager[Display | None]] = nullcontext,
    allow_plugins: bool = False,
    formats: Sequence[str] = ("png", "pdf"),
    optima: bool = True,
    report: Callable[[str], None] | None = None,
) -> Judgement:
    """Run what a docket's claims need and is missing, and give each claim its verdicts.

    Args:
        docket: a directory of claim files, or one of them.
        out: directory of the sweeps and verdicts; made if missing, continued if it holds some.
        claims: ids of the claims that are wanted; None for all.
        device: as for ``run_sweep``.
        workers: as for ``run_sweep``.
        max_stack: as for ``run_sweep``.
        sources: directories of sweeps that were done before, whose runs are copied where claims
            need them.
        display: a context of what shows the progress of one sweep.
        allow_plugins: whether methods and label functions of the user's own that claim files name
            may be imported.
        formats: of the figure: ``png``, ``pdf`` and ``svg``.
        optima: whether claims are also judged at the optimum of the objectives.
        report: called with a line for each claim that is judged there, before it is.

    Returns:
        The verdicts, which are also written to ``out``: ``verdicts.csv``, and the figure
        ``docket`` with the cells (``docket.csv``) and a table (``docket.md``). ``out/optima`` keeps
        what was read of each objective's optima.

    Raises:
        ValueError: one line, for a claim that cannot be, an impossible option, or rows of another
            version in ``out``; nothing was written.
        StoreRefused: for a store that is damaged, in use or cannot be written.
        WorkersCannotStart: as ``run_sweep``.
    """
    check_formats(formats)
    try:
        check_directory(out)
    except ValueError as error:
        raise ValueError(f"out: {error}") from error
    conditions = plan_docket(docket, claims, allow_plugins=allow_plugins)
    specs = [condition.spec for condition in conditions]
    out = Path(out)
    resources = Resources(device=device, workers=workers, max_stack=max_stack)
    others = list(map(Path, sources))
    check_stores(specs, out, resources, others)
    rows = trained_results(specs, out, resources, display, others)
    found = []
    for condition in conditions:
        found.append(_judged(condition, rows[store_place(condition.spec, out)]))
        if optima:
            if report is not None:
                report(f"optimum: {condition.name}")
            found.append(_judged_at_optimum(condition, out))
    verdicts = pd.DataFrame([verdict for verdict, _ in found])
    cells = pd.concat([cells for _, cells in found if len(cells)], ignore_index=True)
    table = verdicts.to_csv(index=False, lineterminator="\n").encode()
    paths = [write_atomically(out / VERDICTS, table)]
    paths += draw_docket_figures(verdicts, cells, out, formats)
    return Judgement(verdicts, cells, tuple(paths))


def _judged(condition: Condition, results: Results) -> tuple[dict[str, object], pd.DataFrame]:
    """The row of a verdict, and the rows of its cells."""
    claim = condition.claim
    cells = claim_cells(claim, results)
    region = cells.region
    decision = decide(cells.differences, region)
    undecided = decision.verdict == Verdict.UNDECIDED
    needed = seeds_to_decide(decision, region) if undecided else None
    about = {"claim": claim.id, "broken": condition.broken, "evidence": TRAINED}
    unfinished = results.runs[results.runs["status"] != "ok"]
    verdict: dict[str, object] = {
        **about,
        "verdict": str(decision.verdict),
        "reason": "",
        "source": claim.source,
        "statement": claim.statement,
        "n_cells": len(cells.table),
        "n_hold": int(decision.holds.sum()),
        "n_fail": int(decision.fails.sum()),
        "n_seeds": int(decision.summary.n.min()),
        "seeds_to_decide": np.nan if needed is None else needed,
        "n_unfinished": int(unfinished["run_id"].nunique()),
    }
    table = _cell_table(cells).assign(
        n_seeds=decision.summary.n,
        difference_bits=decision.summary.mean,
        own_low_bits=decision.own_low,
        own_high_bits=decision.own_high,
        low_bits=decision.low,
        high_bits=decision.high,
        region_low_bits=region.low,
        region_high_bits=region.high,
        verdict=[str(verdict) for verdict in decision.cell_verdicts],
    )
    return verdict, _named(table, about)


def _judged_at_optimum(condition: Condition, out: Path) -> tuple[dict[str, object], pd.DataFrame]:
    """The row of a verdict at the optimum, and the rows of its cells."""
    claim = condition.claim
    found = judge_at_optimum(claim, condition.broken or None, out)
    about = {"claim": claim.id, "broken": condition.broken, "evidence": OPTIMUM}
    cells = found.cells
    verdict: dict[str, object] = {
        **about,
        "verdict": str(found.verdict) or NO_VERDICT,
        "reason": found.reason,
        "source": claim.source,
        "statement": claim.statement,
        "n_cells": len(cells),
        "n_hold": int((cells["verdict"] == Verdict.HOLDS).sum()),
        "n_fail": int((cells["verdict"] == Verdict.FAILS).sum()),
        "n_seeds": int(cells["n_seeds"].min()) if len(cells) else 0,
        "seeds_to_decide": np.nan,
        "n_unfinished": 0,
    }
    return verdict, _named(cells, about)


def _named(cells: pd.DataFrame, about: Mapping[str, str]) -> pd.DataFrame:
    """The cells, with the claim's columns before the others."""
    for place, (name, value) in enumerate(about.items()):
        cells.insert(place, name, value)
    return cells


def _cell_table(cells: Cells) -> pd.DataFrame:
    """The cells with all further axes in one column, so that claims of different axes are one
    table."""
    fixed = {"prediction", "place", "unique_ratio", "left_bits", "right_bits", "relation"}
    axes = [name for name in cells.table if name not in fixed | {"smallest_effect_bits"}]
    texts = [
        ", ".join(f"{name}={value}" for name, value in row.items())
        for row in cells.table[axes].to_dict(orient="records")
    ]
    table = cells.table.drop(columns=axes)
    table.insert(3, "axes", texts)
    return table
