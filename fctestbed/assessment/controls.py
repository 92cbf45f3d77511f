"""The runs that a representation is compared with: controls and methods, trained in its world.

May import ``fctestbed.sweep`` and what is below it.
"""

from collections.abc import Sequence

from fctestbed.measurement import MeasureSpec
from fctestbed.objectives import find_method
from fctestbed.results import RunRecord
from fctestbed.sweep import PRESETS, SweepSpec, check_plugins, run_records, sweep_spec
from fctestbed.synthesis import Dataset

CONTROLS = ("raw", "untrained", "supervised")
"""The controls that every representation is compared with."""
_PRESET = "quick"


def comparison(
    dataset: Dataset, methods: Sequence[str], spec: MeasureSpec
) -> tuple[list[SweepSpec], list[str]]:
    """The sweeps of one run each that train methods in a data set's world, from its seed, with the
    networks and steps of the preset ``quick``.

    Args:
        dataset: the data set.
        methods: names that ``find_method`` knows.
        spec: how readouts are measured.

    Returns:
        The sweeps, and a line for each control that is impossible in this world.

    Raises:
        ValueError: one line, for a method that is unknown, impossible in this world or breaks the
            contract of methods.
    """
    batch = min(PRESETS[_PRESET]["train"]["batch_size"], dataset.spec.n_train)
    sweeps, notes = [], []
    for method in dict.fromkeys(methods):
        try:
            find_method(method)
        except ValueError as error:
            raise ValueError(f"methods: {error}") from error
        try:
            sweep = sweep_spec(
                {
                    "unique_ratio": [dataset.spec.label.unique_ratio],
                    "methods": [method],
                    "seeds": [dataset.seed],
                    "world": dataset.spec.model_dump(),
                    "train": {"batch_size": batch},
                    "measurement": spec.model_dump(),
                },
                preset=_PRESET,
            )
            sweep.runs()
        except ValueError as error:
            if method not in CONTROLS:
                raise ValueError(f"methods: {method}: {error}") from error
            notes.append(f"{method} is left out: {error}")
            continue
        check_plugins(sweep)
        sweeps.append(sweep)
    return sweeps, notes


def comparison_records(sweeps: Sequence[SweepSpec], *, device: str) -> list[RunRecord]:
    """The records of those runs, trained and measured in this process."""
    return [record for sweep in sweeps for record in run_records(sweep, device=device)]
