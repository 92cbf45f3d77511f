"""What a sweep would do, in lines: its settings, what is left of it, about how long that takes.

Writes nothing. May import the rest of ``fctestbed.sweep`` and what is below it.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fctestbed.results import STORE_NAME, ResultsStore, check_directory
from fctestbed.sweep.axes import describe, join_path, shown
from fctestbed.sweep.costs import estimate_time
from fctestbed.sweep.driver import check_plugins, check_precisions, check_spec
from fctestbed.sweep.growth import growth_to, settings_names, sweep_digest
from fctestbed.sweep.plan import Plan, make_plan
from fctestbed.sweep.resources import Resources
from fctestbed.sweep.spec import SweepSpec
from fctestbed.synthesis import digest

_TABLES = ("world", "nets", "train", "augmentation", "measurement", "settings")


def describe_plan(
    spec: SweepSpec,
    out: str | Path,
    *,
    device: str = "auto",
    workers: int | None = None,
    max_stack: int | None = None,
    engine: str = "auto",
    address: str | None = None,
) -> list[str]:
    """What ``run_sweep`` would do, in lines; nothing stays written.

    A directory that holds another sweep is not refused: a line says how the two differ, and the
    plan is that of a new directory. Rows are not read, so that damage to them is not noticed, and
    a cluster is not asked.

    Raises:
        StoreRefused: if ``out`` holds something that is no store.
        ValueError: as for ``run_sweep``.
    """
    check_spec(spec)
    resources = Resources.resolved(device, workers, max_stack, engine, address)
    check_precisions(spec, resources)
    check_plugins(spec)
    there = _Directory(spec, Path(out))
    plan = make_plan(spec, finished=there.seconds, max_stack=resources.stack_size)
    return [
        *_grid_lines(spec),
        *_settings_lines(spec),
        *there.lines,
        *_work_lines(spec, plan, resources),
        _time_line(plan, there.seconds, resources),
        f"device: {resources.device}, {_workers(resources)}, results in {out}",
    ]


class _Directory:
    """What a directory has of a sweep.

    Attributes:
        seconds: seconds of the runs that need not be done again, by id.
        lines: how its sweep differs from the one asked for.
    """

    def __init__(self, spec: SweepSpec, out: Path) -> None:
        self.seconds: dict[str, float] = {}
        self.lines: list[str] = []
        if not (out / STORE_NAME).exists():
            try:
                check_directory(out)
            except ValueError as error:
                raise ValueError(f"out: {error}") from error
            return
        with ResultsStore.open_read(out) as store:
            stored, seconds, finished = store.sweep_spec(), store.seconds(), store.finished()
        content, _ = sweep_digest(spec)
        if digest(stored) != digest(content):
            try:
                grown = growth_to(spec, content)(stored, seconds)
            except ValueError as error:
                self.lines = [
                    f"{out}: holds another sweep, and would be refused: {error}",
                    "the plan of a new directory (--name or --out):",
                ]
                return
            if grown.added:
                self.lines = [f"{out}: its sweep grows by {grown.added}"]
        self.seconds = {run_id: seconds[run_id] for run_id in finished}


def _grid_lines(spec: SweepSpec) -> list[str]:
    return [
        f"unique ratios: {', '.join(f'{ratio:g}' for ratio in spec.unique_ratio)}",
        f"methods: {', '.join(spec.methods)}",
        f"seeds: {', '.join(map(str, spec.seeds))}",
        *(f"{path}: {', '.join(map(shown, values))}" for path, values in spec.axes.items()),
        *(f"one axis at a time around {describe(own)}" for own in [spec.baseline] if own),
        *(f"variants: {', '.join(spec.variants)}" for _ in [None] if len(spec.variants) > 1),
    ]


def _settings_lines(spec: SweepSpec) -> list[str]:
    """Every setting with its value, a line for each table."""
    content = json.loads(json.dumps(spec.model_dump(mode="json")))
    used = settings_names(spec)
    content["settings"] = {name: own for name, own in content["settings"].items() if name in used}
    lines = [f"settings (preset {spec.preset}):"]
    for name in _TABLES:
        leaves = {
            path: value
            for path, value in _leaves(content.get(name) or {}, ())
            if path not in spec.axes and f"{name}.{path}" not in spec.axes
        }
        # The grid's ratios replace this one.
        leaves.pop("label.unique_ratio", None)
        if leaves:
            lines.append(f"  {name}: {', '.join(f'{k}={_text(v)}' for k, v in leaves.items())}")
    return lines


def _leaves(value: Any, keys: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, (*keys, key))
    else:
        yield join_path(keys), value


def _text(value: Any) -> str:
    return "off" if value is None else shown(value)


def _work_lines(spec: SweepSpec, plan: Plan, resources: Resources) -> list[str]:
    lines = [
        f"runs: {plan.n_runs}, of which {plan.n_finished} are done",
        f"trainings left: {plan.n_trainings}, in {len(plan.units)} stacks of at most "
        f"{resources.max_stack}",
    ]
    for method in spec.methods:
        units = [unit for unit in plan.units if unit.method == method]
        runs, jobs = sum(unit.n_runs for unit in units), sum(len(unit.jobs) for unit in units)
        lines.append(f"  {method}: {runs} runs, {jobs} trainings, {len(units)} stacks")
    return [*lines, *(f"  {note}" for note in plan.notes)]


def _time_line(plan: Plan, seconds: Mapping[str, float], resources: Resources) -> str:
    device = "cpu" if resources.device == "auto" else resources.device
    estimate = estimate_time(
        plan, seconds, device=device, workers=min(resources.workers, len(plan.units) or 1)
    )
    if estimate is None:
        return f"time: no estimate, as no run on {device} is done here"
    by_one = "" if resources.address is None else " by one worker"
    return f"time: about {_duration(estimate.seconds)}{by_one} (from {estimate.basis})"


def _workers(resources: Resources) -> str:
    if resources.address is not None:
        return f"the workers of the Dask scheduler at {resources.address}"
    by_dask = " by Dask" if resources.engine == "dask" else ""
    return f"{resources.workers} workers{by_dask}"


def _duration(seconds: float) -> str:
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.2g} {unit}"
    return f"{seconds:.2g} s"
