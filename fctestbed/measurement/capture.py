"""What the readouts of a trained stack captured: probes fitted, rows out.

Owns the measurement of runs. May import ``fctestbed.estimators``, ``fctestbed.training`` and
``fctestbed.synthesis``; never asks which method was trained.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.estimators import LinearProbe, ProbeReader, mean_interval, share_interval
from fctestbed.measurement.channel_rows import channel_rows, why_no_channel
from fctestbed.measurement.latent_bits import Quantity, latent_bits, quantities
from fctestbed.measurement.readout_codes import stack_codes
from fctestbed.measurement.spec import ChannelSpec, MeasureSpec
from fctestbed.measurement.width import (
    JOINT,
    equal_width_name,
    principal_components,
    whole_name,
)
from fctestbed.results.schema import AccuracyRow, CapturedRow
from fctestbed.synthesis import Dataset, Split, slots_of
from fctestbed.training import TrainedStack

ESTIMATOR = "linear_probe"
PROBE = "linear"
_CHUNK = 2048
# A stack's readouts of all samples would be gigabytes: this many members are read at a time.
_MEMBERS_AT_ONCE = 4


@dataclass(frozen=True)
class Measured:
    """What was measured on one run, and a line for each thing that could not be."""

    captured: tuple[CapturedRow, ...]
    accuracy: tuple[AccuracyRow, ...]
    warnings: tuple[str, ...] = ()


def measure_stack(
    trained: TrainedStack, datasets: Sequence[Sequence[Dataset]], spec: MeasureSpec
) -> list[list[Measured]]:
    """Usable information and task accuracy of every readout, on held-out samples, and its channel
    information, of all words of the world.

    A probe is fitted on training samples' readouts and scored on the test samples'. The label's
    probe reads each slot of a word label by itself (the slots are independent given the latents),
    other labels by a multinomial one.

    Args:
        trained: the stack.
        datasets: for each training, the data sets that it serves: equal but for their labels.
        spec: the probes' settings.

    Returns:
        For each training, what was measured on each of its data sets; nothing where the training
        diverged, or where a readout is not finite.

    Raises:
        ValueError: for another number of data sets than trainings.
    """
    if len(datasets) != len(trained.specs) or not all(datasets):
        raise ValueError(
            f"datasets: expected some for each of {len(trained.specs)} trainings, "
            f"got {[len(labelled) for labelled in datasets]}"
        )
    first = [labelled[0] for labelled in datasets]
    train, test = ([getattr(dataset, name) for dataset in first] for name in ("train", "test"))
    n_fit = min(spec.n_fit, len(train[0]))
    measured: list[list[Measured]] = []
    for start in range(0, len(datasets), _MEMBERS_AT_ONCE):
        members = range(start, min(start + _MEMBERS_AT_ONCE, len(datasets)))
        fit = _readouts(trained, train, n_fit, members)
        held_out = _readouts(trained, test, len(test[0]), members)
        for place, member in enumerate(members):
            of_member = {name: (fit[name][place], held_out[name][place]) for name in fit}
            diverged = trained.diverged[member] is not None
            measured.append(
                [] if diverged else _measure(trained, datasets[member], of_member, spec)
            )
        if spec.channel is not None:
            _add_channel(measured, trained, datasets, members, spec.channel)
    return measured


def measure_readouts(
    dataset: Dataset,
    readouts: Mapping[str, tuple[Tensor, Tensor]],
    modalities: Mapping[str, tuple[int, ...]],
    spec: MeasureSpec,
) -> Measured:
    """Usable information and task accuracy of readouts from anywhere.

    Args:
        dataset: the data set that they are of.
        readouts: of its training and of its test samples, [n, width], by name.
        modalities: which of the modalities (1, 2) each is computed from.
        spec: the probes' settings.
    """
    n_fit = min(spec.n_fit, len(dataset.train))
    fitted = {name: (fit[:n_fit], held_out) for name, (fit, held_out) in readouts.items()}
    (measured,) = _read_each([dataset], fitted, modalities, spec)
    return measured


def _add_channel(
    measured: list[list[Measured]],
    trained: TrainedStack,
    datasets: Sequence[Sequence[Dataset]],
    members: range,
    spec: ChannelSpec,
) -> None:
    """Add channel information to what was measured of some members."""
    refusal = why_no_channel(datasets[0][0].spec, spec.max_codewords)
    worlds = [labelled[0].world for labelled in datasets]
    codes = [] if refusal else stack_codes(trained, worlds, members, spec.max_codewords)
    for place, member in enumerate(members):
        if refusal is not None:
            found: list[tuple[list[CapturedRow], list[str]]] = [([], [refusal])] * len(
                measured[member]
            )
        elif measured[member]:
            found = channel_rows(codes[place], datasets[member], spec, device=trained.device)
        else:
            continue
        measured[member] = [
            replace(run, captured=(*run.captured, *rows), warnings=(*run.warnings, *lines))
            for run, (rows, lines) in zip(measured[member], found, strict=True)
        ]


def _measure(
    trained: TrainedStack,
    labelled: Sequence[Dataset],
    readouts: Mapping[str, tuple[Tensor, Tensor]],
    spec: MeasureSpec,
) -> list[Measured]:
    """What was measured on each data set of one training; nothing where a readout is not finite."""
    if not all(bool(part.isfinite().all()) for parts in readouts.values() for part in parts):
        return []
    modalities = {name: trained.method.reads(name) for name in readouts}
    return _read_each(labelled, readouts, modalities, spec)


def _read_each(
    labelled: Sequence[Dataset],
    readouts: Mapping[str, tuple[Tensor, Tensor]],
    modalities: Mapping[str, tuple[int, ...]],
    spec: MeasureSpec,
) -> list[Measured]:
    """What probes read of every readout, and of the joint one at equal width, for each data set."""
    probe = LinearProbe(ridge=spec.ridge)
    joint, width = readouts.get(JOINT), spec.equal_width
    measured = dict(readouts)
    if joint is not None and width is not None and joint[0].shape[1] > width:
        measured[equal_width_name(width)] = principal_components(*joint, width)
    readings = {
        name: list(
            _read(
                probe,
                labelled,
                fit,
                held_out,
                readout=name,
                modalities=modalities[whole_name(name)],
            )
        )
        for name, (fit, held_out) in measured.items()
    }
    if joint is not None and width is not None and joint[0].shape[1] == width:
        # As wide already: the same numbers under the name that all methods have.
        readings[equal_width_name(width)] = _renamed(readings[JOINT], equal_width_name(width))
    return [
        Measured(
            captured=tuple(row for rows in of_run for row in rows[0]),
            accuracy=tuple(rows[1] for rows in of_run),
        )
        for of_run in zip(*readings.values(), strict=True)
    ]


def _renamed(
    readings: Sequence[tuple[list[CapturedRow], AccuracyRow]], readout: str
) -> list[tuple[list[CapturedRow], AccuracyRow]]:
    return [
        ([replace(row, readout=readout) for row in captured], replace(accuracy, readout=readout))
        for captured, accuracy in readings
    ]


def _readouts(
    trained: TrainedStack, splits: Sequence[Split], n: int, members: range
) -> dict[str, Tensor]:
    """Every readout of the first ``n`` samples of some members, [members, n, width]."""
    chunks: dict[str, list[Tensor]] = {}
    for start in range(0, n, _CHUNK):
        x1, x2 = (
            torch.stack([torch.from_numpy(_rows(split, name, start, n)) for split in splits]).to(
                device=trained.device, dtype=trained.dtype
            )
            for name in ("x1", "x2")
        )
        for name, values in trained.readouts(x1, x2).items():
            chunks.setdefault(name, []).append(values[members.start : members.stop].clone())
    return {name: torch.cat(parts, 1) for name, parts in chunks.items()}


def _rows(split: Split, name: str, start: int, stop: int) -> NDArray[np.float32]:
    # A copy: the splits' arrays are read-only, which torch does not know of.
    return np.array(getattr(split, name)[start : min(start + _CHUNK, stop)])


def _read(
    probe: LinearProbe,
    labelled: Sequence[Dataset],
    fit: Tensor,
    held_out: Tensor,
    *,
    readout: str,
    modalities: tuple[int, ...],
) -> Iterator[tuple[list[CapturedRow], AccuracyRow]]:
    """Rows of one readout for each labelled data set.

    Each label has a fit of its own, so that no run's numbers depend on the labels beside it.
    """
    first = labelled[0]
    reader = probe.reader(fit, held_out)
    losses = _bit_losses(reader, latent_bits(first.train)[: len(fit)], latent_bits(first.test))
    for dataset in labelled:
        label_loss, hits = _label_losses(reader, dataset, len(fit))
        truth = dataset.truth
        known: dict[tuple[int, ...], tuple[float, float]] = {
            (1,): (truth.x1_label_bits, truth.bayes_accuracy_x1),
            (2,): (truth.x2_label_bits, truth.bayes_accuracy_x2),
            (1, 2): (truth.total_bits, truth.bayes_accuracy),
        }
        true_bits, bayes_accuracy = known[modalities]
        label = _captured(
            readout,
            "label",
            truth.label_entropy_bits,
            label_loss,
            true_bits=true_bits,
        )
        # A block's relevant part is another one for another label.
        latents = [
            _captured(
                readout,
                quantity.name,
                float(len(quantity.columns)),
                losses[:, list(quantity.columns)].sum(1),
                true_bits=_held(quantity, modalities),
            )
            for quantity in quantities(dataset.spec)
        ]
        share, low, high = share_interval(hits, len(held_out))
        yield (
            [label, *latents],
            AccuracyRow(
                readout=readout,
                probe=PROBE,
                accuracy=share,
                low=low,
                high=high,
                bayes_accuracy=bayes_accuracy,
                n_eval=len(held_out),
            ),
        )


def _held(quantity: Quantity, modalities: tuple[int, ...]) -> float:
    """Bits of a quantity that the modalities behind a readout hold: all or none of a block."""
    return float(len(quantity.columns)) if set(modalities) & set(quantity.modalities) else 0.0


def _bit_losses(
    reader: ProbeReader, fit_bits: NDArray[np.uint8], held_out_bits: NDArray[np.uint8]
) -> NDArray[np.float64]:
    return reader.bits(torch.from_numpy(fit_bits), torch.from_numpy(held_out_bits))


def _label_losses(
    reader: ProbeReader, dataset: Dataset, n_fit: int
) -> tuple[NDArray[np.float64], int]:
    """Cross-entropy of each held-out label, in bits, and how many were found."""
    y_fit, y = dataset.train.y[:n_fit], dataset.test.y
    slots = dataset.spec.label.slots
    if slots is not None:
        n = len(slots)
        losses = _bit_losses(reader, slots_of(y_fit, n), slots_of(y, n))
        # A probe that errs on a slot gives the true value less than one half: over one bit.
        return losses.sum(1), int((losses < 1.0).all(1).sum())
    logs = reader.classes(torch.from_numpy(np.array(y_fit)), dataset.spec.n_classes)
    return -logs[np.arange(len(y)), y], int((logs.argmax(1) == y).sum())


def _captured(
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
        estimator=ESTIMATOR,
        bound="lower",
        value_bits=mean,
        low_bits=low,
        high_bits=high,
        true_bits=true_bits,
        ceiling_bits=entropy_bits,
        n_eval=len(losses_bits),
    )
