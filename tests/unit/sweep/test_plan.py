import time
import tracemalloc

import pytest
from tiny_sweeps import tiny_sweep, tiny_units

from fctestbed.sweep import RunSpec, make_plan, sweep_spec
from fctestbed.training import TrainingSpec


def ids(plan):
    return [run.run_id for unit in plan.units for job in unit.jobs for run in job.runs]


def test_every_run_of_the_default_sweep_is_in_the_plan_once():
    spec = sweep_spec()
    plan = make_plan(spec, max_stack=6)
    assert (plan.n_runs, plan.n_finished, len(ids(plan))) == (297, 0, 297)
    assert set(ids(plan)) == {run.run_id for run in spec.runs()}


def test_label_free_methods_train_once_for_every_ratio():
    plan = make_plan(sweep_spec(), max_stack=6)
    trainings = dict.fromkeys(sweep_spec().methods, 0)
    for unit in plan.units:
        trainings[unit.method] += len(unit.jobs)
    # Optimal augmentations know the label, so the methods with views train for each ratio.
    assert trainings == {
        **dict.fromkeys(sweep_spec().methods, 33), "simclr": 3, "untrained": 3, "raw": 3
    }  # fmt: skip
    assert plan.n_trainings == sum(trainings.values())


def test_views_that_know_nothing_of_the_label_share_trainings_too():
    spec = sweep_spec({"methods": ["factorcl-ssl"], "augmentation": {"kind": "official"}})
    assert make_plan(spec, max_stack=6).n_trainings == 3


@pytest.mark.parametrize(
    ("max_stack", "sizes"),
    [(1, [1] * 10), (3, [3, 3, 2, 2]), (4, [4, 3, 3]), (10, [10]), (99, [10])],
)
def test_stacks_are_split_nearly_evenly(max_stack, sizes):
    units = tiny_units(max_stack, methods=["supcon"], seeds=list(range(5)))
    assert sorted((len(unit.jobs) for unit in units), reverse=True) == sizes


def test_a_stack_holds_one_method_and_one_shape():
    for unit in make_plan(sweep_spec(), max_stack=33).units:
        assert len({job.training.method for job in unit.jobs}) == 1
        assert len({job.training.stack_key for job in unit.jobs}) == 1


def test_the_longest_units_come_first():
    work = [unit.work for unit in make_plan(sweep_spec(), max_stack=6).units]
    assert work == sorted(work, reverse=True)
    assert work[-1] > 0


def test_halves_hold_every_job_once():
    (unit,) = tiny_units(methods=["supcon"], seeds=[0, 1, 2], unique_ratio=[0.5])
    first, second = unit.halves()
    assert first.jobs + second.jobs == unit.jobs
    assert (len(first.jobs), len(second.jobs)) == (1, 2)
    assert first.n_runs + second.n_runs == unit.n_runs == 3


def test_finished_runs_are_left_out():
    spec = tiny_sweep()
    runs = spec.runs()
    plan = make_plan(spec, finished={runs[0].run_id, "another"}, max_stack=6)
    assert (plan.n_runs, plan.n_finished) == (4, 1)
    assert set(ids(plan)) == {run.run_id for run in runs[1:]}


def test_a_finished_sweep_has_no_units():
    spec = tiny_sweep()
    plan = make_plan(spec, finished=[run.run_id for run in spec.runs()], max_stack=6)
    assert (plan.units, plan.n_trainings, plan.n_finished) == ((), 0, 4)


def test_a_stack_of_none_is_refused():
    with pytest.raises(ValueError, match="max_stack: expected at least 1, got 0"):
        make_plan(tiny_sweep(), max_stack=0)


def names(unit):
    return [tuple(run.run_id for run in job.runs) for job in unit.jobs]


def test_a_sweep_that_goes_on_has_the_stacks_of_the_whole_one():
    spec = tiny_sweep(methods=["supcon"], seeds=list(range(5)), unique_ratio=[0.5])
    whole = [names(unit) for unit in make_plan(spec, max_stack=2).units]
    for finished in whole:
        left = make_plan(spec, finished=[run for job in finished for run in job], max_stack=2)
        assert sorted(map(names, left.units)) == sorted(one for one in whole if one != finished)
        assert left.n_whole_units == 3


def test_a_stack_of_which_some_runs_are_finished_keeps_the_others():
    spec = tiny_sweep(methods=["simclr"], seeds=[0, 1])
    (unit,) = make_plan(spec, max_stack=2).units
    (first, _), others = names(unit)
    (left,) = make_plan(spec, finished=[first, *others], max_stack=2).units
    assert names(left) == [(unit.jobs[0].runs[1].run_id,)]
    assert left.jobs[0].training == left.jobs[0].runs[0].training


@pytest.mark.parametrize("value", [1.5, True, "2", None])
def test_a_stack_that_is_no_whole_number_is_refused(value):
    with pytest.raises(ValueError, match="max_stack: expected a whole number, got"):
        make_plan(tiny_sweep(), max_stack=value)


def test_runs_at_other_seeds_are_those_that_are_made_one_by_one():
    variants = {"axes": {"world.observation.noise": [0.0, 0.1]}, "methods": ["supcon", "simclr"]}
    for run in tiny_sweep(seeds=[0, 3, 2**40], **variants).runs():
        plain = RunSpec.model_validate(run.model_dump(mode="json"))
        assert plain == run
        assert plain.run_id == run.run_id
        assert plain.training.key == run.training.key
        assert plain.training.stack_key == run.training.stack_key


def test_a_copy_of_a_run_has_its_own_identity():
    (run,) = tiny_sweep(methods=["raw"], unique_ratio=[0.5]).runs()
    training = run.training.model_copy(update={"seed": 7})
    assert training.key == TrainingSpec.model_validate(training.model_dump(mode="json")).key
    assert training.key != run.training.key


def test_a_plan_of_many_runs_takes_microseconds_and_kilobytes_a_run():
    spec = tiny_sweep(methods=["simclr", "supcon", "raw"], seeds=list(range(1000)))
    started, n_runs = time.process_time(), 6000
    tracemalloc.start()
    plan = make_plan(spec, max_stack=6)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert plan.n_runs == n_runs
    assert peak < 4000 * n_runs
    # 26 us a run without the trace of memory.
    assert time.process_time() - started < 1e-3 * n_runs
