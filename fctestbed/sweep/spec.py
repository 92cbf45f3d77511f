"""What a sweep is: a grid of runs. Owns the fields of a sweep and their checks.

May import ``fctestbed.training``, ``fctestbed.measurement``, ``fctestbed.objectives`` and
``fctestbed.synthesis``.
"""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    StrictBool,
    field_validator,
    model_serializer,
    model_validator,
)

from fctestbed._messages import did_you_mean
from fctestbed._records import InvalidSpec
from fctestbed.measurement import MeasureSpec
from fctestbed.nets import CriticKind
from fctestbed.objectives import Method, NetSpec, find_method
from fctestbed.results import PAPER
from fctestbed.sweep.axes import (
    check_fields,
    flat_axes,
    join_path,
    located,
    plain_number,
    shown,
    value_at,
    with_values,
)
from fctestbed.sweep.grid import Grid, RunSpec, check_axes, expand
from fctestbed.sweep.variants import NAMED, VariantSpec, named_variants
from fctestbed.synthesis import (
    AugmentationSpec,
    OptimalAugmentation,
    Ratio,
    Spec,
    WorldSpec,
)
from fctestbed.training import TrainSpec

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
# A plan of so many takes half a minute of one core and 1.6 GB.
MAX_RUNS = 1_000_000


def _number(value: object) -> object:
    """The value, unless Python or pydantic would take what is no number for one."""
    if isinstance(value, bool | str):
        raise ValueError(f"expected a number, got {value!r}")
    return value


_Seed = Annotated[int, Field(ge=0, lt=2**63), BeforeValidator(_number)]


class SweepSpec(Spec):
    """A grid of runs: unique ratios x methods x seeds x the values of further axes, and variants of
    the methods; everything else equal.

    The values of the axes are combined in every way, or the axes vary one at a time: each value of
    an axis goes with the baseline, the sweep's own values of the other axes' fields.

    Attributes:
        unique_ratio: shares of the label's information that only one modality has; in files also a
            grid such as ``0:1:0.1``.
        methods: names of methods, or import paths of a user's own, ``package.module:ClassName``.
        seeds: of data and training; in files also a grid such as ``0:4``.
        axes: further axes, values by dotted path: any field of ``world``, ``nets``, ``train``,
            ``augmentation`` and ``measurement``, ``settings.METHOD.KEY``, ``critic``. They replace
            the field's own value. Tables in tables are taken too.
        one_at_a_time: whether the axes vary one at a time. The field's own value is then one of
            each axis's values, listed or not.
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

    unique_ratio: tuple[Annotated[Ratio, BeforeValidator(_number)], ...] = DEFAULT_RATIOS
    methods: tuple[str, ...] = DEFAULT_METHODS
    seeds: tuple[_Seed, ...] = DEFAULT_SEEDS
    axes: Annotated[dict[str, tuple[Any, ...]], BeforeValidator(flat_axes)] = Field(
        default_factory=dict
    )
    one_at_a_time: StrictBool = False
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

    @field_validator("unique_ratio")
    @classmethod
    def _plain_numbers(cls, ratios: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(plain_number(ratio) for ratio in ratios)

    @model_serializer(mode="wrap")
    def _without_empty_axes(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Sweeps without axes keep the digest that they had before there were any, and those whose
        axes are combined in every way the one that they had before axes could vary alone."""
        content: dict[str, Any] = handler(self)
        for name in ("axes", "one_at_a_time"):
            if not content.get(name, True):
                del content[name]
        return content

    @model_validator(mode="after")
    def _grid_is_small(self) -> Self:
        for name in self.methods:
            _find("methods", name)
        lists = {
            "unique_ratio": ("ratios", self.unique_ratio),
            "methods": ("methods", self.methods),
            "seeds": ("seeds", self.seeds),
        }
        for name, (_, values) in lists.items():
            if not values or len(set(values)) != len(values):
                raise ValueError(
                    f"{name}: expected one or more different values, got {list(values)}"
                )
        factors = {name: len(values) for name, values in lists.values()}
        for path, values in self.axes.items():
            if not values:
                raise ValueError(f"axes.{path}: expected one or more different values, got []")
            if not self.one_at_a_time:
                factors[path] = len(values)
        if self.one_at_a_time:
            if not self.axes:
                raise ValueError("one_at_a_time: expected axes to vary, got none")
            factors["values of the axes"] = sum(map(len, self.axes.values()))
        n_runs = math.prod(factors.values())
        if n_runs > MAX_RUNS:
            product = " x ".join(f"{number} {name}" for name, number in factors.items())
            raise ValueError(
                f"{'axes' if self.axes else 'unique_ratio'}: expected a grid of at most "
                f"{MAX_RUNS} runs, got {product} = {n_runs}"
            )
        return self

    @model_validator(mode="after")
    def _settings_of_known_methods(self) -> Self:
        for name, settings in self.settings.items():
            record = _find("settings", name).Settings
            field = join_path(("settings", name))
            known = record.model_fields
            expected = f"one of {', '.join(known)}" if known else "no settings"
            for key in settings:
                if key not in known:
                    raise ValueError(
                        f"{field}: expected {expected}, got the unknown key {key!r}"
                        f"{did_you_mean(key, known)}"
                    )
            try:
                record.model_validate(settings)
            except InvalidSpec as error:
                raise ValueError(f"{field}.{error}") from None
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

    @model_validator(mode="after")
    def _axes_are_fields(self) -> Self:
        """Refuse axes that cannot be, and give each value the type that its record gives it."""
        check_fields(self.axes, type(self), self.methods)
        check_axes(self)
        first = {path: values[0] for path, values in self.axes.items()}
        beside = {} if self.one_at_a_time else first
        typed: dict[str, tuple[Any, ...]] = {}
        for path, values in self.axes.items():
            typed[path] = tuple(self._typed({**beside, path: value}, path) for value in values)
            if len(set(typed[path])) < len(values):
                raise ValueError(f"axes.{path}: expected different values, got {list(values)}")
        object.__setattr__(self, "axes", typed)
        self._check_baseline()
        return self

    def _check_baseline(self) -> None:
        """Refuse axes that have no value to vary around, or no other one."""
        for path, own in self.baseline.items():
            if own is None:
                raise ValueError(
                    f"axes.{path}: expected a field with a value of the sweep's own, around which "
                    "it varies one at a time, got none"
                )
            if set(self.axes[path]) == {own}:
                raise ValueError(
                    f"axes.{path}: expected a value other than the sweep's own, {shown(own)}, "
                    "as axes vary one at a time, got none"
                )

    @property
    def baseline(self) -> dict[str, Any]:
        """The sweep's own value of each axis's field, where the axes vary one at a time; empty
        where they do not."""
        if not self.one_at_a_time:
            return {}
        return {path: value_at(self, path) for path in self.axes}

    def _typed(self, values: Mapping[str, Any], path: str) -> Any:
        try:
            return value_at(self.at(values), path)
        except InvalidSpec as error:
            raise ValueError(located(str(error), values)) from None

    def at(self, values: Mapping[str, Any]) -> "SweepSpec":
        """The same sweep with every axis at one value, and so without axes.

        Args:
            values: a value by each axis's dotted path; an axis without one has the field's own.

        Raises:
            InvalidSpec: for values that the fields cannot have.
        """
        if not values and not self.axes:
            return self
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        fields |= {**with_values(self, values), "axes": {}, "one_at_a_time": False}
        world = fields["world"]
        if isinstance(world, dict):
            # The label's own ratio is replaced by the grid's; another may not fit the new label.
            label = world["label"] if isinstance(world["label"], dict) else dict(world["label"])
            world["label"] = {**label, "unique_ratio": self.unique_ratio[0]}
        return SweepSpec.model_validate(fields)

    @cached_property
    def grid(self) -> Grid:
        """The grid's runs, expanded once.

        Raises:
            ValueError: if a run of the grid is impossible; one line that begins with the field.
        """
        return expand(self)

    def runs(self) -> list[RunSpec]:
        """Every run of the grid once; ``ValueError`` as for ``grid``."""
        return list(self.grid.runs.values())


def _find(field: str, name: str) -> type[Method]:
    try:
        return find_method(name)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from error
