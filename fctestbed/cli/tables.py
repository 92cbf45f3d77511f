"""Tables of text for a terminal or a log. Imports the standard library only."""

from collections.abc import Sequence

_GAP = "  "
_SHORTEST = 8


def plain_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int, width: int
) -> list[str]:
    """Lines of a table, each at most ``width`` characters where its numbers leave room for that.

    Args:
        heads: the names of the columns.
        rows: their texts.
        left: how many columns, the first ones, are texts, aligned left; longer than the table's
            width allows, they lose their middle. The others are aligned right.
        width: the most characters of a line.
    """
    table = [list(heads), *map(list, rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(heads))]
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    while over > 0 and left:
        place = max(range(left), key=lambda one: widths[one])
        cut = min(over, widths[place] - _SHORTEST)
        if cut <= 0:
            break
        # The longest column first, down to the next longest.
        step = 1 if left > 1 else cut
        widths[place] -= step
        over -= step
    return [
        _GAP.join(
            _shortened(cell, size).ljust(size) if place < left else cell.rjust(size)
            for place, (cell, size) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def _shortened(text: str, size: int) -> str:
    if len(text) <= size:
        return text
    end = (size - 2) // 2
    return f"{text[: size - 2 - end]}..{text[len(text) - end :]}"
