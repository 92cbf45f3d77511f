"""The measurement of a unit's encoders while they train.

May import ``fctestbed.training``, ``fctestbed.measurement`` and ``fctestbed.synthesis``.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from fctestbed.measurement import MeasureSpec, along_steps, measure_along
from fctestbed.results import AlongRow
from fctestbed.sweep.grid import RunSpec
from fctestbed.sweep.plan import Unit
from fctestbed.synthesis import Dataset
from fctestbed.training import TrainedStack, stack_readouts


class AlongTraining:
    """Measures the encoders of a stack at some steps of their training and keeps the rows.

    Args:
        unit: the jobs of the stack.
        datasets: for each job its data sets, one for each label.
    """

    def __init__(self, unit: Unit, datasets: Sequence[Sequence[Dataset]]) -> None:
        self._unit, self._datasets = unit, datasets
        train = unit.jobs[0].training.train
        self._steps: dict[MeasureSpec, tuple[int, ...]] = {
            spec: along_steps(spec.along, train.steps)
            for spec in unit.measurements
            if spec.along is not None and train is not None
        }
        self._rows: dict[tuple[str, MeasureSpec, int, int], list[AlongRow]] = {}

    @property
    def steps(self) -> Collection[int]:
        """The numbers of steps after which encoders are measured."""
        return {step for steps in self._steps.values() for step in steps}

    def measure(self, trained: TrainedStack, step: int) -> None:
        """Measure the stack as it is after some steps. It is not changed, and no random number of
        the training is drawn."""
        for spec in (spec for spec, steps in self._steps.items() if step in steps):
            for method, training in self._unit.trainings.items():
                of_trainings = stack_readouts(
                    trained.read_as(training.build_method()),
                    [labelled[0] for labelled in self._datasets],
                    n_fit=1,
                    max_codewords=spec.most_codewords,
                )
                for place, readouts in enumerate(of_trainings):
                    if trained.diverged[place] is not None or not readouts.finite:
                        continue
                    found = measure_along(readouts, self._datasets[place], spec, step)
                    for position, rows in enumerate(found):
                        key = method, spec, place, position
                        self._rows.setdefault(key, []).extend(rows)

    def state(self) -> list[Any]:
        """The rows so far, JSON-able."""
        of_spec = {spec: place for place, spec in enumerate(self._unit.measurements)}
        return [
            [method, of_spec[spec], place, position, [asdict(row) for row in rows]]
            for (method, spec, place, position), rows in self._rows.items()
        ]

    def go_on(self, state: Any) -> None:
        """Go on from the rows that ``state`` returned.

        Raises:
            ValueError: for what is no row; nothing is changed.
        """
        specs = self._unit.measurements
        self._rows = {
            (method, specs[of_spec], place, position): [AlongRow(**row) for row in rows]
            for method, of_spec, place, position, rows in state
        }

    def rows(self, run: RunSpec, place: int, position: int) -> tuple[AlongRow, ...]:
        """The rows of a run, by the place of its job and of its data set."""
        key = run.training.method, run.measurement, place, position
        return tuple(self._rows.get(key, ()))
