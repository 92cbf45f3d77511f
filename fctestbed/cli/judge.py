"""The command ``judge``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from fctestbed.claims import (
    AS_STATED,
    OPTIMUM,
    TRAINED,
    Judgement,
    Verdict,
    docket_plan,
    judge,
)
from fctestbed.cli import options
from fctestbed.cli.checks import usage_errors
from fctestbed.cli.driving import UNFINISHED, display, interruptible
from fctestbed.cli.output import emit
from fctestbed.cli.tables import plain_table

_WIDTH = 80


def judge_docket(
    docket: Annotated[
        Path, typer.Argument(metavar="DOCKET", help="A directory of claim files, or one of them.")
    ],
    out: Annotated[Path, typer.Option(help="Directory of the runs and verdicts.")],
    claims: Annotated[
        list[str] | None, typer.Option("--claim", metavar="ID", help="Judge this claim only.")
    ] = None,
    sources: Annotated[
        list[Path] | None,
        typer.Option(
            "--from", metavar="DIRECTORY", help="A sweep that is done, whose runs are copied."
        ),
    ] = None,
    device: options.Device = "auto",
    workers: options.Workers = None,
    max_stack: options.MaxStack = None,
    formats: options.Formats = "png,pdf",
    allow_plugins: options.AllowPlugins = False,
    optima: Annotated[
        bool,
        typer.Option(
            "--optima/--no-optima", help="Also judge at the optimum of the exact objectives."
        ),
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the claims and their runs, and do nothing.")
    ] = False,
) -> int:
    """Run what a docket's claims need and is missing, and say of each whether it holds, fails or is
    not decided, for trained networks and at the optimum of the objectives.

    Exit code 3 where runs are not ok. Running the same command again does only what is missing.

    Example: fctestbed judge sweeps/docket --out sweeps/judged
    """
    if dry_run:
        with usage_errors():
            lines = docket_plan(
                docket,
                out,
                claims=claims,
                device=device,
                workers=workers,
                max_stack=max_stack,
                sources=sources or (),
                allow_plugins=allow_plugins,
            )
        typer.echo("\n".join(lines))
        return 0
    found = interruptible(
        lambda: judge(
            docket,
            out,
            claims=claims,
            device=device,
            workers=workers,
            max_stack=max_stack,
            sources=sources or (),
            display=display,
            allow_plugins=allow_plugins,
            formats=options.listed(formats),
            optima=optima,
            report=lambda line: typer.echo(line, err=True),
        ),
        out,
    )
    if isinstance(found, int):
        return found
    emit(verdicts=found.verdicts, files=found.paths)
    _print(found)
    return UNFINISHED if bool(found.verdicts["n_unfinished"].any()) else 0


def _print(found: Judgement) -> None:
    rows = []
    at_optimum = found.verdicts[found.verdicts["evidence"] == OPTIMUM]
    of_optimum = {
        (row["claim"], row["broken"]): row for row in at_optimum.to_dict(orient="records")
    }
    trained = found.verdicts[found.verdicts["evidence"] == TRAINED]
    for row in trained.to_dict(orient="records"):
        optimum = of_optimum.get((row["claim"], row["broken"]))
        stated = row["broken"] == AS_STATED
        rows.append(
            [
                str(row["claim"]) if stated else f"  without: {row['broken']}",
                str(row["verdict"]),
                f"{row['n_hold']}/{row['n_cells']}",
                f"{row['n_fail']}",
                f"{row['n_seeds']}",
                _needed(row),
                "" if optimum is None else str(optimum["verdict"]),
            ]
        )
    heads = ["claim", "trained", "hold", "fail", "seeds", "would decide", "optimum"]
    for line in plain_table(heads, rows, left=1, width=_WIDTH):
        typer.echo(line)
    for row in found.verdicts[found.verdicts["n_unfinished"] > 0].to_dict(orient="records"):
        typer.echo(
            f"note: {row['claim']}: {row['n_unfinished']} unfinished runs left out", err=True
        )
    for path in found.paths:
        typer.echo(path)


def _needed(row: Mapping[Any, Any]) -> str:
    # One seed has no spread to plan with.
    if row["verdict"] != Verdict.UNDECIDED or row["n_seeds"] < 2:
        return ""
    needed = row["seeds_to_decide"]
    return "over 1000" if pd.isna(needed) else f"{needed:.0f} seeds"
