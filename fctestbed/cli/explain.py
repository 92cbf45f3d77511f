"""The command ``explain``."""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from fctestbed.cli import options
from fctestbed.cli.checks import check_places, usage_errors
from fctestbed.cli.output import emit
from fctestbed.cli.sweep import sweep_of
from fctestbed.cli.worlds import world_options
from fctestbed.faults import Step, culprit, explain as explained, steps_of
from fctestbed.plotting import overview_figure, waterfall_figure

_PER_INCH = 300


@world_options
def explain(
    world: dict[str, Any],
    method: Annotated[
        str | None, typer.Option(help="Comma-separated methods; default the sweep's.")
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
    out: Annotated[
        Path | None, typer.Option(help="Directory of rows and figures; default none are written.")
    ] = None,
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
        rows = explained(
            spec,
            out,
            rate=rate,
            n_starts=starts,
            long=long,
            report=lambda line: typer.echo(line, err=True),
        )
    emit(levels=rows, out=out)
    for line in _lines(rows):
        typer.echo(line)
    if out is not None:
        _draw(rows, out)
        typer.echo(f"rows and figures in {out}")
    return 0


def _lines(rows: pd.DataFrame) -> list[str]:
    """The levels of every method and ratio, with what each loses and whether it converged."""
    lines = []
    for (method, ratio), own in rows.groupby(["method", "unique_ratio"], sort=False):
        steps = {step.name: step for step in steps_of(own)}
        lines.append(f"{method} at unique ratio {ratio:g}: {culprit(own) or 'no large loss'}")
        for name, level in own.groupby("name", sort=False):
            values = level["label_bits"].dropna()
            shown = "     -" if values.empty else f"{values.mean():6.2f}"
            notes = dict.fromkeys(note for note in level["note"] if note)
            lines.append(f"  {name:10} {shown}{_loss(steps.get(str(name)))} {'; '.join(notes)}")
    criteria = dict.fromkeys(text for text in rows["criterion"] if text)
    return [*lines, *(f"converged: {text}" for text in criteria)]


def _loss(step: Step | None) -> str:
    if step is None:
        return " " * 32
    met = {None: "", True: "converged", False: "not converged"}[step.converged]
    return f" {-step.lost_bits:+6.2f} ± {step.half_width:4.2f}  {met:15}"


def _draw(rows: pd.DataFrame, out: Path) -> None:
    found = {}
    for method, own in rows.groupby("method", sort=False):
        name = "".join(c if c.isalnum() or c in "-_." else "_" for c in str(method))
        waterfall_figure(own).savefig(out / f"waterfall_{name}.png", dpi=_PER_INCH)
        for ratio, cell in own.groupby("unique_ratio"):
            steps = {step.name: step.lost_bits for step in steps_of(cell)}
            level = culprit(cell)
            found[str(method), float(str(ratio))] = level, steps.get(level or "", float("nan"))
    overview_figure(found).savefig(out / "overview.png", dpi=_PER_INCH)
