"""What a reader has to know of a sweep's rows, in lines. Imports the schema; never pandas."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from fctestbed.results.schema import RUN_COLUMNS

# What rounding depends on, by its name in a run's provenance.
_ROUNDING = {
    "threads": "numbers of threads",
    "cpu": "processors",
    "torch": "versions of torch",
    "numpy": "versions of numpy",
    "blas": "linear algebra libraries",
}

_STATUS, _PROVENANCE = RUN_COLUMNS.index("status"), RUN_COLUMNS.index("provenance")


def mixture_notes(runs: Iterable[Sequence[object]]) -> tuple[str, ...]:
    """A line for each property of the machine or its libraries that differs between trained runs.

    Args:
        runs: rows in the order of ``RUN_COLUMNS``; a run may be there more than once.

    Returns:
        The lines; none where all runs were made alike. Runs that do not say are left out.
    """
    mixture = Mixture()
    for run in runs:
        mixture.add(run)
    return mixture.notes


class Mixture:
    """What rounding depended on in runs that are added one by one."""

    def __init__(self) -> None:
        self._seen: set[object] = set()
        self._counts: Counter[str] = Counter()

    def add(self, run: Sequence[object]) -> None:
        """Count a run, given in the order of ``RUN_COLUMNS``, if it is ok and new."""
        if run[_STATUS] == "ok" and run[0] not in self._seen:
            self._seen.add(run[0])
            # Most runs of a sweep have the same provenance.
            self._counts[str(run[_PROVENANCE])] += 1

    @property
    def notes(self) -> tuple[str, ...]:
        """The lines, as ``mixture_notes`` returns them."""
        found = [(json.loads(text), n) for text, n in self._counts.items()]
        notes = []
        for name, noun in _ROUNDING.items():
            counts: Counter[str] = Counter()
            for about, n in found:
                if about.get(name) is not None:
                    counts[str(about[name])] += n
            if len(counts) > 1:
                values = ", ".join(f"{value} ({counts[value]} runs)" for value in sorted(counts))
                notes.append(f"runs of different {noun}, which round differently: {values}")
        return tuple(notes)
