"""The form of the command ``measure`` that takes a sweep's directory."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import reduce
from pathlib import Path
from typing import Any

import typer

from fctestbed.cli.checks import usage_errors
from fctestbed.cli.driving import UNFINISHED, driven
from fctestbed.cli.output import print_notes
from fctestbed.cli.report import print_summary
from fctestbed.plotting import draw_figures
from fctestbed.results import LABEL, Results, load_results, to_json
from fctestbed.sweep import measure_sweep, merge, read_pair

_FIGURE = "label_bits"


def measure_again(
    directory: Path, pairs: Sequence[str], *, out: Path, as_json: bool, **how: Any
) -> int:
    """Measure a sweep again from its kept encoders, print the summary of the new rows, and draw
    their label bits beside them.

    Args:
        directory: the sweep's directory.
        pairs: what was given by ``--set``.
        out: the directory of the new rows.
        as_json: print what was done as one JSON object.
        how: further arguments of ``measure_sweep``.

    Returns:
        The exit code: 3 where runs were left out or are not ok.
    """
    with usage_errors():
        values: dict[str, Any] = reduce(merge, (read_pair(pair) for pair in pairs), {})
    outcome = driven(
        lambda display: measure_sweep(directory, values, out=out, display=display, **how), out
    )
    if isinstance(outcome, int):
        return outcome
    print_notes(outcome.notes)
    results = load_results(out)
    drawn = _draw(results, out)
    if as_json:
        typer.echo(to_json(asdict(outcome)))
    else:
        print_summary(results)
        print_notes(results.notes)
        typer.echo(f"results in {out}{f', figure in {drawn}' if drawn else ''}")
    whole = bool((results.runs["status"] == "ok").all()) and not outcome.n_left_out
    return 0 if whole else UNFINISHED


def _draw(results: Results, out: Path) -> Path | None:
    """Draw the first figure of a sweep beside its rows; None where no finished run has label bits.

    Raises:
        UsageError: for a place that cannot be written.
    """
    captured = results.captured
    if not ((captured["quantity"] == LABEL) & (captured["status"] == "ok")).any():
        return None
    with usage_errors("--out"):
        return draw_figures(results, out, only=[_FIGURE])[0]
