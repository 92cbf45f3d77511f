"""A drawing as files: each format, its numbers as CSV, its table as Markdown.

May import pandas and this package's interface and style.
"""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from fctestbed.plotting.interface import Drawing, NothingToDraw
from fctestbed.plotting.style import house_style
from fctestbed.results import write_atomically

# No dates in the files: the same rows give the same bytes.
_METADATA: dict[str, dict[str, None]] = {
    "png": {},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}
_DOTS_PER_INCH = 200


def write_figure(
    name: str, drawing: Drawing, out_dir: str | Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Write one figure in each format, and its numbers as CSV.

    Args:
        name: of the files.
        drawing: the figure.
        out_dir: made if missing; files of these names are replaced.
        formats: of ``png`` (200 dpi), ``pdf`` and ``svg``.

    Raises:
        ValueError: one line, for an unknown format or a directory that cannot be written.
    """
    check_formats(formats)
    with house_style():
        return write_all([(name, drawing)], out_dir, formats)


def svg_of(drawing: Drawing) -> bytes:
    """A drawing as an SVG document: text stays text, and it has no date."""
    with house_style():
        return encoded(laid_out(drawing), "svg")


def check_formats(formats: Sequence[str]) -> None:
    """Refuse formats that cannot be written.

    Raises:
        ValueError: one line, naming the first one.
    """
    if isinstance(formats, str) or not isinstance(formats, Sequence) or not formats:
        raise ValueError(f"formats: expected some of {', '.join(_METADATA)}, got {formats!r}")
    unknown = [name for name in formats if name not in _METADATA]
    if unknown:
        raise ValueError(f"formats: expected any of {', '.join(_METADATA)}, got {unknown[0]!r}")


def draw_rows(
    figures: Mapping[str, Callable[[pd.DataFrame], Drawing]],
    rows: pd.DataFrame,
    out_dir: str | Path,
    formats: Sequence[str],
) -> list[Path]:
    """Draw the figures that the rows allow, in the house style, and write each."""
    check_formats(formats)
    written = []
    with house_style():
        for name, draw in figures.items():
            try:
                drawing = draw(rows)
            except NothingToDraw:
                continue
            written += write_all([(name, drawing)], out_dir, formats)
    return written


def write_all(
    drawings: Iterable[tuple[str, Drawing]], out_dir: str | Path, formats: Sequence[str]
) -> list[Path]:
    """Write figures in each format, their numbers as CSV, and tables as Markdown; in the house
    style that is set."""
    written = []
    for name, drawing in drawings:
        placed = laid_out(drawing)
        files = {f"{name}.{ending}": encoded(placed, ending) for ending in formats}
        files[f"{name}.csv"] = drawing.numbers.to_csv(index=False, lineterminator="\n").encode()
        if drawing.markdown:
            files[f"{name}.md"] = drawing.markdown.encode()
        written += [write_atomically(Path(out_dir) / file, text) for file, text in files.items()]
    return written


def laid_out(drawing: Drawing) -> Drawing:
    """A drawing whose parts have their places: once for all formats, as that takes as long as to
    write one."""
    figure = drawing.figure
    dpi = figure.dpi
    figure.dpi = _DOTS_PER_INCH
    figure.draw_without_rendering()
    figure.dpi = dpi
    figure.set_layout_engine("none")
    return drawing


def encoded(drawing: Drawing, ending: str) -> bytes:
    """A drawing that is laid out in one format, in the house style that is set; the same drawing,
    the same bytes."""
    buffer = io.BytesIO()
    drawing.figure.savefig(
        buffer, format=ending, dpi=_DOTS_PER_INCH, metadata=dict(_METADATA[ending])
    )
    return buffer.getvalue()
