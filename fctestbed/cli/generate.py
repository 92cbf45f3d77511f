"""The command ``generate``."""

import os
from pathlib import Path
from typing import Annotated, Any

import numpy.typing as npt
import typer

from fctestbed.cli import options
from fctestbed.cli.checks import usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.cli.output import emit
from fctestbed.cli.worlds import world_of, world_options
from fctestbed.synthesis import (
    World,
    WorldSpec,
    make_dataset,
    modality_codewords,
)

_MAX_PATTERN_BITS = 20


@world_options
def generate(
    world: dict[str, Any],
    out: Annotated[Path, typer.Option(help="The .npz file to write.")],
    unique_ratio: options.UniqueRatio = None,
    seed: Annotated[int, typer.Option(help="Seed of maps and samples.")] = 0,
    codewords: Annotated[
        Path | None,
        typer.Option(
            help="A further .npz file for the inputs of every pattern (x1 and x2), of which --out "
            "itself holds up to 2^16 of a modality."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a data set to one file: train and test arrays x1, x2, y, w_s, w_1, w_2, the codeword
    inputs that exact measurement needs, its specification and its exact truth.

    Encode train_x1, test_x1 and codewords_x1, and the same of x2, with your model, save them as
    train_z1, test_z1 and so on, and measure them by: fctestbed measure world.npz reps.npz

    Example: fctestbed generate --unique-ratio 0.5 --out world.npz
    """
    if not 0 <= seed < 2**63:
        raise UsageError(f"seed: expected a whole number from 0 to 2^63 - 1, got {seed}")
    for field, path in (("out", out), ("codewords", codewords)):
        if path is not None and path.suffix != ".npz":
            raise UsageError(f"{field}: expected a file name that ends in .npz, got {str(path)!r}")
        if path is not None and os.path.lexists(path) and not force:
            raise UsageError(f"{field}: expected a new file (or --force), got {path}, which exists")
    if codewords is not None and os.path.realpath(codewords) == os.path.realpath(out):
        raise UsageError(f"codewords: expected another file than --out, got {codewords}")
    spec = world_of(world, unique_ratio)
    try:
        with usage_errors():
            dataset = make_dataset(spec, seed)
            beside = {} if codewords is None else {codewords: _codewords(spec, seed)}
            dataset.save(out, beside=beside)
    except OSError as error:
        field = "out" if error.filename == str(out) else "codewords"
        raise UsageError(
            f"{field}: expected a place to write, got {error.filename} ({error.strerror})"
        ) from error
    except MemoryError as error:
        raise UsageError(
            f"n_train: expected samples that fit into memory, got {spec.n_train} and "
            f"{spec.n_test} of {sum(spec.dims)} numbers"
        ) from error
    emit(file=out, codewords=codewords, n_train=spec.n_train, n_test=spec.n_test, seed=seed)
    typer.echo(f"{out}: {spec.n_train} training and {spec.n_test} held-out samples")


def _codewords(spec: WorldSpec, seed: int) -> dict[str, npt.NDArray[Any]]:
    n_bits = spec.block_sizes[0] + max(spec.block_sizes[1:])
    if n_bits > _MAX_PATTERN_BITS:
        raise UsageError(
            f"codewords: expected at most 2^{_MAX_PATTERN_BITS} patterns of a modality's bits, "
            f"got 2^{n_bits}"
        )
    world = World(spec, seed)
    with usage_errors("codewords"):
        return {f"x{m}": modality_codewords(world, m) for m in (1, 2)}
