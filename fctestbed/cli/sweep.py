"""The command ``sweep``: the main job."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from fctestbed._messages import did_you_mean
from fctestbed.cli import options
from fctestbed.cli.checks import check_places, check_rate, usage_errors
from fctestbed.cli.completion import preset_names
from fctestbed.cli.driving import UNFINISHED, driven
from fctestbed.cli.errors import UsageError
from fctestbed.cli.output import emit, print_notes
from fctestbed.cli.worlds import world_options
from fctestbed.results import StoreRefused
from fctestbed.sweep import (
    CHECKPOINT_SECONDS,
    EVENTS,
    EventLog,
    SweepSpec,
    build_sweep,
    describe_plan,
    parse_grid,
    parse_integers,
    run_sweep,
    tensorboard_writer,
)

_MOST_NAME_CHARACTERS = 100
_LOGS = ("tensorboard",)


@world_options
def sweep(
    world: dict[str, Any],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE.toml]", help="A sweep file, as by --config.")
    ] = None,
    unique_ratio: options.UniqueRatios = None,
    methods: options.Methods = None,
    seeds: options.Seeds = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Sizes and optimisation: quick (the default) or official.",
            autocompletion=preset_names,
        ),
    ] = None,
    config: options.Config = None,
    augmentation: Annotated[
        str | None, typer.Option(help="Augmented views: optimal, official, unique or quality.")
    ] = None,
    variants: Annotated[
        str | None,
        typer.Option(
            "--variant",
            help="paper (the default), official (every departure of the official code), or both.",
        ),
    ] = None,
    critic: Annotated[
        str | None,
        typer.Option(help="One critic for all: concat, separable, bilinear or cosine."),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            help="Every method's encoder: mlp (the default), table, or a torch.nn.Module of your "
            "own, my.module:Net, constructed as Net(dim, embed_dim)."
        ),
    ] = None,
    axes: Annotated[
        list[str] | None,
        typer.Option(
            "--axis",
            metavar="FIELD=VALUES",
            help="A further axis, any field: --axis world.observation.noise=0,0.1,0.3.",
        ),
    ] = None,
    one_at_a_time: Annotated[
        bool,
        typer.Option(
            "--one-at-a-time",
            help="Vary each axis around the sweep's own values, instead of all combinations.",
        ),
    ] = False,
    pairs: options.Pairs = None,
    out: Annotated[
        Path | None, typer.Option(help="Directory of the results; default sweeps/NAME.")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(help="Directory of the figures; default figures/NAME.")
    ] = None,
    only_figures: options.OnlyFigures = None,
    no_figures: Annotated[bool, typer.Option("--no-figures", help="Draw no figures.")] = False,
    rate: options.Rate = None,
    name: Annotated[
        str | None, typer.Option(help="NAME; default the sweep file's or the preset's.")
    ] = None,
    device: options.Device = "auto",
    workers: options.Workers = None,
    max_stack: options.MaxStack = None,
    engine: options.Engine = "auto",
    address: options.Address = None,
    no_encoders: Annotated[
        bool,
        typer.Option("--no-encoders", help="Do not keep the trained encoders in --out/encoders."),
    ] = False,
    checkpoint_seconds: Annotated[
        float,
        typer.Option(
            help="Save a training that takes longer at most once in so many seconds, in "
            "--out/checkpoints; the same command goes on from there. 0: never."
        ),
    ] = CHECKPOINT_SECONDS,
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Do not write --out/report.html at the end.")
    ] = False,
    log: Annotated[
        str | None,
        typer.Option(help="tensorboard: losses and bits of each run also in --out/tensorboard."),
    ] = None,
    allow_plugins: options.AllowPlugins = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Print the settings, what is left and about how long it takes."
        ),
    ] = False,
) -> int:
    """Train every method at every ratio and seed, measure what it captured in bits, draw the
    figures, and write a report.

    Running the same command again does only what is missing; with more seeds, ratios, methods or
    values of axes, it adds their runs to those that the directory has.

    Example: fctestbed sweep --unique-ratio 0:1:0.1
    """
    if file is not None and config is not None:
        raise UsageError(f"--config: expected none with the sweep file {file}, got {config}")
    config = config or file
    spec = sweep_of(
        {
            "unique_ratio": unique_ratio,
            "methods": methods,
            "seeds": seeds,
            "critic": critic,
            "nets": None if encoder is None else {"encoder": encoder},
            "variants": variants,
            "augmentation": None if augmentation is None else {"kind": augmentation},
            "world": world or None,
            "one_at_a_time": one_at_a_time or None,
        },
        preset=preset,
        config=config,
        pairs=pairs,
        axes=axes,
        allow_plugins=allow_plugins,
    )
    if name is not None:
        _check_name(name)
    with usage_errors():
        open_writer = _writer_of(log)
    only = None if only_figures is None else options.listed(only_figures)
    if only is not None and no_figures:
        raise UsageError(f"only_figures: expected none with --no-figures, got {only_figures!r}")
    if only is not None:
        from fctestbed.plotting import FIGURES  # noqa: PLC0415 - takes longer than a dry run

        options.some_of("only_figures", only_figures, list(FIGURES))
    check_rate(rate)
    _check_measured(rate, spec)
    name = name or (config.stem if config is not None else spec.preset)
    out = out or Path("sweeps") / name
    drawn = None if no_figures else figures or Path("figures") / name
    resources: dict[str, Any] = {
        "device": device,
        "workers": workers,
        "max_stack": max_stack,
        "engine": engine,
        "address": address,
    }
    try:
        if dry_run:
            with usage_errors():
                lines = describe_plan(spec, out, **resources)
            emit(plan=lines)
            typer.echo("\n".join(lines))
            return 0
        check_places({"--figures": drawn})
        outcome = driven(
            lambda display: run_sweep(
                spec,
                out,
                **resources,
                keep_encoders=not no_encoders,
                checkpoint_seconds=checkpoint_seconds,
                display=display
                if open_writer is None
                else EventLog(display, out / EVENTS, open_writer),
            ),
            out,
        )
    except StoreRefused as error:
        another = "; --name or --out can name another directory"
        hint = another if "holds another sweep" in str(error) else ""
        raise StoreRefused(f"--out: {error}{hint}") from error
    if isinstance(outcome, int):
        return outcome
    emit(out=out, figures=drawn, **asdict(outcome))
    print_notes(outcome.notes)
    return _finish(out, drawn, rate, only, has_report=not no_report)


def sweep_of(
    values: dict[str, Any],
    *,
    preset: str | None = None,
    config: Path | None = None,
    pairs: list[str] | None = None,
    axes: list[str] | None = None,
    allow_plugins: bool = False,
) -> SweepSpec:
    """The sweep that options, a file and pairs ask for.

    Args:
        values: nested values of a ``SweepSpec`` from options, None for those that were not given;
            methods and grids are texts.
        preset: a preset's name.
        config: a sweep file.
        pairs: what was given by ``--set``.
        axes: what was given by ``--axis``.
        allow_plugins: whether the file may name code of the user's own.

    Raises:
        UsageError: one line that begins with the field.
    """
    given = {key: value for key, value in values.items() if value is not None}
    if "methods" in given:
        given["methods"] = options.listed(given["methods"])
    with usage_errors():
        if "unique_ratio" in given:
            given["unique_ratio"] = parse_grid(
                given["unique_ratio"], low=0.0, high=1.0, option="unique_ratio"
            )
        if "seeds" in given:
            given["seeds"] = parse_integers(given["seeds"], option="seeds")
        return build_sweep(
            preset=preset,
            config=config,
            options=given,
            pairs=pairs or (),
            axes=axes or (),
            allow_plugins=allow_plugins,
        )


def _writer_of(log: str | None) -> Callable[[str], Any] | None:
    """What opens an event file; None without a log."""
    if log not in (None, *_LOGS):
        raise ValueError(f"log: expected {', '.join(_LOGS)}, got {log!r}{did_you_mean(log, _LOGS)}")
    return None if log is None else tensorboard_writer()


def _check_name(name: str) -> None:
    """Refuse a name that is not that of one directory."""
    plain = name.isprintable() and name == name.strip() and not set(name) & {"/", "\\"}
    if not plain or name in ("", ".", "..") or len(name) > _MOST_NAME_CHARACTERS:
        raise UsageError(
            f"--name: expected a plain name of 1 to {_MOST_NAME_CHARACTERS} characters, without / "
            f"and \\, got {name!r}"
        )


def _check_measured(rate: float | None, spec: SweepSpec) -> None:
    """Refuse a rate of the figures that the sweep will not measure."""
    prefix = "measurement.rate"
    if rate is None or any(path == prefix or path.startswith(f"{prefix}.") for path in spec.axes):
        return
    if spec.measurement.rate is None:
        raise UsageError(f"rate: expected none without {prefix}, got {rate:g}")
    measured = spec.measurement.rate.rates
    if rate not in measured:
        raise UsageError(
            f"rate: expected one of {', '.join(f'{one:g}' for one in measured)} "
            f"({prefix}.rates), got {rate:g}"
        )


def _finish(
    out: Path,
    figures: Path | None,
    rate: float | None,
    only: tuple[str, ...] | None,
    *,
    has_report: bool,
) -> int:
    """Print the summary, draw the figures, if any, and write the report; the exit code."""
    # Their import takes longer than a dry run.
    from fctestbed.cli.report import print_summary  # noqa: PLC0415
    from fctestbed.plotting import HEATMAP_RATIO, draw_figures  # noqa: PLC0415
    from fctestbed.reporting import write_report  # noqa: PLC0415
    from fctestbed.results import load_results  # noqa: PLC0415

    results = load_results(out, single_bits_at=HEATMAP_RATIO)
    try:
        print_summary(results, rate)
    except ValueError as error:
        raise UsageError(f"{error}; the results are in {out}") from error
    print_notes(results.notes)
    is_ok = results.runs["status"] == "ok"
    if is_ok.any() and figures is not None:
        try:
            draw_figures(results, figures, rate=rate, only=only)
        except ValueError as error:
            raise UsageError(f"--figures: {error}; the results are in {out}") from error
        typer.echo(f"results in {out}, figures in {figures}")
    elif is_ok.any():
        typer.echo(f"results in {out}")
    if has_report:
        try:
            path = write_report(out, rate=rate, results=results)
        except ValueError as error:
            raise UsageError(f"--out: {error}; the results are in {out}") from error
        typer.echo(f"report in {path}")
    return 0 if is_ok.all() else UNFINISHED
