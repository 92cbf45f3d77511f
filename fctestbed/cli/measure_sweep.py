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
from fctestbed.results import load_results, to_json
from fctestbed.sweep import measure_sweep, merge, read_pair


def measure_again(
    directory: Path, pairs: Sequence[str], *, out: Path, as_json: bool, **how: Any
) -> int:
    """Measure a sweep again from its kept encoders, and print the summary of the new rows.

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
    if as_json:
        typer.echo(to_json(asdict(outcome)))
    else:
        print_summary(results)
        print_notes(results.notes)
        typer.echo(f"results in {out}")
    whole = bool((results.runs["status"] == "ok").all()) and not outcome.n_left_out
    return 0 if whole else UNFINISHED
