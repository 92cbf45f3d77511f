"""What the probe meters share: from fitted probes to rows of usable information and accuracy.

May import ``fctestbed.estimators``, ``fctestbed.results``, ``fctestbed.synthesis`` and
``fctestbed.training``.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from fctestbed.estimators import Reader, mean_interval, share_interval, sum_intervals
from fctestbed.measurement.meters.base import Measured, Meter
from fctestbed.measurement.quantity import bayes_accuracy, label_bits, latent_bits, quantities
from fctestbed.results import LABEL, AccuracyRow, CapturedRow
from fctestbed.synthesis import Dataset, slots_of
from fctestbed.training import Readout, Readouts


@dataclass(frozen=True, eq=False)
class Probes:
    """Probes of one readout.

    Attributes:
        reader: the probes, for any variable.
        rows: the training samples of the readout that they are fitted on.
    """

    reader: Reader
    rows: slice | NDArray[np.int64] = field(default_factory=lambda: slice(None))


class ProbeMeter(Meter):
    """H(W) minus the held-out cross-entropy of probes: a lower bound on I(Z; W), in bits.

    Each probe is fitted on the readout of training samples and scored on that of the held-out
    samples. A word label is predicted slot by slot (the slots are independent given the latents),
    any other label by a probe of its classes.
    """

    @property
    @abstractmethod
    def names(self) -> Mapping[str, str]:
        """For each estimator of the captured rows, the probe's name in the rows of accuracy."""

    @abstractmethod
    def probes(
        self, estimator: str, readout: Readout, labelled: Sequence[Dataset]
    ) -> Sequence[Probes]:
        """The probes of a readout for each data set.

        Args:
            estimator: one of ``names``.
            readout: the readout.
            labelled: the data sets, as in ``Meter.measure``.
        """

    def measure(self, readouts: Readouts, labelled: Sequence[Dataset]) -> list[Measured]:
        """As ``Meter.measure``; by readout, then by estimator, the label first."""
        found = [
            list(self._rows(estimator, name, readout, labelled))
            for name, readout in readouts.by_name.items()
            for estimator in self.names
        ]
        return [sum(of_run, Measured()) for of_run in zip(*found, strict=True)]

    def _rows(
        self, estimator: str, name: str, readout: Readout, labelled: Sequence[Dataset]
    ) -> Iterator[Measured]:
        """Rows of one readout for each labelled data set.

        Each label is fitted separately, so that no run's numbers depend on the other labels.
        """
        first, n_fit, n_eval = labelled[0], len(readout.train), len(readout.test)
        fit_bits, held_out_bits = latent_bits(first.train)[:n_fit], latent_bits(first.test)
        # Data sets whose labels do not choose the samples share their probes of latent bits.
        losses: dict[Reader, NDArray[np.float64]] = {}
        of_datasets = self.probes(estimator, readout, labelled)
        for dataset, probes in zip(labelled, of_datasets, strict=True):
            reader, truth = probes.reader, dataset.truth
            if reader not in losses:
                losses[reader] = _bit_losses(reader, fit_bits[probes.rows], held_out_bits)
            label_losses, n_found = _label_losses(probes, dataset, n_fit)
            entropy = truth.label_entropy_bits
            label = _row(
                name,
                LABEL,
                estimator,
                entropy,
                mean_interval(entropy - label_losses),
                n_eval=n_eval,
                true_bits=label_bits(truth, readout.modalities),
            )
            # A block's relevant part depends on the label.
            asked = quantities(dataset.spec)
            latents = [
                _row(
                    name,
                    quantity.name,
                    estimator,
                    float(len(quantity.columns)),
                    interval,
                    n_eval=n_eval,
                    true_bits=quantity.bits_in(readout.modalities),
                )
                for quantity, interval in zip(
                    asked,
                    sum_intervals(1.0 - losses[reader], [own.columns for own in asked]),
                    strict=True,
                )
            ]
            share, low, high = share_interval(n_found, n_eval)
            accuracy = AccuracyRow(
                readout=name,
                probe=self.names[estimator],
                accuracy=share,
                low=low,
                high=high,
                bayes_accuracy=bayes_accuracy(truth, readout.modalities),
                n_eval=n_eval,
            )
            yield Measured(captured=(label, *latents), accuracy=(accuracy,))


def _bit_losses(
    reader: Reader, fit_bits: NDArray[np.uint8], held_out_bits: NDArray[np.uint8]
) -> NDArray[np.float64]:
    return reader.bits(torch.from_numpy(fit_bits), torch.from_numpy(held_out_bits))


def _label_losses(probes: Probes, dataset: Dataset, n_fit: int) -> tuple[NDArray[np.float64], int]:
    """Cross-entropy of each held-out label, in bits, and the number of correct predictions."""
    reader = probes.reader
    y_fit, y = dataset.train.y[:n_fit][probes.rows], dataset.test.y
    slots = dataset.spec.label.slots
    if slots is not None:
        n = len(slots)
        losses = _bit_losses(reader, slots_of(y_fit, n), slots_of(y, n))
        # A wrong prediction gives a slot's true value probability below one half: over one bit.
        return losses.sum(1), int((losses < 1.0).all(1).sum())
    logs = reader.classes(torch.from_numpy(np.array(y_fit)), dataset.spec.n_classes)
    return -logs[np.arange(len(y)), y], int((logs.argmax(1) == y).sum())


def _row(
    readout: str,
    quantity: str,
    estimator: str,
    entropy_bits: float,
    interval: tuple[float, float, float],
    *,
    n_eval: int,
    true_bits: float,
) -> CapturedRow:
    """The row of H(W) minus the held-out cross-entropy, with its interval."""
    mean, low, high = interval
    return CapturedRow(
        readout=readout,
        quantity=quantity,
        estimator=estimator,
        bound="lower",
        value_bits=mean,
        low_bits=low,
        high_bits=high,
        true_bits=true_bits,
        ceiling_bits=entropy_bits,
        n_eval=n_eval,
    )
