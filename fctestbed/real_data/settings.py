"""Settings of trainings on real data: encoders, optimisation, augmentations, methods and seeds.

May import ``fctestbed.objectives``.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from fctestbed._messages import did_you_mean
from fctestbed._plugins import is_import_path
from fctestbed._records import InvalidSpec, Record
from fctestbed.nets import Precision
from fctestbed.objectives import METHODS, Method, NetSpec, find_method

ENCODERS = ("transformer", "gru", "mlp")
VARIANTS = ("paper", "official")
# The paper conditions on copies by putting them into the critic's arguments, with negatives of the
# whole batch. Copies of real data identify their original, so that negatives that share all of them
# do not exist.
REAL_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "factorcl-ssl": {"conditioning": "batch"},
    "ourcl-ssl": {"conditioning": "batch"},
}
"""Settings of methods whose default here is not that of worlds."""


PAPER_NETS = NetSpec(
    encoder_hidden=(40,), embed_dim=40, head_hidden=(40,), head_dim=40, critic_hidden=(512,)
)
"""The paper's widths for video and text: heads of one layer that keep the width, and critics of one
hidden layer (appendix D)."""


class EncoderSpec(Record):
    """The encoder of one modality.

    Attributes:
        kind: ``transformer`` (the paper's for video and text), ``gru`` (for MIMIC's series),
            ``mlp`` on all numbers of a sample, or a module of a user's own,
            ``package.module:ClassName``, constructed as ``ClassName(dim, embed_dim)`` and called
            with rows [n, dim]: all numbers of each sample.
        layers: of the transformer.
        heads: of its attention; the width of representations must be a multiple.
        feedforward: width of its hidden layers.
        hidden: width of the GRU's state.
    """

    kind: str = "transformer"
    layers: PositiveInt = 5
    heads: PositiveInt = 5
    feedforward: PositiveInt = 2048
    hidden: PositiveInt = 30

    @field_validator("kind")
    @classmethod
    def _is_a_choice(cls, value: str) -> str:
        if value not in ENCODERS and not is_import_path(value):
            raise ValueError(
                f"expected {', '.join(ENCODERS)} or an import path package.module:ClassName, got "
                f"{value!r}{did_you_mean(value, ENCODERS)}"
            )
        return value


class RealTrainSpec(Record):
    """Optimisation by Adam.

    Attributes:
        epochs: passes over the training samples, without the last incomplete batch.
        steps: number of steps in the place of ``epochs``.
        batch_size: samples of a step.
        learning_rate: Adam's.
        schedule: ``constant``, as the official code, or ``cosine``.
        precision: of matrix products.
    """

    epochs: PositiveInt = 100
    steps: PositiveInt | None = None
    batch_size: Annotated[int, Field(ge=2)] = 32
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    schedule: Literal["constant", "cosine"] = "constant"
    precision: Precision = "float32"

    def n_steps(self, n_train: int) -> int:
        """Steps of a training on so many samples."""
        return self.steps or self.epochs * (n_train // self.batch_size)


class CopySpec(Record):
    """Augmented copies, as the official code makes them.

    Each sequence is, with equal chances, permuted in time, disturbed by noise, without some of its
    steps, or left as it is. Of vectors the whole batch is disturbed by noise, mixed with other
    samples, or left as it is.

    Attributes:
        noise: standard deviation of the noise.
        dropped: share of the steps that are set to zero.

    Source:
        ``augment_single`` and ``augment_embed_single`` in FactorCL's multibench_model.py at
        0f9f740.
    """

    noise: Annotated[float, Field(ge=0)] = 0.1
    dropped: Annotated[float, Field(ge=0, lt=1)] = 0.2


class RealSpec(Record):
    """What is trained on a data set, and how.

    Attributes:
        methods: names that ``find_method`` accepts.
        seeds: of the trainings; the data and their splits stay the same.
        encoder1: of modality 1.
        encoder2: of modality 2.
        nets: widths.
        train: optimisation.
        augmentation: how copies are made.
        settings: settings of methods by their names; the others have their defaults.
        variant: ``paper``, or ``official`` for all settings in which the official code departs
            from the paper's equations.
        ridges: penalties of the linear probe, among which the valid split chooses.
    """

    methods: Annotated[tuple[str, ...], Field(min_length=1)] = tuple(METHODS)
    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)] = (0, 1, 2, 3, 4)
    encoder1: EncoderSpec = EncoderSpec()
    encoder2: EncoderSpec = EncoderSpec()
    nets: NetSpec = PAPER_NETS
    train: RealTrainSpec = RealTrainSpec()
    augmentation: CopySpec = CopySpec()
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    variant: Literal["paper", "official"] = "paper"
    ridges: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = (
        1e-4,
        1e-3,
        1e-2,
        1e-1,
        1.0,
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for field in ("methods", "seeds"):
            values = getattr(self, field)
            if len(set(values)) < len(values):
                raise ValueError(f"{field}: expected each once, got {', '.join(map(str, values))}")
        for name in self.settings:
            if name not in self.methods:
                raise ValueError(
                    f"settings: expected settings of {', '.join(self.methods)}, got those of "
                    f"{name!r}{did_you_mean(name, self.methods)}"
                )
        for name in self.methods:
            method = self.build_method(name)
            if method.conditions_on == "exact":
                raise ValueError(
                    f"settings.{name}.conditioning: expected batch or within (no law is known to "
                    "draw from), got exact"
                )
        for field in ("encoder1", "encoder2"):
            encoder = getattr(self, field)
            if encoder.kind == "transformer" and self.nets.embed_dim % encoder.heads:
                raise ValueError(
                    f"{field}.heads: expected a divisor of nets.embed_dim = {self.nets.embed_dim}, "
                    f"got {encoder.heads}"
                )
        return self

    def build_method(self, name: str) -> Method:
        """A method with its settings here.

        Raises:
            ValueError: one line, for an unknown name or settings that it cannot have.
        """
        try:
            method = find_method(name)
        except ValueError as error:
            raise ValueError(f"methods: {error}") from error
        values = {
            **REAL_SETTINGS.get(name, {}),
            **(method.departures if self.variant == "official" else {}),
            **self.settings.get(name, {}),
        }
        for key in values:
            if key not in method.Settings.model_fields:
                raise ValueError(
                    f"settings.{name}: expected one of {', '.join(method.Settings.model_fields)}, "
                    f"got the unknown key {key!r}{did_you_mean(key, method.Settings.model_fields)}"
                )
        try:
            return method(method.Settings.model_validate(values))
        except InvalidSpec as error:
            raise ValueError(f"settings.{name}.{error}") from error
