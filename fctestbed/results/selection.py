"""Which rows of single latent bits figures need: most rows of a sweep are of single bits.

Imports the schema; never pandas.
"""

from collections.abc import Collection, Iterable

from fctestbed.results.contents import Row
from fctestbed.results.schema import ALONG, CAPTURED

# Where a row of run id and values has its quantity.
_QUANTITY = {table.name: 1 + table.values.index("quantity") for table in (CAPTURED, ALONG)}


def is_single_bit(quantity: object) -> bool:
    """Whether a quantity is a single latent bit, as ``w_s[0]`` is."""
    return str(quantity)[-1:] == "]"


def without_bits(table: str, rows: list[Row], kept: Collection[str] = ()) -> list[Row]:
    """Rows of a table without those of single latent bits, but for those of some runs.

    Args:
        table: its name.
        rows: run id and values.
        kept: ids of runs that keep theirs.
    """
    if table not in _QUANTITY:
        return rows
    place = _QUANTITY[table]
    return [row for row in rows if not is_single_bit(row[place]) or row[0] in kept]


def runs_nearest(places: Iterable[Row], ratio: float) -> set[str]:
    """Ids of the runs at the unique ratio nearest to one, of each method, variant and combination
    of axis values; those at both ratios where two are as near.

    Args:
        places: what ``ResultsStore.places`` returns.
        ratio: the ratio.
    """
    series: dict[tuple[object, ...], list[tuple[float, str]]] = {}
    for run_id, method, variant, own, values in places:
        # Damaged cells are refused by their digests.
        away = round(abs(own - ratio), 9) if isinstance(own, float) else 0.0
        series.setdefault((method, variant, values), []).append((away, str(run_id)))
    found = set()
    for runs in series.values():
        nearest = min(runs)[0]
        found |= {run_id for away, run_id in runs if away == nearest}
    return found
