"""The measurement: readouts of one training, its data sets and the settings in, rows out.

Owns the computation of rows from readouts, which does not depend on the method that was trained.
May import ``fctestbed.training`` and the packages below it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from fctestbed.measurement.meters import Measured
from fctestbed.measurement.spec import MeasureSpec
from fctestbed.measurement.width import repeated_at_equal_width, with_equal_width
from fctestbed.synthesis import Dataset
from fctestbed.training import Readouts, load_readouts, readouts_from_arrays

_DEFAULT = MeasureSpec()


def measure_arrays(
    dataset: Dataset,
    representations: str | Path | Mapping[str, Any],
    spec: MeasureSpec = _DEFAULT,
    *,
    device: torch.device | str = "cpu",
) -> Measured:
    """Measure representations of a data set, whatever computed them.

    Args:
        dataset: the data set.
        representations: arrays [rows, width], or an .npz file of them: ``train_NAME`` and
            ``test_NAME`` for each readout NAME, in the order of the data set's samples, and
            ``codewords_NAME``, the readout of every codeword input that the data set's file holds,
            for exact information. A NAME that ends in 1 or 2 is a readout of that
            modality, any other NAME a readout of both. ``joint`` is composed of the modalities'
            readouts where it is not given.
        spec: how to measure.
        device: where to compute.

    Returns:
        Rows of information in bits and of task accuracy, and one line for each quantity that could
        not be measured.

    Raises:
        ValueError: one line that names the array, for names, types or numbers of rows that do not
            match the data set, or numbers that are not finite.
        OSError: if the file cannot be opened.
    """
    if not isinstance(dataset, Dataset):
        raise ValueError(f"dataset: expected a Dataset, got {type(dataset).__name__}")
    if not isinstance(spec, MeasureSpec):
        raise ValueError(f"spec: expected a MeasureSpec, got {type(spec).__name__}")
    try:
        device = torch.device(device)
    except (RuntimeError, TypeError):
        raise ValueError(f"device: expected a torch device, got {device!r}") from None
    if isinstance(representations, str | Path):
        readouts = load_readouts(representations, dataset)
    else:
        readouts = readouts_from_arrays(representations, dataset)
    (measured,) = measure_readouts(readouts.to(device), [dataset], spec)
    return measured


def measure_readouts(
    readouts: Readouts, labelled: Sequence[Dataset], spec: MeasureSpec = _DEFAULT
) -> list[Measured]:
    """Measure the readouts of one training on each data set that it serves.

    Args:
        readouts: the readouts, finite; they are measured on their device.
        labelled: the data sets, which differ only in their labels.
        spec: how to measure.

    Returns:
        The result for each data set: the rows of each meter in the order of ``spec.meters``.

    Raises:
        ValueError: for no data sets.
    """
    if not labelled:
        raise ValueError("labelled: expected one data set or more, got none")
    whole = readouts.first(spec.n_fit)
    wide = with_equal_width(whole, spec.equal_width)
    found = [Measured() for _ in labelled]
    for meter in spec.meters:
        rows = meter.measure(wide if meter.at_equal_width else whole, labelled)
        if meter.at_equal_width:
            rows = [repeated_at_equal_width(own, whole, spec.equal_width) for own in rows]
        found = [before + own for before, own in zip(found, rows, strict=True)]
    return found
