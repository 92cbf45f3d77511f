"""What a sweep shows on stderr, and its table on stdout."""

import io
import os
from dataclasses import replace

import pytest
from rich.console import Console
from tiny_sweeps import tiny_sweep

from fctestbed.cli import display as display_module
from fctestbed.cli.display import ProgressConsole, SweepDisplay
from fctestbed.results import RunRecord
from fctestbed.sweep import InProcess, UnitProgress, make_plan
from fctestbed.training import Progress


class Clock:
    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(display_module, "time", clock)
    return clock


def shown(live=False):
    console = Console(file=io.StringIO(), force_terminal=live, width=100)
    return SweepDisplay(console), console.file


def plan_of(n_methods=1):
    methods = ["supcon", "raw"][:n_methods]
    return make_plan(tiny_sweep(methods=methods, seeds=[0, 1]), max_stack=2)


def at(unit, step, *losses):
    return UnitProgress(unit, Progress(step=step, steps=10, losses_nats=losses))


def records(unit, status="ok"):
    return [
        RunRecord(
            run_id=run.run_id,
            method=unit.method,
            variant="paper",
            preset="quick",
            unique_ratio=run.unique_ratio,
            seed=run.training.seed,
            spec={},
            status=status,
            reason="" if status == "ok" else "too [steep] by far",
        )
        for job in unit.jobs
        for run in job.runs
    ]


def test_without_a_terminal_plain_lines_tell_runs_rate_and_time_left(clock):
    display, file = shown()
    plan = plan_of()
    with display.shown():
        display.begin(plan, InProcess("cpu"))
        clock.now = 5.0
        display.progress(at(0, 5, 1.0, 2.0))
        clock.now = 12.0
        display.progress(at(0, 5, 1.0, 2.0))
        clock.now = 30.0
        display.committed(0, records(plan.units[0]))
        clock.now = 60.0
        display.committed(1, records(plan.units[1]))
    lines = file.getvalue().splitlines()
    assert lines[0] == "4 runs: 4 trainings in 2 stacks, in this process"
    # A quarter of the work took 12 seconds.
    assert lines[1] == "0/4 runs, 0:12, 0:36 left | supcon 0 x 2: step 5/10, loss 1.50 nats"
    assert lines[2] == "2/4 runs, 0:30, 4/min, 0:30 left | supcon 0 x 2: done"
    assert lines[3] == "4/4 runs, 1:00, 4/min, 0:00 left | supcon 1 x 2: done"
    assert len(lines) == 4
    assert "\x1b" not in file.getvalue()


def test_a_run_that_is_not_ok_is_told_on_one_line_as_it_is(clock):
    display, file = shown()
    plan = plan_of()
    with display.shown():
        display.begin(plan, InProcess("cpu"))
        display.committed(0, records(plan.units[0], "diverged"))
    assert "supcon at ratio 0, seed 0: diverged: too [steep] by far\n" in file.getvalue()


def test_a_stack_of_one_value_of_an_axis_is_named_with_it(clock):
    display, file = shown()
    axes = {"world.observation.noise": [0.0, 0.25]}
    plan = make_plan(tiny_sweep(methods=["supcon"], axes=axes), max_stack=2)
    with display.shown():
        display.begin(plan, InProcess("cpu"))
        display.committed(1, records(plan.units[1], "failed"))
    lines = file.getvalue().splitlines()
    noise = "world.observation.noise=0.25"
    assert lines[1] == f"supcon at ratio 0, {noise}, seed 0: failed: too [steep] by far"
    assert lines[-1].endswith(f"supcon 0-1 {noise} x 2: done")


def test_notes_of_a_plan_are_said_at_the_start():
    spec = tiny_sweep(methods=["raw"])
    plan = make_plan(spec, finished=[run.run_id for run in spec.runs()], max_stack=2)
    display, file = shown()
    display.begin(replace(plan, notes=("mine:loss: as it is",)), InProcess("cpu"))
    assert file.getvalue() == "2 runs, 2 already done\nnote: mine:loss: as it is\n"


def test_a_finished_sweep_says_so_in_a_line():
    spec = tiny_sweep(methods=["raw"])
    plan = make_plan(spec, finished=[run.run_id for run in spec.runs()], max_stack=2)
    display, file = shown()
    with display.shown():
        display.begin(plan, InProcess("cpu"))
    assert file.getvalue() == "2 runs, 2 already done\n"


def test_each_running_stack_has_a_bar_and_a_done_one_has_none(clock):
    display, _ = shown(live=True)
    plan = plan_of()
    with display.shown():
        display.begin(plan, InProcess("cpu"))
        bars = display._bars

        def texts():
            return [f"{task.description} {task.fields['note']}" for task in bars.tasks]

        display.progress(at(0, 0))
        display.progress(at(1, 5, 0.5))
        assert len(texts()) == 3
        assert texts()[1].startswith("supcon 0 x 2 ")
        assert texts()[1].endswith(" starting")
        assert texts()[2].endswith(" step 5/10, loss 0.50 nats")
        # Two stacks of one method: the one that is done goes, whichever it is.
        display.committed(1, records(plan.units[1]))
        assert len(texts()) == 2
        assert texts()[1].endswith(" starting")
        clock.now = 30.0
        display.progress(at(0, 10, 0.5))
        assert texts()[1].endswith(" measuring")
        display.committed(0, records(plan.units[0]))
        assert texts() == ["sweep 4/4 runs, 0:30, 8/min, 0:00 left"]
        assert bars.tasks[0].percentage == pytest.approx(100)


def test_a_stack_that_is_tried_again_does_not_count_twice(clock):
    display, _ = shown(live=True)
    plan = plan_of()
    with display.shown():
        display.begin(plan, InProcess("cpu"))
        display.progress(at(0, 10, 0.5))
        display.progress(at(0, 0))
        assert display._share() == 0


def test_a_closed_pipe_is_an_error_and_no_exit():
    read, written = os.pipe()
    os.close(read)
    with open(written, "w") as stream:
        console = ProgressConsole(file=stream)
        with pytest.raises(BrokenPipeError):
            console.print("lost")
        # What is left is written when the stream is closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), written)
