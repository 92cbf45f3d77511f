"""Accuracies on these data sets that papers report, and what became of their re-runs.

Imports the standard library only. Numbers are test accuracies in per cent; ``spread`` is as the
source has it, the standard deviation of five runs where it says so.
"""

from dataclasses import dataclass

_PAPER = "FactorCL (arXiv 2306.05268v2), Table 6: five runs"
_PAPER_IRFL = "FactorCL (arXiv 2306.05268v2), Table 7: five runs"
_COMM = "CoMM (arXiv 2409.07402v2), its own runs"
_INFMASKING = "InfMasking's README (arXiv 2509.25270), a re-run"
_ISSUE = "pliang279/FactorCL issue 3: best of 5 to 10 runs, before the code's update of 2023-11-13"
_NOTEBOOK = "FactorCL's notebook at 0f9f740, one stored run"


@dataclass(frozen=True, kw_only=True)
class Published:
    """One reported accuracy.

    Attributes:
        dataset: the data set's name here.
        method: the method's name here.
        percent: test accuracy.
        spread: as the source has it; None for a single number.
        kind: ``paper``, ``re-run`` or ``stored``.
        source: where the number stands.
    """

    dataset: str
    method: str
    percent: float
    spread: float | None
    kind: str
    source: str


_COLUMNS = ("mimic", "mosei", "mosi", "ur-funny", "mustard")
# Mean and standard deviation by column.
_TABLE_6: dict[str, tuple[tuple[float, float], ...]] = {
    "simclr": ((66.7, 0.0), (71.9, 0.3), (47.8, 1.8), (50.1, 1.9), (53.5, 2.9)),
    "cross-self": ((65.2, 0.0), (71.1, 0.2), (48.6, 1.2), (56.5, 0.7), (53.9, 4.5)),
    "cross-self-fact": ((65.5, 0.0), (71.9, 0.2), (49.0, 1.1), (59.9, 0.9), (53.9, 4.0)),
    "ourcl-ssl": ((65.2, 0.0), (71.2, 0.2), (49.0, 0.8), (58.8, 1.3), (54.0, 2.5)),
    "factorcl-ssl": ((67.3, 0.0), (74.5, 0.1), (51.2, 1.6), (60.5, 0.8), (55.8, 0.9)),
    "supcon": ((67.4, 0.0), (71.0, 0.1), (47.2, 1.2), (50.1, 2.0), (52.7, 2.2)),
    "ourcl-sup": ((68.2, 0.0), (71.1, 0.2), (65.3, 0.8), (58.3, 1.1), (65.1, 1.8)),
    "factorcl-sup": ((76.8, 0.0), (77.8, 0.3), (69.1, 0.6), (63.5, 0.8), (69.9, 1.9)),
}
_TABLE_7 = {
    "simclr": (91.6, 0.0),
    "cross-self": (91.1, 1.2),
    "factorcl-ssl": (93.8, 1.4),
    "supcon": (87.7, 4.7),
    "factorcl-sup": (98.3, 1.2),
}
# (method, data set, per cent, spread, kind, source).
_OTHERS = (
    ("comm", "mimic", 66.4, 0.32, "paper", _COMM),
    ("comm", "mosi", 67.5, 1.3, "paper", _COMM),
    ("comm", "ur-funny", 63.1, 0.65, "paper", _COMM),
    ("comm", "mustard", 63.9, 3.0, "paper", _COMM),
    ("comm", "mimic", 66.4, 0.41, "re-run", _INFMASKING),
    ("comm", "mosi", 63.7, 2.5, "re-run", _INFMASKING),
    ("comm", "ur-funny", 63.3, 0.51, "re-run", _INFMASKING),
    ("comm", "mustard", 64.4, 1.1, "re-run", _INFMASKING),
    ("factorcl-sup", "mosei", 71.05, None, "re-run", _ISSUE),
    ("factorcl-sup", "mosi", 51.75, None, "re-run", _ISSUE),
    ("factorcl-sup", "mustard", 55.07, None, "re-run", _ISSUE),
    ("factorcl-sup", "ur-funny", 49.53, None, "re-run", _ISSUE),
    ("supcon", "mosei", 74.61, None, "re-run", _ISSUE),
    ("supcon", "mosi", 51.17, None, "re-run", _ISSUE),
    ("supcon", "mustard", 52.17, None, "re-run", _ISSUE),
    ("supcon", "ur-funny", 50.85, None, "re-run", _ISSUE),
    ("factorcl-sup", "mosi", 67.20, None, "stored", _NOTEBOOK),
    ("factorcl-ssl", "mosi", 54.08, None, "stored", _NOTEBOOK),
    ("supcon", "mosi", 46.21, None, "stored", _NOTEBOOK),
    ("factorcl-sup", "ur-funny", 62.95, None, "stored", _NOTEBOOK),
    ("factorcl-ssl", "ur-funny", 59.64, None, "stored", _NOTEBOOK),
    ("supcon", "ur-funny", 51.61, None, "stored", _NOTEBOOK),
    ("factorcl-sup", "mustard", 66.67, None, "stored", _NOTEBOOK),
    ("factorcl-ssl", "mustard", 60.14, None, "stored", _NOTEBOOK),
    ("supcon", "mustard", 57.25, None, "stored", _NOTEBOOK),
)

PUBLISHED: tuple[Published, ...] = (
    *(
        Published(
            dataset=dataset,
            method=method,
            percent=mean,
            spread=spread,
            kind="paper",
            source=_PAPER,
        )
        for method, row in _TABLE_6.items()
        for dataset, (mean, spread) in zip(_COLUMNS, row, strict=True)
    ),
    *(
        Published(
            dataset="irfl",
            method=method,
            percent=mean,
            spread=spread,
            kind="paper",
            source=_PAPER_IRFL,
        )
        for method, (mean, spread) in _TABLE_7.items()
    ),
    *(
        Published(
            dataset=dataset,
            method=method,
            percent=percent,
            spread=spread,
            kind=kind,
            source=source,
        )
        for method, dataset, percent, spread, kind, source in _OTHERS
    ),
)
"""Every reported accuracy, the paper's first.

The official notebook's MIMIC scores are on training rows and are left out; the paper's MIMIC row
may be too (its standard deviations are 0.0 for every method)."""


def published_of(dataset: str, method: str) -> list[Published]:
    """What is reported of a method on a data set, the paper's number first."""
    return [one for one in PUBLISHED if one.dataset == dataset and one.method == method]
