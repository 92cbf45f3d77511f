"""What the readouts of a trained stack captured: probes fitted, rows out.

Owns the measurement of runs. May import ``fctestbed.estimators``, ``fctestbed.training`` and
``fctestbed.synthesis``; never asks which method was trained.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.estimators import LinearProbe, mean_interval, share_interval
from fctestbed.measurement.latent_bits import Quantity, latent_bits, quantities
from fctestbed.measurement.spec import MeasureSpec
from fctestbed.results.schema import AccuracyRow, CapturedRow
from fctestbed.synthesis import Dataset, Split, slots_of
from fctestbed.training import TrainedStack

ESTIMATOR = "linear_probe"
PROBE = "linear"
_CHUNK = 2048


@dataclass(frozen=True)
class Measured:
    """What was measured on one run."""

    captured: tuple[CapturedRow, ...]
    accuracy: tuple[AccuracyRow, ...]


def measure_stack(
    trained: TrainedStack, datasets: Sequence[Sequence[Dataset]], spec: MeasureSpec
) -> list[list[Measured]]:
    """Usable information and task accuracy of every readout, on held-out samples.

    A probe is fitted on training samples' readouts and scored on the test samples'. The label's
    probe reads each slot of a word label by itself (the slots are independent given the latents),
    other labels by a multinomial one.

    Args:
        trained: the stack.
        datasets: for each training, the data sets that it serves: equal but for their labels.
        spec: the probes' settings.

    Returns:
        For each training, what was measured on each of its data sets; nothing where the training
        diverged.
    """
    first = [labelled[0] for labelled in datasets]
    n_fit = min(spec.n_fit, len(first[0].train))
    fit = _readouts(trained, [dataset.train for dataset in first], n_fit)
    held_out = _readouts(trained, [dataset.test for dataset in first], len(first[0].test))
    probe = LinearProbe(ridge=spec.ridge)
    measured: list[list[Measured]] = []
    for member, labelled in enumerate(datasets):
        if trained.diverged[member] is not None:
            measured.append([])
            continue
        readings = [
            _read(
                probe,
                labelled,
                fit[name][member],
                held_out[name][member],
                readout=name,
                modalities=trained.method.reads(name),
            )
            for name in fit
        ]
        measured.append(
            [
                Measured(
                    captured=tuple(row for rows in of_run for row in rows[0]),
                    accuracy=tuple(rows[1] for rows in of_run),
                )
                for of_run in zip(*readings, strict=True)
            ]
        )
    return measured


def _readouts(trained: TrainedStack, splits: Sequence[Split], n: int) -> dict[str, Tensor]:
    """Every readout of the first ``n`` samples, [stack, n, width]."""
    chunks: dict[str, list[Tensor]] = {}
    for start in range(0, n, _CHUNK):
        x1, x2 = (
            torch.stack([torch.from_numpy(_rows(split, name, start, n)) for split in splits]).to(
                device=trained.device, dtype=trained.dtype
            )
            for name in ("x1", "x2")
        )
        for name, values in trained.readouts(x1, x2).items():
            chunks.setdefault(name, []).append(values)
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
    """Rows of one readout for each labelled data set; latents and label slots share one fit."""
    n_fit = len(fit)
    targets = [(latent_bits(labelled[0].train)[:n_fit], latent_bits(labelled[0].test))]
    slots = labelled[0].world.label_rule.word_slots
    if slots is not None:
        targets += [
            (slots_of(dataset.train.y[:n_fit], slots), slots_of(dataset.test.y, slots))
            for dataset in labelled
        ]
    fit_bits, held_out_bits = (
        torch.from_numpy(np.concatenate(parts, axis=1)).to(fit.device)
        for parts in zip(*targets, strict=True)
    )
    losses = probe.bits(fit, fit_bits, held_out, held_out_bits)
    n_latents = targets[0][0].shape[1]
    latents = [
        _captured(
            readout,
            quantity.name,
            float(len(quantity.columns)),
            losses[:, list(quantity.columns)].sum(1),
            true_bits=_held(quantity, modalities),
        )
        for quantity in quantities(labelled[0].spec)
    ]
    for place, dataset in enumerate(labelled):
        if slots is not None:
            start = n_latents + place * slots
            label_losses = losses[:, start : start + slots]
            # A probe that errs on a slot gives the true value less than one half.
            hits = int((label_losses < 1.0).all(1).sum())
            label_loss = label_losses.sum(1)
        else:
            label_loss, hits = _multinomial(probe, dataset, fit, held_out)
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


def _multinomial(
    probe: LinearProbe, dataset: Dataset, fit: Tensor, held_out: Tensor
) -> tuple[NDArray[np.float64], int]:
    y_fit = torch.from_numpy(np.array(dataset.train.y[: len(fit)])).to(fit.device)
    logs = probe.classes(fit, y_fit, held_out, dataset.spec.n_classes)
    y = dataset.test.y
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
