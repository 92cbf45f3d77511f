"""Settings of the measurement, which include the list of meters. May import the meters."""

from typing import Any, Self, get_args

from pydantic import (
    PositiveInt,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from fctestbed.measurement.meters import (
    ChannelSpec,
    FewShotMeter,
    KnnProbeMeter,
    LinearProbeMeter,
    Meter,
    MlpProbeMeter,
    RateSpec,
    ScoreMeter,
)
from fctestbed.measurement.meters.linear_probe import Ridge
from fctestbed.synthesis import Spec


class MeasureSpec(Spec):
    """How readouts are measured: by linear probes, and by each meter that is a field here.

    A further meter is one file and one field, ``name: ItsMeter | None = None``. Runs without it
    keep their identity.

    Attributes:
        n_fit: most training samples that probes are fitted on.
        ridge: the linear probes' penalty, as in ``fctestbed.estimators.LinearProbe``.
        equal_width: every method's ``joint`` readout is also measured in this number of principal
            components, since methods' readouts differ in width. None switches this off.
        rate: the exact information at stated rates; None, or ``false`` in a file, switches it off,
            and ``true`` switches a meter on with its defaults.
        channel: the exact channel information at a fixed noise; off by default.
        scores: numbers that need no label, and the last loss of the training; as ``rate``.
        mlp_probe: probes that are MLPs; off by default, as the next two.
        knn_probe: probes of nearest neighbours.
        few_shot: linear probes of a few labels a class.
        along: at how many steps of the training, evenly on a logarithmic scale, encoders are also
            measured, by the meters that need codewords only. None for the last step alone.
    """

    n_fit: PositiveInt = 16384
    ridge: Ridge = 1e-4
    equal_width: PositiveInt | None = 16
    rate: RateSpec | None = RateSpec()
    channel: ChannelSpec | None = None
    scores: ScoreMeter | None = ScoreMeter()
    mlp_probe: MlpProbeMeter | None = None
    knn_probe: KnnProbeMeter | None = None
    few_shot: FewShotMeter | None = None
    along: PositiveInt | None = None

    @property
    def meters(self) -> tuple[Meter, ...]:
        """The meters in the order of their rows."""
        fields = (getattr(self, name) for name in type(self).model_fields)
        further = (value for value in fields if isinstance(value, Meter))
        return (LinearProbeMeter(ridge=self.ridge), *further)

    @model_validator(mode="after")
    def _measurable_along(self) -> Self:
        if self.along is not None and not any(meter.along for meter in self.meters):
            raise ValueError(
                "along: expected a meter that needs codewords only with it, got all of them off"
            )
        return self

    @property
    def most_codewords(self) -> int:
        """The largest number of codewords of a readout that any meter uses."""
        return max(meter.most_codewords for meter in self.meters)

    @field_validator("*", mode="before")
    @classmethod
    def _switched(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, bool):
            return value
        kinds = get_args(cls.model_fields[info.field_name or ""].annotation)
        # TOML has no null.
        if not value and type(None) in kinds:
            return None
        if value and any(isinstance(kind, type) and issubclass(kind, Meter) for kind in kinds):
            return {}
        raise ValueError(f"expected a number, got {value}")

    @model_serializer(mode="wrap")
    def _without_unused_meters(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A field whose value and default are None is omitted, so that new meters do not change
        the digests of runs without them."""
        content: dict[str, Any] = handler(self)
        fields = type(self).model_fields
        return {
            name: value
            for name, value in content.items()
            if value is not None or fields[name].default is not None
        }
