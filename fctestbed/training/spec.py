"""What a training depends on: world, method, networks, optimisation, seed.

Owns the training's identity. May import ``fctestbed.objectives`` and ``fctestbed.synthesis``.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveInt,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from fctestbed._records import InvalidSpec
from fctestbed.nets import Precision, check_table_bits
from fctestbed.objectives import (
    MLP_ENCODER,
    TABLE_ENCODER,
    DataShape,
    Method,
    MethodSettings,
    NetSpec,
    check_user_encoder,
    encoder_source,
    find_method,
    method_source,
)
from fctestbed.synthesis import (
    AugmentationSpec,
    BitsObservation,
    OptimalAugmentation,
    SeedDigests,
    Spec,
    WorldSpec,
    check_originals,
    digest,
)

MIN_SAMPLES_PER_CLASS = 4


class TrainSpec(Spec):
    """Adam's settings, the same for every method of a sweep.

    The learning rate rises linearly over ``warmup`` steps. Then ``cosine`` lowers it to zero at the
    last step, and ``constant`` keeps it (as the official code does).

    Attributes:
        steps: number of training steps.
        batch_size: samples of a step.
        learning_rate: of Adam, at its highest.
        schedule: ``cosine`` or ``constant``, after the warm-up.
        warmup: steps over which the learning rate rises from zero.
        precision: of matrix products, as ``fctestbed.nets.precision`` says. float32 is not written
            out, so that it does not change the identity of runs.
    """

    steps: PositiveInt = 600
    batch_size: Annotated[int, Field(ge=2)] = 128
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    schedule: Literal["constant", "cosine"] = "cosine"
    warmup: NonNegativeInt = 0
    precision: Precision = "float32"

    @model_serializer(mode="wrap")
    def _without_float32(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        if self.precision == "float32":
            content.pop("precision")
        return content


class TrainingSpec(Spec):
    """One training. Parts that a method does not use are None, so that they do not change its
    identity.

    Attributes:
        method: a name that ``find_method`` accepts.
        settings: the method's settings; missing ones get their defaults.
        nets: widths of the networks; None for a method without networks.
        train: optimisation; None for a method that is not trained.
        augmentation: how views are made; None for a method that uses none.
        world: the world of the training data.
        seed: of the data and of all random numbers of the training.
    """

    method: str
    settings: dict[str, Any] = Field(default_factory=dict)
    nets: NetSpec | None = None
    train: TrainSpec | None = None
    augmentation: AugmentationSpec | None = None
    world: WorldSpec = Field(default_factory=WorldSpec)
    seed: NonNegativeInt = 0

    @model_validator(mode="after")
    def _resolve(self) -> Self:
        try:
            method = find_method(self.method)
        except ValueError as error:
            raise ValueError(f"method: {error}") from error
        object.__setattr__(self, "settings", self._whole_settings(method.Settings))
        for name, used, default in (
            ("nets", method.uses_nets, NetSpec),
            ("train", method.trained, TrainSpec),
            ("augmentation", method.n_views > 0, OptimalAugmentation),
        ):
            value = getattr(self, name)
            object.__setattr__(self, name, (value or default()) if used else None)
        self._check_encoder()
        self._check_batch()
        if self.augmentation is not None and self.build_method().conditions_on == "exact":
            check_originals(self.world, self.augmentation)
        return self

    def _whole_settings(self, record: type[MethodSettings]) -> dict[str, Any]:
        """The settings, with defaults for the missing ones."""
        for name in self.settings:
            if name not in record.model_fields:
                known = ", ".join(record.model_fields)
                expected = f"one of {known}" if known else f"none, as {self.method} has none"
                raise ValueError(f"settings: expected {expected}, got the unknown key {name!r}")
        try:
            return record.model_validate(self.settings).model_dump(mode="json")
        except InvalidSpec as error:
            raise ValueError(f"settings.{error}") from error

    def _check_encoder(self) -> None:
        """Refuse encoders that the world or the method's views do not admit, and users' modules
        that are no functions of each sample."""
        encoder = MLP_ENCODER if self.nets is None else self.nets.encoder
        if encoder == TABLE_ENCODER:
            self._check_table()
        elif self.nets is not None and encoder != MLP_ENCODER:
            for dim in dict.fromkeys(self.world.dims):
                try:
                    check_user_encoder(encoder, dim, self.nets.embed_dim)
                except ValueError as error:
                    raise ValueError(f"nets.encoder: {error}") from error

    def _check_table(self) -> None:
        observation, augmentation = self.world.observation, self.augmentation
        what = "for a table, which needs the pattern of each input"
        if not self.world.latents.is_finite or not isinstance(observation, BitsObservation):
            raise ValueError(
                f"nets.encoder: expected bit latents and observation bits {what}, got "
                f"{self.world.latents.kind} latents and observation {observation.kind}"
            )
        if observation.noise > 0:
            raise ValueError(
                f"nets.encoder: expected no observation noise {what}, got {observation.noise:g}"
            )
        if augmentation is not None and augmentation.kind == "official":
            raise ValueError(
                f"nets.encoder: expected views that are patterns too {what}, got the official "
                "augmentation"
            )
        check_table_bits(max(self.world.dims))

    @property
    def source(self) -> str | None:
        """The digest of the files of a user's method and encoder; None where both come with this
        package."""
        encoder = None if self.nets is None else encoder_source(self.nets.encoder)
        found = [source for source in (method_source(self.method), encoder) if source]
        return digest(found) if len(found) > 1 else next(iter(found), None)

    def _check_batch(self) -> None:
        if self.train is None:
            return
        batch, samples, classes = self.train.batch_size, self.world.n_train, self.world.n_classes
        if batch > samples:
            raise ValueError(
                f"train.batch_size: expected at most the {samples} training samples, got {batch}"
            )
        least = MIN_SAMPLES_PER_CLASS * classes
        if self.build_method().conditions_on == "label" and batch < least:
            raise ValueError(
                f"train.batch_size: expected at least {least} for {self.method}, whose negatives "
                f"share the label ({MIN_SAMPLES_PER_CLASS} samples for each of its {classes} "
                f"classes), got {batch}: enlarge the batch or ask for fewer label bits"
            )

    def build_method(self) -> Method:
        """The method with its settings."""
        method = find_method(self.method)
        return method(method.Settings.model_validate(self.settings))

    @property
    def data_shape(self) -> DataShape:
        """Widths of the modalities and number of classes."""
        dim1, dim2 = self.world.dims
        return DataShape(dim1=dim1, dim2=dim2, n_classes=self.world.n_classes)

    @property
    def depends_on_label(self) -> bool:
        """Whether the label enters the training, by the loss or by label-preserving
        augmentations."""
        kept = self.augmentation is not None and self.augmentation.kind != "official"
        return find_method(self.method).uses_label or kept

    def _content(self) -> dict[str, Any]:
        """The specification, with the name of the method whose training it shares."""
        content = self.model_dump(mode="json")
        return {**content, "method": find_method(self.method).trains_as or self.method}

    @cached_property
    def key(self) -> str:
        """Digest of everything that the training depends on: runs with one key share one
        training."""
        return digest(self._identity())

    def _identity(self) -> dict[str, Any]:
        content = self._content()
        world = content.pop("world")
        if not self.depends_on_label:
            world.pop("label")
        return {**content, "world": world}

    def at_seeds(self, seeds: Iterable[int]) -> Iterator["TrainingSpec"]:
        """The same training at other seeds: nothing that is checked depends on the seed, so that it
        is checked once."""
        keys, stack_key = SeedDigests(self._identity()), self.stack_key
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        for seed in seeds:
            fields["seed"] = seed
            training = TrainingSpec.model_construct(_fields_set=self.model_fields_set, **fields)
            training.__dict__.update(key=keys.at(seed), stack_key=stack_key)
            yield training

    @cached_property
    def stack_key(self) -> str:
        """Digest of everything that trainings of one stack must have in common: shapes and
        optimisation."""
        content = self._content()
        shape = self.data_shape
        for varying in ("world", "seed"):
            content.pop(varying)
        sizes = {
            "dims": (shape.dim1, shape.dim2, shape.n_classes),
            "label": self.world.label.stack_shape,
            "n_train": self.world.n_train,
            "world": {
                part: value
                for part, value in self.world.model_dump(mode="json").items()
                if part in ("latents", "observation")
            },
        }
        return digest({**content, "sizes": sizes})
