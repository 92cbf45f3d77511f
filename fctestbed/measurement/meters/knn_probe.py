"""The probe of nearest neighbours: usable information and accuracy that neighbours predict.

May import ``fctestbed.estimators``, ``fctestbed.results``, ``fctestbed.synthesis`` and
``fctestbed.training``.
"""

from collections.abc import Mapping, Sequence

from fctestbed.estimators import KnnReader
from fctestbed.measurement.meters.probe import ProbeMeter, Probes
from fctestbed.results import KNN, KNN_PROBE
from fctestbed.synthesis import Dataset
from fctestbed.training import Readout


class KnnProbeMeter(ProbeMeter):
    """As ``ProbeMeter``, with shares among the nearest training samples, columns scaled.

    The number of neighbours, from 4 to 128, is chosen for each bit and each label on the last fifth
    of the training samples.
    """

    @property
    def names(self) -> Mapping[str, str]:
        """As ``ProbeMeter.names``."""
        return {KNN_PROBE: KNN}

    def probes(
        self, estimator: str, readout: Readout, labelled: Sequence[Dataset]
    ) -> Sequence[Probes]:
        """As ``ProbeMeter.probes``."""
        return [Probes(KnnReader(readout.train, readout.test))] * len(labelled)
