"""Figures as markup inside a page: vectors, text as text, colours as variables of the page.

May import matplotlib's artists, ``fctestbed.plotting`` and ``colors``.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from fctestbed.plotting import METHOD_STYLES, Drawing, svg_of
from fctestbed.reporting.colors import dark_color

_COLOR = re.compile(r"#[0-9a-fA-F]{6}\b")
_REFERENCE = re.compile(r"#([\w.:-]+)")
_FONTS = "'DejaVu Sans', Verdana, sans-serif"
_FAMILY = re.compile(r"font-family:[^;]*")
_FONT = re.compile(r"(font:[^;']*)'[^;]*")
_NUMBERS = re.compile(r"-?\d+\.\d{3,}")
_CSS_PIXELS_PER_POINT = 96 / 72
_BLACK = "#000000"
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class InlineFigure:
    """A figure for a page.

    Attributes:
        markup: an ``svg`` element.
        width: its width in CSS pixels at its own size.
        colors: the colours that it has on a white page; ``color_variable`` names each.
    """

    markup: str
    width: float
    colors: frozenset[str]


def inline_figure(drawing: Drawing, name: str, title: str, description: str) -> InlineFigure:
    """A drawing as markup.

    Args:
        drawing: the figure; images in it are redrawn as meshes of vectors.
        name: begins all ids of the markup.
        title: what the figure is, for readers who cannot see it.
        description: what it shows, for the same.
    """
    _images_as_meshes(drawing.figure)
    # The document is this program's own, so no parser is attacked through it.
    root = ElementTree.fromstring(svg_of(drawing))
    for parent in root.iter():
        for child in list(parent):
            # The metadata name addresses on the network; the style is the page's.
            if _plain(child.tag) in ("metadata", "style"):
                parent.remove(child)
    used = Counter(
        reference
        for element in root.iter()
        for value in element.attrib.values()
        for reference in _REFERENCE.findall(value)
    )
    # What has no colour is black.
    colors = {_BLACK}
    for element in root.iter():
        element.tag = _plain(element.tag)
        attributes = {
            _plain(key): _attribute(_plain(key), value, name)
            for key, value in element.attrib.items()
            if not (key == "id" and value not in used)
        }
        for key in ("style", "fill", "stroke"):
            if key in attributes:
                found = {color.lower() for color in _COLOR.findall(attributes[key])}
                colors |= found
                attributes[key] = _COLOR.sub(
                    lambda match: f"var({color_variable(match[0])})", attributes[key]
                )
        element.attrib.clear()
        element.attrib.update(attributes)
        element.tail = None
        if element.tag not in ("text", "tspan") and not (element.text or "").strip():
            element.text = None
    width = float(root.attrib["viewBox"].split()[2]) * _CSS_PIXELS_PER_POINT
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib.update(
        {
            "fill": f"var({color_variable(_BLACK)})",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-description",
            "class": "figure",
        }
    )
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(
            tag, {"id": f"{name}-{'title' if tag == 'title' else 'description'}"}
        )
        element.text = text
        root.insert(place, element)
    return InlineFigure(ElementTree.tostring(root, encoding="unicode"), width, frozenset(colors))


def color_variable(color: str) -> str:
    """The page's variable of a figure's colour ``#rrggbb``."""
    return f"--c{color[1:].lower()}"


def color_variables(
    colors: Iterable[str], others: Collection[str]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Variables and their values on a white page, and on a dark one.

    Args:
        colors: of the figures.
        others: colours that tell methods apart, besides those of known methods.
    """
    marks = {style.color.lower() for style in METHOD_STYLES.values()} | {c.lower() for c in others}
    ordered = sorted(set(colors))
    light = [(color_variable(color), color) for color in ordered]
    return light, [(color_variable(color), dark_color(color, marks)) for color in ordered]


def _images_as_meshes(figure: Figure) -> None:
    """Replace images by meshes of rectangles, which stay sharp at every size.

    A mesh of many rectangles, as that of a colour bar, would be an image too.
    """
    for axes in figure.axes:
        for drawn in axes.collections:
            drawn.set_rasterized(False)
            if isinstance(drawn, QuadMesh):
                # Without edges of their colours there are gaps between rectangles.
                drawn.set_edgecolor("face")
        for image in list(axes.images):
            values = image.get_array()
            if values is None or values.ndim != 2:
                continue
            left, right, bottom, top = image.get_extent()
            limits = axes.get_xlim(), axes.get_ylim()
            rows, columns = values.shape
            ends = (bottom, top) if image.origin == "lower" else (top, bottom)
            mesh = axes.pcolormesh(
                np.linspace(left, right, columns + 1),
                np.linspace(*ends, rows + 1),
                values,
                cmap=image.get_cmap(),
                zorder=image.get_zorder(),
            )
            mesh.set_norm(image.norm)
            image.remove()
            axes.set(xlim=limits[0], ylim=limits[1])


def _attribute(key: str, value: str, name: str) -> str:
    """An attribute's value with ids of this figure, short numbers, and fonts that systems have."""
    if key == "id":
        return f"{name}-{value}"
    if key == "href":
        return value.replace("#", f"#{name}-", 1)
    if key in ("clip-path", "mask"):
        return value.replace("url(#", f"url(#{name}-")
    if key == "style":
        value = value.replace("url(#", f"url(#{name}-")
        value = _FONT.sub(rf"\g<1>{_FONTS}", value)
        value = _FAMILY.sub(f"font-family: {_FONTS}", value)
    if key in ("d", "points"):
        value = _SPACE.sub(" ", value).strip()
    if key in ("d", "points", "x", "y", "transform", "style"):
        value = _NUMBERS.sub(lambda match: f"{float(match[0]):.2f}", value)
    return value


def _plain(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]
