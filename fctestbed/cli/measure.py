"""The command ``measure``."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fctestbed import measurement
from fctestbed.cli import options
from fctestbed.cli.checks import record_of, usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.cli.measure_sweep import measure_again
from fctestbed.results import to_json
from fctestbed.sweep import resolve_device
from fctestbed.synthesis import load_dataset


def measure(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="DATA.npz|DIRECTORY",
            help="What generate wrote, for arrays of your own; or a sweep's directory.",
        ),
    ],
    representations: Annotated[
        Path | None,
        typer.Argument(
            metavar="REPRESENTATIONS.npz",
            help="With DATA.npz: arrays train_NAME and test_NAME for each readout NAME, and "
            "codewords_NAME for exact channel information; a NAME that ends in 1 or 2 is of that "
            "modality.",
        ),
    ] = None,
    rates: Annotated[
        list[float] | None,
        typer.Option(
            "--rate",
            help="With DATA.npz: most bits that a reader takes; give it several times for a curve.",
        ),
    ] = None,
    taus: Annotated[
        list[float] | None,
        typer.Option(
            "--tau",
            help="With DATA.npz: channel information at this noise too; give it several times for "
            "a curve.",
        ),
    ] = None,
    target_bits: Annotated[
        float | None,
        typer.Option("--target", help="With DATA.npz: largest standard error of a block's bits."),
    ] = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="With DIRECTORY: a setting of the measurement: --set measurement.n_fit=4096.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="With DIRECTORY: directory of the new results.")
    ] = None,
    workers: options.Workers = None,
    max_stack: options.MaxStack = None,
    device: Annotated[
        str | None,
        typer.Option(help="auto, cpu, cuda or cuda:N; default cpu, with DIRECTORY auto."),
    ] = None,
    as_json: options.AsJson = False,
    allow_plugins: options.AllowPlugins = False,
) -> int:
    """Measure representations from anywhere, or a sweep again from its kept encoders: bits of
    every block and of the label, and accuracy.

    Representations: encode train_x1, test_x1 and so on of the data set with your model and save the
    results under the same rows. For exact channel information also encode the inputs that "generate
    --codewords" wrote: x1 as codewords_z1, x2 as codewords_z2.

    A sweep: give its directory, settings such as --set measurement.n_fit=4096, and a new directory
    by --out. Nothing is trained; the same command continues what was interrupted.

    Example: fctestbed measure world.npz mine.npz --json
    """
    of_sweep = {"pairs": pairs, "out": out, "workers": workers, "max_stack": max_stack}
    target = {"target_bits": target_bits}
    of_arrays = {"representations": representations, "rates": rates, "taus": taus, **target}
    if source.is_dir():
        _refuse(of_arrays, f"the directory {source} of a sweep")
        if out is None:
            raise UsageError("out: expected a directory for the new results, got none")
        return measure_again(
            source,
            pairs or (),
            out=out,
            as_json=as_json,
            device="auto" if device is None else device,
            workers=workers,
            max_stack=max_stack,
            allow_plugins=allow_plugins,
        )
    _refuse(of_sweep, f"{source}, which is no directory")
    if representations is None:
        raise UsageError("representations: expected a file of arrays (.npz), got none")
    rate = record_of(measurement.RateSpec, {"rates": rates or None, **target})
    channel = record_of(measurement.ChannelSpec, {"taus": taus, **target}) if taus else None
    try:
        with usage_errors():
            place = resolve_device("cpu" if device is None else device)
            dataset = load_dataset(source, allow_plugins=allow_plugins)
            spec = measurement.MeasureSpec(rate=rate, channel=channel)
            found = measurement.measure(dataset, representations, spec, device=place)
    except OSError as error:
        raise UsageError(
            f"{error.filename}: expected a file that can be read ({error.strerror})"
        ) from error
    if as_json:
        typer.echo(to_json({**asdict(found), "truth": dataset.truth.as_dict()}))
    else:
        print_rows(found)
    return 0


def _refuse(given: Mapping[str, object], what: str) -> None:
    """Refuse options and arguments of the command's other form."""
    for name, value in given.items():
        if value not in (None, []):
            raise UsageError(f"{name}: expected none with {what}, got {_text(value)}")


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


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
