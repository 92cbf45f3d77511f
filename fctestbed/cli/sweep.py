"""The command ``sweep``: the main job."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fctestbed.cli import worlds
from fctestbed.cli.errors import UsageError

if TYPE_CHECKING:
    from fctestbed.sweep import SweepSpec

_HOW = "How it runs"


def sweep(
    unique_ratio: Annotated[
        str | None,
        typer.Option(help="Grid of ratios: 0:1:0.1 (stop included), 0,0.5,1, or both mixed."),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(help="Comma-separated methods; the default has FactorCL's and the controls."),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Grid of seeds: 0:2 is seeds 0, 1 and 2.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Sizes and optimisation: quick (the default) or official.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="A sweep file, such as sweeps/quick.toml; options go over it."),
    ] = None,
    augmentation: Annotated[
        str | None, typer.Option(help="Augmented views: optimal, official, unique or quality.")
    ] = None,
    variant: Annotated[
        str | None,
        typer.Option(
            help="paper (the default), official (every departure of the official code), or both."
        ),
    ] = None,
    critic: Annotated[
        str | None,
        typer.Option(help="One critic for all: concat, separable, bilinear or cosine."),
    ] = None,
    axis: Annotated[
        list[str] | None,
        typer.Option(
            "--axis",
            metavar="FIELD=VALUES",
            help="A further axis, any field: --axis world.observation.noise=0,0.1,0.3.",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any other value: --set train.steps=500."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Directory of the results; default sweeps/NAME.", rich_help_panel=_HOW),
    ] = None,
    figures_dir: Annotated[
        Path | None,
        typer.Option(
            "--figures",
            help="Directory of the figures; default figures/NAME.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="NAME; default the sweep file's or the preset's.", rich_help_panel=_HOW),
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda or cuda:N.", rich_help_panel=_HOW)
    ] = "auto",
    workers: Annotated[
        int | None,
        typer.Option(help="Worker processes; default one per core.", rich_help_panel=_HOW),
    ] = None,
    max_stack: Annotated[
        int | None,
        typer.Option(
            help="Most trainings in one stack; default what the device gains from.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and do nothing.", rich_help_panel=_HOW)
    ] = False,
    latents: worlds.Latents = None,
    shared: worlds.Shared = None,
    unique: worlds.Unique = None,
    label: worlds.LabelRule = None,
    label_bits: worlds.LabelBits = None,
    relevant: worlds.Relevant = None,
    balance: worlds.Balance = None,
    synergy: worlds.Synergy = None,
    observation: worlds.Observation = None,
    noise: worlds.Noise = None,
    n_train: worlds.TrainSize = None,
    n_test: worlds.TestSize = None,
) -> int:
    """Train every method at every ratio and seed, measure what it captured in bits, and draw the
    figures.

    Running the same command again does only what is missing.

    Example: fctestbed sweep --unique-ratio 0:1:0.1
    """
    world = worlds.world_values(
        latents=latents,
        shared=shared,
        unique=unique,
        label=label,
        label_bits=label_bits,
        relevant=relevant,
        balance=balance,
        synergy=synergy,
        observation=observation,
        noise=noise,
        n_train=n_train,
        n_test=n_test,
    )
    named: dict[str, Any] = {"critic": critic, "variants": variant}
    if augmentation is not None:
        named["augmentation"] = {"kind": augmentation}
    spec = read_sweep(
        unique_ratio, methods, seeds, named, world, preset, config, set_ or [], axis or []
    )
    name = name or (config.stem if config is not None else spec.preset)
    out = out or Path("sweeps") / name
    figures_dir = figures_dir or Path("figures") / name
    if dry_run:
        return _print_plan(spec, out, device, workers, max_stack)
    return _run(spec, out, figures_dir, device, workers, max_stack)


def read_sweep(
    unique_ratio: str | None,
    methods: str | None,
    seeds: str | None,
    named: dict[str, Any],
    world: dict[str, Any],
    preset: str | None,
    config: Path | None,
    pairs: list[str],
    axes: Sequence[str] = (),
) -> "SweepSpec":
    """The sweep that options, a file and pairs ask for.

    Raises:
        UsageError: one line naming the option.
    """
    from fctestbed.sweep import (  # noqa: PLC0415 - --help is quick
        build_sweep,
        parse_grid,
        parse_integers,
    )

    options: dict[str, Any] = {"world": world} if world else {}
    try:
        if unique_ratio is not None:
            options["unique_ratio"] = parse_grid(
                unique_ratio, low=0.0, high=1.0, option="--unique-ratio"
            )
        if seeds is not None:
            options["seeds"] = parse_integers(seeds, option="--seeds")
        if methods is not None:
            options["methods"] = tuple(part.strip() for part in methods.split(","))
        options.update({key: value for key, value in named.items() if value is not None})
        return build_sweep(preset=preset, config=config, options=options, axes=axes, pairs=pairs)
    except ValueError as error:
        raise UsageError.of(error) from error


def _print_plan(
    spec: "SweepSpec", out: Path, device: str, workers: int | None, max_stack: int | None
) -> int:
    from fctestbed.results import StoreRefused  # noqa: PLC0415 - --help is quick
    from fctestbed.sweep import describe_plan  # noqa: PLC0415

    try:
        lines = describe_plan(spec, out, device=device, workers=workers, max_stack=max_stack)
    except ValueError as error:
        raise UsageError.of(error) from error
    except StoreRefused as error:
        raise StoreRefused(f"--out: {error}") from error
    for line in lines:
        typer.echo(line)
    return 0


def _run(
    spec: "SweepSpec",
    out: Path,
    figures_dir: Path,
    device: str,
    workers: int | None,
    max_stack: int | None,
) -> int:
    from rich.console import Console  # noqa: PLC0415 - --help is quick

    from fctestbed.cli.display import SweepDisplay  # noqa: PLC0415
    from fctestbed.cli.report import print_summary  # noqa: PLC0415
    from fctestbed.plotting import draw_figures  # noqa: PLC0415
    from fctestbed.results import StoreRefused, load_results  # noqa: PLC0415
    from fctestbed.sweep import run_sweep, tune_process  # noqa: PLC0415

    _check_place(figures_dir)
    tune_process()
    console = Console(stderr=True)
    try:
        with SweepDisplay(console) as display:
            run_sweep(
                spec, out, device=device, workers=workers, max_stack=max_stack, display=display
            )
    except ValueError as error:
        raise UsageError.of(error) from error
    except StoreRefused as error:
        raise StoreRefused(f"--out: {error}") from error
    except KeyboardInterrupt:
        typer.echo(
            f"interrupted: what was done is safe in {out}; the same command goes on from there",
            err=True,
        )
        return 130
    results = load_results(out)
    print_summary(results)
    is_ok = results.runs["status"] == "ok"
    if is_ok.any():
        try:
            draw_figures(results, figures_dir)
        except ValueError as error:
            raise UsageError(f"--figures: {error}; the results are in {out}") from error
        typer.echo(f"results in {out}, figures in {figures_dir}")
    return 0 if is_ok.all() else 3


def _check_place(figures_dir: Path) -> None:
    """Refuse a directory that cannot be made before hours are spent, not after."""
    place = figures_dir
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise UsageError(f"--figures: expected a directory that can be written, got {figures_dir}")
