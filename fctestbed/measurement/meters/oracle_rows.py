"""What meters that use the oracle share: the groups that they ask for, and the rows of results.

Owns the rows of blocks, parts, bits and labels, with S, U1 and U2 of the label. May import
``fctestbed.estimators``, ``fctestbed.results``, ``fctestbed.synthesis``, ``fctestbed.training`` and
the oracle.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scipy.special import ndtri

from fctestbed.estimators import LEVEL
from fctestbed.measurement.channel import (
    MAX_RELEVANT_BITS,
    ChannelBits,
    ChannelInformation,
    Group,
    Readers,
    decompose,
    label_channel,
)
from fctestbed.measurement.meters.base import Measured
from fctestbed.measurement.quantity import label_bits, quantities
from fctestbed.results import BLOCKS, LABEL, CapturedRow
from fctestbed.synthesis import Dataset, WorldSpec
from fctestbed.training import Readouts, why_no_codewords

_Z = float(ndtri(0.5 + LEVEL / 2))
_OTHER_METER = "(the linear probe still serves)"


@dataclass(frozen=True)
class Reading:
    """The oracle's result for one readout.

    Attributes:
        found: the result.
        of: which of its representations are the readout.
        estimator: the name in the rows.
        rate_bits: the rate in the rows.
    """

    found: ChannelInformation
    of: Readers
    estimator: str
    rate_bits: float | None = None


def oracle_groups(labelled: Sequence[Dataset]) -> dict[str, Group]:
    """The groups of bits and the labels of all rows, by name.

    The blocks, ``BLOCKS``, are to set the number of draws: no run's numbers then depend on other
    labels.
    """
    # A block's relevant part depends on the label.
    parts = {q.columns for dataset in labelled for q in quantities(dataset.spec)}
    return {
        **{q.name: q.columns for q in quantities(labelled[0].spec) if q.name in BLOCKS},
        **{str(columns): columns for columns in sorted(parts)},
        **{
            _label(place): label_channel(dataset.spec)
            for place, dataset in enumerate(labelled)
            if not _large_label(dataset)
        },
    }


def oracle_rows(
    readings: Mapping[str, Sequence[Reading]], readouts: Readouts, labelled: Sequence[Dataset]
) -> list[Measured]:
    """The rows of readings by readout, for each data set, and a line for each reason why there are
    none of a readout or of the label."""
    missing = _readouts_without_codewords(readouts)
    return [
        Measured(
            captured=tuple(
                row
                for name, own in readings.items()
                for reading in own
                for row in _rows(
                    reading, name, dataset, _label(place), readouts.by_name[name].modalities
                )
            ),
            warnings=(*missing, *_large_label(dataset)),
        )
        for place, dataset in enumerate(labelled)
    ]


def why_no_channel(spec: WorldSpec, max_codewords: int) -> str | None:
    """Why a world's readouts have no channel information, in one line; None if they have it."""
    reason = why_no_codewords(spec, (1,), max_codewords)
    return f"no channel information: {reason} {_OTHER_METER}" if reason else None


def _rows(
    reading: Reading, readout: str, dataset: Dataset, label: str, modalities: tuple[int, ...]
) -> Iterator[CapturedRow]:
    for quantity, value, true_bits in (
        *_latent_values(reading, dataset.spec, modalities),
        *_label_values(reading, dataset, label, modalities),
    ):
        half = _Z * value.standard_error_bits
        rate = reading.rate_bits
        yield CapturedRow(
            readout=readout,
            quantity=quantity,
            estimator=reading.estimator,
            rate_bits=rate,
            bound="exact",
            value_bits=value.value_bits,
            low_bits=value.value_bits - half,
            high_bits=value.value_bits + half,
            true_bits=true_bits,
            ceiling_bits=value.ceiling_bits if rate is None else min(rate, value.ceiling_bits),
            n_eval=value.n_draws,
        )


def _latent_values(
    reading: Reading, spec: WorldSpec, modalities: tuple[int, ...]
) -> list[tuple[str, ChannelBits, float]]:
    """(quantity, value, true bits) of blocks, parts and bits."""
    return [
        (
            quantity.name,
            reading.found.information(quantity.columns, of=reading.of),
            quantity.bits_in(modalities),
        )
        for quantity in quantities(spec)
    ]


def _label_values(
    reading: Reading, dataset: Dataset, label: str, modalities: tuple[int, ...]
) -> list[tuple[str, ChannelBits, float]]:
    """(quantity, value, true bits) of the label, and of S, U1 and U2 of two parts."""
    found, of = reading.found, reading.of
    if label not in found.groups:
        return []
    truth = dataset.truth
    values = [(LABEL, found.information(label, of=of), label_bits(truth, modalities))]
    if len(of) == 2:
        parts = decompose(found, label)
        values += [
            (f"{LABEL}_shared", parts.shared, truth.shared_bits),
            (f"{LABEL}_unique1", parts.unique1, truth.unique1_bits),
            (f"{LABEL}_unique2", parts.unique2, truth.unique2_bits),
        ]
    return values


def _label(place: int) -> str:
    return f"label {place}"


def _large_label(dataset: Dataset) -> list[str]:
    """A line if the label depends on too many bits for the oracle."""
    n_bits = sum(dataset.spec.relevant)
    if n_bits <= MAX_RELEVANT_BITS:
        return []
    return [
        f"no channel information of the label: expected at most {MAX_RELEVANT_BITS} relevant bits, "
        f"got {n_bits} {_OTHER_METER}"
    ]


def _readouts_without_codewords(readouts: Readouts) -> list[str]:
    """A line for each reason, with the readouts that it holds for."""
    names: dict[str, list[str]] = {}
    for name, readout in readouts.by_name.items():
        if readout.no_codewords:
            names.setdefault(readout.no_codewords, []).append(name)
    return [
        f"no channel information of {', '.join(own)}: {reason}" for reason, own in names.items()
    ]
