"""Tables of quantities as text and as HTML. May import pandas."""

import html
import math
from collections.abc import Sequence

import pandas as pd


def number_text(value: object) -> str:
    """A number with four decimals at most; other values as they are, missing ones as a dash."""
    if isinstance(value, float):
        if math.isnan(value):
            return "\N{EN DASH}"
        return f"{value:.4f}".rstrip("0").rstrip(".") if math.isfinite(value) else str(value)
    return "\N{EN DASH}" if value is None else str(value)


def text_table(frame: pd.DataFrame, notes: Sequence[str] = ()) -> str:
    """A table as text: columns aligned, notes below."""
    cells = [[str(name) for name in frame.columns]]
    cells += [[number_text(value) for value in row] for row in frame.itertuples(index=False)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(frame.columns))]
    lines = [
        "  ".join(
            text.rjust(width) if _is_number(frame, place) else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join([*lines, *notes])


def html_table(frame: pd.DataFrame, caption: str, notes: Sequence[str] = ()) -> str:
    """A table as HTML; all texts are escaped."""
    head = "".join(f'<th scope="col">{html.escape(str(name))}</th>' for name in frame.columns)
    rows = []
    for row in frame.itertuples(index=False):
        cells = [
            f'<td style="text-align:{"right" if _is_number(frame, place) else "left"}">'
            f"{html.escape(number_text(value))}</td>"
            for place, value in enumerate(row)
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    below = "".join(f"<p>{html.escape(note)}</p>" for note in notes)
    return (
        f"<table><caption>{html.escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>{below}"
    )


def _is_number(frame: pd.DataFrame, place: int) -> bool:
    return bool(pd.api.types.is_numeric_dtype(frame.dtypes.iloc[place]))
