"""All figures of a sweep as files, each with its numbers beside it. Never trains."""

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from fctestbed.plotting.ablation import draw_ablation
from fctestbed.plotting.accuracy import draw_accuracy
from fctestbed.plotting.audit import draw_audit
from fctestbed.plotting.blocks import draw_blocks
from fctestbed.plotting.critics import draw_critics
from fctestbed.plotting.drawing import LINEAR_PROBE, Drawing, DrawOptions, NothingToDraw
from fctestbed.plotting.heatmap import draw_heatmap
from fctestbed.plotting.label_bits import draw_label_bits
from fctestbed.plotting.quality import draw_quality
from fctestbed.plotting.readouts import draw_readouts
from fctestbed.plotting.style import house_style
from fctestbed.results import Results, write_atomically

FIGURES: dict[str, Callable[[Results, DrawOptions], Drawing]] = {
    "label_bits": draw_label_bits,
    "blocks": draw_blocks,
    "accuracy": draw_accuracy,
    "latent_bits": draw_heatmap,
    "ablation": draw_ablation,
    "readouts": draw_readouts,
    "audit": draw_audit,
    "quality": draw_quality,
    "critics": draw_critics,
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
    *,
    heatmap_ratio: float | None = None,
    table_ratio: float | None = None,
    estimator: str = LINEAR_PROBE,
) -> list[Path]:
    """Draw every figure that the rows allow, and write the plotted numbers beside each as CSV.

    Tables are written as Markdown too.

    Args:
        results: what ``load_results`` gave.
        out_dir: directory for ``<figure>.<format>`` and ``<figure>.csv`` (``<figure>.md``); made if
            missing, files of these names are replaced.
        formats: of ``png`` (200 dpi), ``pdf`` and ``svg``.
        heatmap_ratio: unique ratio of the heat map; the nearest one there is is drawn. None: 0.5.
        table_ratio: unique ratio of the tables (``ablation``, ``readouts``, ``audit``, ``quality``,
            ``critics``), likewise. None: the mean over all ratios.
        estimator: whose bits are drawn.

    Returns:
        The files written, figure by figure.

    Raises:
        ValueError: one line, for an unknown format, an estimator without rows, a directory that
            cannot be written, or results that allow no figure.
    """
    check_formats(formats)
    known = sorted(results.captured["estimator"].dropna().loc[lambda names: names != ""].unique())
    if known and estimator not in known:
        raise ValueError(f"estimator: expected one of {', '.join(known)}, got {estimator!r}")
    options = DrawOptions(heatmap_ratio=heatmap_ratio, table_ratio=table_ratio, estimator=estimator)
    out_dir = Path(out_dir)
    with house_style():
        drawings = _drawings(results, options)
        # A picture of some variant is better than none.
        drawings = drawings or _drawings(results, replace(options, any_variant=True))
        written = [
            path
            for name, drawing in drawings.items()
            for path in write_drawing(drawing, out_dir, name, formats)
        ]
    if not drawings:
        n_runs = len(results.runs)
        raise ValueError(
            f"results: expected finished runs to draw, got none ({n_runs} runs in all)"
        )
    return written


def tables(results: Results) -> dict[str, str]:
    """The paper's tables out of a sweep's rows, as Markdown, by name.

    Raises:
        ValueError: one line, for results that allow no table.
    """
    with house_style():
        drawings = _drawings(results, DrawOptions())
    found = {name: drawing.markdown for name, drawing in drawings.items() if drawing.markdown}
    if not found:
        raise ValueError(
            f"results: expected finished runs for a table, got none ({len(results.runs)} runs)"
        )
    return found


def _drawings(results: Results, options: DrawOptions) -> dict[str, Drawing]:
    drawings = {}
    for name, draw in FIGURES.items():
        try:
            drawings[name] = draw(results, options)
        except NothingToDraw:
            continue
    return drawings


def check_formats(formats: Sequence[str]) -> None:
    """Refuse formats that cannot be written.

    Raises:
        ValueError: one line, naming the first one.
    """
    unknown = [name for name in formats if name not in _METADATA]
    if unknown:
        raise ValueError(f"formats: expected any of {', '.join(_METADATA)}, got {unknown[0]!r}")


def write_drawing(drawing: Drawing, out_dir: Path, name: str, formats: Sequence[str]) -> list[Path]:
    """Write a figure in each format, its numbers as CSV and its table as Markdown, where it has
    one; in the house style that is set."""
    files = {f"{name}.{ending}": _encoded(drawing, ending) for ending in formats}
    files[f"{name}.csv"] = drawing.numbers.to_csv(index=False, lineterminator="\n").encode()
    if drawing.markdown:
        files[f"{name}.md"] = drawing.markdown.encode()
    return [write_atomically(out_dir / file, content) for file, content in files.items()]


def _encoded(drawing: Drawing, ending: str) -> bytes:
    buffer = io.BytesIO()
    drawing.figure.savefig(
        buffer, format=ending, dpi=_DOTS_PER_INCH, metadata=dict(_METADATA[ending])
    )
    return buffer.getvalue()
