"""What a sweep is: a grid of runs. Owns the identity of runs and sweeps.

May import ``fctestbed.training``, ``fctestbed.measurement``, ``fctestbed.synthesis``.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, model_validator

from fctestbed.measurement import MeasureSpec
from fctestbed.nets import CriticKind
from fctestbed.objectives import (
    METHODS,
    CriticSettings,
    Method,
    NetSpec,
    find_method,
    method_source,
)
from fctestbed.sweep.presets import PRESETS
from fctestbed.sweep.variants import NAMED, PAPER, VariantSpec, named_variants
from fctestbed.synthesis import (
    AugmentationSpec,
    OfficialAugmentation,
    OptimalAugmentation,
    Ratio,
    Spec,
    WorldSpec,
    augmentation_plan,
    digest,
    spec_error_lines,
)
from fctestbed.training import TrainingSpec, TrainSpec

DEFAULT_METHODS = (
    "simclr",
    "supcon",
    "factorcl-sup",
    "factorcl-ssl",
    "unimodal-sup",
    "unimodal-ssl",
    "supervised",
    "untrained",
    "raw",
)
DEFAULT_SEEDS = (0, 1, 2)
DEFAULT_RATIOS = tuple(place / 10 for place in range(11))
MAX_RUNS = 100_000
# Networks with a column for each class, and batches with samples of each, end about here.
MAX_LEARNT_CLASSES = 4096
_DEFAULT_KINDS = {
    "latents": "bits",
    "observation": "mlp",
    "label": "bits",
    "augmentation": "optimal",
}


class RunSpec(Spec):
    """One data set, one method, one seed, and how it is measured.

    ``preset`` and ``variant`` are names for tables; they change no number and are not part of the
    identity. ``source`` is: what ``method_source`` says of a user's method, whose code may change
    under its name.
    """

    training: TrainingSpec
    measurement: MeasureSpec = MeasureSpec()
    preset: str = "custom"
    variant: str = "paper"
    source: str | None = None

    @model_validator(mode="after")
    def _identify(self) -> Self:
        object.__setattr__(self, "source", method_source(self.training.method))
        return self

    @property
    def run_id(self) -> str:
        """First 16 hexadecimal digits of the digest of all that the numbers depend on."""
        named = {"preset", "variant", *(() if self.source else ("source",))}
        return digest(self.model_dump(mode="json", exclude=named))[:16]

    @property
    def unique_ratio(self) -> float:
        """The ratio that was asked for."""
        return self.training.world.label.unique_ratio


class SweepSpec(Spec):
    """A grid of runs: unique ratios x methods x seeds, and variants of the methods; everything else
    equal.

    Attributes:
        unique_ratio: the ratios; they replace the one in ``world.label``.
        methods: names that ``find_method`` knows.
        seeds: of data and training.
        preset: where the other fields' defaults came from; a name for tables.
        world: the worlds but for the ratio.
        nets: widths of every method's networks.
        train: optimisation of every method.
        augmentation: how every self-supervised method's views are made.
        measurement: how readouts are measured.
        settings: settings of single methods, by name; a method that shares another's training
            has that one's settings first.
        critic: the critic of every method that scores pairs; None for each method's own.
        variants: by name; ``paper`` alone unless asked otherwise.
    """

    unique_ratio: tuple[Ratio, ...] = DEFAULT_RATIOS
    methods: tuple[str, ...] = DEFAULT_METHODS
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**63)], ...] = DEFAULT_SEEDS
    preset: str = "custom"
    world: WorldSpec = WorldSpec()
    nets: NetSpec = NetSpec()
    train: TrainSpec = TrainSpec()
    augmentation: AugmentationSpec = OptimalAugmentation()
    measurement: MeasureSpec = MeasureSpec()
    settings: Annotated[dict[str, dict[str, Any]], Field(default_factory=dict)]
    critic: CriticKind | None = None
    variants: Annotated[dict[str, VariantSpec], BeforeValidator(named_variants)] = Field(
        default_factory=lambda: {PAPER: NAMED[PAPER]}, min_length=1
    )

    @model_validator(mode="after")
    def _grid(self) -> Self:
        for name in self.methods:
            _find("methods", name)
        n_runs = 1
        for axis in ("unique_ratio", "methods", "seeds"):
            values = getattr(self, axis)
            if not values or len(set(values)) != len(values):
                raise ValueError(
                    f"{axis}: expected one or more different values, got {list(values)}"
                )
            n_runs *= len(values)
        if n_runs > MAX_RUNS:
            raise ValueError(
                f"unique_ratio: expected a grid of at most {MAX_RUNS} runs, got "
                f"{len(self.unique_ratio)} ratios x {len(self.methods)} methods x "
                f"{len(self.seeds)} seeds = {n_runs}"
            )
        # Adding 0.0 makes 0 of -0, which would be another run.
        ratios = tuple(ratio + 0.0 for ratio in self.unique_ratio)
        object.__setattr__(self, "unique_ratio", ratios)
        return self

    @model_validator(mode="after")
    def _settings_of_known_methods(self) -> Self:
        for name, settings in self.settings.items():
            record = _find("settings", name).Settings
            field = f"settings.{name}" if name in METHODS else f'settings."{name}"'
            known = record.model_fields
            expected = f"one of {', '.join(known)}" if known else "no settings"
            for key in settings:
                if key not in known:
                    raise ValueError(f"{field}: expected {expected}, got the unknown key {key!r}")
            try:
                record.model_validate(settings)
            except ValidationError as error:
                raise ValueError(f"{field}.{spec_error_lines(error)}") from None
        return self

    @model_validator(mode="after")
    def _every_method_has_a_variant(self) -> Self:
        for name, variant in self.variants.items():
            for method in (*variant.methods, *variant.settings):
                if method not in self.methods:
                    raise ValueError(
                        f"variants.{name}: expected some of {', '.join(self.methods)}, "
                        f"got {method!r}"
                    )
        for method in self.methods:
            if not any(v.applies_to(method, find_method(method)) for v in self.variants.values()):
                raise ValueError(
                    f"variants: expected one that {method} has, got {', '.join(self.variants)}: "
                    "leave the method out or add the variant paper"
                )
        return self

    def runs(self) -> list[RunSpec]:
        """Every run of the grid, by method, then variant, then ratio, then seed.

        Raises:
            ValueError: if a run of the grid is impossible; one line that begins with the field.
        """
        worlds = [self._world(ratio) for ratio in self.unique_ratio]
        for augmentation in self._augmentations():
            # Some labels leave no room for such views: known now, not after training.
            if not isinstance(augmentation, OfficialAugmentation):
                for world in worlds:
                    augmentation_plan(world, augmentation)
        try:
            runs = self._runs(worlds)
        except ValidationError as error:
            raise ValueError(spec_error_lines(error)) from None
        same: dict[str, RunSpec] = {}
        for run in runs:
            other = same.setdefault(run.run_id, run)
            if other is not run:
                raise ValueError(
                    f"variants: expected different runs, got the same {run.training.method} in "
                    f"{other.variant} and {run.variant}: say which methods the latter is for"
                )
        return runs

    def _augmentations(self) -> list[AugmentationSpec]:
        """The augmentations that some method's views are made with."""
        return [
            variant.augmentation or self.augmentation
            for variant in self.variants.values()
            for method in self.methods
            if find_method(method).n_views and variant.applies_to(method, find_method(method))
        ]

    def _settings(self, method: str, name: str, variant: VariantSpec) -> dict[str, Any]:
        """A method's settings in a variant."""
        kind = find_method(method)
        critic = self.critic if issubclass(kind.Settings, CriticSettings) else None
        try:
            changed = variant.changed(method, kind)
        except ValueError as error:
            raise ValueError(f"variants.{name}.{error}") from None
        return {
            **self.settings.get(kind.trains_as or method, {}),
            **({} if critic is None else {"critic": critic}),
            **self.settings.get(method, {}),
            **changed,
        }

    def _world(self, ratio: float) -> WorldSpec:
        try:
            label = self.world.label.with_ratio(ratio)
        except ValidationError as error:
            raise ValueError(spec_error_lines(error)) from None
        try:
            return self.world.with_label(label)
        except ValidationError as error:
            raise ValueError(f"world.{spec_error_lines(error)}") from None

    def _runs(self, worlds: Sequence[WorldSpec]) -> list[RunSpec]:
        for method in self.methods:
            for world in worlds:
                if find_method(method).uses_label and world.n_classes > MAX_LEARNT_CLASSES:
                    field = world.label.classes_field
                    raise ValueError(
                        f"world.label.{field}: expected at most {MAX_LEARNT_CLASSES} classes for "
                        f"{method}, which learns from the label, got {world.n_classes}: ask for "
                        "fewer label bits or leave the method out"
                    )
        return [
            RunSpec(
                training=TrainingSpec(
                    method=method,
                    settings=self._settings(method, name, variant),
                    nets=self.nets,
                    train=self.train,
                    augmentation=variant.augmentation or self.augmentation,
                    world=world,
                    seed=seed,
                ),
                measurement=self.measurement,
                preset=self.preset,
                variant=name,
            )
            for method in self.methods
            for name, variant in self.variants.items()
            if variant.applies_to(method, find_method(method))
            for world in worlds
            for seed in self.seeds
        ]


def _find(field: str, name: str) -> type[Method]:
    try:
        return find_method(name)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from error


def sweep_spec(values: Mapping[str, Any] | None = None, *, preset: str = "quick") -> SweepSpec:
    """A sweep from a preset and values that go over it.

    Args:
        values: nested values by field; they are merged into the preset's.
        preset: a name of ``PRESETS``.

    Raises:
        ValueError: for an unknown preset or values that no sweep can have.
    """
    if not isinstance(preset, str) or preset not in PRESETS:
        raise ValueError(f"preset: expected one of {', '.join(PRESETS)}, got {preset!r}")
    merged = merge(PRESETS[preset], {} if values is None else values)
    if "methods" not in merged and "variants" in merged:
        merged["methods"] = _methods_with(merged["variants"])
    ratios, world = merged.get("unique_ratio", DEFAULT_RATIOS), merged.get("world")
    parts = world if isinstance(world, Mapping) else {}
    if ratios and ("label" in parts or "latents" in parts):
        # A label's own default ratio may be one that this world cannot have.
        merged = merge(merged, {"world": {"label": {"unique_ratio": ratios[0]}}})
    return SweepSpec.model_validate({**merged, "preset": preset})


def _methods_with(variants: object) -> tuple[str, ...]:
    """The default methods that some of the variants apply to; all of them, where none can be
    read."""
    try:
        read = TypeAdapter(dict[str, VariantSpec]).validate_python(named_variants(variants))
    except ValueError:
        # The sweep's own validation will say what is wrong.
        return DEFAULT_METHODS
    return tuple(
        method
        for method in DEFAULT_METHODS
        if any(variant.applies_to(method, METHODS[method]) for variant in read.values())
    )


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values with those of ``over`` on top; a table of another ``kind`` replaces the whole
    table."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            kind = old.get("kind", _DEFAULT_KINDS.get(key))
            same_kind = "kind" not in value or value["kind"] == kind
            merged[key] = merge(old, value) if same_kind else value
        else:
            merged[key] = value
    return merged
