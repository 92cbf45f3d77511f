"""All figures of a sweep as files, each with its numbers beside it. Never trains."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from fctestbed.plotting.accuracy import draw_accuracy
from fctestbed.plotting.blocks import draw_blocks
from fctestbed.plotting.drawing import Drawing, DrawOptions, NothingToDraw
from fctestbed.plotting.heatmap import draw_heatmap
from fctestbed.plotting.label_bits import draw_label_bits
from fctestbed.plotting.style import house_style
from fctestbed.results import Results, write_atomically

FIGURES: dict[str, Callable[[Results, DrawOptions], Drawing]] = {
    "label_bits": draw_label_bits,
    "blocks": draw_blocks,
    "accuracy": draw_accuracy,
    "latent_bits": draw_heatmap,
}

# No dates in the files: the same rows give the same bytes.
_METADATA: dict[str, dict[str, None]] = {
    "png": {},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}
_DOTS_PER_INCH = 200


def draw_figures(
    results: Results,
    out_dir: str | Path,
    formats: Sequence[str] = ("png", "pdf"),
    heatmap_ratio: float | None = None,
) -> list[Path]:
    """Draw every figure that the rows allow, and write the plotted numbers beside each as CSV.

    Args:
        results: what ``load_results`` gave.
        out_dir: directory for ``<figure>.<format>`` and ``<figure>.csv``; made if missing, files of
            these names are replaced.
        formats: of ``png`` (200 dpi), ``pdf`` and ``svg``.
        heatmap_ratio: unique ratio of the heat map; the nearest one there is is drawn. None: 0.5.

    Returns:
        The files written, figure by figure.

    Raises:
        ValueError: one line, for an unknown format, a directory that cannot be written, or results
            that allow no figure.
    """
    check_formats(formats)
    options = DrawOptions(heatmap_ratio=heatmap_ratio)
    out_dir = Path(out_dir)
    written: list[Path] = []
    with house_style():
        for name, draw in FIGURES.items():
            try:
                drawing = draw(results, options)
            except NothingToDraw:
                continue
            written += write_drawing(drawing, out_dir, name, formats)
    if not written:
        n_runs = len(results.runs)
        raise ValueError(
            f"results: expected finished runs to draw, got none ({n_runs} runs in all)"
        )
    return written


def check_formats(formats: Sequence[str]) -> None:
    """Refuse formats that cannot be written.

    Raises:
        ValueError: one line, naming the first one.
    """
    unknown = [name for name in formats if name not in _METADATA]
    if unknown:
        raise ValueError(f"formats: expected any of {', '.join(_METADATA)}, got {unknown[0]!r}")


def write_drawing(drawing: Drawing, out_dir: Path, name: str, formats: Sequence[str]) -> list[Path]:
    """Write a figure in each format, and its numbers as CSV, in the house style that is set."""
    numbers = drawing.numbers.to_csv(index=False, lineterminator="\n").encode()
    return [
        *(
            write_atomically(out_dir / f"{name}.{ending}", _encoded(drawing, ending))
            for ending in formats
        ),
        write_atomically(out_dir / f"{name}.csv", numbers),
    ]


def _encoded(drawing: Drawing, ending: str) -> bytes:
    buffer = io.BytesIO()
    drawing.figure.savefig(
        buffer, format=ending, dpi=_DOTS_PER_INCH, metadata=dict(_METADATA[ending])
    )
    return buffer.getvalue()
