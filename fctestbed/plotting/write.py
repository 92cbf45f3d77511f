"""A sweep's figures as files, and its tables as Markdown.

May import pandas and all of this package.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path

from fctestbed.plotting.axes import (
    UNIQUE_RATIO,
    World,
    horizontal_axis,
    other_axes,
    split_worlds,
    varying_axes,
    with_world,
)
from fctestbed.plotting.baseline import at_baseline, baseline_of
from fctestbed.plotting.captions import set_width
from fctestbed.plotting.choice import chosen_figures, inches_of, of_methods
from fctestbed.plotting.figures import (
    EVERY_AXIS,
    FIGURES,
    PANELS_PER_WORLD,
)
from fctestbed.plotting.files import check_formats, write_all
from fctestbed.plotting.interface import Drawing, DrawOptions, NothingToDraw
from fctestbed.plotting.panels import MOST_PANELS
from fctestbed.plotting.style import check_labels, house_style, method_labels
from fctestbed.plotting.yardstick import choose_yardstick
from fctestbed.results import Results


def draw_figures(
    results: Results,
    out_dir: str | Path,
    formats: Sequence[str] = ("png", "pdf"),
    *,
    heatmap_ratio: float | None = None,
    table_ratio: float | None = None,
    curve_ratios: Sequence[float] | None = None,
    estimator: str | None = None,
    rate: float | None = None,
    x: str | None = None,
    only: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    width: str | float | None = None,
) -> list[Path]:
    """Draw every figure that the rows allow, and write the plotted numbers of each as CSV.

    Tables are written as Markdown too. Where the sweep varies further axes (``results.axes``), no
    mean is taken over them:

    - Curves (``label_bits``, ``label_bits_linear``, ``r90``, ``blocks``, ``accuracy``) are drawn
      along one axis, with a panel for each combination of values of the others, on shared scales. A
      figure has at most 12 panels; with more there is a file for each value of the further axis
      with the fewest values (``label_bits_noise=0.1``), then of the next one, until they fit.
    - ``rate_curves`` has a panel for each of some unique ratios, and all other figures pool over
      them. They have a file for each combination of values of the further axes.
    - Where the axes vary one at a time, ``scaling`` and ``scaling_exponents`` have all of them. The
      others draw the baseline, and curves along one axis through it.

    Args:
        results: the result of ``load_results``.
        out_dir: directory for ``<figure>.<format>`` and ``<figure>.csv`` (``<figure>.md``); made if
            missing, files of these names are replaced.
        formats: of ``png`` (200 dpi), ``pdf`` and ``svg``.
        heatmap_ratio: unique ratio of the heat map; the nearest one in the rows is drawn. None:
            0.5.
        table_ratio: unique ratio of the tables (``ablation``, ``readouts``, ``audit``, ``quality``,
            ``critics``); the nearest one in the rows is used. None: the mean over all ratios.
        curve_ratios: unique ratios of the panels of ``rate_curves``, at most 12; the nearest ones
            in the rows are drawn. None: the lowest, the middle and the highest one.
        estimator: the estimator whose bits are drawn. None: readings at a rate, if every world has
            them, else by a linear probe.
        rate: the rate in bits at which they are read, one of the measured ones. None: the one
            nearest to twice the label's bits.
        x: the horizontal axis of curves: ``unique_ratio`` or a field's dotted path. None:
            ``unique_ratio`` if it varies or nothing else does, else the first axis with several
            numbers, else the first with several names or booleans, whose values are categories.
        only: the names of the figures to draw; None: all.
        methods: the methods to draw; None: all that have rows.
        labels: names of methods in the figures, by the names that they have in rows. None: the
            names of their papers.
        width: of the figures: ``column`` (3.25 in), ``page`` (6.75 in) or a number of inches; None:
            each figure's own. Tables keep theirs.

    Returns:
        The files written, figure by figure.

    Raises:
        ValueError: one line, for an unknown format, estimator, rate, axis, figure or method,
            another width, a directory that cannot be written, or results that allow no figure.
    """
    if not isinstance(results, Results):
        raise ValueError(
            f"results: expected what load_results returns, got {type(results).__name__}"
        )
    if not isinstance(out_dir, str | Path):
        raise ValueError(f"out_dir: expected a directory, got {out_dir!r}")
    check_formats(formats)
    for name, ratio in (("heatmap_ratio", heatmap_ratio), ("table_ratio", table_ratio)):
        if ratio is not None and not (isinstance(ratio, int | float) and 0 <= ratio <= 1):
            raise ValueError(f"{name}: expected a number from 0 to 1, got {ratio!r}")
    _check_curve_ratios(curve_ratios)
    figures, inches = chosen_figures(only, list(FIGURES)), inches_of(width)
    results = of_methods(results, methods)
    check_labels(labels or {}, set(results.runs["method"]))
    options = DrawOptions(
        heatmap_ratio=heatmap_ratio,
        table_ratio=table_ratio,
        curve_ratios=None if curve_ratios is None else tuple(curve_ratios),
        yardstick=choose_yardstick(results, estimator, rate),
        x=horizontal_axis(results, x),
        inches=inches,
    )
    with house_style(), method_labels(labels or {}):
        # Some variant of each method is drawn if no figure compares the variants.
        drawings = _drawings(results, options, figures) or _drawings(
            results, replace(options, any_variant=True), figures
        )
        if not drawings:
            n_runs = len(results.runs)
            asked = "" if only is None else f" in {', '.join(figures)}"
            raise ValueError(
                f"results: expected finished runs to draw{asked}, got none ({n_runs} runs in all)"
            )
        if inches is not None:
            for drawing in drawings.values():
                set_width(drawing.figure, inches)
        return write_all(drawings.items(), out_dir, formats)


def tables(results: Results) -> dict[str, str]:
    """The paper's tables from a sweep's rows, as Markdown, by name.

    Raises:
        ValueError: one line, for results that allow no table.
    """
    options = DrawOptions(x=horizontal_axis(results, None), yardstick=choose_yardstick(results))
    with house_style():
        drawings = _drawings(results, options)
    found = {name: drawing.markdown for name, drawing in drawings.items() if drawing.markdown}
    if not found:
        raise ValueError(
            f"results: expected finished runs for a table, got none ({len(results.runs)} runs)"
        )
    return found


def sweep_drawings(results: Results, rate: float | None = None) -> dict[str, Drawing]:
    """The figures that a sweep's rows allow, as ``draw_figures`` draws them, without files.

    Args:
        results: the result of ``load_results``.
        rate: the rate in bits at which label bits are read; None: as in ``draw_figures``.

    Returns:
        Drawings by the name of their files; empty for results without a finished run.

    Raises:
        ValueError: one line, for a rate that was not measured.
    """
    options = DrawOptions(
        x=horizontal_axis(results, None), yardstick=choose_yardstick(results, rate=rate)
    )
    with house_style():
        return _drawings(results, options) or _drawings(results, replace(options, any_variant=True))


def _check_curve_ratios(ratios: Sequence[float] | None) -> None:
    if ratios is None:
        return
    if not 1 <= len(ratios) <= MOST_PANELS:
        raise ValueError(
            f"curve_ratios: expected 1 to {MOST_PANELS} unique ratios, got {len(ratios)}"
        )
    for ratio in ratios:
        if not (isinstance(ratio, int | float) and 0 <= ratio <= 1):
            raise ValueError(f"curve_ratios: expected numbers from 0 to 1, got {ratio!r}")


def _drawings(
    results: Results, options: DrawOptions, figures: Iterable[str] | None = None
) -> dict[str, Drawing]:
    """The drawings that the results allow, by the name of their files.

    Args:
        results: the rows.
        options: of the figures.
        figures: names of those that are wanted; None for all.
    """
    x = options.x or UNIQUE_RATIO
    order = (UNIQUE_RATIO, *results.axes)
    drawings: dict[str, Drawing] = {}
    for name in FIGURES if figures is None else figures:
        draw = FIGURES[name]
        for world in _files(name, results, x):
            try:
                drawing = draw(world.results, replace(options, world=world.values))
            except NothingToDraw:
                continue
            numbers = with_world(drawing.numbers, world, order) if world.values else drawing.numbers
            file = _unused(f"{name}{world.suffix}", drawings)
            drawings[file] = replace(drawing, numbers=numbers)
    return drawings


def _unused(name: str, used: Container[str]) -> str:
    """The name; with a number if it is used, as file names lack some characters of values."""
    names = chain([name], (f"{name}_{n}" for n in count(2)))
    return next(one for one in names if one not in used)


def _files(name: str, results: Results, x: str) -> list[World]:
    """The parts of the results, one for each file of a figure.

    Args:
        name: the figure's.
        results: the rows.
        x: the horizontal axis of curves.
    """
    if name in EVERY_AXIS:
        return split_worlds(results, (UNIQUE_RATIO,))
    # How many panels the figure has for each world; None for a figure of one world.
    panels_per_world = PANELS_PER_WORLD.get(name)
    if baseline := baseline_of(results):
        results = at_baseline(results, baseline, None if panels_per_world is None else x)
    if panels_per_world is None:
        return split_worlds(results, other_axes(results, UNIQUE_RATIO))
    # Further axes before the unique ratio, and those with few values, hence few files, first.
    axes = [axis for axis in varying_axes(results) if axis.name != x]
    axes.sort(key=lambda axis: (axis.name == UNIQUE_RATIO, len(axis.values)))
    names = [axis.name for axis in axes]
    fixed: list[str] = []
    files = split_worlds(results, fixed)
    while len(fixed) < len(names) and any(
        panels_per_world * len(split_worlds(file.results, names)) > MOST_PANELS for file in files
    ):
        fixed.append(names[len(fixed)])
        files = split_worlds(results, fixed)
    return files
