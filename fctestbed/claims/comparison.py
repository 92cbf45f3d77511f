"""Two sweeps compared cell by cell, paired over seeds.

May import numpy, pandas, ``fctestbed.plotting``, ``fctestbed.results`` and ``statistics``; no
torch.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fctestbed.claims.statistics import (
    ALPHA,
    PairedDifferences,
    Region,
    decide,
    holm,
    simultaneous_interval,
)
from fctestbed.plotting import Yardstick, choose_yardstick, value_text
from fctestbed.results import JOINT, LABEL, Results, describe_difference

DIFFERS, EQUAL, OPEN = "differs", "equal", "open"
"""What is said of a cell: the means differ; they are equal within the smallest effect that matters,
or the two sweeps have the same values; neither is shown."""
_SEED = "seed"
# Student's quantiles of so few seeds are 13 and more; from here on below 5.
_FEW_SEEDS = 3
_GRID = ("methods", "unique_ratio", "seeds")


@dataclass(frozen=True)
class Comparison:
    """Two sweeps, B minus A.

    Attributes:
        cells: a row for each cell that both sweeps have: ``method, variant, unique_ratio``, common
            axes, ``readout, quantity, estimator, rate_bits, n_seeds, a_bits, b_bits,
            difference_bits``, the simultaneous interval ``low_bits, high_bits``, ``p_value`` of the
            paired t-test, ``p_holm`` adjusted for the number of cells, and ``says``.
        notes: what differs between the sweeps, and what is not compared, in lines.
    """

    cells: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The comparison in one line."""
        counts = self.cells["says"].value_counts()
        n = len(self.cells)
        parts = [f"{int(counts.get(DIFFERS, 0))} differ"]
        parts += [f"{int(counts[EQUAL])} are equal"] if EQUAL in counts else []
        parts += [f"{int(counts[OPEN])} are open"] if OPEN in counts else []
        if not counts.get(DIFFERS, 0):
            parts[0] = "nothing differs" if n > 1 else "it does not differ"
        return f"{n} cell{'s' if n > 1 else ''}: {', '.join(parts)}"


def compare(
    a: Results,
    b: Results,
    *,
    methods: Sequence[str] | None = None,
    quantities: Sequence[str] = (LABEL,),
    readouts: Sequence[str] = (JOINT,),
    estimator: str | None = None,
    rates: Sequence[float] | None = None,
    smallest_effect_bits: float | None = None,
) -> Comparison:
    """Compare two sweeps in every cell that both have: B minus A, paired over seeds.

    A cell is a method and variant at a unique ratio (and a value of each common axis), a readout, a
    quantity, an estimator and a rate. Its means differ where Holm's p-value of the paired t-test
    over all cells is at most 0.05.

    Args:
        a: the result of ``load_results``.
        b: as ``a``.
        methods: names; None for all that both sweeps have.
        quantities: names.
        readouts: names.
        estimator: an estimator's name; None for the figures' default of A.
        rates: measured rates in bits; None for the figures' default of A.
        smallest_effect_bits: the smallest difference that matters. Cells whose means are shown to
            differ by less (two one-sided tests at 5 % over the number of cells) are then ``equal``;
            those with the same values in two seeds or more always are.

    Raises:
        ValueError: one line, for a name that a sweep lacks, a rate that was not measured, an axis
            that only one sweep has, or two sweeps without a common cell and seed.
    """
    for name, results in (("a", a), ("b", b)):
        if not isinstance(results, Results):
            raise ValueError(
                f"{name}: expected what load_results returns, got {type(results).__name__}"
            )
    if smallest_effect_bits is not None and not 0 < smallest_effect_bits < np.inf:
        raise ValueError(
            "smallest_effect_bits: expected a finite number of bits above 0, got "
            f"{smallest_effect_bits}"
        )
    if set(a.axes) != set(b.axes):
        raise ValueError(
            "b: expected the axes of a, "
            f"{', '.join(a.axes) or 'none'}, got {', '.join(b.axes) or 'none'}"
        )
    yardsticks = _yardsticks(a, estimator, rates)
    for yardstick in yardsticks:
        _check_measured(b, yardstick)
    wanted = {"method": methods, "quantity": quantities, "readout": readouts}
    sides = [_rows(results, yardsticks, wanted) for results in (a, b)]
    keys = ["method", "variant", "unique_ratio", *a.axes, "readout", "quantity", "estimator",
            "rate_bits"]  # fmt: skip
    pairs = sides[0].merge(sides[1], on=[*keys, _SEED], suffixes=("_a", "_b"))
    if pairs.empty:
        raise ValueError(
            f"b: expected a cell and seed that a has too, got none of {len(sides[1])} rows"
        )
    cells = _cells(pairs, keys, smallest_effect_bits)
    return Comparison(cells, (*_notes(a, b, sides, keys), *_few_seeds(cells)))


def _yardsticks(
    results: Results, estimator: str | None, rates: Sequence[float] | None
) -> list[Yardstick]:
    if rates is None:
        return [choose_yardstick(results, estimator)]
    try:
        return [choose_yardstick(results, estimator, rate) for rate in dict.fromkeys(rates)]
    except ValueError as error:
        # The figures have one rate.
        line = str(error)
        raise ValueError(f"rates{line[4:]}" if line.startswith("rate:") else line) from None


def _check_measured(results: Results, yardstick: Yardstick) -> None:
    try:
        choose_yardstick(results, yardstick.estimator, yardstick.rate_bits)
    except ValueError as error:
        raise ValueError(f"b: expected rows {yardstick.text}, got none ({error})") from None


def _rows(
    results: Results,
    yardsticks: Sequence[Yardstick],
    wanted: dict[str, Sequence[str] | None],
) -> pd.DataFrame:
    captured = results.captured[results.captured["status"] == "ok"]
    rows = pd.concat([yardstick.rows(captured) for yardstick in yardsticks])
    for column, names in wanted.items():
        known = [str(name) for name in rows[column].unique()]
        field = {"quantity": "quantities"}.get(column, f"{column}s")
        for name in names or ():
            if name not in known:
                raise ValueError(f"{field}: expected some of {', '.join(known)}, got {name!r}")
        if names is not None:
            rows = rows[rows[column].isin(names)]
    # Equal NaN are no keys in a merge of every version of pandas.
    return rows.assign(rate_bits=rows["rate_bits"].fillna(0.0))


def _cells(pairs: pd.DataFrame, keys: Sequence[str], effect: float | None) -> pd.DataFrame:
    seeds = sorted(pairs[_SEED].unique())
    groups = list(pairs.groupby(list(keys), sort=False, dropna=False))
    differences = np.full((len(groups), len(seeds)), np.nan)
    rows = []
    for place, (values, own) in enumerate(groups):
        difference = own["value_bits_b"] - own["value_bits_a"]
        differences[place, np.searchsorted(seeds, own[_SEED])] = difference
        means = {"a_bits": own["value_bits_a"].mean(), "b_bits": own["value_bits_b"].mean()}
        rows.append({**dict(zip(keys, values, strict=True)), **means})
    summary = PairedDifferences.of(differences)
    low, high = simultaneous_interval(summary)
    p_value = summary.p_value
    p_holm = holm(p_value)
    says = np.where(p_holm <= ALPHA, DIFFERS, OPEN)
    same = (np.nanmax(np.abs(differences), axis=1) == 0) & (summary.n > 1)
    says = np.where(same, EQUAL, says)
    if effect is not None:
        region = Region.of(["="] * len(groups), [effect] * len(groups))
        equal = decide(differences, region, ALPHA / len(groups)).holds
        says = np.where((says == OPEN) & equal, EQUAL, says)
    table = pd.DataFrame(rows)
    table["rate_bits"] = table["rate_bits"].replace(0.0, np.nan)
    table.insert(len(keys), "n_seeds", summary.n)
    return table.assign(
        difference_bits=summary.mean,
        low_bits=low,
        high_bits=high,
        p_value=p_value,
        p_holm=p_holm,
        says=says,
    )


def _notes(
    a: Results, b: Results, sides: Sequence[pd.DataFrame], keys: Sequence[str]
) -> Iterable[str]:
    own, other = (_without_grid(results.sweep_spec) for results in (a, b))
    if own and other and own != other:
        yield f"the sweeps differ in {describe_difference(own, other, ('A', 'B'))}"
    for column in (*keys, _SEED):
        in_a, in_b = (set(side[column]) for side in sides)
        for name, only in (("A", in_a - in_b), ("B", in_b - in_a)):
            if only:
                values = ", ".join(sorted(value_text(value) for value in only))
                yield f"not compared, {column} in {name} alone: {values}"
    for name, results in (("A", a), ("B", b)):
        n = results.runs.loc[results.runs["status"] != "ok", "run_id"].nunique()
        if n:
            yield f"not compared, {n} unfinished run{'s' if n > 1 else ''} of {name}"


def _few_seeds(cells: pd.DataFrame) -> Iterable[str]:
    most = int(cells["n_seeds"].max())
    if most < _FEW_SEEDS and (cells["says"] == OPEN).any():
        common = f"{most} seed{'s' if most > 1 else ''} in common"
        yield f"{common}: with more in both sweeps (--seeds 0:4) intervals are narrower"


def _without_grid(spec: Mapping[str, object]) -> dict[str, object]:
    """A sweep without what its cells show."""
    return {name: value for name, value in spec.items() if name not in _GRID}
