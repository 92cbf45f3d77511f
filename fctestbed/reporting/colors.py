"""Colours of figures on a dark page, and the contrast of two colours.

A figure's colours are those of a white page. On a dark page white becomes the page's colour and
black nearly white: lightness is mirrored in the space OKLab, which keeps the hue. Colours that tell
methods apart become lighter instead and keep their order. Imports the standard library only.

Source:
    OKLab: Ottosson 2020, "A perceptual color space for image processing". Contrast: WCAG 2.2,
    section "contrast ratio".
"""

import math
from collections.abc import Collection
from itertools import pairwise

_Triple = tuple[float, float, float]

# Lightness on a white page and on a dark one, joined by straight lines. White is the dark page's
# panel. Of greys, those of grids stay faint, and those of text and lines are light. Of shades, as
# of heat maps, those that black text is written on are dark enough for light text.
_GREYS = ((0.0, 0.97), (0.75, 0.66), (1.0, 0.235))
_SHADES = ((0.0, 0.97), (0.6, 0.5), (1.0, 0.235))
_SHADE_CHROMA = 0.05
# Of colours that tell methods apart.
_MARK_LOW, _MARK_SLOPE = 0.66, 0.25
_GREY_CHROMA = 0.02
_STEPS = 24


def dark_color(color: str, marks: Collection[str]) -> str:
    """The colour on a dark page.

    Args:
        color: on a white page, as ``#rrggbb``.
        marks: colours that tell methods apart.

    Returns:
        A colour as ``#rrggbb``.
    """
    lightness, a, b = _oklab(color)
    if color in marks and math.hypot(a, b) > _GREY_CHROMA:
        return _hex(_MARK_LOW + _MARK_SLOPE * lightness, a, b)
    share = min(math.hypot(a, b) / _SHADE_CHROMA, 1.0)
    mirrored = share * _on(_SHADES, lightness) + (1 - share) * _on(_GREYS, lightness)
    return _hex(mirrored, a, b)


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours ``#rrggbb``, from 1 to 21."""
    low, high = sorted(
        0.2126 * red + 0.7152 * green + 0.0722 * blue
        for red, green, blue in (_linear(first), _linear(second))
    )
    return (high + 0.05) / (low + 0.05)


def _on(line: tuple[tuple[float, float], ...], lightness: float) -> float:
    """The height of a line of straight pieces."""
    for (left, low), (right, high) in pairwise(line):
        if lightness <= right:
            return low + (high - low) * (lightness - left) / (right - left)
    return line[-1][1]


def _linear(color: str) -> _Triple:
    """Linear red, green and blue in [0, 1]."""
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return _decoded(red), _decoded(green), _decoded(blue)


def _decoded(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _encoded(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def _oklab(color: str) -> _Triple:
    red, green, blue = _linear(color)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _hex(lightness: float, a: float, b: float) -> str:
    """The colour; with less chroma where the screen has no such colour."""
    for step in range(_STEPS, -1, -1):
        share = step / _STEPS
        rgb = _rgb(lightness, share * a, share * b)
        if all(-1e-4 <= value <= 1 + 1e-4 for value in rgb):
            break
    levels = (min(max(value, 0.0), 1.0) for value in rgb)
    return "#" + "".join(f"{round(255 * _encoded(level)):02x}" for level in levels)


def _rgb(lightness: float, a: float, b: float) -> _Triple:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
