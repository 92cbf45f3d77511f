"""Few-shot probes: usable information and accuracy that linear probes learn from few labels.

May import ``fctestbed.estimators``, ``fctestbed.results``, ``fctestbed.synthesis`` and
``fctestbed.training``.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt, model_validator

from fctestbed.estimators import LinearProbe
from fctestbed.measurement.meters.probe import ProbeMeter, Probes
from fctestbed.results import few_shot_name
from fctestbed.synthesis import Dataset, PositiveFloat
from fctestbed.training import Readout


class FewShotMeter(ProbeMeter):
    """As ``ProbeMeter``, with linear probes that are fitted on a few samples of each class.

    ``few_shot@16`` is fitted on the first 16 training samples of each class of the label; a class
    with fewer samples gives all that it has. The probes of latent bits are fitted on the same
    samples as those of the label. Features are whitened by all training samples, which needs no
    labels. Such probes can be worse than no probe: values may be negative.

    Attributes:
        labels: numbers of samples of each class, an estimator for each.
        penalty: on half the squared weights, for all samples of the fit together: the penalty per
            sample is this over their number. At 1 it is the default of scikit-learn's
            ``LogisticRegression``.
    """

    labels: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (16, 64, 256)
    penalty: PositiveFloat = 1.0

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels: expected different numbers, got {list(self.labels)}")
        return self

    @property
    def names(self) -> Mapping[str, str]:
        """As ``ProbeMeter.names``."""
        return {few_shot_name(n): few_shot_name(n) for n in self.labels}

    def probes(
        self, estimator: str, readout: Readout, labelled: Sequence[Dataset]
    ) -> Sequence[Probes]:
        """As ``ProbeMeter.probes``."""
        n_labels = dict(zip(self.names, self.labels, strict=True))[estimator]
        whitened = LinearProbe().reader(readout.train, readout.test)
        chosen = [
            first_of_each_class(dataset.train.y[: len(readout.train)], n_labels)
            for dataset in labelled
        ]
        return [Probes(whitened.on(rows, self.penalty / len(rows)), rows) for rows in chosen]


def first_of_each_class(y: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Indices of the first ``n`` samples of each class, or of all of a class that has fewer.

    Args:
        y: classes, [samples].
        n: number of samples of each class.

    Returns:
        Ascending indices.
    """
    order = np.argsort(y, kind="stable")
    _, starts, counts = np.unique(y[order], return_index=True, return_counts=True)
    place = np.arange(len(y)) - np.repeat(starts, counts)
    return np.sort(order[place < n])
