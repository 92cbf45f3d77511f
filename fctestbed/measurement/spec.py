"""Settings of the measurement. May import ``fctestbed.synthesis`` (for the record type)."""

from typing import Annotated

from pydantic import Field, PositiveInt

from fctestbed.synthesis.spec import Spec


class MeasureSpec(Spec):
    """How readouts are measured.

    Attributes:
        n_fit: training samples that a probe is fitted on (at most: those that there are).
        ridge: the probes' penalty, as in ``fctestbed.estimators.LinearProbe``.
        equal_width: every method's ``joint`` readout is also measured at this width, by its first
            principal components: readouts differ in width from method to method. None: not.
    """

    n_fit: PositiveInt = 16384
    ridge: Annotated[float, Field(gt=0)] = 1e-4
    equal_width: PositiveInt | None = 16
