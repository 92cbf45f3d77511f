"""The command ``gaussian``: rows of the paper's Gaussian figure, or of its conditional check."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fctestbed.cli.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd


def gaussian(
    out: Annotated[Path, typer.Option(help="Directory for the rows (CSV) and their settings.")],
    dims: Annotated[
        str | None, typer.Option(help="Dimensions of the pairs; default 20,50,100,200.")
    ] = None,
    levels: Annotated[
        str | None, typer.Option(help="True information in nats; default 2,4,6,8,10.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Steps for each level, or of each cell.")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Samples of a step; default 64.")] = None,
    seeds: Annotated[int, typer.Option(help="Number of seeds.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes; 0: one for each core.")] = 0,
    conditional: Annotated[
        bool, typer.Option("--conditional", help="Instead: the conditional check of Tables 9, 10.")
    ] = False,
    cells: Annotated[
        str | None,
        typer.Option(help="With --conditional: SAMPLESxDIMENSION, comma-separated."),
    ] = None,
) -> None:
    """Train NCE, CLUB and NCE-CLUB on Gaussian pairs of known information, as the paper does.

    Draw them by: fctestbed figures --gaussian DIR

    Example: fctestbed gaussian --out sweeps/gaussian
    """
    from pydantic import ValidationError  # noqa: PLC0415 - --help is quick

    from fctestbed.experiments import (  # noqa: PLC0415
        ConditionalSpec,
        StaircaseSpec,
        run_conditional,
        run_gaussian,
    )
    from fctestbed.synthesis import spec_error_lines  # noqa: PLC0415

    misplaced = {"--dims": dims, "--levels": levels} if conditional else {"--cells": cells}
    for option, value in misplaced.items():
        if value is not None:
            kind = "without" if conditional else "with"
            raise UsageError(f"{option}: expected it {kind} --conditional only, got {value}")
    common: dict[str, Any] = {"steps": steps, "batch": batch, "seeds": seeds}
    try:
        if conditional:
            pairs = _numbers("--cells", cells, int, separator="x")
            check = ConditionalSpec.model_validate(_given({**common, "cells": pairs}))
            paths = run_conditional(check, out, workers=workers, report=_report)
        else:
            own = {
                "dims": _numbers("--dims", dims, int),
                "levels_nats": _numbers("--levels", levels, float),
            }
            spec = StaircaseSpec.model_validate(_given({**common, **own}))
            paths = run_gaussian(spec, out, workers=workers, report=_report)
    except ValidationError as error:
        raise UsageError.of(ValueError(spec_error_lines(error))) from error
    except ValueError as error:
        raise UsageError.of(error) from error
    _print_table(paths[0], conditional=conditional)
    for path in paths:
        typer.echo(path)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _numbers(
    option: str, text: str | None, kind: type[int] | type[float], separator: str | None = None
) -> tuple[Any, ...] | None:
    """Numbers of a comma-separated option, or tuples of them."""
    if text is None:
        return None
    try:
        parts = [part.strip() for part in text.split(",")]
        if separator is None:
            return tuple(kind(part) for part in parts)
        return tuple(tuple(kind(number) for number in part.split(separator)) for part in parts)
    except ValueError as error:
        raise UsageError(f"{option}: expected numbers, got {text!r}") from error


def _report(done: int, of: int) -> None:
    typer.echo(f"{done} of {of} trainings done", err=True)


def _print_table(path: Path, *, conditional: bool) -> None:
    import pandas as pd  # noqa: PLC0415 - --help is quick

    rows = pd.read_csv(path)
    typer.echo((_conditional_table if conditional else _level_table)(rows).to_string())


def _level_table(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Settled values in bits, d and estimator by true information."""
    from fctestbed.plotting import gaussian_levels  # noqa: PLC0415 - --help is quick

    points = gaussian_levels(rows)
    return points.pivot(index=["dim", "estimator"], columns="true_bits", values="mean").round(2)


def _conditional_table(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Held-out values in bits by (d_z, n), each strength of Z with both truths first."""
    import pandas as pd  # noqa: PLC0415 - --help is quick

    truths = {"I(X;Y|Z)": "true_bits", "I(X,Z;Y)": "unconditional_bits"}
    known = [
        rows.assign(negatives="", estimator=name, value_bits=rows[column])
        for name, column in truths.items()
    ]
    table = pd.concat([*known, rows]).pivot_table(
        index=["strength", "negatives", "estimator"], columns=["dim", "n"], values="value_bits"
    )
    return table.round(2)
