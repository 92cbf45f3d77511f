"""Linear probes of readouts: accuracy, usable bits and certified bits of held-out samples.

May import torch, ``fctestbed.estimators`` and ``certified``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fctestbed.estimators import LinearProbe, mean_interval, share_interval
from fctestbed.real_data.certified import certified_lower_bound_bits
from fctestbed.real_data.multimodal import Multimodal


@dataclass(frozen=True, kw_only=True)
class ProbeRow:
    """What a linear probe finds in one readout of the test samples.

    Attributes:
        readout: its name; ``joint`` is both modalities.
        width: numbers of a sample.
        ridge: the probe's penalty, which the valid split chose.
        n_test: test samples.
        accuracy: share of the test samples whose class the probe says.
        accuracy_low: lower end of its 95 % interval (Wilson).
        accuracy_high: upper end.
        valid_accuracy: the same share of the valid samples.
        majority: share of the test samples of the training samples' most frequent class.
        usable_bits: H(Y) minus the held-out cross-entropy, in bits: a lower bound on I(Z; Y) in
            expectation, but for the error of H(Y), the entropy of the test samples' shares.
        usable_low: lower end of its 95 % interval by the central limit theorem.
        usable_high: upper end.
        certified_bits: a number that I(Z; Y) is not below, with 95 % confidence for this row
            alone; NaN for more than ten classes.
        entropy_bits: H(Y) of the test samples' shares, the most that can be read.
    """

    readout: str
    width: int
    ridge: float
    n_test: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    valid_accuracy: float
    majority: float
    usable_bits: float
    usable_low: float
    usable_high: float
    certified_bits: float
    entropy_bits: float

    def values(self) -> dict[str, Any]:
        """By column."""
        return asdict(self)


def probe_rows(
    readouts: Mapping[str, Mapping[str, Tensor]], data: Multimodal, ridges: Sequence[float]
) -> list[ProbeRow]:
    """A row for each readout.

    A multinomial logistic probe is fitted on the training samples with each penalty; the one with
    the least loss on the valid samples is scored on the test samples.

    Args:
        readouts: by split and name, [n, width].
        data: the labels.
        ridges: the penalties that are tried.
    """
    return [
        _row(name, {split: own[name] for split, own in readouts.items()}, data, ridges)
        for name in readouts["train"]
    ]


def _row(
    name: str, codes: Mapping[str, Tensor], data: Multimodal, ridges: Sequence[float]
) -> ProbeRow:
    held_out = torch.cat([codes["valid"], codes["test"]]).double()
    y_fit = torch.from_numpy(data.train.y).to(held_out.device)
    n_valid, y_valid, y = len(data.valid), data.valid.y, data.test.y
    reader = LinearProbe(ridge=ridges[0]).reader(codes["train"].double(), held_out)
    rows = np.arange(len(y_fit))
    found = []
    for ridge in ridges:
        logs = reader.on(rows, ridge).classes(y_fit, data.n_classes)
        loss = -logs[:n_valid][np.arange(n_valid), y_valid].mean()
        found.append((float(loss), ridge, logs))
    _, ridge, logs = min(found, key=lambda one: one[0])
    valid, test = logs[:n_valid], logs[n_valid:]
    hits = int((test.argmax(1) == y).sum())
    accuracy, low, high = share_interval(hits, len(y))
    shares = np.bincount(y, minlength=data.n_classes) / len(y)
    # With the surprise of each sample, the interval has the error of H(Y) too.
    surprises = -np.log2(shares[y])
    usable, usable_low, usable_high = mean_interval(surprises + test[np.arange(len(y)), y])
    certified = certified_lower_bound_bits(test, y)
    return ProbeRow(
        readout=name,
        width=held_out.shape[1],
        ridge=ridge,
        n_test=len(y),
        accuracy=accuracy,
        accuracy_low=low,
        accuracy_high=high,
        valid_accuracy=float((valid.argmax(1) == y_valid).mean()),
        majority=float(shares[np.bincount(data.train.y).argmax()]),
        usable_bits=usable,
        usable_low=usable_low,
        usable_high=usable_high,
        certified_bits=float("nan") if certified is None else certified,
        entropy_bits=float(surprises.mean()),
    )
