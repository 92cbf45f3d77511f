"""Colours on a dark page."""

import pytest

from fctestbed.plotting import METHOD_STYLES
from fctestbed.reporting.colors import contrast, dark_color
from fctestbed.reporting.svg import color_variables

PANEL = dark_color("#ffffff", ())
MARKS = {style.color.lower() for style in METHOD_STYLES.values()}


def test_black_and_white_have_the_largest_contrast():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("color", ["#000000", "#555555"])
def test_texts_of_figures_are_readable_on_a_dark_page(color):
    assert contrast(dark_color(color, ()), PANEL) > 7


@pytest.mark.parametrize("color", sorted(MARKS))
def test_every_method_is_seen_on_a_dark_page(color):
    assert contrast(dark_color(color, MARKS), PANEL) > 4.5


def test_methods_keep_different_colours_on_a_dark_page():
    assert len({dark_color(color, MARKS) for color in MARKS}) == len(MARKS)


def test_black_text_on_a_shade_stays_readable():
    text = dark_color("#000000", ())
    for shade in ("#eaf4fa", "#c5dff0", "#8cc0e0", "#4695c5"):
        assert contrast(text, dark_color(shade, ())) > 4.5


def test_each_colour_of_figures_has_a_value_in_both_schemes():
    light, dark = color_variables(["#ffffff", "#0173b2"], [])
    assert light == [("--c0173b2", "#0173b2"), ("--cffffff", "#ffffff")]
    assert [name for name, _ in dark] == [name for name, _ in light]
    assert dict(dark)["--cffffff"] == PANEL
