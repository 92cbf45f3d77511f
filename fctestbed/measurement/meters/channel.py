"""Channel information: the exact information of noisy readouts, with S, U1 and U2 of the label.

Owns the calls of the oracle for each readout, and the rows of its results. May import
``fctestbed.estimators``, ``fctestbed.results``, ``fctestbed.synthesis``, ``fctestbed.training`` and
the oracle.
"""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator
from scipy.stats import norm

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
from fctestbed.measurement.codes import readout_codes, readout_information
from fctestbed.measurement.meters.base import Measured, Meter
from fctestbed.measurement.quantity import label_bits, quantities
from fctestbed.results import BLOCKS, CHANNEL, LABEL, CapturedRow, channel_name
from fctestbed.synthesis import Dataset, PositiveFloat, WorldSpec
from fctestbed.training import Readouts, why_no_codewords

_Z = float(norm.ppf(0.5 + LEVEL / 2))
_OTHER_METER = "(the linear probe still serves)"


class ChannelSpec(Meter):
    """How channel information, I(Z + tau N; quantity), is measured.

    At the default noise of 0.5 a bit that has a dimension to itself is measured as 0.91 bit. A
    readout of 8 dimensions holds at most 8 / 2 log2(1 + 1 / 0.5^2) = 9.3 bits, less than the 12
    bits of the default world's modalities, so the rows show which bits an encoder keeps.

    Attributes:
        taus: noise, standard deviations per dimension at a mean power of 1. Rows of the first have
            the estimator ``channel``, rows of a further one ``channel@TAU``.
        target_bits: draws continue until the standard errors of all blocks are at most this.
        max_draws: most draws.
        max_codewords: most patterns of a modality's latent bits, or of both for a fused readout,
            that are enumerated.
    """

    at_equal_width, along = False, True

    taus: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] = (0.5,)
    target_bits: PositiveFloat = 0.02
    max_draws: Annotated[int, Field(ge=2)] = 1 << 15
    max_codewords: Annotated[int, Field(ge=2, le=1 << 24)] = 1 << 18

    @property
    def estimators(self) -> dict[str, float]:
        """The noise behind each estimator's name."""
        first, *further = self.taus
        return {CHANNEL: first, **{channel_name(tau): tau for tau in further}}

    @property
    def most_codewords(self) -> int:
        """As ``Meter.most_codewords``."""
        return self.max_codewords

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len(self.estimators) != len(self.taus) or self.taus[0] in self.taus[1:]:
            raise ValueError(f"taus: expected different values, got {list(self.taus)}")
        return self

    def measure(self, readouts: Readouts, labelled: Sequence[Dataset]) -> list[Measured]:
        """As ``Meter.measure``: blocks, parts, bits and the label of every readout that has
        codewords, by noise, then by readout.

        A readout that has a part of each modality also has ``label_shared``, ``label_unique1`` and
        ``label_unique2``: S, U1 and U2 of those parts about the label.

        Raises:
            ValueError: for codewords that are not finite.
        """
        world = labelled[0].spec
        refusal = why_no_channel(world, self.max_codewords)
        if refusal is not None:
            return [Measured(warnings=(refusal,)) for _ in labelled]
        codes = readout_codes(readouts)
        # A block's relevant part depends on the label.
        parts = {q.columns for dataset in labelled for q in quantities(dataset.spec)}
        bits: dict[str, Group] = {
            **{q.name: q.columns for q in quantities(world) if q.name in BLOCKS},
            **{str(columns): columns for columns in sorted(parts)},
        }
        labels: dict[str, Group] = {
            _label(place): label_channel(dataset.spec)
            for place, dataset in enumerate(labelled)
            if not _large_label(dataset)
        }
        rows: list[list[CapturedRow]] = [[] for _ in labelled]
        for estimator, tau in self.estimators.items():
            found = readout_information(
                codes,
                {**bits, **labels},
                world,
                tau=tau,
                target_bits=self.target_bits,
                # Only blocks set the number of draws: no run's numbers depend on other labels.
                targets=BLOCKS,
                max_draws=self.max_draws,
                seed=labelled[0].seed,
                device=readouts.device,
            )
            for name in codes:
                modalities = readouts.by_name[name].modalities
                for place, dataset in enumerate(labelled):
                    rows[place] += [
                        _row(name, quantity, estimator, value, true_bits)
                        for quantity, value, true_bits in [
                            *_latent_values(*found[name], dataset.spec, modalities),
                            *_label_values(*found[name], dataset, _label(place), modalities),
                        ]
                    ]
        missing = _readouts_without_codewords(readouts)
        return [
            Measured(captured=tuple(rows[place]), warnings=(*missing, *_large_label(dataset)))
            for place, dataset in enumerate(labelled)
        ]


def why_no_channel(spec: WorldSpec, max_codewords: int) -> str | None:
    """Why a world's readouts have no channel information, in one line; None if they have it."""
    reason = why_no_codewords(spec, (1,), max_codewords)
    return f"no channel information: {reason} {_OTHER_METER}" if reason else None


def _latent_values(
    found: ChannelInformation, of: Readers, spec: WorldSpec, modalities: tuple[int, ...]
) -> list[tuple[str, ChannelBits, float]]:
    """(quantity, value, true bits) of blocks, parts and bits."""
    return [
        (
            quantity.name,
            found.information(quantity.columns, of=of),
            quantity.bits_in(modalities),
        )
        for quantity in quantities(spec)
    ]


def _label_values(
    found: ChannelInformation,
    of: Readers,
    dataset: Dataset,
    label: str,
    modalities: tuple[int, ...],
) -> list[tuple[str, ChannelBits, float]]:
    """(quantity, value, true bits) of the label, and of S, U1 and U2 of two parts."""
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


def _row(
    readout: str, quantity: str, estimator: str, value: ChannelBits, true_bits: float
) -> CapturedRow:
    half = _Z * value.standard_error_bits
    return CapturedRow(
        readout=readout,
        quantity=quantity,
        estimator=estimator,
        bound="exact",
        value_bits=value.value_bits,
        low_bits=value.value_bits - half,
        high_bits=value.value_bits + half,
        true_bits=true_bits,
        ceiling_bits=value.ceiling_bits,
        n_eval=value.n_draws,
    )


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
