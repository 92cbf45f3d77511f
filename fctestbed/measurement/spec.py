"""Settings of the measurement. May import ``fctestbed.synthesis`` (for the record type)."""

from typing import Annotated, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from fctestbed.synthesis import PositiveFloat, Spec


class ChannelSpec(Spec):
    """How channel information, I(Z + tau N; quantity), is measured.

    At the default noise of 0.5 a bit that has a dimension of its own is read at 0.91 bit, and a
    readout of 8 dimensions lets through at most 8 / 2 log2(1 + 1 / 0.5^2) = 9.3 bits, less than
    the 12 bits of the default world's modalities: what an encoder gives its dimensions to shows.

    Attributes:
        taus: noise, standard deviations per dimension beside a mean power of 1. The first one's
            rows have the estimator ``channel``, a further one's ``channel@TAU``.
        target_bits: draws go on until the standard errors of all blocks are at most this.
        max_draws: and never beyond this many.
        max_codewords: words of a modality, or of both for a fused readout, that are enumerated.
    """

    taus: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] = (0.5,)
    target_bits: PositiveFloat = 0.02
    max_draws: Annotated[int, Field(ge=2)] = 1 << 15
    max_codewords: Annotated[int, Field(ge=2, le=1 << 24)] = 1 << 18

    @property
    def estimators(self) -> dict[str, float]:
        """The noise behind each estimator's name."""
        first, *further = self.taus
        return {"channel": first, **{f"channel@{tau:g}": tau for tau in further}}

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len(self.estimators) != len(self.taus) or self.taus[0] in self.taus[1:]:
            raise ValueError(f"taus: expected different values, got {list(self.taus)}")
        return self


class MeasureSpec(Spec):
    """How readouts are measured.

    Attributes:
        n_fit: training samples that a probe is fitted on (at most: those that there are).
        ridge: the probes' penalty, as in ``fctestbed.estimators.LinearProbe``.
        equal_width: every method's ``joint`` readout is also measured at this width, by its first
            principal components: readouts differ in width from method to method. None: not.
        channel: the exact channel information; None, or ``false`` in a file, leaves it out.
    """

    n_fit: PositiveInt = 16384
    ridge: Annotated[float, Field(gt=0)] = 1e-4
    equal_width: PositiveInt | None = 16
    channel: ChannelSpec | None = ChannelSpec()

    @field_validator("channel", mode="before")
    @classmethod
    def _off(cls, value: object) -> object:
        # TOML knows no null.
        return None if value is False else value
