"""Losses and bits of runs as TensorBoard's event files, written as runs are stored.

May import ``fctestbed.sweep.driver`` and what it imports; torch's writer, which needs the package
tensorboard, when a log is opened.
"""

import importlib.util
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from fctestbed.results import JOINT, CapturedRow, RunRecord
from fctestbed.sweep.driver import Display
from fctestbed.sweep.executors import Executor
from fctestbed.sweep.plan import Plan
from fctestbed.sweep.worker import UnitProgress

EVENTS = "tensorboard"
"""The directory of the event files within that of a sweep."""
_STEP = "step"
# What names of directories and tags may hold.
_OTHER = re.compile(r"[^\w.=@,+-]+")


class Writer(Protocol):
    """What is used of ``torch.utils.tensorboard.SummaryWriter``."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        """Log a number."""
        ...

    def close(self) -> None:
        """Write out what is left."""
        ...


def tensorboard_writer() -> Callable[[str], Writer]:
    """What opens an event file in a directory.

    Raises:
        ValueError: one line, without the package tensorboard.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise ValueError(
            "log: expected the package tensorboard to be installed "
            "(pip install 'fctestbed[tensorboard]'), got none"
        )
    from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - an extra

    made: Callable[[str], Writer] = SummaryWriter
    return made


class EventLog:
    """A display that passes everything on to another one, and logs runs that are stored.

    Each run has a directory, ``METHOD/ratio=R,seed=S``, with ``loss_nats/TERM`` by step, and by
    their step the bits of the joint readout, ``bits/QUANTITY/ESTIMATOR`` (for readings at a rate
    ``bits/QUANTITY/rate=R``), single latent bits aside.

    Args:
        display: the other one.
        directory: where the event files go.
        open_writer: what opens an event file in a directory.
    """

    def __init__(
        self, display: Display, directory: Path, open_writer: Callable[[str], Writer]
    ) -> None:
        self._display = display
        self._directory = directory
        self._open = open_writer
        self._plan: Plan | None = None

    def begin(self, plan: Plan, executor: Executor) -> None:
        """Pass the plan on."""
        self._plan = plan
        self._display.begin(plan, executor)

    def progress(self, progress: UnitProgress) -> None:
        """Pass the progress on."""
        self._display.progress(progress)

    def warn(self, line: str) -> None:
        """Pass the line on."""
        self._display.warn(line)

    def committed(self, unit: int, records: Sequence[RunRecord]) -> None:
        """Log the runs of a unit."""
        for record in records:
            if record.status == "ok":
                self._log(record)
        self._display.committed(unit, records)

    def _log(self, record: RunRecord) -> None:
        writer = self._open(str(self._directory / record.method / self._name(record)))
        try:
            _log_losses(writer, record.diagnostics.get("losses_nats"))
            for row in record.along:
                _log_bits(writer, row, row.step)
            for last in record.captured:
                _log_bits(writer, last, _steps(record))
        finally:
            writer.close()

    def _name(self, record: RunRecord) -> str:
        assert self._plan is not None, "a run is stored after the plan is made"
        values = {
            **({} if record.variant == "paper" else {"variant": record.variant}),
            "ratio": f"{record.unique_ratio:g}",
            **self._plan.grid.values_of(record.run_id),
            "seed": record.seed,
        }
        return _OTHER.sub("_", ",".join(f"{name}={value}" for name, value in values.items()))


def _log_losses(writer: Writer, losses: Any) -> None:
    steps = losses.get(_STEP, ()) if losses else ()
    for name, values in losses.items() if losses else ():
        if name != _STEP:
            for step, value in zip(steps, values, strict=True):
                writer.add_scalar(f"loss_nats/{_OTHER.sub('_', name)}", value, int(step))


def _log_bits(writer: Writer, row: CapturedRow, step: int) -> None:
    if row.readout != JOINT or "[" in row.quantity or row.value_bits is None:
        return
    reader = row.estimator if row.rate_bits is None else f"{row.estimator}={row.rate_bits:g}"
    writer.add_scalar(f"bits/{row.quantity}/{reader}", row.value_bits, step)


def _steps(record: RunRecord) -> int:
    """The number of training steps of a run; 0 for a method that is not trained."""
    spec: Any = record.spec
    train = spec.get("training", {}).get("train")
    return int(train["steps"]) if train else 0
