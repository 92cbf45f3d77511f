"""Scores without labels: alignment, uniformity, effective rank, modality gap and CKA of readouts.

May import torch, ``fctestbed.results``, ``fctestbed.synthesis``, ``fctestbed.training`` and the
functions of ``label_free``.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field, PositiveInt
from torch import Tensor

from fctestbed.measurement.label_free import (
    alignment,
    effective_rank,
    linear_cka,
    modality_gap,
    uniformity,
)
from fctestbed.measurement.meters.base import Measured, Meter
from fctestbed.results import (
    ALIGNMENT,
    EFFECTIVE_RANK,
    LINEAR_CKA,
    MODALITY_GAP,
    UNIFORMITY,
    ScoreRow,
    pair_name,
)
from fctestbed.synthesis import Dataset
from fctestbed.training import Readouts


class ScoreMeter(Meter):
    """Scores of held-out samples, which need no label.

    The effective rank is of every readout. The other scores are of pairs: readouts of modality 1
    and of modality 2 whose names differ in the last digit (``z1,z2`` or ``z_s1,z_s2``). The
    uniformity of a pair is the mean of both.

    A score that is not defined has no row: alignment and gap of readouts of different widths, and
    any score that is 0 / 0 (of a row of zeros that has no direction, of a constant readout).

    Attributes:
        n_samples: most held-out samples that scores are of: the first ones.
        n_uniformity: most held-out samples whose pairs uniformity averages.
    """

    at_equal_width = False

    n_samples: PositiveInt = 4096
    n_uniformity: Annotated[int, Field(ge=2)] = 512

    def measure(self, readouts: Readouts, labelled: Sequence[Dataset]) -> list[Measured]:
        """As ``Meter.measure``: pairs first. The rows are the same for every label."""
        samples = {name: r.test[: self.n_samples] for name, r in readouts.by_name.items()}
        pairs = [
            row
            for first, second in _pairs(readouts)
            for row in self._pair_rows(pair_name(first, second), samples[first], samples[second])
        ]
        ranks = [
            _row(name, EFFECTIVE_RANK, effective_rank(z), len(z), "dimensions")
            for name, z in samples.items()
        ]
        rows = (*pairs, *ranks)
        defined = tuple(row for row in rows if row.value is not None and math.isfinite(row.value))
        return [Measured(scores=defined) for _ in labelled]

    def _pair_rows(self, name: str, z1: Tensor, z2: Tensor) -> Iterator[ScoreRow]:
        n, few = len(z1), min(len(z1), self.n_uniformity)
        same_width = z1.shape[1] == z2.shape[1]
        if same_width:
            yield _row(name, ALIGNMENT, alignment(z1, z2), n)
        if few > 1:
            mean = (uniformity(z1[:few]) + uniformity(z2[:few])) / 2
            yield _row(name, UNIFORMITY, mean, few)
        if same_width:
            yield _row(name, MODALITY_GAP, modality_gap(z1, z2), n)
        yield _row(name, LINEAR_CKA, linear_cka(z1, z2), n)


def _pairs(readouts: Readouts) -> Iterator[tuple[str, str]]:
    """Names of readouts of modalities 1 and 2 that differ in the last digit."""
    known = {(name, readout.modalities) for name, readout in readouts.by_name.items()}
    for name in readouts.by_name:
        other = f"{name[:-1]}2"
        if name.endswith("1") and known >= {(name, (1,)), (other, (2,))}:
            yield name, other


def _row(readout: str, score: str, value: float, n_eval: int, unit: str = "1") -> ScoreRow:
    return ScoreRow(readout=readout, score=score, value=value, unit=unit, n_eval=n_eval)
