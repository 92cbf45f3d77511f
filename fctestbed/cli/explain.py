"""The command ``explain``."""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from fctestbed.cli import options
from fctestbed.cli.checks import check_places, usage_errors
from fctestbed.cli.completion import method_names
from fctestbed.cli.output import emit
from fctestbed.cli.sweep import sweep_of
from fctestbed.cli.worlds import world_options
from fctestbed.faults import Step, all_steps, culprit, explain as explained, steps_of
from fctestbed.plotting import check_formats, draw_fault_figures
from fctestbed.sweep import available_cores

# Some levels ended in an error; the same command tries them again.
_FAILED = 1


@world_options
def explain(
    world: dict[str, Any],
    method: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated methods; default the sweep's.", autocompletion=method_names
        ),
    ] = None,
    unique_ratio: options.UniqueRatios = None,
    seeds: options.Seeds = None,
    config: options.Config = None,
    pairs: options.Pairs = None,
    rate: Annotated[
        float | None, typer.Option(help="Rate of all readings in bits; default 2 x label bits.")
    ] = None,
    starts: Annotated[int, typer.Option(help="Starts of the exact objective.")] = 8,
    long: Annotated[
        int, typer.Option(help="Steps of levels 2 to 4, as a multiple of the training's own.")
    ] = 4,
    restarts: Annotated[int, typer.Option(help="Initial weights of level 4.")] = 3,
    out: Annotated[
        Path | None, typer.Option(help="Directory of rows and figures; default none are written.")
    ] = None,
    formats: options.Formats = "png",
    workers: options.Workers = None,
    allow_plugins: options.AllowPlugins = False,
) -> int:
    """Say why methods lose label bits: because of the objective, the batch, the samples, the
    network, the run or the reader.

    Running the same command again with the same --out does only what is missing.

    Example: fctestbed explain --method simclr --unique-ratio 0.5 --shared 2
    """
    spec = sweep_of(
        {
            "unique_ratio": unique_ratio,
            "methods": method,
            "seeds": seeds,
            "world": world or None,
        },
        config=config,
        pairs=pairs,
        allow_plugins=allow_plugins,
    )
    check_places({"--out": out})
    with usage_errors():
        check_formats(options.listed(formats))
        rows = explained(
            spec,
            out,
            rate=rate,
            n_starts=starts,
            long=long,
            n_restarts=restarts,
            workers=available_cores() if workers is None else workers,
            report=lambda line: typer.echo(line, err=True),
        )
    emit(levels=rows, out=out)
    for line in _lines(rows):
        typer.echo(line)
    if out is not None:
        draw_fault_figures(rows, all_steps(rows), out, options.listed(formats))
        typer.echo(f"rows and figures in {out}")
    return _FAILED if bool(rows["failed"].any()) else 0


def _lines(rows: pd.DataFrame) -> list[str]:
    """The levels of every method and ratio: label bits, their change with its interval, whether the
    level converged, and its loss in exact expectation, in nats."""
    lines = ["level      label bits, change, convergence, loss in exact expectation (nats), notes"]
    for (method, ratio), own in rows.groupby(["method", "unique_ratio"], sort=False):
        steps = {step.name: step for step in steps_of(own)}
        lines.append(f"{method} at unique ratio {ratio:g}: {culprit(own) or 'no large loss'}")
        for name, level in own.groupby("name", sort=False):
            notes = dict.fromkeys(note for note in level["note"] if note)
            lines.append(
                f"  {name:10} {_mean(level, 'label_bits', 6)}{_loss(steps.get(str(name)))} "
                f"{_mean(level, 'loss_nats', 8)} {'; '.join(notes)}".rstrip()
            )
    criteria = dict.fromkeys(text for text in rows["criterion"] if text)
    return [*lines, *(f"converged: {text}" for text in criteria)]


def _mean(level: pd.DataFrame, column: str, width: int) -> str:
    values = level[column].dropna()
    return "-".rjust(width) if values.empty else f"{values.mean():{width}.2f}"


def _loss(step: Step | None) -> str:
    if step is None:
        return " " * 32
    met = {None: "", True: "converged", False: "not converged"}[step.converged]
    return f" {-step.lost_bits:+6.2f} ± {step.half_width:4.2f}  {met:15}"
