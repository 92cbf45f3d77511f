import pytest
from tiny_sweeps import tiny_sweep, tiny_units

from fctestbed.sweep import make_plan, sweep_spec


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
