"""The command ``bench``."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from fctestbed.cli import options
from fctestbed.cli.checks import usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.experiments import benchmarks
from fctestbed.sweep import resolve_device, tune_process


def bench(
    device: options.Device = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; a worker of a sweep has one.")] = 1,
    steps: Annotated[int, typer.Option(help="Steps of each training benchmark.")] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Measure this machine: data, critics and training steps, each compared with a plain way of
    doing the same.

    Example: fctestbed bench
    """
    for field, value in (("threads", threads), ("steps", steps)):
        if value < 1:
            raise UsageError(f"{field}: expected at least 1, got {value}")
    with usage_errors():
        place = resolve_device(device)
    tune_process(threads)
    for timing in benchmarks(place, steps=steps):
        if as_json:
            speedup, share = timing.speedup, timing.share_of_rate
            typer.echo(json.dumps({**asdict(timing), "speedup": speedup, "share_of_rate": share}))
            continue
        line = f"{timing.name:58} {timing.seconds * 1e3:10.3f} ms"
        if timing.speedup is not None:
            line += f"   {timing.speedup:5.2f} x {timing.reference}"
        if timing.share_of_rate is not None:
            line += f"   {timing.share_of_rate:4.0%} of the matrix rate"
        typer.echo(line)
