"""Cases of training steps: each trained method at both presets, alone and in a stack.

May import what is below ``fctestbed.experiments``, and the benchmark's own modules.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial

from fctestbed.experiments.bench.case import Case, GrowthCase, Prepared
from fctestbed.experiments.bench.operations import step_operations
from fctestbed.experiments.bench.timing import Work, clock
from fctestbed.objectives import METHODS
from fctestbed.sweep import PRESETS, sweep_spec
from fctestbed.synthesis import Dataset, make_dataset
from fctestbed.training import TrainingSpec, train_stack

# Steps before the clock is read, in which buffers are made.
_WARM = 2
_STACKS: dict[str, dict[str, tuple[int, ...]]] = {
    "cpu": {"quick": (1, 17), "official": (1, 2)},
    "cuda": {"quick": (1, 11, 33), "official": (1, 11)},
}
_CONDITIONED = ("factorcl-sup", "factorcl-ssl")
_GROWN = "factorcl-sup"


@dataclass(frozen=True, kw_only=True)
class StepInputs:
    """Trainings of one stack with their data, and the steps that are timed."""

    trainings: tuple[TrainingSpec, ...]
    datasets: tuple[Dataset, ...]
    device: str
    steps: int


def step_cases(device: str, steps: int) -> Iterator[Case | GrowthCase]:
    """Every method that has a training of its own, and the growth of FactorCL-SUP's step.

    Args:
        device: a torch device: a GPU has larger stacks.
        steps: steps of each timed training of the quick preset; those of the official preset are a
            tenth of them.
    """
    stacks = _STACKS[device.partition(":")[0]]
    for preset in PRESETS:
        for method, kind in METHODS.items():
            if not kind.trained or kind.trains_as is not None:
                continue
            for size in stacks[preset]:
                yield Case(
                    name=f"step/{method}/{preset}/{size}",
                    unit="a step of a run",
                    prepare=partial(_step, method, preset, size, steps),
                    plain="step",
                    is_long=preset == "official",
                )
    for method in _CONDITIONED:
        yield Case(
            name=f"step/{method}/official/1/batch",
            unit="a step of a run, negatives from the whole batch",
            prepare=partial(_step, method, "official", 1, steps, conditioning="batch"),
            plain="step",
            is_long=True,
        )
    yield GrowthCase(
        name=f"growth/{_GROWN}/runs",
        unit="a step of a stack",
        axis="runs",
        sizes=(1, 2, 4, 8),
        prepare=lambda device, size: _stack_step(
            stack_inputs(_GROWN, "quick", size, device, steps)
        ),
    )
    yield GrowthCase(
        name=f"growth/{_GROWN}/batch",
        unit="a step of a run",
        axis="batch",
        sizes=(64, 128, 256, 512),
        prepare=lambda device, batch: _stack_step(
            stack_inputs(_GROWN, "quick", 1, device, steps, batch=batch)
        ),
    )
    yield GrowthCase(
        name=f"growth/{_GROWN}/width",
        unit="a step of a run",
        axis="width",
        sizes=(64, 128, 256, 512),
        prepare=lambda device, width: _stack_step(
            stack_inputs(_GROWN, "quick", 1, device, steps, width=width)
        ),
    )


@cache
def _data(preset: str) -> Dataset:
    return make_dataset(sweep_spec(preset=preset).world, 0)


def stack_inputs(
    method: str,
    preset: str,
    size: int,
    device: str,
    steps: int,
    *,
    batch: int | None = None,
    width: int | None = None,
    conditioning: str | None = None,
) -> StepInputs:
    """Trainings of a stack that differ in the label's unique ratio.

    Args:
        method: its name.
        preset: of widths, batch and settings.
        size: trainings in the stack.
        device: where they are trained.
        steps: steps of the quick preset that are timed.
        batch: another batch size than the preset's.
        width: another width of all hidden layers.
        conditioning: another setting of this name than the preset's.
    """
    spec = sweep_spec(preset=preset)
    assert spec.train is not None
    assert spec.nets is not None
    steps = steps if preset == "quick" else max(1, steps // 10)
    train = spec.train.model_copy(
        update={"steps": _WARM + steps, "batch_size": batch or spec.train.batch_size}
    )
    nets = spec.nets
    if width is not None:
        fields = ("encoder_hidden", "head_hidden", "critic_hidden")
        nets = nets.model_copy(
            update={name: (width,) * len(getattr(nets, name)) for name in fields}
        )
    settings = dict(spec.settings.get(method, {}))
    if conditioning is not None:
        settings["conditioning"] = conditioning
    base = _data(preset)
    datasets = [base.with_label(spec.world.label.with_ratio(k / 100)) for k in range(size)]
    trainings = [
        TrainingSpec(
            method=method,
            settings=settings,
            nets=nets,
            train=train,
            world=dataset.spec,
        )
        for dataset in datasets
    ]
    return StepInputs(
        trainings=tuple(trainings), datasets=tuple(datasets), device=device, steps=steps
    )


def _step(  # noqa: PLR0917 - a case's coordinates
    method: str,
    preset: str,
    size: int,
    steps: int,
    device: str,
    conditioning: str | None = None,
) -> Prepared:
    inputs = stack_inputs(method, preset, size, device, steps, conditioning=conditioning)
    work = _stack_step(inputs)
    references = {}
    if size > 1:
        references["in a stack of 1"] = _stack_step(stack_inputs(method, preset, 1, device, steps))
    return Prepared(
        work=lambda: work() / size,
        inputs=inputs,
        operations=step_operations(inputs.trainings[0]),
        references=references,
    )


def _stack_step(inputs: StepInputs) -> Work:
    """The mean time of a step of the whole stack, its batches included, after the first steps."""

    def work() -> float:
        marks: list[float] = []
        train_stack(
            inputs.trainings,
            inputs.datasets,
            device=inputs.device,
            visit=lambda stack, step: marks.append(clock(inputs.device)),
            visited_steps=(_WARM, _WARM + inputs.steps),
        )
        started, ended = marks
        return (ended - started) / inputs.steps

    return work
