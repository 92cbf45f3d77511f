"""Laws made of the readouts of trained encoders, with their exact channel information.

May import ``fctestbed.sweep``, ``fctestbed.measurement`` and what is below them.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from fctestbed.calibration.readout_law import CodePart, ReadoutLaw
from fctestbed.measurement import (
    ReadoutCode,
    quantities,
    readout_codes,
    readout_information,
    why_no_channel,
)
from fctestbed.measurement.channel import ChannelBits, Columns, unit_power_codewords
from fctestbed.results import BLOCKS
from fctestbed.sweep import Job, Plan, RunSpec, SweepSpec, Unit, check_plugins, make_plan
from fctestbed.synthesis import Dataset, WorldSpec, make_dataset
from fctestbed.training import Readouts, TrainingSpec, pattern_columns, stack_readouts, train_stack

# All datasets of a stack are in memory together.
_MAX_STACK = 8
_MAX_CODEWORDS = 1 << 18
_MAX_DRAWS = 1 << 19


def readout_laws(
    spec: SweepSpec,
    *,
    tau: float = 0.5,
    of: Sequence[str] = BLOCKS,
    readouts: Sequence[str] | None = None,
    target_bits: float = 0.005,
    device: torch.device | str = "cpu",
    report: Callable[[int, int], None] | None = None,
) -> list[ReadoutLaw]:
    """Train the encoders of a sweep and make a law of every readout and quantity.

    The encoders equal those of the sweep to the last digit if torch has as many threads. A training
    that several ratios share gives one law for each readout and quantity.

    Args:
        spec: the sweep, all of which is trained.
        tau: standard deviation of the noise per dimension, where the readout (each part of a
            readout of two parts) has unit mean power per dimension.
        of: names of quantities: blocks, their parts, single bits.
        readouts: names of readouts; None for all readouts of a method.
        target_bits: largest standard error of the exact values, in bits.
        device: where to train and to compute.
        report: called with the number of finished trainings and the number of all trainings.

    Returns:
        The laws, in the order of the sweep's methods.

    Raises:
        ValueError: one line, for a world whose readouts have no channel information, an unknown
            quantity or readout, a readout of too many codewords, a tau that is not above 0, a
            sweep with further axes, a method that breaks its contract, or a training that diverged.
    """
    if not 0 < tau < math.inf:
        raise ValueError(f"tau: expected a number above 0, got {tau}")
    if spec.axes:
        raise ValueError(f"axes: expected a sweep without further axes, got {', '.join(spec.axes)}")
    check_plugins(spec)
    plan = make_plan(spec, max_stack=_MAX_STACK)
    refusal = why_no_channel(spec.world, _MAX_CODEWORDS)
    if refusal is not None:
        raise ValueError(f"world: {refusal}")
    worlds = [run.training.world for unit in plan.units for job in unit.jobs for run in job.runs]
    known = {quantity.name for world in worlds for quantity in quantities(world)}
    for name in of:
        if name not in known:
            raise ValueError(f"of: expected some of {', '.join(sorted(known))}, got {name!r}")
    if readouts is not None:
        _check_readouts(plan, readouts, torch.device(device))
    settings = _Settings(tau, tuple(of), readouts, target_bits, torch.device(device))
    found: list[ReadoutLaw] = []
    done = 0
    for unit in plan.units:
        for training in _trainings(unit, settings.device):
            found += _laws(training, settings)
        done += len(unit.jobs)
        if report is not None:
            report(done, plan.n_trainings)
    order = {method: place for place, method in enumerate(spec.methods)}
    return sorted(found, key=lambda law: order[law.method])


def _check_readouts(plan: Plan, names: Sequence[str], device: torch.device) -> None:
    """Refuse names that no method's readouts have, before anything is trained: networks after one
    step on a few samples have the same readouts."""
    known: set[str] = set()
    trainings = {name: training for unit in plan.units for name, training in unit.trainings.items()}
    for training in trainings.values():
        run = RunSpec(training=_small(training))
        unit = Unit((Job(training=run.training, runs=(run,)),))
        for trained in _trainings(unit, device):
            known |= set(trained.readouts.by_name)
    for name in names:
        if name not in known:
            raise ValueError(f"readouts: expected some of {', '.join(sorted(known))}, got {name!r}")


def _small(training: TrainingSpec) -> TrainingSpec:
    """The same training, of one step and one batch."""
    fields = training.model_dump()
    batch = 2 if training.train is None else training.train.batch_size
    if training.train is not None:
        fields["train"] = {**fields["train"], "steps": 1}
    fields["world"] = {**fields["world"], "n_train": batch, "n_test": 2}
    return TrainingSpec.model_validate(fields)


@dataclass(frozen=True)
class _Settings:
    tau: float
    quantities: tuple[str, ...]
    readouts: Sequence[str] | None
    target_bits: float
    device: torch.device


@dataclass(frozen=True)
class _Training:
    """One training with the readouts of one method: its runs, and the readouts' codewords."""

    runs: Sequence[RunSpec]
    readouts: Readouts


def _trainings(unit: Unit, device: torch.device) -> Iterator[_Training]:
    """Train a unit, and return its trainings method by method."""
    jobs: Sequence[Job] = unit.jobs
    datasets: list[Dataset] = [make_dataset(job.worlds[0], job.training.seed) for job in jobs]
    trained = train_stack([job.training for job in jobs], datasets, device=device)
    for job, reason in zip(jobs, trained.diverged, strict=True):
        if reason is not None:
            raise ValueError(
                f"methods: expected trainings that end, got {_run_name(job.runs[0])}, which "
                f"diverged ({reason})"
            )
    for method, training in unit.trainings.items():
        reader = trained.read_as(training.build_method())
        # Only codewords are used; no probe is fitted on samples.
        found = stack_readouts(reader, datasets, n_fit=1, max_codewords=_MAX_CODEWORDS)
        for job, own in zip(jobs, found, strict=True):
            runs = [run for run in job.runs if run.training.method == method]
            if runs:
                yield _Training(runs, own)


def _laws(training: _Training, settings: _Settings) -> Iterator[ReadoutLaw]:
    codes = _enumerable(training, settings.readouts)
    groups = _groups(training.runs, settings.quantities)
    first = training.runs[0].training
    found = readout_information(
        codes,
        {str(columns): columns for _, columns in groups},
        first.world,
        taus=(settings.tau,),
        target_bits=settings.target_bits,
        targets=[str(columns) for _, columns in groups],
        max_draws=_MAX_DRAWS,
        seed=first.seed,
        device=settings.device,
    )
    for readout, code in codes.items():
        parts = _parts(code, first.world)
        for (quantity, columns), runs in groups.items():
            (exact,), readers = found[readout]
            yield _law(
                runs,
                readout=readout,
                quantity=quantity,
                tau=settings.tau,
                exact=exact.information(columns, of=readers),
                parts=parts,
                columns=columns,
            )


def _enumerable(training: _Training, names: Sequence[str] | None) -> dict[str, ReadoutCode]:
    """The codewords of the readouts with these names, or of all."""
    by_name = training.readouts.by_name
    known = readout_codes(training.readouts)
    codes = {}
    for name in by_name if names is None else [name for name in by_name if name in names]:
        if name not in known:
            raise ValueError(
                f"readouts: {name} of {_run_name(training.runs[0])}: {by_name[name].no_codewords}"
            )
        codes[name] = known[name]
    return codes


def _groups(
    runs: Sequence[RunSpec], names: Sequence[str]
) -> dict[tuple[str, Columns], list[RunSpec]]:
    """The runs by quantity and its bits: the relevant bits of a block may depend on the label."""
    groups: dict[tuple[str, Columns], list[RunSpec]] = {}
    for run in runs:
        columns = {quantity.name: quantity.columns for quantity in quantities(run.training.world)}
        for name in names:
            if name in columns:
                groups.setdefault((name, columns[name]), []).append(run)
    return groups


def _parts(code: ReadoutCode, world: WorldSpec) -> tuple[CodePart, ...]:
    columns = pattern_columns(world)
    return tuple(
        # Scaled as in ``codebook``; this matters where one of several pieces is constant.
        CodePart(unit_power_codewords(level)[0].cpu().numpy(), columns[modalities])
        for modalities, level in zip(code.modalities, code.levels(), strict=True)
    )


def _law(
    runs: Sequence[RunSpec],
    *,
    readout: str,
    quantity: str,
    tau: float,
    exact: ChannelBits,
    parts: tuple[CodePart, ...],
    columns: Columns,
) -> ReadoutLaw:
    run, ratios = runs[0], {run.unique_ratio for run in runs}
    return ReadoutLaw(
        method=run.training.method,
        variant=run.variant,
        unique_ratio=run.unique_ratio if len(ratios) == 1 else math.nan,
        seed=run.training.seed,
        readout=readout,
        quantity=quantity,
        tau=tau,
        exact_bits=exact.value_bits,
        exact_se_bits=exact.standard_error_bits,
        parts=parts,
        columns=columns,
        n_bits=sum(run.training.world.block_sizes),
    )


def _run_name(run: RunSpec) -> str:
    variant = "" if run.variant == "paper" else f" ({run.variant})"
    return f"{run.training.method}{variant}, ratio {run.unique_ratio:g}, seed {run.training.seed}"
