"""Axes that vary one at a time around a sweep's own values."""

import json
from pathlib import Path

import pytest
from tiny_sweeps import TINY, TINY_OPTIONS, tiny_sweep

import fctestbed.sweep.execute as execute_module
from fctestbed.cli.main import run
from fctestbed.results import load_results
from fctestbed.sweep import (
    SpecError,
    SweepSpec,
    build_sweep,
    describe_plan,
    make_plan,
    merge,
    run_sweep,
    sweep_digest,
)

SWEEPS = Path(__file__).parents[3] / "sweeps"
STEPS, NOISE = "train.steps", "world.observation.noise"
TEMPERATURE = "settings.simclr.temperature"
AXES = {STEPS: [5, 10, 20], NOISE: [0.5, 1.0], TEMPERATURE: [0.1, 0.5]}


def swept(axes=AXES, **values):
    """The tiny sweep at one ratio: 10 steps, no noise, temperature 0.1."""
    given = {"unique_ratio": [0.0], **values, "axes": axes, "one_at_a_time": True}
    return build_sweep(options=merge(TINY, given))


def line(axes, **values):
    with pytest.raises(SpecError) as refused:
        swept(axes, **values)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_each_value_of_an_axis_goes_with_the_own_values_of_the_others():
    spec = swept(methods=["simclr"])
    assert spec.grid.axes == (STEPS, NOISE, TEMPERATURE)
    assert spec.grid.baseline == (10, 0.0, 0.1)
    assert [cell for _, cell in spec.grid.cells] == [
        (10, 0.0, 0.1),
        (5, 0.0, 0.1),
        (20, 0.0, 0.1),
        (10, 0.5, 0.1),
        (10, 1.0, 0.1),
        (10, 0.0, 0.5),
    ]
    assert len(spec.runs()) == make_plan(spec, max_stack=6).n_trainings == 6


def test_a_run_at_the_own_values_is_trained_once_and_listing_them_changes_no_run():
    listed = swept({STEPS: [10, 20], NOISE: [0.0, 0.5]}, methods=["simclr"])
    plain = swept({STEPS: [20], NOISE: [0.5]}, methods=["simclr"])
    assert listed.grid == plain.grid
    assert len(listed.runs()) == len({run_id for run_id, _ in listed.grid.cells}) == 3
    alone = tiny_sweep(unique_ratio=[0.0], methods=["simclr"]).runs()[0].run_id
    assert listed.grid.cells[0] == (alone, (10, 0.0))


def test_a_run_that_does_not_depend_on_an_axis_serves_its_values():
    grid = swept(methods=["simclr", "raw"]).grid
    cells = {}
    for run_id, cell in grid.cells:
        cells.setdefault((grid.runs[run_id].training.method, run_id), []).append(cell)
    raw = [own for (method, _), own in cells.items() if method == "raw"]
    # Without noise at every number of steps and every temperature, and once at each noise.
    assert sorted(map(len, raw)) == [1, 1, 4]
    assert [len(own) for (method, _), own in cells.items() if method == "simclr"] == [1] * 6


def test_a_run_is_named_by_the_value_that_differs_from_the_own_one():
    grid = swept(methods=["simclr"]).grid
    found = [grid.values_of(run_id) for run_id, _ in grid.cells]
    assert found == [{}, {STEPS: 5}, {STEPS: 20}, {NOISE: 0.5}, {NOISE: 1.0}, {TEMPERATURE: 0.5}]


def test_other_ratios_and_seeds_are_a_full_grid_with_each_value():
    spec = swept({STEPS: [5, 20]}, methods=["simclr"], unique_ratio=[0.0, 1.0], seeds=[0, 1])
    assert len(spec.runs()) == 3 * 2 * 2


def test_the_dump_of_the_sweep_is_the_sweep_and_says_nothing_of_it_by_default():
    spec = swept()
    content = json.loads(json.dumps(spec.model_dump(mode="json")))
    again = SweepSpec.model_validate(content)
    assert (again, again.grid) == (spec, spec.grid)
    assert sweep_digest(again)[1] == sweep_digest(spec)[1]
    product = build_sweep(options=merge(TINY, {"axes": {NOISE: [0, 0.5]}}))
    assert "one_at_a_time" not in product.model_dump(mode="json")
    # What this sweep had before axes could vary one at a time.
    same = tiny_sweep(axes={NOISE: [0, 0.5]}, one_at_a_time=False)
    assert sweep_digest(same) == sweep_digest(product)


def test_a_sweep_goes_on_and_its_rows_have_every_axis(tmp_path, monkeypatch):
    def go(spec):
        return run_sweep(spec, tmp_path, device="cpu", workers=1, keep_encoders=False)

    spec = swept({STEPS: [3, 10], NOISE: [0.5]}, methods=["simclr", "raw"])
    assert go(spec).n_new == 5
    results = load_results(tmp_path)
    assert results.axes == (STEPS, NOISE)
    runs = results.runs[["method", STEPS, NOISE]]
    assert runs.values.tolist() == [
        [method, *cell] for method in ("raw", "simclr") for cell in ((3, 0.0), (10, 0.0), (10, 0.5))
    ]
    monkeypatch.setattr(execute_module, "train_stack", None)
    assert go(swept({STEPS: [3, 10], NOISE: [0.5]}, methods=["simclr", "raw"])).n_new == 0
    assert "one axis at a time around train.steps=10, world.observation.noise=0" in describe_plan(
        spec, tmp_path, device="cpu"
    )


def test_values_of_file_pairs_and_axes_go_together(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("one_at_a_time = true\n[train]\nsteps = 30\n[axes]\ntrain.steps = [10]\n")
    assert build_sweep(config=path, options={}).grid.baseline == (30,)
    over = build_sweep(
        config=path, options={}, axes=["train.steps=10,40"], pairs=["train.steps=20"]
    )
    assert over.grid.baseline == (20,)
    assert over.axes == {STEPS: (10, 40)}
    # Of a full grid the axis replaces the file's value.
    path.write_text("[train]\nsteps = 30\n")
    spec = build_sweep(config=path, options={}, axes=["train.steps=10,40"])
    assert spec.grid.baseline == ()


def test_settings_of_a_method_have_its_own_defaults_as_the_baseline():
    path = "settings.factorcl-sup.inner_rate"
    spec = swept(
        {path: [3.0]},
        methods=["ourcl-sup", "factorcl-sup"],
        settings={"factorcl-sup": {"inner_rate": 2.0}},
    )
    assert spec.grid.baseline == (2.0,)
    assert swept({TEMPERATURE: [0.5]}).grid.baseline == (0.1,)


@pytest.mark.parametrize(
    ("axes", "values", "message"),
    [
        ({"train.stepz": [1]}, {}, "axes.train.stepz: expected a field such as train.steps, got"),
        (
            {STEPS: [10]},
            {},
            f"axes.{STEPS}: expected a value other than the sweep's own, 10, as axes vary one at a "
            "time, got none",
        ),
        ({STEPS: [20, 20]}, {}, f"axes.{STEPS}: expected different values, got [20, 20]"),
        ({STEPS: []}, {}, f"axes.{STEPS}: expected one or more different values, got []"),
        ({}, {}, "one_at_a_time: expected axes to vary, got none"),
        (
            {NOISE: [0.1], "world": {"observation": {"noise": [1]}}},
            {},
            f"axes.{NOISE}: expected an axis once, got it twice",
        ),
        (
            {"critic": ["concat"], "settings.simclr.critic": ["concat"]},
            {"critic": "cosine"},
            "axes.critic: expected the only value of this field for simclr, got one from "
            "settings.simclr.critic too",
        ),
        (
            {"critic": ["cosine"]},
            {},
            "axes.critic: expected a field with a value of the sweep's own, around which it varies "
            "one at a time, got none",
        ),
        (
            {"measurement.channel.taus": [[0.1]]},
            {},
            "axes.measurement.channel.taus: expected a field with a value of the sweep's own",
        ),
        ({NOISE: [-1]}, {}, f"axes.{NOISE}: expected greater than or equal to 0, got -1"),
        (
            {NOISE: "0:1:0.001", STEPS: "1:1000:1"},
            {"seeds": list(range(300))},
            "axes: expected a grid of at most 1000000 runs, got 1 ratios x 2 methods x 300 seeds x "
            "2001 values of the axes = 1200600",
        ),
        ({STEPS: [20]}, {"one_at_a_time": "yes"}, "one_at_a_time: expected "),
    ],
    ids=lambda value: str(value)[:40],
)
def test_axes_that_cannot_vary_one_at_a_time_are_refused_in_one_line(axes, values, message):
    if "one_at_a_time" in values:
        with pytest.raises(SpecError) as refused:
            build_sweep(options=merge(TINY, {"axes": axes, **values}))
        assert str(refused.value).startswith(message)
    else:
        assert line(axes, **values).startswith(message)


def test_the_published_sweep_trains_the_run_of_the_preset_once_for_all_of_its_axes():
    spec = build_sweep(config=SWEEPS / "scaling.toml", options={})
    assert (len(spec.seeds), len(spec.methods), spec.unique_ratio) == (8, 4, (0.5,))
    own = spec.baseline
    n_others = {path: len(set(values) - {own[path]}) for path, values in spec.axes.items()}
    n_common = 1 + sum(n for path, n in n_others.items() if not path.startswith("settings."))
    temperatures = sum(n for path, n in n_others.items() if path.startswith("settings."))
    # A temperature is one method's.
    assert len(spec.runs()) == 8 * (4 * n_common + temperatures)
    assert make_plan(spec, max_stack=6).n_trainings == len(spec.runs())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--axis=train.stepz=1,2"], "--axis train.stepz: expected a field such as train.steps"),
        (["--axis=train.steps=10"], "--axis train.steps: expected a value other than the sweep's"),
        (["--axis=train.steps=20,20"], "--axis train.steps: expected different values, got [20, 2"),
        ([], "--one-at-a-time: expected axes to vary, got none"),
        (
            ["--axis=train.steps=20", "--axis=train.steps=30"],
            "--axis train.steps: expected an axis once, got it twice",
        ),
    ],
    ids=str,
)
def test_the_command_refuses_such_axes_in_one_line(tmp_path, capsys, options, message):
    out = tmp_path / "new"
    assert run(["sweep", *TINY_OPTIONS, "--one-at-a-time", f"--out={out}", *options]) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith(f"fctestbed: {message}")
    assert not out.exists()
