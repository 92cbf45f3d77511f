"""The rate reading: the exact information of readouts to a reader that takes at most R bits.

Owns the rates and forms, and the calls of the oracle for them. May import ``fctestbed.results``,
``fctestbed.synthesis``, ``fctestbed.training`` and the oracle.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, field_validator

from fctestbed.measurement.codes import FORMS, Form, readout_codes, readout_information_at_rates
from fctestbed.measurement.meters.base import Measured, Meter
from fctestbed.measurement.meters.oracle_rows import (
    Reading,
    oracle_groups,
    oracle_rows,
    why_no_channel,
)
from fctestbed.results import BLOCKS, RATE, RATE_WHITENED
from fctestbed.synthesis import Dataset, PositiveFloat
from fctestbed.training import Readouts

_ESTIMATORS: dict[Form, str] = {"metric": RATE, "whitened": RATE_WHITENED}


class RateSpec(Meter):
    """How information at a stated rate, I(Z + tau(R) N; quantity), is measured.

    The noise tau(R) is the one through which a Gaussian of Z's covariance would hold R bits, the
    most that any Z of that covariance can hold. R therefore means the same at every width.

    Attributes:
        rates: R in bits, each with rows of its own.
        forms: ``metric`` for Z as it is (estimator ``rate``), ``whitened`` for every direction at
            one variance (estimator ``rate_whitened``).
        target_bits: draws continue until the standard errors of all blocks are at most this, at
            each rate.
        max_draws: most draws.
        max_codewords: most patterns of a modality's latent bits, or of both for a fused readout,
            that are enumerated.
    """

    at_equal_width = False
    along = True

    rates: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] = (2.0, 4.0, 8.0, 16.0, 32.0)
    forms: Annotated[tuple[Form, ...], Field(min_length=1)] = ("metric",)
    target_bits: PositiveFloat = 0.03
    max_draws: Annotated[int, Field(ge=2)] = 1 << 15
    max_codewords: Annotated[int, Field(ge=2, le=1 << 24)] = 1 << 18

    @property
    def most_codewords(self) -> int:
        """As ``Meter.most_codewords``."""
        return self.max_codewords

    @field_validator("rates", "forms")
    @classmethod
    def _different(cls, values: tuple[object, ...]) -> tuple[object, ...]:
        if len(set(values)) != len(values):
            raise ValueError(f"expected different values, got {list(values)}")
        return values

    @field_validator("rates", mode="before")
    @classmethod
    def _no_switch(cls, values: object) -> object:
        if isinstance(values, list | tuple) and any(isinstance(rate, bool) for rate in values):
            raise ValueError(f"expected numbers above 0, got {list(values)}")
        return values

    def measure(self, readouts: Readouts, labelled: Sequence[Dataset]) -> list[Measured]:
        """As ``Meter.measure``: blocks, parts, bits and the label of every readout that has
        codewords, by readout, then by form and rate.

        A readout that has a part of each modality also has ``label_shared``, ``label_unique1`` and
        ``label_unique2``: S, U1 and U2 of those parts about the label, at the noise of both parts.

        Raises:
            ValueError: for codewords that are not finite.
        """
        world = labelled[0].spec
        refusal = why_no_channel(world, self.max_codewords)
        if refusal is not None:
            return [Measured(warnings=(refusal,)) for _ in labelled]
        groups = oracle_groups(labelled)
        readings: dict[str, list[Reading]] = {}
        for name, code in readout_codes(readouts).items():
            everything = tuple(range(1, len(code.pieces) + 1))
            readings[name] = []
            for form in (form for form in FORMS if form in self.forms):
                found = readout_information_at_rates(
                    code,
                    groups,
                    world,
                    rates=self.rates,
                    form=form,
                    target_bits=self.target_bits,
                    targets=BLOCKS,
                    max_draws=self.max_draws,
                    seed=labelled[0].seed,
                    device=readouts.device,
                )
                readings[name] += [
                    Reading(at, everything, _ESTIMATORS[form], rate)
                    for rate, at in zip(self.rates, found, strict=True)
                ]
        return oracle_rows(readings, readouts, labelled)
