"""The command ``train``: methods on real data."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from fctestbed._messages import one_line
from fctestbed.cli import options
from fctestbed.cli.checks import check_places, usage_errors
from fctestbed.cli.driving import UNFINISHED, interruptible
from fctestbed.cli.output import emit, print_notes
from fctestbed.cli.tables import plain_table
from fctestbed.real_data import (
    Multimodal,
    RealResults,
    RealSpec,
    load_multimodal,
    real_spec,
    train_real,
)
from fctestbed.sweep import merge, parse_integers, read_values

_WIDTH = 80


def train(
    data: Annotated[
        Path,
        typer.Option(help="A pickle (never executed), .npz, .h5, or a directory of .npy files."),
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            help="mosi, mosei, ur-funny, mustard, mimic, irfl or plain; default by the file's name."
        ),
    ] = None,
    modality1: Annotated[str | None, typer.Option(help="Array of modality 1.")] = None,
    modality2: Annotated[str | None, typer.Option(help="Array of modality 2.")] = None,
    label: Annotated[
        str | None, typer.Option(help="Array of the label; NAME:3 is its column 3.")
    ] = None,
    label_rule: Annotated[
        str | None,
        typer.Option(help="Numbers to classes: sign, nonzero-sign, round or values."),
    ] = None,
    nonfinite: Annotated[
        str, typer.Option(help="NaN and infinite features: zero (counted) or refuse.")
    ] = "zero",
    max_steps: Annotated[
        int | None, typer.Option(help="Most steps of sequences; the last ones are kept.")
    ] = None,
    standardise: Annotated[
        bool | None,
        typer.Option(
            "--standardise/--no-standardise",
            help="Features at mean 0, variance 1 over training samples; default for mimic alone.",
            show_default=False,
        ),
    ] = None,
    valid_share: Annotated[
        float,
        typer.Option(help="Share of the training samples, where there is no valid split."),
    ] = 0.1,
    test_share: Annotated[
        float | None, typer.Option(help="Share of all samples, where there is no test split.")
    ] = None,
    methods: options.Methods = None,
    seeds: options.Seeds = None,
    variant: Annotated[
        str | None, typer.Option(help="paper, or official for the official code's settings.")
    ] = None,
    pairs: options.Pairs = None,
    device: options.Device = "auto",
    out: Annotated[
        Path | None,
        typer.Option(help="Directory of runs and tables; the same command continues it."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be trained, and stop.")
    ] = False,
) -> int:
    """Train methods on real data with the paper's encoders and settings, and probe them.

    Nothing is chosen by the test samples. No bits are claimed but lower bounds, as no truth is
    known.

    Example: fctestbed train --data mosi_data.pkl --methods simclr,supcon
    """
    check_places({"--out": out})
    values: dict[str, Any] = {}
    with usage_errors():
        for pair in pairs or ():
            values = merge(values, read_values(pair))
        if methods is not None:
            values["methods"] = options.listed(methods)
        if seeds is not None:
            values["seeds"] = parse_integers(seeds, option="seeds")
        if variant is not None:
            values["variant"] = variant
        loaded = load_multimodal(
            data,
            dataset=dataset,
            modality1=modality1,
            modality2=modality2,
            label=label,
            label_rule=label_rule,
            nonfinite=nonfinite,
            max_steps=max_steps,
            standardise=standardise,
            valid_share=valid_share,
            test_share=test_share,
        )
        spec = real_spec(loaded, values)
    for line in _data_lines(loaded):
        typer.echo(line)
    steps = spec.train.n_steps(len(loaded.train))
    if dry_run:
        emit(data=loaded.description(), settings=spec.model_dump(mode="json"), steps=steps)
        for line in _plan_lines(spec, steps):
            typer.echo(line)
        return 0
    report = _Report()
    done = interruptible(
        lambda: train_real(loaded, spec, out=out, device=device, report=report),
        Path() if out is None else out,
    )
    if isinstance(done, int):
        return done
    emit(
        data=done.data,
        settings=spec.model_dump(mode="json"),
        summary=done.summary,
        rows=done.rows,
        runs=done.runs,
        published=done.published,
        out=out,
    )
    for line in _result_lines(done):
        typer.echo(line)
    print_notes(_notes(done))
    if out is not None:
        typer.echo(f"rows in {out}")
    return 0 if done.is_ok else UNFINISHED


class _Report:
    """Lines of progress: each run as it is done, and on a terminal its steps in place."""

    def __init__(self) -> None:
        self._in_place = sys.stderr.isatty()

    def __call__(self, line: str) -> None:
        is_step = ": step " in line
        if self._in_place:
            sys.stderr.write(f"\r\x1b[K{line}{'' if is_step else chr(10)}")
            sys.stderr.flush()
        elif not is_step:
            typer.echo(line, err=True)


def _data_lines(data: Multimodal) -> list[str]:
    counts = ", ".join(
        f"{split} {len(own)} ({' + '.join(map(str, numbers['of_classes']))})"
        for split, own, numbers in (
            (split, getattr(data, split), data.description()["samples"][split])
            for split in ("train", "valid", "test")
        )
    )
    return [
        f"{data.source}: {data.dataset}, sha256 {data.file_sha256[:16]} (arrays as used: "
        f"{data.sha256[:16]})",
        f"modality 1: {data.modality1}, {data.shape1}; modality 2: {data.modality2}, {data.shape2}",
        f"label: {data.label}, rule {data.label_rule}: {', '.join(data.classes)}",
        f"samples: {counts}",
        *(f"note: {note}" for note in data.notes),
    ]


def _plan_lines(spec: RealSpec, steps: int) -> list[str]:
    return [
        f"methods: {', '.join(spec.methods)}",
        f"seeds: {', '.join(map(str, spec.seeds))}",
        f"encoders: {spec.encoder1.kind} and {spec.encoder2.kind}, {spec.nets.embed_dim} wide",
        f"training: {steps} steps of {spec.train.batch_size} samples, learning rate "
        f"{spec.train.learning_rate:g}",
    ]


def _result_lines(results: RealResults) -> list[str]:
    """The table, what its columns mean, and the reported numbers with their sources."""
    majority = 100 * float(results.rows["majority"].iloc[0]) if len(results.rows) else float("nan")
    rows = [
        [
            str(row["method"]),
            str(row["seeds"]),
            _percent(row),
            _number(row["certified_bits"], 3),
            _number(row["usable_bits"], 3),
            _number(row["paper_percent"], 1),
            "/".join(f"{value:.1f}" for value in _reruns(results, str(row["method"]))) or "-",
        ]
        for row in results.summary.to_dict(orient="records")
    ]
    heads = ["method", "seeds", "test accuracy %", ">= bits", "probe", "paper %", "re-run %"]
    reported = [
        f"  {row['method']}: {_reported(row)} ({row['kind']}: {row['source']})"
        for row in results.published.to_dict(orient="records")
        if row["method"] in set(results.summary["method"])
    ]
    return [
        *plain_table(heads, rows, left=1, width=_WIDTH),
        "test accuracy: mean over seeds, 95 % interval (t); the most frequent class: "
        f"{majority:.1f}",
        ">= bits: I(Z;Y) of each seed is not below, with 95 % confidence (the least over seeds)",
        "probe: bits, H(Y) minus the probe's held-out loss, a lower bound in expectation",
        *(["reported test accuracies, not re-run here:", *reported] if reported else []),
    ]


def _notes(results: RealResults) -> list[str]:
    """One line for each run that has alarms or no rows."""
    return [
        one_line(
            f"{row['method']}, seed {row['seed']}: "
            f"{'' if row['status'] == 'ok' else row['status'] + ': '}{row['alarms']}"
        )
        for row in results.runs.to_dict(orient="records")
        if row["alarms"]
    ]


def _reruns(results: RealResults, method: str) -> list[float]:
    published = results.published
    chosen = (published["method"] == method) & (published["kind"] == "re-run")
    return [float(value) for value in published.loc[chosen, "percent"]]


def _percent(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["accuracy_percent"]):
        return "-"
    if pd.isna(row["low"]):
        return f"{row['accuracy_percent']:.1f}"
    return f"{row['accuracy_percent']:.1f} [{row['low']:.1f}, {row['high']:.1f}]"


def _number(value: float, digits: int) -> str:
    return "-" if pd.isna(value) else f"{value:.{digits}f}"


def _reported(row: Mapping[Any, Any]) -> str:
    spread = "" if pd.isna(row["spread"]) else f" +- {row['spread']:g}"
    return f"{row['percent']:g}{spread}"
