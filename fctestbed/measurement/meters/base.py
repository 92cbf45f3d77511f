"""The interface of meters: settings, and a function from readouts to rows.

Owns the interface. May import ``fctestbed.results``, ``fctestbed.synthesis`` and
``fctestbed.training``.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from fctestbed.results import AccuracyRow, CapturedRow, ScoreRow
from fctestbed.synthesis import Dataset, Spec
from fctestbed.training import Readouts


@dataclass(frozen=True)
class Measured:
    """The rows measured on one run, and a line for each quantity that could not be measured."""

    captured: tuple[CapturedRow, ...] = ()
    accuracy: tuple[AccuracyRow, ...] = ()
    scores: tuple[ScoreRow, ...] = ()
    warnings: tuple[str, ...] = ()

    def __add__(self, other: "Measured") -> "Measured":
        """The rows and lines of both, those of ``other`` last; a line of both once."""
        return Measured(
            captured=(*self.captured, *other.captured),
            accuracy=(*self.accuracy, *other.accuracy),
            scores=(*self.scores, *other.scores),
            warnings=tuple(dict.fromkeys((*self.warnings, *other.warnings))),
        )


class Meter(Spec, ABC):
    """A measurement of readouts; its fields are its settings.

    A meter is one file: a subclass with its settings, and its ``measure``. A field of
    ``MeasureSpec`` switches it on.
    """

    at_equal_width: ClassVar[bool] = True
    """Whether it also measures the joint readout at equal width."""
    along: ClassVar[bool] = False
    """Whether it can measure encoders along their training; it then needs no samples."""

    @property
    def most_codewords(self) -> int:
        """The largest number of codewords of a readout that it uses; 0 if it uses none."""
        return 0

    @abstractmethod
    def measure(self, readouts: Readouts, labelled: Sequence[Dataset]) -> list[Measured]:
        """Measure the readouts of one training.

        Args:
            readouts: the readouts, finite; probes are fitted on all of their training samples.
            labelled: the data sets that the training serves, which differ only in their labels.
                The numbers of each depend only on its own label.

        Returns:
            Rows and warnings for each data set.
        """
