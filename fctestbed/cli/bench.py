"""The command ``bench``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fctestbed.cli import options
from fctestbed.cli.checks import check_places, record_of, usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.cli.output import emit
from fctestbed.experiments import (
    BenchRow,
    BenchSpec,
    GrowthRow,
    LeftOut,
    bench_report,
    case_units,
    run_bench,
)
from fctestbed.plotting import check_formats, draw_bench_figures
from fctestbed.results import write_atomically
from fctestbed.sweep import resolve_device, tune_process

_MIB = 2**20


def bench(
    only: Annotated[
        str | None,
        typer.Option(help="Comma-separated cases, or their beginnings: step/simclr,oracle."),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the cases and end.")] = False,
    device: options.Device = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; a worker of a sweep has one.")] = 1,
    rounds: Annotated[
        int | None, typer.Option(help="Most repetitions of a case; default 5.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Steps of a quick training that is timed; default 20.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Time for all cases; those it does not reach are named.")
    ] = None,
    memory: Annotated[
        bool, typer.Option("--memory", help="Also the most memory of each case, in a process.")
    ] = False,
    references: Annotated[
        Path | None,
        typer.Option(help="Plain forms to compare with: tests/bench/references.py of a checkout."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the results to a JSON file.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw the results into a directory.")
    ] = None,
    formats: options.Formats = "png,pdf",
) -> None:
    """Measure this machine on each hot path, beside plain ways of doing the same.

    Example: fctestbed bench --seconds 60
    """
    if threads < 1:
        raise UsageError(f"threads: expected at least 1, got {threads}")
    spec = record_of(
        BenchSpec,
        {
            "only": None if only is None else options.listed(only),
            "rounds": rounds,
            "steps": steps,
            "seconds": seconds,
            "memory": memory,
        },
    )
    with usage_errors():
        place = resolve_device(device)
        check_formats(options.listed(formats))
    if listing:
        for name, unit in case_units(place).items():
            typer.echo(f"{name:38} {unit}")
        return
    check_places({"--save": save and save.parent, "--figure": figure})
    tune_process(threads)
    with usage_errors():
        measured = run_bench(spec, device=place, references=references)
    rows = []
    for row in measured:
        rows.append(row)
        typer.echo(_line(row))
    report = bench_report(rows, spec, device=place)
    emit(**report)
    with usage_errors():
        if save is not None:
            content = json.dumps(report, indent=2) + "\n"
            typer.echo(write_atomically(save, content.encode()))
        if figure is not None:
            for path in draw_bench_figures(report, figure, options.listed(formats)):
                typer.echo(path)


def _line(row: BenchRow | GrowthRow | LeftOut) -> str:
    if isinstance(row, LeftOut):
        return f"{row.name:38} left out: no time left"
    if isinstance(row, GrowthRow):
        error = "" if row.exponent_error is None else f" +- {row.exponent_error:.2f}"
        sizes = f"{row.axis} {row.sizes[0]} to {row.sizes[-1]}"
        return (
            f"{row.name:38} ~ {row.axis}^{row.exponent:.2f}{error} over {sizes}, "
            f"at the end ^{row.last_exponent:.2f}"
        )
    line = f"{row.name:38} {row.seconds * 1e3:11.3f} ms  {row.unit}"
    if row.ratio is not None:
        spread = f"{row.ratio_low:.2f} to {row.ratio_high:.2f}"
        line += f"; {row.ratio:.2f} x ({spread}) {row.reference}"
    if row.matrix_share is not None and row.flops is not None:
        line += f"; {row.flops / 1e9:.1f} GFLOP/s, {row.matrix_share:.0%} of the matrix rate"
    if row.peak_bytes is not None:
        line += f"; {row.peak_bytes / _MIB:.0f} MiB"
    if row.reference_peak_bytes is not None:
        line += f" (reference {row.reference_peak_bytes / _MIB:.0f})"
    return line
