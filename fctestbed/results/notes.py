"""What a reader has to know of a sweep's rows, in lines. Imports pandas."""

import json
from collections import Counter

import pandas as pd

# What rounding depends on, by its name in a run's provenance.
_ROUNDING = {
    "threads": "numbers of threads",
    "cpu": "processors",
    "torch": "versions of torch",
    "numpy": "versions of numpy",
    "blas": "linear algebra libraries",
}


def mixture_notes(runs: pd.DataFrame) -> tuple[str, ...]:
    """A line for each property of the machine or its libraries that differs between trained runs.

    Args:
        runs: the table of runs.

    Returns:
        The lines; none where all runs were made alike. Runs that do not say are left out.
    """
    finished = runs[runs["status"] == "ok"].drop_duplicates("run_id")
    found = [json.loads(provenance) for provenance in finished["provenance"]]
    notes = []
    for name, noun in _ROUNDING.items():
        counts = Counter(str(about[name]) for about in found if about.get(name) is not None)
        if len(counts) > 1:
            values = ", ".join(f"{value} ({counts[value]} runs)" for value in sorted(counts))
            notes.append(f"runs of different {noun}, which round differently: {values}")
    return tuple(notes)
