"""Channel information: the exact information of readouts through noise of a fixed strength, with
S, U1 and U2 of the label.

Owns the noises and the calls of the oracle for them. May import ``fctestbed.results``,
``fctestbed.synthesis``, ``fctestbed.training`` and the oracle.
"""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from fctestbed.measurement.codes import readout_codes, readout_information
from fctestbed.measurement.meters.base import Measured, Meter
from fctestbed.measurement.meters.oracle_rows import (
    Reading,
    oracle_groups,
    oracle_rows,
    why_no_channel,
)
from fctestbed.results import BLOCKS, CHANNEL, channel_name
from fctestbed.synthesis import Dataset, PositiveFloat
from fctestbed.training import Readouts


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
        codewords, by readout, then by noise.

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
        found = readout_information(
            codes,
            oracle_groups(labelled),
            world,
            taus=self.taus,
            target_bits=self.target_bits,
            targets=BLOCKS,
            max_draws=self.max_draws,
            seed=labelled[0].seed,
            device=readouts.device,
        )
        readings = {
            name: [
                Reading(at, found[name][1], estimator)
                for estimator, at in zip(self.estimators, found[name][0], strict=True)
            ]
            for name in codes
        }
        return oracle_rows(readings, readouts, labelled)
