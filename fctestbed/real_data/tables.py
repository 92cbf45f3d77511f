"""Tables of trainings on real data.

May import pandas, scipy.special and this package.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from fctestbed.objectives import JOINT
from fctestbed.real_data.multimodal import Multimodal
from fctestbed.real_data.probing import ProbeRow
from fctestbed.real_data.published import PUBLISHED

_LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class RealResults:
    """Rows of trainings on real data.

    Attributes:
        data: shapes, counts and hashes.
        rows: one for each method, seed and readout, with the columns of ``ProbeRow``.
        runs: one for each method and seed: ``status`` (``ok``, ``diverged`` or ``failed``),
            ``alarms`` and the training's time.
        summary: one for each method: the mean test accuracy of ``joint`` over seeds with its 95 %
            interval (Student t), in per cent, the least certified bits over seeds, and the paper's
            number.
        published: all reported accuracies on this data set, with their sources.
    """

    data: Mapping[str, Any]
    rows: pd.DataFrame
    runs: pd.DataFrame
    summary: pd.DataFrame
    published: pd.DataFrame

    @property
    def is_ok(self) -> bool:
        """Whether every run has rows."""
        return bool((self.runs["status"] == "ok").all())


def results_of(data: Multimodal, runs: Sequence[Mapping[str, Any]]) -> RealResults:
    """The tables of runs.

    Args:
        data: the data.
        runs: what is stored of each, in the order of the rows.
    """
    rows = pd.DataFrame(
        [
            {"method": run["method"], "seed": run["seed"], **row}
            for run in runs
            for row in run["rows"]
        ],
        # A stored run has its names in another order.
        columns=["method", "seed", *(one.name for one in fields(ProbeRow))],
    )
    table = pd.DataFrame(
        [
            {
                "method": run["method"],
                "seed": run["seed"],
                "status": run["status"],
                "alarms": "; ".join(run["alarms"]),
                "device": run["device"],
                "seconds": run["seconds"],
            }
            for run in runs
        ]
    )
    published = pd.DataFrame(
        [
            {
                "method": one.method,
                "percent": one.percent,
                "spread": one.spread,
                "kind": one.kind,
                "source": one.source,
            }
            for one in PUBLISHED
            if one.dataset == data.dataset
        ],
        columns=["method", "percent", "spread", "kind", "source"],
    )
    methods = dict.fromkeys(run["method"] for run in runs)
    summary = pd.DataFrame([_summary(name, rows, published) for name in methods])
    return RealResults(data.description(), rows, table, summary, published)


def _summary(method: str, rows: pd.DataFrame, published: pd.DataFrame) -> dict[str, Any]:
    own = rows[(rows["method"] == method) & (rows["readout"] == JOINT)]
    paper = published[(published["method"] == method) & (published["kind"] == "paper")]
    reported = float(paper["percent"].iloc[0]) if len(paper) else math.nan
    values = 100 * own["accuracy"].to_numpy(float)
    n = len(values)
    half = math.nan
    if n > 1:
        half = float(stdtrit(n - 1, 0.5 + _LEVEL / 2) * values.std(ddof=1) / math.sqrt(n))
    mean = float(values.mean()) if n else math.nan
    bits = own[["usable_bits", "certified_bits"]].astype(float)
    return {
        "method": method,
        "seeds": n,
        "accuracy_percent": mean,
        # Not by max and min, which hide NaN.
        "low": float(np.clip(mean - half, 0, 100)),
        "high": float(np.clip(mean + half, 0, 100)),
        "usable_bits": float(bits["usable_bits"].mean()),
        "certified_bits": float(bits["certified_bits"].min()),
        "paper_percent": reported,
    }
