"""The command ``truth``."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from fctestbed.cli import options
from fctestbed.cli.checks import usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.cli.worlds import world_of, world_options
from fctestbed.synthesis import (
    OptimalAugmentation,
    QualityAugmentation,
    UniqueAugmentation,
    WorldSpec,
    augmentation_information_bits,
    world_truth,
)


@world_options
def truth(
    world: dict[str, Any],
    unique_ratio: options.UniqueRatio = None,
    as_json: options.AsJson = False,
    augmentation: Annotated[
        str | None,
        typer.Option(help="Also what copies by optimal, unique or quality hold of the originals."),
    ] = None,
    augmentation_quality: Annotated[
        str | None,
        typer.Option(
            metavar="R,I",
            help="For quality: chances that a relevant bit survives and an irrelevant one is lost.",
        ),
    ] = None,
) -> None:
    """Print what a world holds, exactly, in bits.

    Example: fctestbed truth --unique-ratio 0.37 --json
    """
    spec = world_of(world, unique_ratio)
    content = world_truth(spec).as_dict()
    if augmentation is not None or augmentation_quality is not None:
        content["augmentation"] = _copies(spec, augmentation, augmentation_quality)
    if as_json:
        typer.echo(json.dumps(content))
        return
    parts = {name: content.pop(name, None) or {} for name in ("pid", "augmentation")}
    for part, values in parts.items():
        content.update({f"{part}.{name}": value for name, value in values.items()})
    for name, value in content.items():
        if value is not None:
            shown = f"{value:.6g}" if isinstance(value, float) else value
            typer.echo(f"{name:26} {shown}")


def _copies(world: WorldSpec, kind: str | None, quality: str | None) -> dict[str, Any]:
    """What an augmentation's copies hold of the originals, under its settings."""
    spec: OptimalAugmentation | UniqueAugmentation | QualityAugmentation
    if quality is not None and kind not in (None, "quality"):
        raise UsageError(f"augmentation_quality: expected --augmentation quality, got {kind}")
    if kind in (None, "quality"):
        relevant, irrelevant = _chances("1,1" if quality is None else quality)
        spec = QualityAugmentation(relevant=relevant, irrelevant=irrelevant)
    elif kind in ("optimal", "unique"):
        spec = OptimalAugmentation() if kind == "optimal" else UniqueAugmentation()
    else:
        raise UsageError(f"augmentation: expected optimal, unique or quality, got {kind!r}")
    with usage_errors():
        held = augmentation_information_bits(world, spec)
    return {**spec.model_dump(mode="json"), **asdict(held)}


def _chances(text: str) -> tuple[float, float]:
    try:
        relevant, irrelevant = (float(part) for part in text.split(","))
    except ValueError:
        relevant = irrelevant = -1.0
    if not (0 <= relevant <= 1 and 0 <= irrelevant <= 1):
        raise UsageError(
            f"augmentation_quality: expected two numbers from 0 to 1 such as 0.5,1, got {text!r}"
        )
    return relevant, irrelevant
