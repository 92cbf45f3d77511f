"""What a sweep is: a grid of runs. Owns the identity of runs and sweeps.

May import ``fctestbed.training``, ``fctestbed.measurement``, ``fctestbed.synthesis``.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, NonNegativeInt, field_validator, model_validator

from fctestbed.measurement.spec import MeasureSpec
from fctestbed.objectives import METHODS, NetSpec
from fctestbed.sweep.presets import PRESETS
from fctestbed.synthesis.record import Ratio, Spec, digest
from fctestbed.synthesis.spec import AugmentationSpec, OptimalAugmentation, WorldSpec
from fctestbed.training.spec import TrainingSpec, TrainSpec

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


class RunSpec(Spec):
    """One data set, one method, one seed, and how it is measured.

    ``preset`` and ``variant`` are names for tables; they change no number and are not part of the
    identity.
    """

    training: TrainingSpec
    measurement: MeasureSpec = MeasureSpec()
    preset: str = "custom"
    variant: str = "paper"

    @property
    def run_id(self) -> str:
        """First 16 hexadecimal digits of the digest of all that the numbers depend on."""
        return digest(self.model_dump(mode="json", exclude={"preset", "variant"}))[:16]

    @property
    def unique_ratio(self) -> float:
        """The ratio that was asked for."""
        return self.training.world.label.unique_ratio


def _each_once(values: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    if not values or len(set(values)) != len(values):
        raise ValueError(f"expected one or more different {name}, got {list(values)}")
    return values


class SweepSpec(Spec):
    """A grid of runs: unique ratios x methods x seeds, everything else equal.

    Attributes:
        unique_ratio: the ratios; they replace the one in ``world.label``.
        methods: names of the registry.
        seeds: of data and training.
        preset: where the other fields' defaults came from; a name for tables.
        world: the worlds but for the ratio.
        nets: widths of every method's networks.
        train: optimisation of every method.
        augmentation: how every self-supervised method's views are made.
        measurement: how readouts are measured.
        settings: settings of single methods, by name.
    """

    unique_ratio: tuple[Ratio, ...] = DEFAULT_RATIOS
    methods: tuple[str, ...] = DEFAULT_METHODS
    seeds: tuple[NonNegativeInt, ...] = DEFAULT_SEEDS
    preset: str = "custom"
    world: WorldSpec = WorldSpec()
    nets: NetSpec = NetSpec()
    train: TrainSpec = TrainSpec()
    augmentation: AugmentationSpec = OptimalAugmentation()
    measurement: MeasureSpec = MeasureSpec()
    settings: Annotated[dict[str, dict[str, Any]], Field(default_factory=dict)]

    @field_validator("unique_ratio", "seeds")
    @classmethod
    def _grid(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return _each_once(values, "values")

    @field_validator("methods")
    @classmethod
    def _known_methods(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        for name in methods:
            if name not in METHODS:
                raise ValueError(f"expected some of {', '.join(METHODS)}, got {name!r}")
        return _each_once(methods, "methods")

    @model_validator(mode="after")
    def _settings_of_known_methods(self) -> Self:
        for name, settings in self.settings.items():
            if name not in METHODS:
                raise ValueError(
                    f"settings: expected some of {', '.join(METHODS)}, "
                    f"got the unknown method {name!r}"
                )
            known = METHODS[name].Settings.model_fields
            expected = f"one of {', '.join(known)}" if known else "no settings"
            for key in settings:
                if key not in known:
                    raise ValueError(
                        f"settings.{name}: expected {expected}, got the unknown key {key!r}"
                    )
        return self

    def runs(self) -> list[RunSpec]:
        """Every run of the grid, by method, then ratio, then seed.

        Raises:
            ValueError: if a run of the grid is impossible; one line (pydantic's error, or ours
            with the ratio).
        """
        return [
            RunSpec(
                training=TrainingSpec(
                    method=method,
                    settings=self.settings.get(method, {}),
                    nets=self.nets,
                    train=self.train,
                    augmentation=self.augmentation,
                    world=world,
                    seed=seed,
                ),
                measurement=self.measurement,
                preset=self.preset,
            )
            for method in self.methods
            for world in map(self.world.with_ratio, self.unique_ratio)
            for seed in self.seeds
        ]


def sweep_spec(values: Mapping[str, Any] | None = None, *, preset: str = "quick") -> SweepSpec:
    """A sweep from a preset and values that go over it.

    Args:
        values: nested values by field; they are merged into the preset's.
        preset: a name of ``PRESETS``.

    Raises:
        ValueError: for an unknown preset or values that no sweep can have.
    """
    if preset not in PRESETS:
        raise ValueError(f"preset: expected one of {', '.join(PRESETS)}, got {preset!r}")
    merged = merge(PRESETS[preset], {} if values is None else values)
    return SweepSpec.model_validate({**merged, "preset": preset})


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values with those of ``over`` on top; a table of another ``kind`` replaces the whole
    table."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            same_kind = "kind" not in value or value["kind"] == old.get("kind")
            merged[key] = merge(old, value) if same_kind else value
        else:
            merged[key] = value
    return merged
