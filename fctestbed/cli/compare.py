"""The command ``compare``. Imports no torch: nothing is trained."""

from pathlib import Path
from typing import Annotated

import typer

from fctestbed.claims import Comparison, compare
from fctestbed.cli import options
from fctestbed.cli.checks import usage_errors
from fctestbed.cli.output import emit
from fctestbed.cli.tables import plain_table
from fctestbed.plotting import value_text
from fctestbed.results import JOINT, LABEL, load_results, write_atomically

_WIDTH = 80
_ALWAYS = ("method", "unique_ratio")
_SEEDS = "n_seeds"
_HEADS = {"unique_ratio": "ratio", "rate_bits": "R", _SEEDS: "seeds"}


def compare_sweeps(
    a: Annotated[Path, typer.Argument(metavar="A", help="A sweep's directory.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another sweep's directory.")],
    methods: options.Methods = None,
    quantities: Annotated[
        str, typer.Option("--quantity", help="Comma-separated quantities, such as label,unique1.")
    ] = LABEL,
    readouts: Annotated[
        str, typer.Option("--readout", help="Comma-separated readouts, such as joint@16.")
    ] = JOINT,
    estimator: Annotated[
        str | None, typer.Option(help="Whose bits; default readings at a rate.")
    ] = None,
    rates: Annotated[
        str | None,
        typer.Option("--rate", help="Comma-separated rates; default nearest to 2 x label bits."),
    ] = None,
    smallest_effect_bits: Annotated[
        float | None,
        typer.Option(
            "--smallest-effect",
            help="Bits that matter: cells shown to differ by less are called equal.",
        ),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="A file for the cells, with all columns.")
    ] = None,
) -> None:
    """Compare two sweeps in every cell that both have: B minus A, paired over seeds, with
    simultaneous 95 % intervals over all cells.

    Example: fctestbed compare sweeps/quick sweeps/slower
    """
    with usage_errors():
        found = compare(
            load_results(a),
            load_results(b),
            methods=None if methods is None else options.listed(methods),
            quantities=options.listed(quantities),
            readouts=options.listed(readouts),
            estimator=estimator,
            rates=None if rates is None else _numbers(rates),
            smallest_effect_bits=smallest_effect_bits,
        )
        if csv is not None:
            write_atomically(csv, found.cells.to_csv(index=False).encode())
    emit(cells=found.cells, summary=found.summary, notes=found.notes)
    _print(found)
    if csv is not None:
        typer.echo(csv)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in options.listed(text))
    except ValueError:
        raise ValueError(f"rates: expected numbers such as 4,8, got {text!r}") from None


def _print(found: Comparison) -> None:
    """The cells in at most 80 columns; what is the same in all of them is said above."""
    cells = found.cells
    names = [name for name in cells.columns if not cells[name].isna().all()]
    keys = names[: names.index("a_bits")]
    alike = [name for name in keys if name not in _ALWAYS and cells[name].nunique() == 1]
    shown = [name for name in keys if name not in alike and name != _SEEDS]
    common = ", ".join(f"{name} {value_text(cells[name].iloc[0])}" for name in alike)
    typer.echo("B - A in bits, simultaneous 95 % intervals, Holm's p-values")
    typer.echo(f"of {common}:")
    numbers = ["A", "B", "B - A", "interval", "p", *([] if _SEEDS in alike else [_SEEDS]), ""]
    rows = []
    for row in cells.to_dict(orient="records"):
        said = {
            "A": f"{row['a_bits']:.2f}",
            "B": f"{row['b_bits']:.2f}",
            "B - A": _signed(row["difference_bits"], 3),
            "interval": "one seed",
            "p": "",
            _SEEDS: str(row[_SEEDS]),
            "": str(row["says"]),
        }
        if row[_SEEDS] > 1:
            ends = _signed(row["low_bits"], 2), _signed(row["high_bits"], 2)
            said |= {"interval": " ".join(ends), "p": f"{row['p_holm']:.2g}"}
        rows.append([*(value_text(row[name]) for name in shown), *(said[one] for one in numbers)])
    heads = [_HEADS.get(name, name) for name in (*shown, *numbers)]
    for line in plain_table(heads, rows, left=len(shown), width=_WIDTH):
        typer.echo(line)
    typer.echo(found.summary)
    for note in found.notes:
        typer.echo(f"note: {note}", err=True)


def _signed(value: float, digits: int) -> str:
    # Adding 0 makes -0 positive.
    return f"{round(value, digits) + 0.0:+.{digits}f}"
