"""Captured bits per latent bit and readout, at one unique ratio: a heat map."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from fctestbed.plotting.captions import add_note
from fctestbed.plotting.interface import Drawing, DrawOptions
from fctestbed.plotting.run_details import relevant_latents
from fctestbed.plotting.select import (
    captured_rows,
    n_unfinished,
    nearest_ratio,
    readable_series,
    require_rows,
)
from fctestbed.plotting.style import (
    BITS_COLORS,
    COLUMN_INCHES,
    NOTE_COLOR,
    PAGE_INCHES,
    TEXT_POINTS,
    series_styles,
)
from fctestbed.plotting.summarise import seeds_note
from fctestbed.results import JOINT, Results

HEATMAP_RATIO = 0.5
"""The unique ratio of the heat map, unless another is asked for."""
JOINT_TITLE = "joint readout"
PARTS = ("z_s1", "z_s2", "z_u1", "z_u2")
BLOCKS = ("w_s", "w_1", "w_2")
MARK = "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}"
MINUS = "\N{MINUS SIGN}"

_LATENT = re.compile(r"(w_s|w_1|w_2)\[(\d+)\]")
# Values that two digits write as 0 are 0.
_ROUNDED_ZERO = 0.005
_NOT_HELD = "#d4d4d4"
_NARROW = 12
# Beside the cells; a column that has room for the name of a part, and for a slanted name.
_AROUND_INCHES = 1.3
_COLUMN_INCHES, _ROOMY_INCHES = 0.2, 0.25
_MOST_PARTS = 3


@dataclass(frozen=True)
class _Column:
    method: str
    variant: str
    readout: str
    label: str


def draw_latent_bits(results: Results, options: DrawOptions) -> Drawing:
    """Bits captured of every latent bit, mean over seeds, on a fixed scale from 0 to 1 bit.

    Columns are the joint readout of every method, then, where they fit, the four parts of the
    first three factorised methods. Rows are latent bits by block; a triangle marks those that the
    label depends on. A grey cell is a bit that the readout's modality does not hold. A minus sign
    marks a value below 0, which a held-out probe may have.

    Args:
        results: the rows.
        options: ``heatmap_ratio`` sets the ratio (the nearest one in the rows is drawn),
            ``yardstick`` whose bits.

    Raises:
        NothingToDraw: if no finished run has single latent bits.
    """
    yardstick = options.yardstick_of(results)
    rows = captured_rows(results, yardstick, readout=None)
    rows = rows[rows["quantity"].str.fullmatch(_LATENT)]
    require_rows(rows, "single latent bits")
    rows, left_out = readable_series(rows, any_variant=options.any_variant)
    require_rows(rows, "single latent bits of a variant to show")
    wanted = HEATMAP_RATIO if options.heatmap_ratio is None else options.heatmap_ratio
    ratio = nearest_ratio(rows, wanted)
    rows = rows[rows["unique_ratio"] == ratio]
    keys = ["method", "variant", "readout", "quantity"]
    by_cell = rows.groupby(keys)
    means = by_cell["value_bits"].agg(["mean", "count"])
    absent = by_cell["true_bits"].max() <= 0
    groups = _column_groups(rows)
    latents = sorted(rows["quantity"].unique(), key=_latent_key)
    relevant = relevant_latents(results)

    n_columns = sum(len(columns) for columns in groups.values())
    width = options.inches or (COLUMN_INCHES if n_columns <= _NARROW else PAGE_INCHES)
    if JOINT_TITLE in groups and (width - _AROUND_INCHES) / n_columns < _COLUMN_INCHES:
        groups = {JOINT_TITLE: groups[JOINT_TITLE]}
        n_columns = len(groups[JOINT_TITLE])
    crowded = (width - _AROUND_INCHES) / n_columns < _ROOMY_INCHES
    figure = Figure(figsize=(width, 1.5 + 0.125 * len(latents)), layout="constrained")
    panels = figure.subplots(
        1, len(groups), sharey=True, squeeze=False, width_ratios=[len(g) for g in groups.values()]
    )[0]
    any_not_held = any_negative = False
    for axes, (title, columns) in zip(panels, groups.items(), strict=True):
        values = [
            [means["mean"].get((c.method, c.variant, c.readout, latent), np.nan) for c in columns]
            for latent in latents
        ]
        held_not = [
            [bool(absent.get((c.method, c.variant, c.readout, latent), False)) for c in columns]
            for latent in latents
        ]
        cells = np.array(values, dtype=float)
        not_held = np.array(held_not, dtype=bool)
        negative = (cells < -_ROUNDED_ZERO) & ~not_held
        image = _draw_panel(
            axes, np.where(not_held, np.nan, cells), title, columns, crowded=crowded
        )
        _mark_negative(axes, negative)
        any_not_held |= bool(not_held.any())
        any_negative |= bool(negative.any())
        _separate_blocks(axes, latents)
    _label_rows(panels[0], latents, relevant)
    bar = figure.colorbar(image, ax=list(panels), fraction=0.03, pad=0.01, aspect=30)
    _label_bar(bar, f"bits {yardstick.text}")
    mark = f"{MARK} relevant to the label; " if relevant else ""
    mark += "grey: the readout's modality does not hold the bit; " if any_not_held else ""
    mark += f"{MINUS}: below 0; " if any_negative else ""
    seeds = seeds_note(
        means["count"], n_unfinished(results, ratio), intervals=False, left_out=left_out
    )
    note = f"{mark}unique ratio {ratio:g}; {seeds}{options.world_note}"
    add_note(figure, note)
    numbers = means.reset_index().rename(columns={"mean": "captured_bits", "count": "n_seeds"})
    numbers.insert(2, "unique_ratio", ratio)
    numbers["relevant"] = numbers["quantity"].isin(relevant) if relevant else ""
    shown = {(c.method, c.variant, c.readout) for columns in groups.values() for c in columns}
    drawn = [
        key in shown
        for key in zip(numbers["method"], numbers["variant"], numbers["readout"], strict=True)
    ]
    return Drawing(figure, numbers[drawn].reset_index(drop=True).assign(**yardstick.columns))


def _column_groups(rows: pd.DataFrame) -> dict[str, list[_Column]]:
    """Columns by panel title: all joint readouts, then the parts of factorised methods."""
    present = set(zip(rows["method"], rows["variant"], rows["readout"], strict=True))
    styles = series_styles(rows)
    joint = [
        _Column(method, variant, JOINT, style.text)
        for (method, variant), style in styles.items()
        if (method, variant, JOINT) in present
    ]
    groups = {JOINT_TITLE: joint} if joint else {}
    for (method, variant), style in styles.items():
        parts = [
            _Column(method, variant, part, _part_label(part))
            for part in PARTS
            if (method, variant, part) in present
        ]
        if parts and not style.control and len(groups) <= _MOST_PARTS:
            groups[f"parts of\n{style.text}"] = parts
    return groups


def _part_label(part: str) -> str:
    head, number = part[2].upper(), part[3]
    return f"$Z_{{{head}{number}}}$"


def _latent_key(latent: str) -> tuple[int, int]:
    block, index = _split(latent)
    return BLOCKS.index(block), index


def _split(latent: str) -> tuple[str, int]:
    match = _LATENT.fullmatch(latent)
    assert match is not None
    return match[1], int(match[2])


def _draw_panel(
    axes: Axes, values: np.ndarray, title: str, columns: Sequence[_Column], *, crowded: bool
) -> AxesImage:
    """Cells of one panel; ``values`` has shape (latents, columns), NaN where nothing is known.

    Names of methods are upright where columns are ``crowded``.
    """
    image = axes.imshow(values, cmap=BITS_COLORS, vmin=0.0, vmax=1.0, aspect="auto")
    axes.set_facecolor(_NOT_HELD)
    axes.set_title(title)
    upright = columns[0].readout in PARTS
    angle = 0 if upright else 90 if crowded else 40
    axes.set_xticks(
        range(len(columns)),
        [column.label for column in columns],
        rotation=angle,
        ha="center" if upright else "right",
        va="center" if angle == 90 else "top",
        rotation_mode="anchor",
    )
    axes.tick_params(length=0, pad=3)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set(visible=True, color="#bbbbbb")
    # Thin white lines between neighbours of one colour.
    axes.set_xticks(np.arange(1, len(columns)) - 0.5, minor=True)
    axes.grid(visible=True, axis="x", which="minor", color="white", linewidth=0.8)
    axes.tick_params(which="minor", length=0)
    return image


def _mark_negative(axes: Axes, negative: np.ndarray) -> None:
    """A minus sign in each cell below 0, whose colour is that of 0."""
    for row, column in np.argwhere(negative):
        axes.text(
            column, row, MINUS, ha="center", va="center", fontsize=TEXT_POINTS, color=NOTE_COLOR
        )


def _separate_blocks(axes: Axes, latents: Sequence[str]) -> None:
    for row in range(1, len(latents)):
        new_block = _split(latents[row])[0] != _split(latents[row - 1])[0]
        color, width = ("black", 0.7) if new_block else ("white", 0.5)
        axes.axhline(row - 0.5, color=color, linewidth=width)


def _label_rows(axes: Axes, latents: Sequence[str], relevant: set[str]) -> None:
    labels = []
    for latent in latents:
        block, index = _split(latent)
        mark = f"{MARK} " if latent in relevant else ""
        labels.append(f"{mark}${block}$[{index}]")
    axes.set_yticks(range(len(latents)), labels)
    for label, latent in zip(axes.get_yticklabels(), latents, strict=True):
        label.set_fontweight("bold" if latent in relevant else "normal")
    axes.set_ylabel("latent bit")


def _label_bar(bar: Colorbar, label: str) -> None:
    bar.set_label(label)
    bar.set_ticks([0, 0.25, 0.5, 0.75, 1])
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=2)
