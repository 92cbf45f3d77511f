"""Parts of a drawn figure, for tests that read them."""


def line(axes, label):
    (found,) = [line for line in axes.lines if line.get_label() == label]
    return found


def curve(drawing, label, panel=0):
    """A curve in one of the panels that have it."""
    found = [one for axes in drawing.figure.axes for one in axes.lines if one.get_label() == label]
    return found[panel]


def legend_texts(drawing):
    """The figure's legend and those of its panels."""
    (legend,) = drawing.figure.legends
    own = [axes.get_legend() for axes in drawing.figure.axes if axes.get_legend()]
    return [text.get_text() for one in (legend, *own) for text in one.get_texts()]


def note(drawing):
    (legend,) = drawing.figure.legends
    return legend.get_title().get_text()


def ylabel(drawing):
    return drawing.figure.axes[0].get_ylabel()
