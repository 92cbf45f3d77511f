"""The report: a sweep's rows as one HTML page that loads nothing.

May import Jinja2, ``fctestbed.plotting``, ``fctestbed.results`` and the modules of this package.
"""

import shlex
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fctestbed._version import __version__
from fctestbed.plotting import (
    HEATMAP_RATIO,
    Axis,
    Drawing,
    Yardstick,
    choose_yardstick,
    horizontal_axis,
    series_styles,
    sweep_drawings,
)
from fctestbed.reporting.alarms import alarm_sentence, alarms_of
from fctestbed.reporting.captions import figure_words
from fctestbed.reporting.captured import captured_table
from fctestbed.reporting.caveats import caveats
from fctestbed.reporting.conclusions import axis_name, conclusions
from fctestbed.reporting.label_bits import RATIO, LabelBits
from fctestbed.reporting.settings import environment_rows, grid_rows, setting_rows, sweep_toml
from fctestbed.reporting.svg import color_variables, inline_figure
from fctestbed.reporting.tables import (
    Table,
    alarms_table,
    controls_table,
    frame_table,
    label_tables,
    numbers_table,
    pairs_table,
)
from fctestbed.reporting.wording import counted
from fctestbed.results import Results, load_results, write_atomically

REPORT_NAME = "report.html"
"""The report's file in a sweep's directory."""
MOST_FIGURES = 24
"""The figures that a report has."""
_WHITE = "#ffffff"
_NO_DIRECTORY = "DIRECTORY"


@dataclass(frozen=True)
class _Figure:
    """A figure on the page: its markup, words, numbers and command."""

    name: str
    title: str
    caption: str
    markup: Markup
    width: int
    numbers: Table


def report(
    results: Results, *, directory: str | Path | None = None, rate: float | None = None
) -> str:
    """A sweep's report as one HTML page: no part of it is loaded from anywhere.

    Args:
        results: the result of ``load_results``.
        directory: the sweep's directory, for the title and the commands; None if it has none.
        rate: the rate in bits at which label bits are read; None for the default of the figures.

    Returns:
        The page. The same rows give the same text.

    Raises:
        ValueError: one line, for results without a run, or a rate that was not measured.
    """
    if not isinstance(results, Results):
        raise ValueError(
            f"results: expected what load_results returns, got {type(results).__name__}"
        )
    if results.runs.empty:
        raise ValueError("results: expected runs to report, got none")
    yardstick = choose_yardstick(results, rate=rate)
    place = _NO_DIRECTORY if directory is None else str(directory)
    name = "" if directory is None else Path(directory).resolve().name
    commands = _commands(place, yardstick)
    found = LabelBits.of(results, yardstick)
    alarms = alarms_of(results, found)
    drawings = sweep_drawings(results, yardstick.rate_bits) if _is_drawable(results) else {}
    shown = dict(list(drawings.items())[:MOST_FIGURES])
    figures, colors = _figures(shown, commands["figures"])
    light, dark = color_variables(
        {*colors, _WHITE}, [style.color for style in series_styles(results.runs).values()]
    )
    captured, left_out = captured_table(results, yardstick)
    labels, n_more = label_tables(results, yardstick, commands["figures"])
    return (
        _templates()
        .get_template("report.html.j2")
        .render(
            title=f"Report of the sweep {name}".strip(),
            version=__version__,
            question=_question(results),
            sentences=conclusions(results, yardstick.rate_bits),
            caveats=caveats(results, found),
            summary=_summary(results, found, yardstick),
            commands=commands,
            labels=labels,
            n_more_tables=n_more,
            figures=figures,
            n_more_figures=len(drawings) - len(shown),
            captured=frame_table(
                captured.rename(columns={"read_by": "read by"}),
                name="captured-table",
                caption="Captured bits of each readout: mean over seeds, 95 % interval "
                "(Student t), ceiling of the reading and exact truth",
                command=commands["export"],
                choices=("method", RATIO, "readout", "quantity", "read by"),
                fixed=("bits", "low", "high"),
            ),
            left_out=left_out,
            controls=controls_table(found, commands["report"]),
            alarm_sentence=alarm_sentence(alarms),
            alarms=alarms_table(alarms) if alarms else None,
            grid=pairs_table("grid", "What varies", grid_rows(results)),
            settings=pairs_table("settings", "All other settings", setting_rows(results)),
            environment=pairs_table("environment", "Environment", environment_rows(results)),
            toml=sweep_toml(results.sweep_spec),
            light=light,
            dark=dark,
            style=_resource("report.css"),
            script=_resource("report.js"),
        )
    )


def write_report(
    directory: str | Path,
    out: str | Path | None = None,
    *,
    rate: float | None = None,
    results: Results | None = None,
) -> Path:
    """Write a sweep's report as one HTML file, whole or not at all.

    Args:
        directory: a sweep's directory (its store, or exported rows).
        out: the file; None for ``report.html`` in the directory.
        rate: the rate in bits at which label bits are read; None for the default of the figures.
        results: the rows of the directory if they are loaded already; None to load them.

    Returns:
        The file's path.

    Raises:
        StoreRefused: one line, if the store cannot be read or is damaged; nothing was written.
        ValueError: one line, for a directory without results, results without a run, a rate that
            was not measured, or a file that cannot be written.
    """
    results = results or load_results(directory, single_bits_at=HEATMAP_RATIO)
    page = report(results, directory=directory, rate=rate)
    place = Path(directory)
    default = (place.parent if place.is_file() else place) / REPORT_NAME
    return write_atomically(default if out is None else out, page.encode())


def _is_drawable(results: Results) -> bool:
    return bool((results.runs["status"] == "ok").any())


def _commands(directory: str, yardstick: Yardstick) -> dict[str, str]:
    """The commands that make the parts of the report, by name."""
    place = shlex.quote(directory)
    rate = "" if yardstick.rate_bits is None else f" --rate {yardstick.rate_bits:g}"
    return {
        "report": f"fctestbed report {place}{rate}",
        "figures": f"fctestbed figures {place} --out figs{rate}",
        "export": f"fctestbed export {place} --out rows",
        "check": f"fctestbed check {place}",
        "sweep": "fctestbed sweep --config sweep.toml",
    }


def _question(results: Results) -> str:
    """What the sweep asks, in one sentence."""
    x = horizontal_axis(results, None)
    varies = len(Axis.of(results.runs[x]).values) > 1
    if not varies:
        return "How many of the label's bits can be read from the representation of each method?"
    along = (
        "the share of the label's information that is unique to one modality grows"
        if x == RATIO
        else f"{axis_name(x)} varies"
    )
    return f"How many of the label's bits can be read from each method's representation as {along}?"


def _summary(results: Results, found: LabelBits, yardstick: Yardstick) -> list[tuple[str, str]]:
    """The sweep in a few numbers."""
    runs = results.runs.drop_duplicates("run_id")
    n_ok = int((runs["status"] == "ok").sum())
    series = len(results.runs[["method", "variant"]].drop_duplicates())
    total = found.total_bits
    exact = ""
    if len(total):
        ends = sorted({f"{total.min():.3g}", f"{total.max():.3g}"}, key=float)
        exact = " to ".join(ends)
    return [
        ("methods", str(series)),
        (
            "combinations of axis values",
            str(len(results.runs[[RATIO, *results.axes]].drop_duplicates())),
        ),
        ("seeds", str(results.runs["seed"].nunique())),
        ("finished", f"{n_ok} of {counted(len(runs), 'run')}"),
        ("label, exact", f"{exact} bits" if exact else "not known"),
        ("label bits are", yardstick.text),
    ]


def _figures(drawings: dict[str, Drawing], command: str) -> tuple[list[_Figure], frozenset[str]]:
    """The figures of the page, and their colours."""
    found: list[_Figure] = []
    colors: set[str] = set()
    for place, (name, drawing) in enumerate(drawings.items()):
        title, caption = figure_words(name)
        key = f"figure-{place}"
        inline = inline_figure(drawing, key, title, caption)
        colors |= inline.colors
        numbers = numbers_table(
            drawing.numbers, name=f"{key}-numbers", caption=f"Numbers of {title}", command=command
        )
        # The markup is this program's own; texts from rows are escaped in it.
        markup = Markup(inline.markup)
        found.append(_Figure(key, title, caption, markup, round(inline.width), numbers))
    return found, frozenset(colors)


def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("fctestbed.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _resource(name: str) -> Markup:
    """A style sheet or script of the page, as it is."""
    text = files("fctestbed.reporting").joinpath("templates", name).read_text(encoding="utf-8")
    return Markup(text)
