"""Figures as files, each with a CSV file of its numbers, and tables as Markdown.

May import pandas and all of this package.
"""

import io
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any

import pandas as pd

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
    BENCH_FIGURES,
    DRAWN_FIGURES,
    EVERY_AXIS,
    FIGURES,
    GAUSSIAN_FIGURES,
    KINDS,
    PANELS_PER_WORLD,
    READOUT_FIGURES,
    docket_pages,
    docket_table,
    draw_calibration,
    draw_docket,
    draw_overview,
    draw_waterfall,
)
from fctestbed.plotting.interface import Drawing, DrawOptions, NothingToDraw
from fctestbed.plotting.panels import MOST_PANELS
from fctestbed.plotting.style import check_labels, house_style, method_labels
from fctestbed.plotting.yardstick import choose_yardstick
from fctestbed.results import Results, write_atomically

# No dates in the files: the same rows give the same bytes.
_METADATA: dict[str, dict[str, None]] = {
    "png": {},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}
_DOTS_PER_INCH = 200


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
        return _write_all(drawings.items(), out_dir, formats)


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


def write_figure(
    name: str, drawing: Drawing, out_dir: str | Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Write one figure in each format, and its numbers as CSV.

    Args:
        name: of the files.
        drawing: the figure.
        out_dir: made if missing; files of these names are replaced.
        formats: of ``png`` (200 dpi), ``pdf`` and ``svg``.

    Raises:
        ValueError: one line, for an unknown format or a directory that cannot be written.
    """
    check_formats(formats)
    with house_style():
        return _write_all([(name, drawing)], out_dir, formats)


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


def svg_of(drawing: Drawing) -> bytes:
    """A drawing as an SVG document: text stays text, and it has no date."""
    with house_style():
        return _encoded(drawing, "svg")


def draw_readout_figures(
    rows: pd.DataFrame, out_dir: str | Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Draw the figures of estimators on readouts that the rows allow.

    Args:
        rows: of ``calibrate-readouts``.
        out_dir: made if missing; files of these names are replaced.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written; none where the rows hold no estimate.

    Raises:
        ValueError: one line, for rows that lack columns or have several noises, or a directory that
            cannot be written.
    """
    return _draw_rows(READOUT_FIGURES, rows, out_dir, formats)


def draw_docket_figures(
    verdicts: pd.DataFrame,
    cells: pd.DataFrame,
    out_dir: str | Path,
    formats: Sequence[str] = ("png", "pdf"),
) -> list[Path]:
    """Draw the verdicts of a docket as ``docket``, with the table as Markdown; those that do not
    fit a page are in ``docket_2`` and so on.

    Args:
        verdicts: a row for each claim and condition, as ``fctestbed.judge`` returns them.
        cells: a row for each cell of them.
        out_dir: made if missing; files of these names are replaced.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written.

    Raises:
        ValueError: one line, for no verdict, an unknown format or a directory that cannot be
            written.
    """
    check_formats(formats)
    with house_style():
        drawings = {}
        for place, page in enumerate(docket_pages(verdicts), start=1):
            own = cells[cells["claim"].isin(page["claim"])]
            name = "docket" if place == 1 else f"docket_{place}"
            drawings[name] = replace(draw_docket(page, own), markdown="")
        drawings["docket"] = replace(drawings["docket"], markdown=docket_table(verdicts))
        return _write_all(drawings.items(), out_dir, formats)


def draw_fault_figures(
    rows: pd.DataFrame,
    steps: pd.DataFrame,
    out_dir: str | Path,
    formats: Sequence[str] = ("png", "pdf"),
) -> list[Path]:
    """Draw an explanation: ``waterfall_METHOD`` for each method, and ``overview``.

    Args:
        rows: of ``fctestbed.explain``.
        steps: of ``fctestbed.faults.all_steps``.
        out_dir: made if missing; files of these names are replaced.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written.

    Raises:
        ValueError: one line, for an unknown format or a directory that cannot be written.
    """
    written = _draw_rows({"overview": draw_overview}, steps, out_dir, formats)
    for method, own in rows.groupby("method", sort=False):
        name = "".join(c if c.isalnum() or c in "-_." else "_" for c in str(method))
        written += _draw_rows({f"waterfall_{name}": draw_waterfall}, own, out_dir, formats)
    return written


def draw_gaussian_figures(
    rows: pd.DataFrame, out_dir: str | Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Draw the Gaussian figure against the training step and by level.

    Args:
        rows: the result of ``gaussian_rows``.
        out_dir: directory for ``gaussian.*`` and ``gaussian_levels.*``.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written.

    Raises:
        ValueError: one line, for an unknown format or a directory that cannot be written.
    """
    return _draw_rows(GAUSSIAN_FIGURES, rows, out_dir, formats)


def draw_calibration_figures(
    summary: pd.DataFrame, out_dir: str | Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Draw a calibration: a figure for each kind of pair and each number of samples.

    Args:
        summary: the result of ``fctestbed.calibration.summarise``.
        out_dir: directory for ``calibration_<kind>_<n>.<format>`` and ``.csv``.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written.

    Raises:
        ValueError: one line, for an unknown format, a directory that cannot be written, or a
            summary without any estimate.
    """
    figures: dict[str, Callable[[pd.DataFrame], Drawing]] = {
        f"calibration_{kind}_{n}": partial(draw_calibration, kind=kind, n=int(n))
        for kind in KINDS
        for n in sorted(summary["n"].unique())
    }
    written = _draw_rows(figures, summary, out_dir, formats)
    if not written:
        raise ValueError("calibration: expected estimates to draw, got none")
    return written


def draw_drawn_figures(
    cells: pd.DataFrame, out_dir: str | Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Draw a calibration on drawn laws: coverage and share of intervals.

    Args:
        cells: the result of ``fctestbed.calibration.drawn_cells``.
        out_dir: directory for ``drawn_laws.<format>`` and ``.csv``.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written; none where no law has intervals to judge by.

    Raises:
        ValueError: one line, for an unknown format or a directory that cannot be written.
    """
    return _draw_rows(DRAWN_FIGURES, cells, out_dir, formats)


def draw_bench_figures(
    report: Mapping[str, Any], out_dir: str | Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Draw a benchmark: ratios and shares of the matrix rate, and growth along axes.

    Args:
        report: what ``fctestbed.experiments.bench_report`` returned, or its JSON file's content.
        out_dir: directory for ``bench.*`` and ``bench_growth.*``.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written; none where nothing can be drawn.

    Raises:
        ValueError: one line, for an unknown format or a directory that cannot be written.
    """
    written = []
    for name, (part, draw) in BENCH_FIGURES.items():
        rows = pd.DataFrame(report[part])
        if not rows.empty:
            written += _draw_rows({name: draw}, rows, out_dir, formats)
    return written


def check_formats(formats: Sequence[str]) -> None:
    """Refuse formats that cannot be written.

    Raises:
        ValueError: one line, naming the first one.
    """
    if isinstance(formats, str) or not isinstance(formats, Sequence) or not formats:
        raise ValueError(f"formats: expected some of {', '.join(_METADATA)}, got {formats!r}")
    unknown = [name for name in formats if name not in _METADATA]
    if unknown:
        raise ValueError(f"formats: expected any of {', '.join(_METADATA)}, got {unknown[0]!r}")


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


def _draw_rows(
    figures: Mapping[str, Callable[[pd.DataFrame], Drawing]],
    rows: pd.DataFrame,
    out_dir: str | Path,
    formats: Sequence[str],
) -> list[Path]:
    check_formats(formats)
    written = []
    with house_style():
        for name, draw in figures.items():
            try:
                drawing = draw(rows)
            except NothingToDraw:
                continue
            written += _write_all([(name, drawing)], out_dir, formats)
    return written


def _write_all(
    drawings: Iterable[tuple[str, Drawing]], out_dir: str | Path, formats: Sequence[str]
) -> list[Path]:
    """Write figures in each format, their numbers as CSV, and tables as Markdown; in the house
    style that is set."""
    written = []
    for name, drawing in drawings:
        files = {f"{name}.{ending}": _encoded(drawing, ending) for ending in formats}
        files[f"{name}.csv"] = drawing.numbers.to_csv(index=False, lineterminator="\n").encode()
        if drawing.markdown:
            files[f"{name}.md"] = drawing.markdown.encode()
        written += [write_atomically(Path(out_dir) / file, text) for file, text in files.items()]
    return written


def _encoded(drawing: Drawing, ending: str) -> bytes:
    buffer = io.BytesIO()
    drawing.figure.savefig(
        buffer, format=ending, dpi=_DOTS_PER_INCH, metadata=dict(_METADATA[ending])
    )
    return buffer.getvalue()
