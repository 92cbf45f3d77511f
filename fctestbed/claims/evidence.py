"""Where a claim's numbers come from: ``trained`` networks, whose sweeps are run here; or the
``optimum`` of the objectives (``at_optimum``).

A verdict names its evidence. May import ``fctestbed.sweep`` and what is below it.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal, TypedDict

from fctestbed._version import __version__
from fctestbed.results import STORE_NAME, Results, ResultsStore, load_results
from fctestbed.sweep import Display, SweepSpec, adopt_runs, describe_plan, run_sweep
from fctestbed.synthesis import digest

Evidence = Literal["trained", "optimum"]
TRAINED: Evidence = "trained"
OPTIMUM: Evidence = "optimum"

_STORES = "sweeps"
_DIGITS = 16


class Resources(TypedDict):
    """Where sweeps are run, as ``run_sweep`` takes it."""

    device: str
    workers: int | None
    max_stack: int | None


def store_place(spec: SweepSpec, out: Path) -> Path:
    """The directory of a sweep's store: equal sweeps, whoever asks for them, have the same."""
    return out / _STORES / digest(spec.model_dump(mode="json"))[:_DIGITS]


def check_stores(
    specs: Sequence[SweepSpec], out: Path, resources: Resources, sources: Sequence[Path] = ()
) -> list[list[str]]:
    """Check that the sweeps can be run or continued; nothing stays written.

    Args:
        specs: the sweeps.
        out: the docket's directory.
        resources: where they would be run.
        sources: directories of further stores whose runs are copied.

    Returns:
        What is to be done for each, in lines, as ``describe_plan`` gives it.

    Raises:
        ValueError: one line, for stores of another version.
        StoreRefused: for a store that is damaged or no store, or a source without one.
    """
    places = [("out", place) for place in _stores(out)]
    for field, place in [*places, *(("sources", source) for source in sources)]:
        with ResultsStore.open_read(place) as store:
            version = store.tables().sweep_spec.get("fctestbed")
        if version != __version__:
            raise ValueError(
                f"{field}: expected rows of version {__version__}, got those of version {version} "
                f"in {place}: name another directory"
            )
    return [describe_plan(spec, store_place(spec, out), **resources) for spec in specs]


def trained_results(
    specs: Sequence[SweepSpec],
    out: Path,
    resources: Resources,
    display: Callable[[], AbstractContextManager[Display | None]] = nullcontext,
    sources: Sequence[Path] = (),
) -> dict[Path, Results]:
    """Run what is missing of each sweep, each in a store of its own; runs that another of the
    docket's sweeps has done are copied.

    Args:
        specs: the sweeps; equal ones are run once.
        out: the docket's directory.
        resources: where they are run.
        display: what shows the progress of one sweep.
        sources: directories of further stores whose runs are copied.

    Returns:
        The rows of each sweep by the directory of its store.
    """
    found: dict[Path, Results] = {}
    # The largest first: smaller ones then find the runs of each of their trainings in one store.
    for spec in sorted(specs, key=lambda spec: -len(spec.grid.runs)):
        place = store_place(spec, out)
        if place in found:
            continue
        others = [other for other in _stores(out) if other != place]
        adopt_runs(spec, place, [*others, *sources])
        with display() as shown:
            run_sweep(spec, place, keep_encoders=False, display=shown, **resources)
        found[place] = load_results(place)
    return found


def _stores(out: Path) -> list[Path]:
    return sorted(path.parent for path in (out / _STORES).glob(f"*/{STORE_NAME}"))
