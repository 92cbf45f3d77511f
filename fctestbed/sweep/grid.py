"""From a sweep to its runs: every combination of its axes, or every axis alone, each run once.

Owns the identity of a run and the expansion of the grid. May import ``fctestbed.training``,
``fctestbed.measurement``, ``fctestbed.objectives`` and ``fctestbed.synthesis``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, Self

from pydantic import model_validator

from fctestbed._records import InvalidSpec
from fctestbed.measurement import MeasureSpec
from fctestbed.objectives import CriticSettings, find_method
from fctestbed.results import PAPER, AxisValue
from fctestbed.sweep.axes import column_value, join_path, located, split_path
from fctestbed.sweep.variants import VariantSpec
from fctestbed.synthesis import (
    AugmentationSpec,
    OfficialAugmentation,
    SeedDigests,
    Spec,
    WorldSpec,
    augmentation_plan,
    digest,
)
from fctestbed.training import TrainingSpec

if TYPE_CHECKING:
    from fctestbed.sweep.spec import SweepSpec

# Networks with a column for each class, and batches with samples of each, end about here.
MAX_LEARNT_CLASSES = 4096
_ID_DIGITS = 16


class RunSpec(Spec):
    """One data set, one method, one seed, and how it is measured.

    ``preset`` and ``variant`` are names for tables; they change no number and are not part of the
    identity. ``source``, the digest of a user's method and encoder (``TrainingSpec.source``), is
    part of it, because the code may change and keep its name.
    """

    training: TrainingSpec
    measurement: MeasureSpec = MeasureSpec()
    preset: str = "custom"
    variant: str = PAPER
    source: str | None = None

    @model_validator(mode="after")
    def _has_the_steps(self) -> Self:
        train, along = self.training.train, self.measurement.along
        if train is not None and along is not None and along > train.steps:
            raise ValueError(
                f"measurement.along: expected at most train.steps ({train.steps}), got {along}"
            )
        return self

    @model_validator(mode="after")
    def _identify(self) -> Self:
        object.__setattr__(self, "source", self.training.source)
        return self

    @cached_property
    def run_id(self) -> str:
        """First 16 hexadecimal digits of the digest of all that the numbers depend on."""
        return digest(self._identity())[:_ID_DIGITS]

    def _identity(self) -> dict[str, Any]:
        named = {"preset", "variant", *(() if self.source else ("source",))}
        return self.model_dump(mode="json", exclude=named)

    def at_seeds(self, seeds: Iterable[int]) -> Iterator["RunSpec"]:
        """The same run at other seeds: nothing that is checked depends on the seed, so that it is
        checked once."""
        ids = SeedDigests(self._identity(), ("training", "seed"))
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        for training in self.training.at_seeds(seeds):
            fields["training"] = training
            run = RunSpec.model_construct(_fields_set=self.model_fields_set, **fields)
            run.__dict__["run_id"] = ids.at(training.seed)[:_ID_DIGITS]
            yield run

    @property
    def unique_ratio(self) -> float:
        """The ratio that was asked for."""
        return self.training.world.label.unique_ratio


@dataclass(frozen=True)
class Grid:
    """The runs of a sweep, and which of them serves which combination of the axes' values.

    A run that does not depend on an axis, as ``raw`` does not on ``train.steps``, serves every
    value of it.

    Attributes:
        axes: dotted paths of the axes, the unique ratio aside.
        runs: every run by its id, by method, then variant, then ratio, then seed, for one
            combination of the axes after the other.
        cells: for each combination and each of its runs, the run's id and the axes' values; empty
            without axes.
        baseline: the values around which the axes vary one at a time; empty where every
            combination of their values is in the grid.
    """

    axes: tuple[str, ...]
    runs: Mapping[str, RunSpec]
    cells: tuple[tuple[str, tuple[AxisValue, ...]], ...]
    baseline: tuple[AxisValue, ...] = ()

    @cached_property
    def _values(self) -> dict[str, list[tuple[AxisValue, ...]]]:
        values: dict[str, list[tuple[AxisValue, ...]]] = {}
        for run_id, cell in self.cells:
            values.setdefault(run_id, []).append(cell)
        return values

    def values_of(self, run_id: str) -> dict[str, AxisValue]:
        """A run's value of each axis that it depends on; around a baseline, the one that differs
        from it."""
        columns = zip(*self._values.get(run_id, []), strict=True)
        values = {
            path: column[0]
            for path, column in zip(self.axes, columns, strict=True)
            if len(set(column)) == 1
        }
        usual = dict(zip(self.axes, self.baseline, strict=False))
        return {path: value for path, value in values.items() if value != usual.get(path)}


def expand(sweep: "SweepSpec") -> Grid:
    """Every combination of a sweep's axes, or every value of each beside the baseline of the
    others, checked.

    Raises:
        ValueError: if a run of the grid is impossible; one line that begins with the field and
            names the axis values.
    """
    runs: dict[str, RunSpec] = {}
    cells: list[tuple[str, tuple[AxisValue, ...]]] = []
    baseline = sweep.baseline
    for values in _combinations(sweep.axes, baseline):
        try:
            found = list(_runs(sweep.at(values)))
        except ValueError as error:
            raise ValueError(located(str(error), values)) from None
        for run in found:
            run_id = run.run_id
            other = runs.setdefault(run_id, run)
            if other.variant != run.variant:
                raise ValueError(
                    f"variants: expected different runs, got the same {run.training.method} in "
                    f"{other.variant} and {run.variant}: say which methods the latter is for"
                )
            if sweep.axes:
                cells.append((run_id, _cell({**baseline, **values})))
    return Grid(axes=tuple(sweep.axes), runs=runs, cells=tuple(cells), baseline=_cell(baseline))


def _combinations(
    axes: Mapping[str, Sequence[Any]], baseline: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Values of the axes that go together: every combination, or around a baseline those that
    differ from it, none first."""
    if not baseline:
        for combination in product(*axes.values()):
            yield dict(zip(axes, combination, strict=True))
        return
    yield {}
    for path, values in axes.items():
        for value in values:
            if value != baseline[path]:
                yield {path: value}


def _cell(values: Mapping[str, Any]) -> tuple[AxisValue, ...]:
    return tuple(column_value(value) for value in values.values())


def _runs(sweep: "SweepSpec") -> Iterator[RunSpec]:
    """The runs of a sweep without axes."""
    worlds = [_world(sweep, ratio) for ratio in sweep.unique_ratio]
    _check_augmentations(sweep, worlds)
    _check_classes(sweep.methods, worlds)
    for method in sweep.methods:
        kind = find_method(method)
        for name, variant in sweep.variants.items():
            if not variant.applies_to(method, kind):
                continue
            settings = _settings(sweep, method, name, variant)
            for world in worlds:
                run = RunSpec(
                    training=TrainingSpec(
                        method=method,
                        settings=settings,
                        nets=sweep.nets,
                        train=sweep.train,
                        augmentation=variant.augmentation or sweep.augmentation,
                        world=world,
                        seed=sweep.seeds[0],
                    ),
                    measurement=sweep.measurement,
                    preset=sweep.preset,
                    variant=name,
                )
                yield from run.at_seeds(sweep.seeds)


def _world(sweep: "SweepSpec", ratio: float) -> WorldSpec:
    label = sweep.world.label.with_ratio(ratio)
    try:
        return sweep.world.with_label(label)
    except InvalidSpec as error:
        raise ValueError(f"world.{error}") from None


def _check_augmentations(sweep: "SweepSpec", worlds: Sequence[WorldSpec]) -> None:
    """Refuse labels that no label-preserving views exist for, before anything is trained."""
    augmentations: list[AugmentationSpec] = [
        variant.augmentation or sweep.augmentation
        for variant in sweep.variants.values()
        for method in sweep.methods
        if find_method(method).n_views and variant.applies_to(method, find_method(method))
    ]
    for augmentation in augmentations:
        if not isinstance(augmentation, OfficialAugmentation):
            for world in worlds:
                augmentation_plan(world, augmentation)


def _check_classes(methods: Sequence[str], worlds: Sequence[WorldSpec]) -> None:
    for method in methods:
        for world in worlds:
            if find_method(method).uses_label and world.n_classes > MAX_LEARNT_CLASSES:
                field = world.label.classes_field
                raise ValueError(
                    f"world.label.{field}: expected at most {MAX_LEARNT_CLASSES} classes for "
                    f"{method}, which learns from the label, got {world.n_classes}: ask for "
                    "fewer label bits or leave the method out"
                )


def _settings(sweep: "SweepSpec", method: str, name: str, variant: VariantSpec) -> dict[str, Any]:
    """A method's settings in a variant."""
    kind = find_method(method)
    critic = sweep.critic if issubclass(kind.Settings, CriticSettings) else None
    return {
        **sweep.settings.get(kind.trains_as or method, {}),
        **({} if critic is None else {"critic": critic}),
        **sweep.settings.get(method, {}),
        **_changed(method, name, variant),
    }


def _changed(method: str, name: str, variant: VariantSpec) -> dict[str, Any]:
    """The settings that a variant gives a method."""
    try:
        return variant.changed(method, find_method(method))
    except ValueError as error:
        raise ValueError(f"variants.{name}.{error}") from None


def check_axes(sweep: "SweepSpec") -> None:
    """Refuse axes that no method uses, and axes of a field that the sweep also sets otherwise.

    Raises:
        ValueError: one line.
    """
    for path in sweep.axes:
        users = [method for method in sweep.methods if _uses(method, path)]
        if not users:
            raise ValueError(
                f"axes.{path}: expected a field that some of {', '.join(sweep.methods)} use, got "
                "one that none of them does"
            )
        for method in users:
            for other in _other_sources(sweep, method, path):
                raise ValueError(
                    f"axes.{path}: expected the only value of this field for {method}, got one "
                    f"from {other} too"
                )


def _uses(method: str, path: str) -> bool:
    """Whether a method has the field at an axis's path."""
    kind = find_method(method)
    section, *keys = split_path(path)
    used = {
        "nets": kind.uses_nets,
        "train": kind.trained,
        "augmentation": kind.n_views > 0,
        "critic": issubclass(kind.Settings, CriticSettings),
        "settings": keys[:1] in ([method], [kind.trains_as]),
    }
    return used.get(section, True)


def _other_sources(sweep: "SweepSpec", method: str, path: str) -> Iterator[str]:
    """What else gives a method a value of the field that is an axis."""
    kind = find_method(method)
    section, *keys = split_path(path)
    setting = {"critic": "critic", "settings": keys[-1] if keys else ""}.get(section)
    for name, variant in sweep.variants.items():
        if variant.applies_to(method, kind):
            if section == "augmentation" and variant.augmentation is not None:
                yield f"variants.{name}.augmentation"
            if setting in _changed(method, name, variant):
                yield f"variants.{name}"
    if setting is None:
        return
    own = join_path(("settings", method, setting))
    if path != own and (own in sweep.axes or setting in sweep.settings.get(method, {})):
        yield own
    common = sweep.critic is not None or "critic" in sweep.axes
    if section == "settings" and setting == "critic" and common:
        yield "critic"
