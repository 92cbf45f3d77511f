"""The commands ``truth`` and ``generate``."""

import json
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
    if as_json:
        typer.echo(json.dumps(content))
        return
    pid = content.pop("pid") or {}
    for name, value in {**content, **{f"pid.{atom}": bits for atom, bits in pid.items()}}.items():
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
    from fctestbed.synthesis import World, modality_codewords  # noqa: PLC0415
    from fctestbed.synthesis.npz import write_arrays  # noqa: PLC0415

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
