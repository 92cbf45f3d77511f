"""The linear probe: usable information of every quantity, and task accuracy, on held-out samples.

May import ``fctestbed.estimators``, ``fctestbed.results``, ``fctestbed.synthesis`` and
``fctestbed.training``.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from fctestbed.estimators import LinearProbe
from fctestbed.measurement.meters.probe import ProbeMeter, Probes
from fctestbed.results import LINEAR, LINEAR_PROBE
from fctestbed.synthesis import Dataset
from fctestbed.training import Readout

Ridge = Annotated[float, Field(gt=0)]


class LinearProbeMeter(ProbeMeter):
    """As ``ProbeMeter``, with logistic probes.

    Attributes:
        ridge: the probes' penalty, as in ``fctestbed.estimators.LinearProbe``.
    """

    ridge: Ridge

    @property
    def names(self) -> Mapping[str, str]:
        """As ``ProbeMeter.names``."""
        return {LINEAR_PROBE: LINEAR}

    def probes(
        self, estimator: str, readout: Readout, labelled: Sequence[Dataset]
    ) -> Sequence[Probes]:
        """As ``ProbeMeter.probes``."""
        reader = LinearProbe(ridge=self.ridge).reader(readout.train, readout.test)
        return [Probes(reader)] * len(labelled)
