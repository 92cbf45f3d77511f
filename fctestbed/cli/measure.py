"""The command ``measure``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fctestbed import measurement
from fctestbed.cli import options
from fctestbed.cli.checks import record_of, usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.results import to_json
from fctestbed.sweep import resolve_device
from fctestbed.synthesis import load_dataset


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
    taus: Annotated[
        list[float] | None,
        typer.Option(
            "--tau", help="Noise of the channel information; give it several times for a curve."
        ),
    ] = None,
    target_bits: Annotated[
        float | None,
        typer.Option("--target", help="Largest standard error of a block's bits."),
    ] = None,
    device: options.Device = "cpu",
    as_json: options.AsJson = False,
    allow_plugins: options.AllowPlugins = False,
) -> None:
    """Measure representations from anywhere: bits of every block and of the label, and accuracy.

    Encode train_x1, test_x1 and so on of the data set with your model and save the results under
    the same rows. For exact channel information also encode the inputs that "generate --codewords"
    wrote: x1 as codewords_z1, x2 as codewords_z2.

    Example: fctestbed measure world.npz mine.npz --json
    """
    channel = record_of(measurement.ChannelSpec, {"taus": taus or None, "target_bits": target_bits})
    try:
        with usage_errors():
            place = resolve_device(device)
            dataset = load_dataset(data, allow_plugins=allow_plugins)
            spec = measurement.MeasureSpec(channel=channel)
            found = measurement.measure(dataset, representations, spec, device=place)
    except OSError as error:
        raise UsageError(
            f"{error.filename}: expected a file that can be read ({error.strerror})"
        ) from error
    if as_json:
        typer.echo(to_json({**asdict(found), "truth": dataset.truth.as_dict()}))
        return
    print_rows(found)


def print_rows(found: measurement.Measured) -> None:
    """Blocks and labels, a line for each readout, quantity and estimator; single bits are in the
    JSON."""
    typer.echo(
        f"{'readout':10} {'quantity':22} {'estimator':14} {'rate':>5} {'bits':>8}  interval, of all"
    )
    for row in found.captured:
        if "[" in row.quantity:
            continue
        rate = "" if row.rate_bits is None else f"{row.rate_bits:g}"
        typer.echo(
            f"{row.readout:10} {row.quantity:22} {row.estimator:14} {rate:>5} "
            f"{row.value_bits:8.3f}  {row.low_bits:.3f} to {row.high_bits:.3f}, {row.true_bits:.3f}"
        )
    for right in found.accuracy:
        typer.echo(
            f"{right.readout:10} {'accuracy':22} {right.probe:14} {'':5} {right.accuracy:8.3f}  "
            f"{right.low:.3f} to {right.high:.3f}, {right.bayes_accuracy:.3f}"
        )
    for line in found.warnings:
        typer.echo(f"warning: {line}", err=True)
