"""Figures that are drawn once for the same rows, for tests that read them and change nothing."""

from fctestbed.plotting import FIGURES, DrawOptions
from fctestbed.plotting.style import house_style

_DRAWN = {}


def drawing_of(name, results, **options):
    """The figure of these rows; tests that ask for it again, with equal options, share it."""
    key = name, id(results), frozenset(options.items())
    if key not in _DRAWN:
        with house_style():
            drawing = FIGURES[name](results, DrawOptions(**options))
        # The rows are kept as well, so that no others have their identity.
        _DRAWN[key] = drawing, results
    return _DRAWN[key][0]


def forget_drawings():
    _DRAWN.clear()
