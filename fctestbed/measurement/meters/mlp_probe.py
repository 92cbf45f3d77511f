"""The MLP probe: usable information and accuracy that a small network reads.

May import ``fctestbed.estimators``, ``fctestbed.results``, ``fctestbed.synthesis`` and
``fctestbed.training``.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field, PositiveInt

from fctestbed.estimators import MlpReader, ProbeSettings
from fctestbed.measurement.meters.probe import ProbeMeter, Probes
from fctestbed.results import MLP, MLP_PROBE
from fctestbed.synthesis import Dataset
from fctestbed.training import Readout


class MlpProbeMeter(ProbeMeter):
    """As ``ProbeMeter``, with one MLP for all latent bits and one for each label.

    The last fifth of the training samples stops the training. Weights, batches and dropout are
    drawn by the data set's seed.

    Attributes:
        hidden: widths of the hidden layers; the MLP also has a linear path.
        dropout: share of hidden units that are dropped in training.
        steps: most training steps.
    """

    hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (128,)
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    steps: PositiveInt = 1500

    @property
    def names(self) -> Mapping[str, str]:
        """As ``ProbeMeter.names``."""
        return {MLP_PROBE: MLP}

    def probes(
        self, estimator: str, readout: Readout, labelled: Sequence[Dataset]
    ) -> Sequence[Probes]:
        """As ``ProbeMeter.probes``."""
        settings = ProbeSettings(
            hidden=self.hidden, dropout=self.dropout, steps=self.steps, seed=labelled[0].seed
        )
        return [Probes(MlpReader(readout.train, readout.test, settings))] * len(labelled)
