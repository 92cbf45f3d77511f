from matplotlib.cbook import is_math_text
from synthetic_results import as_results, records, relabelled

from fctestbed.plotting import METHOD_STYLES, draw_figures, style_of
from fctestbed.plotting.style import literal, method_order


def test_no_two_methods_look_the_same():
    styles = METHOD_STYLES.values()
    assert len({style.color for style in styles}) == len(styles)
    assert len({(style.marker, style.dash) for style in styles if style.control}) == 5
    assert len({style.label for style in styles}) == len(styles)


def test_an_unknown_method_has_a_style_of_its_own_and_always_the_same():
    style = style_of("my_method")
    assert style == style_of("my_method")
    assert style.label == "my_method"
    assert style.color not in {known.color for known in METHOD_STYLES.values()}
    # Written down, so that another process is known to agree.
    assert (style.color, style.marker) == ("#79573a", "p")


def test_variants_share_a_colour_and_differ_in_dash():
    first, second = style_of("simclr", 0), style_of("simclr", 1)
    assert first.color == second.color
    assert first.dash != second.dash


def test_unknown_methods_come_between_methods_and_controls():
    names = sorted(["raw", "my_method", "factorcl-sup", "simclr"], key=method_order)
    assert names == ["factorcl-sup", "simclr", "my_method", "raw"]


def test_a_name_with_dollar_signs_is_text_in_a_figure(tmp_path):
    variant = r"$\frac{$"
    results = as_results(records((0.0, 0.5), ("simclr", "supcon"), (0, 1)))
    named = relabelled(results, variant=variant)
    paths = draw_figures(named, tmp_path, ("svg",), only=["label_bits"])
    text = (tmp_path / "label_bits.svg").read_text()
    assert paths
    assert rf"SimCLR ({variant})" in text


def test_a_literal_begins_no_formula():
    assert not is_math_text(literal("$x$"))
    assert is_math_text("$x$")
