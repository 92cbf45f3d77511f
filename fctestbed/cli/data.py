"""The commands ``truth`` and ``generate``."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fctestbed.cli import worlds
from fctestbed.cli.errors import UsageError

if TYPE_CHECKING:
    from fctestbed.synthesis import WorldSpec

_MAX_WORD_BITS = 20

Ratio = Annotated[
    float | None, typer.Option("--unique-ratio", help="Share of unique label information, 0 to 1.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def truth(
    unique_ratio: Ratio = None,
    as_json: Json = False,
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
    latents: worlds.Latents = None,
    shared: worlds.Shared = None,
    unique: worlds.Unique = None,
    label: worlds.LabelRule = None,
    label_bits: worlds.LabelBits = None,
    relevant: worlds.Relevant = None,
    balance: worlds.Balance = None,
    synergy: worlds.Synergy = None,
    observation: worlds.Observation = None,
    noise: worlds.Noise = None,
    n_train: worlds.TrainSize = None,
    n_test: worlds.TestSize = None,
) -> None:
    """Print what a world holds, exactly, in bits.

    Example: fctestbed truth --unique-ratio 0.37 --json
    """
    from fctestbed.synthesis import world_truth  # noqa: PLC0415 - --help must not wait for it

    spec = _world(
        unique_ratio,
        worlds.world_values(
            latents=latents,
            shared=shared,
            unique=unique,
            label=label,
            label_bits=label_bits,
            relevant=relevant,
            balance=balance,
            synergy=synergy,
            observation=observation,
            noise=noise,
            n_train=n_train,
            n_test=n_test,
        ),
    )
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


def generate(
    out: Annotated[Path, typer.Option(help="The .npz file to write.")],
    unique_ratio: Ratio = None,
    seed: Annotated[int, typer.Option(help="Seed of maps and samples.")] = 0,
    codewords: Annotated[
        Path | None,
        typer.Option(
            help="A further .npz file: x1 and x2 of every pattern of each modality's bits, to be "
            "encoded for measure's channel information."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    latents: worlds.Latents = None,
    shared: worlds.Shared = None,
    unique: worlds.Unique = None,
    label: worlds.LabelRule = None,
    label_bits: worlds.LabelBits = None,
    relevant: worlds.Relevant = None,
    balance: worlds.Balance = None,
    synergy: worlds.Synergy = None,
    observation: worlds.Observation = None,
    noise: worlds.Noise = None,
    n_train: worlds.TrainSize = None,
    n_test: worlds.TestSize = None,
) -> None:
    """Write a data set (train and test arrays x1, x2, y, w_s, w_1, w_2) with its exact truth
    beside them.

    Example: fctestbed generate --unique-ratio 0.5 --out world.npz
    """
    from fctestbed.synthesis import make_dataset  # noqa: PLC0415 - --help must not wait for it

    if not 0 <= seed < 2**63:
        raise UsageError(f"--seed: expected a whole number from 0 to 2^63 - 1, got {seed}")
    for option, path in (("--out", out), ("--codewords", codewords)):
        if path is not None and path.suffix != ".npz":
            raise UsageError(f"{option}: expected a file name that ends in .npz, got {str(path)!r}")
        if path is not None and path.exists() and not force:
            raise UsageError(
                f"{option}: expected a new file (or --force), got {path}, which exists"
            )
    if codewords is not None and codewords.resolve() == out.resolve():
        raise UsageError(f"--codewords: expected another file than --out, got {codewords}")
    spec = _world(
        unique_ratio,
        worlds.world_values(
            latents=latents,
            shared=shared,
            unique=unique,
            label=label,
            label_bits=label_bits,
            relevant=relevant,
            balance=balance,
            synergy=synergy,
            observation=observation,
            noise=noise,
            n_train=n_train,
            n_test=n_test,
        ),
    )
    if codewords is not None:
        _write_codewords(spec, seed, codewords)
    try:
        make_dataset(spec, seed).save(out)
    except OSError as error:
        raise UsageError(
            f"--out: expected a place to write, got {out} ({error.strerror})"
        ) from error
    except MemoryError as error:
        raise UsageError(
            f"--n-train: expected samples that fit into memory, got {spec.n_train} and "
            f"{spec.n_test} of {spec.observation.dim1 + spec.observation.dim2} numbers"
        ) from error
    typer.echo(f"{out}: {spec.n_train} training and {spec.n_test} held-out samples")


def _write_codewords(spec: "WorldSpec", seed: int, path: Path) -> None:
    from fctestbed.synthesis import (  # noqa: PLC0415
        World,
        modality_codewords,
        write_arrays,
    )

    n_bits = spec.block_sizes[0] + max(spec.block_sizes[1:])
    if n_bits > _MAX_WORD_BITS:
        raise UsageError(
            f"--codewords: expected at most 2^{_MAX_WORD_BITS} patterns of a modality's bits, "
            f"got 2^{n_bits} = {2**n_bits}"
        )
    world = World(spec, seed)
    try:
        write_arrays(path, {f"x{m}": modality_codewords(world, m) for m in (1, 2)})
    except OSError as error:
        raise UsageError(
            f"--codewords: expected a place to write, got {path} ({error.strerror})"
        ) from error
    except ValueError as error:
        raise UsageError(f"--codewords: {error}") from error


def _copies(world: "WorldSpec", kind: str | None, quality: str | None) -> dict[str, Any]:
    """What an augmentation's copies hold of the originals, under its settings."""
    from fctestbed.synthesis import (  # noqa: PLC0415 - --help must not wait for it
        OptimalAugmentation,
        QualityAugmentation,
        UniqueAugmentation,
        augmentation_information_bits,
    )

    spec: OptimalAugmentation | UniqueAugmentation | QualityAugmentation
    if quality is not None and kind not in (None, "quality"):
        raise UsageError(f"--augmentation-quality: expected --augmentation quality, got {kind}")
    if kind in (None, "quality"):
        relevant, irrelevant = _chances("1,1" if quality is None else quality)
        spec = QualityAugmentation(relevant=relevant, irrelevant=irrelevant)
    elif kind in ("optimal", "unique"):
        spec = OptimalAugmentation() if kind == "optimal" else UniqueAugmentation()
    else:
        raise UsageError(f"--augmentation: expected optimal, unique or quality, got {kind!r}")
    try:
        held = augmentation_information_bits(world, spec)
    except ValueError as error:
        raise UsageError.of(error) from error
    return {**spec.model_dump(mode="json"), **asdict(held)}


def _chances(text: str) -> tuple[float, float]:
    try:
        relevant, irrelevant = (float(part) for part in text.split(","))
    except ValueError:
        relevant = irrelevant = -1.0
    if not (0 <= relevant <= 1 and 0 <= irrelevant <= 1):
        raise UsageError(
            f"--augmentation-quality: expected two numbers from 0 to 1 such as 0.5,1, got {text!r}"
        )
    return relevant, irrelevant


def _world(unique_ratio: float | None, values: dict[str, Any]) -> "WorldSpec":
    from pydantic import ValidationError  # noqa: PLC0415 - --help must not wait for it

    from fctestbed.synthesis import WorldSpec, spec_error_lines  # noqa: PLC0415

    if unique_ratio is not None:
        if not 0 <= unique_ratio <= 1:
            raise UsageError(f"--unique-ratio: expected a number from 0 to 1, got {unique_ratio:g}")
        values = {**values, "label": {**values.get("label", {}), "unique_ratio": unique_ratio}}
    try:
        return WorldSpec.model_validate(values)
    except ValidationError as error:
        raise UsageError.of(ValueError(spec_error_lines(error))) from error
