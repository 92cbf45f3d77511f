"""The command ``measure``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fctestbed.cli.errors import UsageError

if TYPE_CHECKING:
    from fctestbed.measurement import Measured, MeasureSpec


def measure(
    data: Annotated[Path, typer.Argument(metavar="DATA.npz", help="What generate wrote.")],
    representations: Annotated[
        Path,
        typer.Argument(
            metavar="REPRESENTATIONS.npz",
            help="Arrays train_NAME and test_NAME for each readout NAME, and codewords_NAME for "
            "exact channel information; a NAME that ends in 1 or 2 is of that modality.",
        ),
    ],
    tau: Annotated[
        list[float] | None,
        typer.Option(help="Noise of the channel information; give it several times for a curve."),
    ] = None,
    target: Annotated[
        float | None, typer.Option(help="Largest standard error of a block's bits.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure representations from anywhere: bits of every block and of the label, and accuracy.

    Encode train_x1, test_x1 and so on of the data set with your model and save the results under
    the same rows. For exact channel information also encode the words that "generate --codewords"
    wrote: x1 as codewords_z1, x2 as codewords_z2.

    Example: fctestbed measure world.npz mine.npz --json
    """
    from fctestbed import measurement  # noqa: PLC0415 - --help must not wait for it
    from fctestbed.results.plain import to_json  # noqa: PLC0415
    from fctestbed.sweep import resolve_device  # noqa: PLC0415
    from fctestbed.synthesis import load_dataset  # noqa: PLC0415

    spec = _spec(tau, target)
    try:
        place = resolve_device(device)
    except ValueError as error:
        raise UsageError.of(error) from error
    try:
        dataset = load_dataset(data)
        found = measurement.measure(dataset, representations, spec, device=place)
    except OSError as error:
        raise UsageError(
            f"{error.filename}: expected a file that can be read ({error.strerror})"
        ) from error
    except ValueError as error:
        raise UsageError(str(error)) from error
    if as_json:
        typer.echo(to_json({**asdict(found), "truth": dataset.truth.as_dict()}))
        return
    _print(found)


def _spec(tau: list[float] | None, target: float | None) -> "MeasureSpec":
    from pydantic import ValidationError  # noqa: PLC0415 - --help must not wait for it

    from fctestbed.measurement import ChannelSpec, MeasureSpec  # noqa: PLC0415
    from fctestbed.synthesis import spec_error_lines  # noqa: PLC0415

    values: dict[str, Any] = {"taus": tau or None, "target_bits": target}
    given = {name: value for name, value in values.items() if value is not None}
    try:
        return MeasureSpec(channel=ChannelSpec.model_validate(given))
    except ValidationError as error:
        raise UsageError.of(ValueError(spec_error_lines(error))) from error


def _print(found: "Measured") -> None:
    """Blocks and labels, a line for each readout, quantity and estimator; single bits are in the
    JSON."""
    typer.echo(f"{'readout':10} {'quantity':22} {'estimator':14} {'bits':>8}  interval, of all")
    for row in found.captured:
        if "[" in row.quantity:
            continue
        typer.echo(
            f"{row.readout:10} {row.quantity:22} {row.estimator:14} {row.value_bits:8.3f}  "
            f"{row.low_bits:.3f} to {row.high_bits:.3f}, {row.true_bits:.3f}"
        )
    for right in found.accuracy:
        typer.echo(
            f"{right.readout:10} {'accuracy':22} {right.probe:14} {right.accuracy:8.3f}  "
            f"{right.low:.3f} to {right.high:.3f}, {right.bayes_accuracy:.3f}"
        )
    for line in found.warnings:
        typer.echo(f"warning: {line}", err=True)
