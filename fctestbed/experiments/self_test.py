"""A self-test of some seconds: a sweep whose exact answers are known, and the speed of the default
sweep's trainings here.

May import ``fctestbed.sweep`` and what is below it.
"""

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fctestbed.results import JOINT, LABEL, LINEAR_PROBE, load_results
from fctestbed.sweep import (
    Estimate,
    estimate_from_rate,
    make_plan,
    run_sweep,
    seconds_per_work,
    sweep_spec,
)

_EXACT = {
    "unique_ratio": [0.5],
    "methods": ["raw", "simclr"],
    "seeds": [0],
    "world": {
        "n_train": 4096,
        "n_test": 2048,
        "latents": {"n_shared": 2, "n_unique1": 1, "n_unique2": 1},
        "observation": {"kind": "bits"},
        "label": {"kind": "noiseless", "label_bits": 4},
    },
    "train": {"steps": 20},
}
# Trainings of the default sweep, cut short: the dearest method and a middling one.
_TIMED = {
    "unique_ratio": [0.5],
    "methods": ["factorcl-sup", "unimodal-sup"],
    "seeds": [0],
    "train": {"steps": 150},
}
_SIZES = (1, 6)
_TOLERANCE_BITS = 0.02


@dataclass(frozen=True)
class Finding:
    """One thing that was tested.

    Attributes:
        name: what.
        expected: the number that is known.
        found: the number that came out; NaN if none did.
        passed: whether it is near enough.
    """

    name: str
    expected: float
    found: float
    passed: bool


@dataclass(frozen=True)
class SelfTest:
    """What a self-test found.

    Attributes:
        findings: what was tested.
        default_sweep: about how long the default sweep takes here; None on a GPU, where a stack is
            not timed by single trainings.
    """

    findings: tuple[Finding, ...]
    default_sweep: Estimate | None

    @property
    def passed(self) -> bool:
        """Whether everything is as expected."""
        return all(one.passed for one in self.findings)


def run_self_test(
    *, device: str, workers: int, report: Callable[[str], None] = lambda line: None
) -> SelfTest:
    """Train and measure a tiny sweep whose exact answers are known, and time the default sweep's
    trainings. Writes into a temporary directory, which is removed.

    In the tiny world the inputs are the latent bits and the label is four of them, so that a linear
    reader of the raw inputs finds 2 shared bits, 1 unique bit of each modality and 4 label bits.

    Args:
        device: a torch device.
        workers: how many processes a sweep would have here.
        report: called with a line before each part.

    Raises:
        ValueError: for an unknown device.
    """
    with tempfile.TemporaryDirectory() as place:
        report("a tiny sweep whose exact answers are known")
        exact = sweep_spec(_EXACT)
        run_sweep(exact, Path(place) / "exact", device=device, workers=1, keep_encoders=False)
        results = load_results(Path(place) / "exact")
        findings = [*_raw_findings(results.captured), *_status_findings(results.runs)]
        if device.partition(":")[0] != "cpu":
            return SelfTest(tuple(findings), None)
        report("the speed of the default sweep's trainings")
        timed = sweep_spec(_TIMED)
        run_sweep(
            timed,
            Path(place) / "timed",
            device=device,
            workers=1,
            max_stack=_SIZES[0],
            keep_encoders=False,
        )
        runs = load_results(Path(place) / "timed").runs
    seconds = dict(zip(runs["run_id"], runs["seconds"], strict=True))
    rate = seconds_per_work(make_plan(timed, max_stack=_SIZES[0]), seconds)
    estimate = estimate_from_rate(
        make_plan(sweep_spec(), max_stack=_SIZES[1]),
        rate,
        workers=workers,
        basis=f"{len(seconds)} trainings of it, cut short, one at a time",
    )
    return SelfTest(tuple(findings), estimate)


def _raw_findings(captured: pd.DataFrame) -> list[Finding]:
    rows = captured[
        (captured["method"] == "raw")
        & (captured["readout"] == JOINT)
        & (captured["estimator"] == LINEAR_PROBE)
    ].set_index("quantity")["value_bits"]
    expected = {LABEL: 4.0, "shared": 2.0, "unique1": 1.0, "unique2": 1.0}
    found = {name: float(rows.get(name, math.nan)) for name in expected}
    return [
        Finding(
            f"{name} bits of the raw inputs",
            value,
            found[name],
            abs(found[name] - value) <= _TOLERANCE_BITS,
        )
        for name, value in expected.items()
    ]


def _status_findings(runs: pd.DataFrame) -> list[Finding]:
    done = runs.set_index("method")["status"]
    n_ok = sum(status == "ok" for status in done)
    return [Finding("trainings and measurements that finished", 2, n_ok, n_ok == len(done) == 2)]
