"""The command ``measure``."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from fctestbed import assessment, measurement
from fctestbed.cli import options
from fctestbed.cli.checks import check_places, record_of, usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.cli.measure_sweep import measure_again
from fctestbed.results import to_json
from fctestbed.sweep import resolve_device
from fctestbed.synthesis import load_dataset

_TABLES = ("captured", "accuracy", "scores")


def measure(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="WORLD.npz|DIRECTORY",
            help="What generate wrote, for arrays of your own; or a sweep's directory.",
        ),
    ],
    representations: Annotated[
        Path | None,
        typer.Argument(
            metavar="REPRESENTATIONS.npz",
            help="With WORLD.npz: arrays train_NAME and test_NAME for each readout NAME, and "
            "codewords_NAME for exact information; a NAME that ends in 1 or 2 is of that modality.",
        ),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            help="With WORLD.npz: comma-separated methods to train and measure beside the controls "
            "raw, untrained and supervised."
        ),
    ] = None,
    no_controls: Annotated[
        bool,
        typer.Option("--no-controls", help="With WORLD.npz: leave the controls out."),
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(help="With WORLD.npz: the representation's name in rows and figure."),
    ] = None,
    rates: Annotated[
        list[float] | None,
        typer.Option(
            "--rate",
            help="With WORLD.npz: most bits that a reader takes; give it several times for a "
            "curve.",
        ),
    ] = None,
    taus: Annotated[
        list[float] | None,
        typer.Option(
            "--tau",
            help="With WORLD.npz: channel information at this noise too; give it several times for "
            "a curve.",
        ),
    ] = None,
    target_bits: Annotated[
        float | None,
        typer.Option("--target", help="With WORLD.npz: largest standard error of a block's bits."),
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
        Path | None,
        typer.Option(
            help="Directory of the rows and their figure, with WORLD.npz also of a report; default "
            "measured/REPRESENTATIONS, none with --json."
        ),
    ] = None,
    workers: options.Workers = None,
    max_stack: options.MaxStack = None,
    engine: options.Engine = "auto",
    address: options.Address = None,
    device: Annotated[
        str | None,
        typer.Option(help="auto, cpu, cuda or cuda:N; default cpu, with DIRECTORY auto."),
    ] = None,
    as_json: options.AsJson = False,
    allow_plugins: options.AllowPlugins = False,
) -> int:
    """Measure representations from anywhere, or a sweep again from its kept encoders: bits of
    every block and of the label, and accuracy.

    Representations: encode train_x1, test_x1, codewords_x1 of the data set's file with your model
    and save the results under the same rows as train_z1, test_z1, codewords_z1; likewise x2. Rows,
    a figure and a one-page report are written, controls beside. If the text world_digest is copied
    to your file as well, it is checked.

    A sweep: give its directory, settings such as --set measurement.n_fit=4096, and a new directory
    by --out. Nothing is trained; the same command continues what was interrupted. Label bits are
    drawn beside the new rows; fctestbed figures draws the other figures.

    Example: fctestbed measure world.npz mine.npz --methods simclr
    """
    of_sweep = {
        "pairs": pairs,
        "workers": workers,
        "max_stack": max_stack,
        "engine": None if engine == "auto" else engine,
        "address": address,
    }
    target = {"target_bits": target_bits}
    of_arrays = {
        "representations": representations,
        "methods": methods,
        "no_controls": no_controls or None,
        "name": name,
        "rates": rates,
        "taus": taus,
        **target,
    }
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
            engine=engine,
            address=address,
            allow_plugins=allow_plugins,
        )
    _refuse(of_sweep, f"{source}, which is no directory")
    if representations is None:
        raise UsageError("representations: expected a file of arrays (.npz), got none")
    rate = record_of(measurement.RateSpec, {"rates": rates or None, **target})
    channel = record_of(measurement.ChannelSpec, {"taus": taus, **target}) if taus else None
    if out is None and not as_json:
        out = Path("measured") / representations.stem
    check_places({"--out": out})
    asked = () if methods is None else options.listed(methods)
    try:
        with usage_errors():
            found = assessment.measure(
                load_dataset(source, allow_plugins=allow_plugins),
                representations,
                spec=measurement.MeasureSpec(rate=rate, channel=channel),
                methods=(*asked, *(() if no_controls else assessment.CONTROLS)),
                name=assessment.NAME if name is None else name,
                device=resolve_device("cpu" if device is None else device),
            )
            if out is not None:
                found.save(out)
    except OSError as error:
        raise UsageError(
            f"{error.filename}: expected a file that can be read ({error.strerror})"
        ) from error
    if as_json:
        typer.echo(to_json(_content(found)))
    else:
        typer.echo(found.page(), nl=False)
        typer.echo(f"\nrows, figure and report in {out}")
    return 0


def _content(found: assessment.Measurement) -> dict[str, Any]:
    """Everything that was measured, as JSON holds it."""
    tables = {name: getattr(found, name).to_dict("records") for name in _TABLES}
    own = found.results.runs["method"] == found.name
    truth = json.loads(found.results.runs.loc[own, "truth"].iloc[0])
    return {**tables, "warnings": found.warnings, "name": found.name, "truth": truth}


def _refuse(given: Mapping[str, object], what: str) -> None:
    """Refuse options and arguments of the command's other form."""
    for name, value in given.items():
        if value not in (None, []):
            raise UsageError(f"{name}: expected none with {what}, got {_text(value)}")


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
