import pytest
from tiny_sweeps import tiny_sweep

from fctestbed.results import STORE_NAME
from fctestbed.sweep import describe_plan, make_plan, run_sweep
from fctestbed.sweep.costs import estimate_time

QUIET = {"measurement": {"rate": False, "scores": False}}


def planned(spec, out):
    return describe_plan(spec, out, device="cpu", workers=2, max_stack=6)


def test_a_plan_says_the_settings_that_runs_will_have(tmp_path):
    text = "\n".join(planned(tiny_sweep(), tmp_path))
    for part in ("settings (preset quick):", "n_train=256", "steps=10", "batch_size=64"):
        assert part in text
    assert "encoder_hidden=[8]" in text
    assert "equal_width=16" in text


def test_a_field_that_is_an_axis_is_among_the_axes_alone(tmp_path):
    lines = planned(tiny_sweep(axes={"train.warmup": [5, 7]}), tmp_path)
    assert "train.warmup: 5, 7" in lines
    assert not any(line.startswith("  train:") and "warmup=" in line for line in lines)


def test_a_directory_of_another_sweep_is_a_line_of_the_plan(tmp_path):
    run_sweep(tiny_sweep(**QUIET), tmp_path, device="cpu", workers=1, keep_encoders=False)
    before = (tmp_path / STORE_NAME).read_bytes()
    lines = planned(tiny_sweep(train={"steps": 9}, **QUIET), tmp_path)
    assert (
        f"{tmp_path}: holds another sweep, and would be refused: train.steps: stored 10, asked 9"
        in lines
    )
    assert "runs: 4, of which 0 are done" in lines
    assert (tmp_path / STORE_NAME).read_bytes() == before


def test_a_directory_whose_sweep_grows_says_by_what(tmp_path):
    run_sweep(tiny_sweep(**QUIET), tmp_path, device="cpu", workers=1, keep_encoders=False)
    before = (tmp_path / STORE_NAME).read_bytes()
    lines = planned(tiny_sweep(seeds=[0, 3], **QUIET), tmp_path)
    assert f"{tmp_path}: its sweep grows by seeds 3" in lines
    assert "runs: 8, of which 4 are done" in lines
    assert any(line.endswith("(from the 4 runs that are done here)") for line in lines)
    assert (tmp_path / STORE_NAME).read_bytes() == before


def test_the_time_that_is_left_follows_from_the_runs_that_are_done():
    spec = tiny_sweep(methods=["simclr"], seeds=[0, 1], unique_ratio=[0.5])
    runs = list(spec.grid.runs)
    plan = make_plan(spec, finished=runs[:1], max_stack=6)
    estimate = estimate_time(plan, {runs[0]: 100.0}, device="cpu", workers=4)
    # One training is left, which one worker does.
    assert estimate.seconds == pytest.approx(100.0)


def test_larger_networks_take_longer_and_more_workers_less_time():
    def seconds(workers=1, **values):
        spec = tiny_sweep(methods=["factorcl-sup"], seeds=[0, 1, 2, 3], **values)
        plan = make_plan(spec, max_stack=1)
        return estimate_time(plan, {}, device="cpu", workers=workers).seconds

    quick = {"nets": {"critic_hidden": [64]}, "train": {"steps": 600, "batch_size": 128}}
    deep = {**quick, "nets": {"critic_hidden": [512, 512]}}
    assert seconds(**deep) > 10 * seconds(**quick)
    assert seconds(workers=2, **quick) == pytest.approx(seconds(**quick) / 2)


def test_a_gpu_without_runs_has_no_estimate():
    plan = make_plan(tiny_sweep(), max_stack=6)
    assert estimate_time(plan, {}, device="cuda", workers=1) is None
