"""Presets, sizes and optimisation that go together, and sweeps made from them.

``quick`` is for two CPU cores and minutes, ``official`` has the official code's sizes (FactorCL at
0f9f740, Synthetic/) and is a GPU's work.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter

from fctestbed._messages import did_you_mean
from fctestbed._records import InvalidSpec
from fctestbed.objectives import METHODS
from fctestbed.sweep.axes import check_fields, flat_axes, join_path, nested, split_path
from fctestbed.sweep.spec import DEFAULT_METHODS, DEFAULT_RATIOS, SweepSpec
from fctestbed.sweep.variants import VariantSpec, named_variants

PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "world": {"n_train": 16384, "n_test": 8192},
        "nets": {
            "encoder_hidden": (64, 64),
            "embed_dim": 8,
            "head_hidden": (64,),
            "head_dim": 16,
            "critic_hidden": (64,),
        },
        "train": {"steps": 600, "batch_size": 128, "learning_rate": 3e-3, "schedule": "cosine"},
        "settings": {
            "factorcl-sup": {"inner_rate": 30.0},
            "factorcl-ssl": {"inner_rate": 30.0},
        },
    },
    "official": {
        "world": {"n_train": 24000, "n_test": 6000},
        "nets": {
            "encoder_hidden": (512, 512, 512),
            "embed_dim": 128,
            "head_hidden": (128, 128),
            "head_dim": 128,
            "critic_hidden": (512, 512),
        },
        "train": {
            "steps": 1860,
            "batch_size": 256,
            "learning_rate": 1e-4,
            "schedule": "constant",
        },
        "measurement": {"equal_width": 256},
        "settings": {},
    },
}


_DEFAULT_PRESET = "quick"


def sweep_spec(values: Mapping[str, Any] | None = None, *, preset: str | None = None) -> SweepSpec:
    """A sweep from a preset and values that go over it.

    Args:
        values: nested values by field; they are merged into the preset's. The preset may be one.
        preset: a name of ``PRESETS``; ``quick`` if ``values`` has none either.

    Raises:
        ValueError: one line, for an unknown preset, two different ones, values that no sweep can
            have, or a field with both a value and an axis.
    """
    if values is not None and not (
        isinstance(values, Mapping) and all(isinstance(key, str) for key in values)
    ):
        raise ValueError(f"values: expected fields of a sweep by name, got {values!r:.100}")
    values = {} if values is None else dict(values)
    preset = _preset(values.pop("preset", None), preset)
    if "axes" in values:
        values["axes"] = _axes(values)
    merged = merge(PRESETS[preset], values)
    if "methods" not in merged and "variants" in merged:
        merged["methods"] = _methods_with(merged["variants"])
    # Axes that vary one at a time do so around values of the world that go together.
    first = {} if merged.get("one_at_a_time") else _first_values(merged)
    merged = merge(merged, nested(first))
    ratios, world = merged.get("unique_ratio", DEFAULT_RATIOS), merged.get("world")
    parts = world if isinstance(world, Mapping) else {}
    asked = isinstance(ratios, list | tuple) and isinstance(parts.get("label", {}), Mapping)
    if asked and ratios and ("label" in parts or "latents" in parts):
        # A label's own default ratio may be one that this world cannot have.
        merged = merge(merged, {"world": {"label": {"unique_ratio": ratios[0]}}})
    try:
        return SweepSpec.model_validate({**merged, "preset": preset})
    except InvalidSpec as error:
        line = str(error)
        raise ValueError(f"axes.{line}" if line.startswith(tuple(first)) else line) from None


def _preset(of_values: object, argument: object) -> str:
    if argument is not None and of_values not in (None, argument):
        raise ValueError(f"preset: expected one, got {of_values!r} and {argument!r}")
    name = of_values if argument is None else argument
    if name is None:
        return _DEFAULT_PRESET
    if not isinstance(name, str) or name not in PRESETS:
        raise ValueError(
            f"preset: expected one of {', '.join(PRESETS)}, got {name!r}"
            f"{did_you_mean(name, PRESETS)}"
        )
    return name


def _axes(values: Mapping[str, Any]) -> object:
    """The axes by dotted path; refused where the field has a value as well, unless that is what
    they vary around."""
    try:
        axes = flat_axes(values["axes"])
    except ValueError as error:
        raise ValueError(f"axes.{error}") from None
    if not isinstance(axes, Mapping):
        return axes
    check_fields(axes, SweepSpec, ())
    for path in axes:
        if holds(values, path) and not values.get("one_at_a_time"):
            raise ValueError(
                f"{path}: expected a value or an axis, got both: leave one of them out"
            )
    return axes


def _first_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The first values of the axes of the world, whose defaults may not go together with the rest
    of it; they are values of the world as well, until the grid is expanded."""
    axes, world = values.get("axes", {}), values.get("world", {})
    if not isinstance(axes, Mapping) or not isinstance(world, Mapping):
        return {}
    first: dict[str, Any] = {}
    for path, of_axis in axes.items():
        *table, last = split_path(path)
        # Another kind has other fields.
        if table[:1] == ["world"] and last != "kind" and join_path((*table, "kind")) not in axes:
            first |= dict(zip([path], of_axis, strict=False))
    return first


def holds(values: Mapping[str, Any], path: str) -> bool:
    """Whether nested values have one at a dotted path, or a value in place of a table on it."""
    value: Any = values
    for key in split_path(path):
        if isinstance(value, BaseModel):
            value = {name: getattr(value, name) for name in value.model_fields_set}
        if not isinstance(value, Mapping):
            return True
        if key not in value:
            return False
        value = value[key]
    return True


def _methods_with(variants: object) -> tuple[str, ...]:
    """The default methods that some of the variants apply to; all of them, where none can be
    read."""
    try:
        read = TypeAdapter(dict[str, VariantSpec]).validate_python(named_variants(variants))
    except ValueError:
        # The sweep's own validation raises with the reason.
        return DEFAULT_METHODS
    return tuple(
        method
        for method in DEFAULT_METHODS
        if any(variant.applies_to(method, METHODS[method]) for variant in read.values())
    )


_DEFAULT_KINDS = {
    "latents": "bits",
    "observation": "mlp",
    "label": "bits",
    "augmentation": "optimal",
}


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
