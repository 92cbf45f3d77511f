"""Figures as they are printed: their notes, and texts that nobody could read."""

from matplotlib.text import Text

from fctestbed.plotting.style import PAGE_INCHES, TEXT_POINTS


def note_of(figure):
    """The note of a figure, in one line: its legend's title, or the text below its panels."""
    titles = [legend.get_title().get_text() for legend in figure.legends]
    return " ".join(" ".join([*titles, figure.get_supxlabel()]).split())


def small_texts(figure):
    """Texts that are smaller than 7 points where the figure is printed, at most a page wide."""
    scale = min(1.0, PAGE_INCHES / figure.get_figwidth())
    return [text.get_text() for text in _texts(figure) if text.get_fontsize() * scale < TEXT_POINTS]


def cut_texts(figure):
    """Texts that reach beyond the figure's edges, after its layout."""
    figure.draw_without_rendering()
    page = figure.bbox
    boxes = [(text.get_text(), text.get_window_extent()) for text in _texts(figure)]
    return [
        text
        for text, box in boxes
        if box.x0 < page.x0 - 1 or box.x1 > page.x1 + 1 or box.y0 < page.y0 - 1
        or box.y1 > page.y1 + 1
    ]  # fmt: skip


def _texts(figure):
    """The visible texts; those of ticks outside the limits are not drawn."""
    unseen = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not low <= tick.get_loc() <= high or not axes.axison:
                    unseen |= {tick.label1, tick.label2}
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in unseen
    ]
