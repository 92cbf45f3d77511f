"""Runs that another sweep has done already, copied into a sweep's store.

May import the rest of ``fctestbed.sweep`` and what is below it.
"""

from collections.abc import Iterable
from pathlib import Path

from fctestbed.results import STORE_NAME, ResultsStore, stored_records
from fctestbed.sweep.grid import Grid
from fctestbed.sweep.growth import description_of, growth_to, sweep_digest
from fctestbed.sweep.spec import SweepSpec


def adopt_runs(spec: SweepSpec, out: str | Path, sources: Iterable[str | Path]) -> int:
    """Copy finished runs of other stores that are runs of this sweep too, with their rows.

    A run has the same id wherever it was done by the same version: the id is a digest of all that
    its numbers depend on. A run is copied only where its variant has the same name in both sweeps.

    Runs that share a training, as those of OurCL and FactorCL do, are copied together from the
    first store that has all of them that are missing, and otherwise not at all. The same training
    done on two machines may differ in its roundings, and a comparison of such runs should see one
    training; where a store lacks one of them, the sweep has to do the training anyway.

    Args:
        spec: the sweep.
        out: directory of its store; made if a run is copied.
        sources: directories of other stores, of this version.

    Returns:
        How many runs were copied.

    Raises:
        StoreRefused: for a store that is damaged or in use, or a sweep in ``out`` that does not
            grow into this one.
    """
    grid = spec.grid
    content, _ = sweep_digest(spec)
    missing = set(grid.runs)
    if (Path(out) / STORE_NAME).exists():
        with ResultsStore.open_read(out) as store:
            missing -= store.finished()
    trainings = _trainings(grid, missing)
    n_copied = 0
    for source in sources:
        # A store is checked as a whole when it is opened.
        if not trainings:
            break
        with ResultsStore.open_read(source) as other:
            shared = missing & other.finished()
            if not shared:
                continue
            records = {
                record.run_id: record
                for record in stored_records(other.tables(), shared)
                if record.variant == grid.runs[record.run_id].variant
                and record.preset == grid.runs[record.run_id].preset
            }
        whole = [run_id for runs in trainings if runs <= set(records) for run_id in runs]
        if not whole:
            continue
        new = description_of(spec, content)
        with ResultsStore.create_or_open(
            out, new.spec, new.digest, new.axes, grow=growth_to(spec, content)
        ) as store:
            n_copied += store.commit([records[run_id] for run_id in whole])
        missing -= set(whole)
        trainings = [runs for runs in trainings if runs <= missing]
    return n_copied


def _trainings(grid: Grid, missing: Iterable[str]) -> list[set[str]]:
    """The missing runs of each training; each run alone where nothing is trained."""
    found: dict[str, set[str]] = {}
    for run_id in sorted(missing):
        training = grid.runs[run_id].training
        found.setdefault(run_id if training.train is None else training.key, set()).add(run_id)
    return list(found.values())
