"""The style of figures: a colour, marker and dash per method, the order of methods, page sizes.

Imports seaborn's palette and matplotlib's settings; changes no setting outside ``house_style``.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from seaborn import color_palette

from fctestbed._messages import did_you_mean
from fctestbed.results import PAPER

COLUMN_INCHES = 3.25
PAGE_INCHES = 6.75
LABEL_POINTS = 7.5
TEXT_POINTS = 7.0
"""The smallest text of a figure."""
NOTE_COLOR = "#555555"
MOST_IN_A_COLUMN = 6
"""Curves that one panel of a column's width can show."""

_MOST_LABEL_CHARACTERS = 60
_labels: ContextVar[dict[str, str]] = ContextVar("labels", default={})  # noqa: B039 - read only

_NAMES = (
    "blue",
    "orange",
    "green",
    "vermilion",
    "pink",
    "brown",
    "rose",
    "grey",
    "yellow",
    "sky",
)
COLORBLIND: dict[str, str] = dict(zip(_NAMES, color_palette("colorblind").as_hex(), strict=True))

# White, the palette's blue, near black: ordered in lightness, also when printed in grey.
BITS_COLORS = LinearSegmentedColormap.from_list(
    "bits", ["#ffffff", "#8cc0e0", "#0173b2", "#01263c"]
)

# The same in orange, for numbers in nats: no bit and no nat have one colour.
NATS_COLORS = LinearSegmentedColormap.from_list(
    "nats", ["#ffffff", "#f6cf8e", "#de8f05", "#5c3a00"]
)

Dash = str | tuple[float, tuple[float, ...]]

SOLID: Dash = "-"
LONG: Dash = (0.0, (5.0, 1.5))
SHORT: Dash = (0.0, (2.5, 1.2))
DOTS: Dash = (0.0, (1.0, 1.2))
DASH_DOT: Dash = (0.0, (4.0, 1.2, 1.0, 1.2))
_MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<", ">", "p", "h", "*")
# Neighbours differ clearly; under markers, a long dash would look like a solid line.
_DASHES = (SOLID, SHORT, DOTS, LONG, DASH_DOT)

# Keys of any type: matplotlib lists all of its settings as literals.
_SETTINGS: dict[Any, object] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": TEXT_POINTS,
    "axes.labelsize": LABEL_POINTS,
    "axes.titlesize": LABEL_POINTS,
    "xtick.labelsize": TEXT_POINTS,
    "ytick.labelsize": TEXT_POINTS,
    "legend.fontsize": TEXT_POINTS,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # Type 3 fonts are refused by publishers' portals; text in SVG stays text.
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "fctestbed",
    "path.simplify": False,
}


@dataclass(frozen=True)
class MethodStyle:
    """How one method is drawn.

    Args:
        label: its name, as tables have it.
        color: hexadecimal.
        marker: matplotlib's marker.
        dash: matplotlib's line style.
        control: whether it is a control, drawn thin, with hollow markers and behind the methods.
    """

    label: str
    color: str
    marker: str
    dash: Dash = SOLID
    control: bool = False

    @property
    def text(self) -> str:
        """Its name, as figures have it."""
        return literal(self.label)

    @property
    def line_width(self) -> float:
        """Width of its line in points."""
        return 0.9 if self.control else 1.5


METHOD_STYLES: dict[str, MethodStyle] = {
    "factorcl-sup": MethodStyle("FactorCL-SUP", COLORBLIND["green"], "o"),
    "factorcl-ssl": MethodStyle("FactorCL-SSL", COLORBLIND["vermilion"], "s"),
    "supcon": MethodStyle("SupCon", COLORBLIND["orange"], "v"),
    "simclr": MethodStyle("SimCLR", COLORBLIND["blue"], "^"),
    "cross-self": MethodStyle("Cross+Self", COLORBLIND["pink"], "D", LONG),
    "cross-self-fact": MethodStyle("Cross+Self+Fact", COLORBLIND["rose"], "d", SHORT),
    "ourcl-sup": MethodStyle("OurCL-SUP", COLORBLIND["yellow"], "P", LONG),
    "ourcl-ssl": MethodStyle("OurCL-SSL", COLORBLIND["brown"], "X", LONG),
    "comm": MethodStyle("CoMM", COLORBLIND["sky"], "p", DASH_DOT),
    # The palette has no more colours; these two dark ones differ from the others in every kind of
    # colour vision.
    "focal": MethodStyle("FOCAL", "#332288", "h", DASH_DOT),
    "disentangled-ssl": MethodStyle("DisentangledSSL", "#661100", "*", SHORT),
    # Controls are grey; a unimodal loss has a greyed colour of the FactorCL that it is compared to.
    "unimodal-sup": MethodStyle("Unimodal-SUP", "#5b8a7d", "o", LONG, control=True),
    "unimodal-ssl": MethodStyle("Unimodal-SSL", "#b08672", "s", LONG, control=True),
    "supervised": MethodStyle("Supervised", "#4d4d4d", "D", SHORT, control=True),
    "raw": MethodStyle("Raw inputs", "#7a7a7a", "x", DOTS, control=True),
    "untrained": MethodStyle("Untrained", COLORBLIND["grey"], "+", DASH_DOT, control=True),
}


TABLE_GROUPS: dict[str, tuple[str, ...]] = {
    "SSL": (
        "simclr",
        "cross-self",
        "cross-self-fact",
        "ourcl-ssl",
        "factorcl-ssl",
        "unimodal-ssl",
        "comm",
        "focal",
        "disentangled-ssl",
    ),
    "SUP": ("supcon", "ourcl-sup", "factorcl-sup", "unimodal-sup"),
    "other": (),
    "control": ("supervised", "untrained", "raw"),
}
"""Order of methods in tables: self-supervised and supervised ones (the FactorCL paper's Table 2,
its two unimodal losses, later methods), methods that are not in this list, controls."""


@dataclass(frozen=True, order=True)
class PanelGroup:
    """A kind of methods that share a panel where a figure has too many curves for one.

    Args:
        place: its place among the panels.
        title: of its panel.
    """

    place: int
    title: str


_LATER_SSL = ("comm", "focal", "disentangled-ssl")
_PANEL_GROUPS = {
    "SSL": PanelGroup(0, "self-supervised"),
    "later": PanelGroup(1, "later self-supervised"),
    "SUP": PanelGroup(2, "with labels"),
    "other": PanelGroup(3, "other methods"),
}


def panel_group(method: str) -> PanelGroup | None:
    """The kind of a method where panels are by kind; None for a control, which is in all panels."""
    group = "later" if method in _LATER_SSL else table_group(method)
    return None if group == "control" else _PANEL_GROUPS[group]


def house_style() -> AbstractContextManager[None]:
    """The figures' settings, inside a ``with`` block."""
    return mpl.rc_context(rc=_SETTINGS)


@contextmanager
def method_labels(labels: Mapping[str, str]) -> Iterator[None]:
    """Other names of methods in figures, by the names that they have in rows, inside a ``with``
    block."""
    token = _labels.set(dict(labels))
    try:
        yield
    finally:
        _labels.reset(token)


def check_labels(labels: Mapping[str, str], methods: Collection[str]) -> None:
    """Refuse names of methods without rows, and names that nobody could read.

    Raises:
        ValueError: one line.
    """
    for method, label in labels.items():
        if method not in methods:
            known = sorted(methods)
            raise ValueError(
                f"labels: expected methods among {', '.join(known)}, got {method!r}"
                f"{did_you_mean(method, known)}"
            )
        if not label.strip() or not label.isprintable() or len(label) > _MOST_LABEL_CHARACTERS:
            raise ValueError(
                f"labels: expected 1 to {_MOST_LABEL_CHARACTERS} printable characters for "
                f"{method}, got {label!r}"
            )


def literal(name: str) -> str:
    """A name from outside as a figure's text: its dollar signs begin no formula."""
    return name.replace("$", r"\$")


def width_for(points: pd.DataFrame) -> float:
    """A column's width in inches, or a page's if there are too many curves for a column."""
    n_series = len(points[["method", "variant"]].drop_duplicates())
    return COLUMN_INCHES if n_series <= MOST_IN_A_COLUMN else PAGE_INCHES


def style_of(method: str, variant_index: int = 0) -> MethodStyle:
    """A method's style, which depends only on its name, known or not.

    Args:
        method: its name.
        variant_index: 0 for a method's first variant; later ones keep its colour and change dash.
    """
    style = METHOD_STYLES.get(method) or _derived_style(method)
    style = replace(style, label=_labels.get().get(method, style.label))
    if variant_index == 0:
        return style
    known = _DASHES.index(style.dash) if style.dash in _DASHES else 0
    return replace(style, dash=_DASHES[(known + variant_index) % len(_DASHES)])


def method_order(method: str) -> tuple[int, str]:
    """A sort key: the order of ``METHOD_STYLES``, unknown methods before the controls by name."""
    names = list(METHOD_STYLES)
    first_control = next(i for i, style in enumerate(METHOD_STYLES.values()) if style.control)
    if method not in METHOD_STYLES:
        return first_control, method
    position = names.index(method)
    return position + (position >= first_control), method


def table_group(method: str) -> str:
    """The group of ``TABLE_GROUPS`` that a method is in; ``other`` for an unknown one."""
    return next((group for group, known in TABLE_GROUPS.items() if method in known), "other")


def table_order(method: str) -> tuple[int, int, tuple[int, str]]:
    """A sort key for tables: group, place in it, and for unknown methods their name."""
    group = table_group(method)
    known = TABLE_GROUPS[group]
    place = known.index(method) if method in known else 0
    return list(TABLE_GROUPS).index(group), place, method_order(method)


def variant_order(variant: str) -> tuple[bool, str]:
    """A sort key: the paper's variant, then the others by name."""
    return variant != PAPER, variant


def variants_by_method(rows: pd.DataFrame) -> dict[str, list[str]]:
    """The variants of every method in the rows, both in drawing order."""
    pairs = {(str(m), str(v)) for m, v in zip(rows["method"], rows["variant"], strict=True)}
    return {
        method: sorted((v for name, v in pairs if name == method), key=variant_order)
        for method in sorted({method for method, _ in pairs}, key=method_order)
    }


def series_styles(rows: pd.DataFrame) -> dict[tuple[str, str], MethodStyle]:
    """Style of every (method, variant) in the rows, in drawing order.

    A label names its variant where the rows hold several of the method, or another one than the
    paper's.
    """
    styles: dict[tuple[str, str], MethodStyle] = {}
    for method, variants in variants_by_method(rows).items():
        for index, variant in enumerate(variants):
            style = style_of(method, index)
            named = variant and (len(variants) > 1 or variant != PAPER)
            label = f"{style.label} ({variant})" if named else style.label
            styles[method, variant] = replace(style, label=label)
    return styles


def _derived_style(method: str) -> MethodStyle:
    # Python's built-in hash differs between processes.
    seed = hashlib.sha256(method.encode()).digest()
    colors = [color for name, color in COLORBLIND.items() if name != "grey"]
    return MethodStyle(
        method,
        _darkened(colors[seed[0] % len(colors)]),
        _MARKERS[seed[1] % len(_MARKERS)],
        _DASHES[seed[2] % len(_DASHES)],
    )


def _darkened(color: str) -> str:
    """A darker shade, so that no unknown method has a known one's colour."""
    return "#" + "".join(f"{round(0.6 * int(color[i : i + 2], 16)):02x}" for i in (1, 3, 5))
