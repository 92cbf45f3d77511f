"""Which methods and variants a figure shows, in which order, and how each is drawn."""

import pandas as pd

from fctestbed.plotting.selection import flagged
from fctestbed.plotting.style import MethodStyle, method_order, style_of

PAPER = "paper"
MOST_VARIANTS = 4
MOST_SERIES = 16


def variant_order(variant: str) -> tuple[bool, str]:
    """A sort key: the paper's variant, then the others by name."""
    return variant != PAPER, variant


def variants_by_method(rows: pd.DataFrame) -> dict[str, list[str]]:
    """The variants of every method in the rows, both in drawing order."""
    pairs = {(str(m), str(v)) for m, v in zip(rows["method"], rows["variant"], strict=True)}
    return {
        method: sorted((v for name, v in pairs if name == method), key=variant_order)
        for method in sorted({method for method, _ in pairs}, key=method_order)
    }


def series_styles(rows: pd.DataFrame) -> dict[tuple[str, str], MethodStyle]:
    """Style of every (method, variant) in the rows, in drawing order.

    A label names its variant where the rows hold several of the method, or another one than the
    paper's.
    """
    styles: dict[tuple[str, str], MethodStyle] = {}
    for method, variants in variants_by_method(rows).items():
        for index, variant in enumerate(variants):
            style = style_of(method, index)
            named = variant and (len(variants) > 1 or variant != PAPER)
            label = f"{style.label} ({variant})" if named else style.label
            styles[method, variant] = MethodStyle(
                label, style.color, style.marker, style.dash, style.control
            )
    return styles


def readable_series(
    rows: pd.DataFrame,
    *,
    most_variants: int = MOST_VARIANTS,
    most_series: int = MOST_SERIES,
    any_variant: bool = False,
) -> tuple[pd.DataFrame, str]:
    """The rows of as many variants as a reader can tell apart.

    A method with more than ``most_variants`` keeps the paper's variant only; so does every method
    with several if more than ``most_series`` would be left. Without a paper's variant it keeps
    none, or the first by name if ``any_variant`` is true.

    Returns:
        The rows kept, and a note on how many variants were not; empty if all were kept.
    """
    known = variants_by_method(rows)
    few = {method: _paper_alone(variants, any_variant) for method, variants in known.items()}
    kept = {m: v if len(v) <= most_variants else few[m] for m, v in known.items()}
    if sum(map(len, kept.values())) > most_series:
        kept = few
    n_left_out = sum(map(len, known.values())) - sum(map(len, kept.values()))
    if not n_left_out:
        return rows, ""
    shown = [
        str(variant) in kept[str(method)]
        for method, variant in zip(rows["method"], rows["variant"], strict=True)
    ]
    return flagged(
        rows, shown
    ), f"{n_left_out} more variant{'s' if n_left_out > 1 else ''} not drawn"


def _paper_alone(variants: list[str], any_variant: bool) -> list[str]:
    # The paper's comes first where there is one.
    lone = len(variants) == 1 or variants[0] == PAPER or any_variant
    return variants[:1] if lone else []
