from fctestbed.plotting import METHOD_STYLES, style_of
from fctestbed.plotting.style import method_order


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
