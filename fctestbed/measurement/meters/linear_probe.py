"""The linear probe: usable information of every quantity, and task accuracy, on held-out samples.

May import ``fctestbed.estimators``, ``fctestbed.results``, ``fctestbed.synthesis`` and
``fctestbed.training``.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from fctestbed.estimators import LinearProbe, ProbeReader, mean_interval, share_interval
from fctestbed.measurement.meters.base import Measured, Meter
from fctestbed.measurement.quantity import bayes_accuracy, label_bits, latent_bits, quantities
from fctestbed.results import LABEL, LINEAR, LINEAR_PROBE, AccuracyRow, CapturedRow
from fctestbed.synthesis import Dataset, slots_of
from fctestbed.training import Readout, Readouts

Ridge = Annotated[float, Field(gt=0)]


class LinearProbeMeter(Meter):
    """H(W) minus the held-out cross-entropy of linear probes: a lower bound on I(Z; W), in bits.

    Each probe is fitted on the readout of training samples and scored on that of the held-out
    samples. A word label is predicted slot by slot (the slots are independent given the latents),
    any other label by a multinomial probe.

    Attributes:
        ridge: the probes' penalty, as in ``fctestbed.estimators.LinearProbe``.
    """

    ridge: Ridge

    def measure(self, readouts: Readouts, labelled: Sequence[Dataset]) -> list[Measured]:
        """As ``Meter.measure``; by readout, the label first."""
        probe = LinearProbe(ridge=self.ridge)
        by_readout = [
            list(_measured(probe, name, readout, labelled))
            for name, readout in readouts.by_name.items()
        ]
        return [sum(of_run, Measured()) for of_run in zip(*by_readout, strict=True)]


def _measured(
    probe: LinearProbe, name: str, readout: Readout, labelled: Sequence[Dataset]
) -> Iterator[Measured]:
    """Rows of one readout for each labelled data set.

    Each label is fitted separately, so that no run's numbers depend on the other labels.
    """
    first = labelled[0]
    n_fit, n_eval = len(readout.train), len(readout.test)
    reader = probe.reader(readout.train, readout.test)
    losses = _bit_losses(reader, latent_bits(first.train)[:n_fit], latent_bits(first.test))
    for dataset in labelled:
        label_losses, n_found = _label_losses(reader, dataset, n_fit)
        truth = dataset.truth
        label = _row(
            name,
            LABEL,
            truth.label_entropy_bits,
            label_losses,
            true_bits=label_bits(truth, readout.modalities),
        )
        # A block's relevant part depends on the label.
        latents = [
            _row(
                name,
                quantity.name,
                float(len(quantity.columns)),
                losses[:, list(quantity.columns)].sum(1),
                true_bits=quantity.bits_in(readout.modalities),
            )
            for quantity in quantities(dataset.spec)
        ]
        share, low, high = share_interval(n_found, n_eval)
        accuracy = AccuracyRow(
            readout=name,
            probe=LINEAR,
            accuracy=share,
            low=low,
            high=high,
            bayes_accuracy=bayes_accuracy(truth, readout.modalities),
            n_eval=n_eval,
        )
        yield Measured(captured=(label, *latents), accuracy=(accuracy,))


def _bit_losses(
    reader: ProbeReader, fit_bits: NDArray[np.uint8], held_out_bits: NDArray[np.uint8]
) -> NDArray[np.float64]:
    return reader.bits(torch.from_numpy(fit_bits), torch.from_numpy(held_out_bits))


def _label_losses(
    reader: ProbeReader, dataset: Dataset, n_fit: int
) -> tuple[NDArray[np.float64], int]:
    """Cross-entropy of each held-out label, in bits, and the number of correct predictions."""
    y_fit, y = dataset.train.y[:n_fit], dataset.test.y
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
    entropy_bits: float,
    losses_bits: NDArray[np.float64],
    *,
    true_bits: float,
) -> CapturedRow:
    """H(W) minus the held-out cross-entropy, with its interval."""
    mean, low, high = mean_interval(entropy_bits - losses_bits)
    return CapturedRow(
        readout=readout,
        quantity=quantity,
        estimator=LINEAR_PROBE,
        bound="lower",
        value_bits=mean,
        low_bits=low,
        high_bits=high,
        true_bits=true_bits,
        ceiling_bits=entropy_bits,
        n_eval=len(losses_bits),
    )
