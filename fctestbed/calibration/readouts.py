"""Readouts of trained encoders as cases: what estimators are judged on where it matters.

Owns the training of a sweep's encoders for this end, their exact information, and samples of their
noisy readouts without limit. May import ``fctestbed.sweep`` and ``fctestbed.measurement``.

After training an encoder of bits is a codebook, so (Z + tau N, block) has a known law: as many
samples of it as an estimator asks for, and beside them the exact I(Z + tau N; block).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fctestbed.calibration.case import Case, Triple
from fctestbed.calibration.rows import read_calibration
from fctestbed.measurement.channel import unit_power_codewords
from fctestbed.measurement.channel.marginals import Columns
from fctestbed.measurement.channel.result import ChannelInformation, Readers
from fctestbed.measurement.channel_rows import readout_information, why_no_channel
from fctestbed.measurement.latent_bits import BLOCKS, quantities
from fctestbed.measurement.readout_codes import ReadoutCode, stack_codes, word_columns
from fctestbed.results import READOUT_COLUMNS
from fctestbed.sweep.plan import Job, Unit, make_plan
from fctestbed.sweep.spec import RunSpec, SweepSpec
from fctestbed.synthesis import Dataset, WorldSpec, make_dataset
from fctestbed.training import train_stack

GROUP = "readouts"
# Data sets of a stack are held at once.
_MAX_STACK = 8
_MAX_CODEWORDS = 1 << 18
_MAX_DRAWS = 1 << 19


@dataclass(frozen=True, kw_only=True)
class ReadoutCase(Case):
    """One readout of one training through noise, and one quantity.

    Attributes:
        method: what was trained.
        variant: its variant.
        unique_ratio: the ratio it was trained at; NaN where several of the sweep's ratios have this
            very training and quantity, as those of methods that never see a label do.
        seed: of its data and training.
        readout: the readout's name.
        quantity: the name of the bits that are asked for.
        tau: the noise.
        exact_se_bits: standard error of ``true_bits``.
    """

    method: str
    variant: str
    unique_ratio: float
    seed: int
    readout: str
    quantity: str
    tau: float
    exact_se_bits: float


def readout_cases(
    spec: SweepSpec,
    *,
    tau: float = 0.5,
    of: Sequence[str] = tuple(BLOCKS),
    readouts: Sequence[str] | None = None,
    target_bits: float = 0.005,
    device: torch.device | str = "cpu",
    report: Callable[[int, int], None] | None = None,
) -> list[ReadoutCase]:
    """Train a sweep's encoders and make a case of every readout and quantity.

    Encoders are those of the sweep, to the digit where torch has as many threads. A training that
    several ratios share is one case. Each case draws x = z + tau N, [n, width], z of unit mean
    power per dimension (each part of a readout of two), and y, the quantity's bits, [n, bits].

    Args:
        spec: the sweep; all of it is trained, so it should be small.
        tau: standard deviation of the noise per dimension.
        of: names of quantities: blocks, their parts, single bits.
        readouts: names of readouts; None for all that a method has.
        target_bits: largest standard error of the exact values.
        device: where to train and to compute.
        report: called with the trainings done and all of them.

    Raises:
        ValueError: one line, for a world whose readouts have no channel information, a quantity or
            a readout that nothing has, a readout of too many words, a tau that is not above 0, or a
            training that diverged.
    """
    if not 0 < tau < math.inf:
        raise ValueError(f"tau: expected a number above 0, got {tau}")
    plan = make_plan(spec, max_stack=_MAX_STACK)
    refusal = why_no_channel(spec.world, _MAX_CODEWORDS)
    if refusal is not None:
        raise ValueError(f"world: {refusal}")
    worlds = [run.training.world for unit in plan.units for job in unit.jobs for run in job.runs]
    known = {quantity.name for world in worlds for quantity in quantities(world)}
    for name in of:
        if name not in known:
            raise ValueError(f"of: expected some of {', '.join(sorted(known))}, got {name!r}")
    ask = _Question(tau, tuple(of), target_bits, torch.device(device))
    found: list[ReadoutCase] = []
    seen: set[str] = set()
    done = 0
    for unit in plan.units:
        for training in _trained(unit, ask.device):
            seen |= set(training.codes)
            found += _cases(training, ask, readouts)
        done += len(unit.jobs)
        if report is not None:
            report(done, plan.n_trainings)
    for name in readouts or ():
        if name not in seen:
            raise ValueError(f"readouts: expected some of {', '.join(sorted(seen))}, got {name!r}")
    order = {method: place for place, method in enumerate(spec.methods)}
    return sorted(found, key=lambda case: order[case.method])


def with_readouts(rows: pd.DataFrame, cases: Sequence[ReadoutCase]) -> pd.DataFrame:
    """A calibration's rows with what their cases are: ``READOUT_COLUMNS`` after the others."""
    about = [
        {
            "case": case.name,
            **{name: getattr(case, name) for name in READOUT_COLUMNS if name != "exact_bits"},
            "exact_bits": case.true_bits,
        }
        for case in cases
    ]
    table = pd.DataFrame(about, columns=["case", *READOUT_COLUMNS])
    return rows.merge(table, on="case", how="left", validate="many_to_one")


def read_readouts(paths: Sequence[Path]) -> pd.DataFrame:
    """Rows of readouts that were written as CSV, of several files one after the other; where two
    have the same cell and repetition, the later file's stands.

    Raises:
        ValueError: one line, for no files, or one that is missing or lacks columns.
    """
    if not paths:
        raise ValueError("paths: expected one file or more, got none")
    frames = []
    for path in paths:
        frame = read_calibration(path)
        about = pd.read_csv(path, usecols=lambda name: name in READOUT_COLUMNS)
        missing = [column for column in READOUT_COLUMNS if column not in about]
        if missing:
            raise ValueError(f"{path}: expected rows of readouts, got no column {missing[0]}")
        frames.append(frame.join(about[list(READOUT_COLUMNS)]))
    rows = pd.concat(frames, ignore_index=True)
    cell = ["case", "tau", "estimator", "n", "repetition"]
    return rows.drop_duplicates(cell, keep="last", ignore_index=True)


@dataclass(frozen=True)
class _Question:
    tau: float
    names: tuple[str, ...]
    target_bits: float
    device: torch.device


@dataclass(frozen=True)
class _Training:
    """One method's readouts of one training, and the runs that they serve."""

    runs: Sequence[RunSpec]
    codes: dict[str, ReadoutCode | None]


def _trained(unit: Unit, device: torch.device) -> Iterator[_Training]:
    """The readouts of a unit's trainings, by method."""
    jobs: Sequence[Job] = unit.jobs
    datasets: list[Dataset] = [make_dataset(job.worlds[0], job.training.seed) for job in jobs]
    trained = train_stack([job.training for job in jobs], datasets, device=device)
    for job, reason in zip(jobs, trained.diverged, strict=True):
        if reason is not None:
            raise ValueError(
                f"methods: expected trainings that end, got {_name(job.runs[0])}, which diverged "
                f"({reason})"
            )
    worlds = [dataset.world for dataset in datasets]
    for method, training in unit.trainings.items():
        reader = trained.read_as(training.build_method())
        codes = stack_codes(reader, worlds, range(len(jobs)), _MAX_CODEWORDS)
        for job, own in zip(jobs, codes, strict=True):
            runs = [run for run in job.runs if run.training.method == method]
            if runs:
                yield _Training(runs, own)


def _cases(
    training: _Training, ask: _Question, readouts: Sequence[str] | None
) -> Iterator[ReadoutCase]:
    wanted = {
        name: code for name, code in training.codes.items() if readouts is None or name in readouts
    }
    codes = {name: code for name, code in wanted.items() if code is not None}
    if len(codes) < len(wanted):
        large = next(name for name in wanted if name not in codes)
        raise ValueError(
            f"readouts: expected at most {_MAX_CODEWORDS} words to enumerate, got more for "
            f"{large} of {_name(training.runs[0])}"
        )
    groups = _groups(training.runs, ask.names)
    first = training.runs[0].training
    found = readout_information(
        codes,
        {str(columns): columns for _, columns in groups},
        first.world,
        tau=ask.tau,
        target_bits=ask.target_bits,
        targets=[str(columns) for _, columns in groups],
        max_draws=_MAX_DRAWS,
        seed=first.seed,
        device=ask.device,
    )
    for name, code in codes.items():
        parts = _parts(code, first.world)
        for (quantity, columns), runs in groups.items():
            law = _Law(parts, columns, sum(first.world.block_sizes), ask.tau)
            yield _case(name, quantity, runs, law, found[name])


def _groups(
    runs: Sequence[RunSpec], names: Sequence[str]
) -> dict[tuple[str, Columns], list[RunSpec]]:
    """The runs that ask for the same bits under a name: its relevant bits may be a label's own."""
    groups: dict[tuple[str, Columns], list[RunSpec]] = {}
    for run in runs:
        columns = {quantity.name: quantity.columns for quantity in quantities(run.training.world)}
        for name in names:
            if name in columns:
                groups.setdefault((name, columns[name]), []).append(run)
    return groups


@dataclass(frozen=True, eq=False)
class _Part:
    """One part of a readout: its codewords, [2^bits, width], and the bits of their words."""

    codewords: NDArray[np.float64]
    columns: Columns


@dataclass(frozen=True, eq=False)
class _Law:
    """The law of a noisy readout and some bits of the words: all bits are fair, and the parts of
    one sample share its bits."""

    parts: tuple[_Part, ...]
    columns: Columns
    n_bits: int
    tau: float

    def draw(self, rng: np.random.Generator, n: int) -> Triple:
        """Samples of (z + tau N, bits, None)."""
        bits = rng.integers(0, 2, (n, self.n_bits))
        z = np.concatenate([p.codewords[_index(bits, p.columns)] for p in self.parts], axis=1)
        return z + self.tau * rng.standard_normal(z.shape), bits[:, list(self.columns)], None


def _parts(code: ReadoutCode, world: WorldSpec) -> tuple[_Part, ...]:
    columns = word_columns(world)
    return tuple(
        # As ``codebook`` scales it, which counts where one of several pieces is silent.
        _Part(unit_power_codewords(level)[0].cpu().numpy(), columns[modalities])
        for modalities, level in zip(code.modalities, code.levels(), strict=True)
    )


def _case(
    readout: str,
    quantity: str,
    runs: Sequence[RunSpec],
    law: _Law,
    found: tuple[ChannelInformation, Readers],
) -> ReadoutCase:
    information, of = found
    exact = information.information(law.columns, of=of)
    run, ratios = runs[0], {run.unique_ratio for run in runs}
    name = _name(run, every_ratio=len(ratios) > 1)
    return ReadoutCase(
        name=f"{name}: {readout}, {quantity}",
        group=GROUP,
        kind="mixed",
        true_bits=exact.value_bits,
        draw=law.draw,
        method=run.training.method,
        variant=run.variant,
        unique_ratio=run.unique_ratio if len(ratios) == 1 else math.nan,
        seed=run.training.seed,
        readout=readout,
        quantity=quantity,
        tau=law.tau,
        exact_se_bits=exact.standard_error_bits,
    )


def _index(bits: NDArray[np.int64], columns: Columns) -> NDArray[np.int64]:
    return bits[:, list(columns)] @ (1 << np.arange(len(columns))[::-1])


def _name(run: RunSpec, *, every_ratio: bool = False) -> str:
    variant = "" if run.variant == "paper" else f" ({run.variant})"
    ratio = "every ratio" if every_ratio else f"ratio {run.unique_ratio:g}"
    return f"{run.training.method}{variant}, {ratio}, seed {run.training.seed}"
