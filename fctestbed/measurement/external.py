"""Measurement of a representation that was trained anywhere.

Owns how a representation file is measured. May import this package and ``fctestbed.synthesis``.
"""

from dataclasses import replace

import torch

from fctestbed.measurement.capture import Measured, measure_readouts
from fctestbed.measurement.channel_rows import channel_rows, why_no_channel
from fctestbed.measurement.representation_file import Representations, modalities_of
from fctestbed.measurement.spec import MeasureSpec
from fctestbed.synthesis import Dataset


def measure_representations(
    dataset: Dataset,
    representations: Representations,
    spec: MeasureSpec,
    *,
    device: torch.device | str = "cpu",
) -> Measured:
    """What representations of a data set captured: probes, and channel information of those whose
    codewords are known.

    Args:
        dataset: the data set.
        representations: read by ``load_representations``.
        spec: how to measure.
        device: where to compute channel information.
    """
    readouts = {
        name: (fit, representations.test[name]) for name, fit in representations.train.items()
    }
    measured = measure_readouts(
        dataset, readouts, {name: modalities_of(name) for name in readouts}, spec
    )
    if spec.channel is None:
        return measured
    refusal = why_no_channel(dataset.spec, spec.channel.max_codewords)
    if refusal is not None:
        return replace(measured, warnings=(refusal,))
    lines = [representations.note] if representations.note else []
    if representations.codes:
        ((rows, more),) = channel_rows(
            representations.codes, [dataset], spec.channel, device=device
        )
        measured = replace(measured, captured=(*measured.captured, *rows))
        lines += more
    return replace(measured, warnings=tuple(lines))
