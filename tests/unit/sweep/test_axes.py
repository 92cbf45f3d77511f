"""Axes: any field of a run, from every way of writing them to the runs that serve their values."""

import json

import pytest
from tiny_sweeps import TINY, tiny_sweep

from fctestbed._records import InvalidSpec
from fctestbed.objectives import METHODS
from fctestbed.sweep import SpecError, SweepSpec, build_sweep, make_plan, merge, sweep_digest
from fctestbed.sweep.axes import axis_fields
from fctestbed.sweep.options import read_axes, read_toml

NOISE = "world.observation.noise"


def without(*paths):
    """The tiny sweep's values, some of them left out."""
    values = json.loads(json.dumps(TINY))
    for path in paths:
        table = values
        *parents, last = path.split(".")
        for key in parents:
            table = table[key]
        del table[last]
    return values


def swept(axes, base=TINY, **values):
    return build_sweep(options=merge(base, {**values, "axes": axes}))


def line(axes, base=TINY, **values):
    with pytest.raises(SpecError) as refused:
        swept(axes, base, **values)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def at(spec, *path):
    """A field's values over the runs, each once, in the order of the runs."""
    found = []
    for run in spec.runs():
        value = run
        for key in path:
            value = value[key] if isinstance(value, dict) else getattr(value, key)
        found.append(value)
    return list(dict.fromkeys(found))


def test_every_value_of_an_axis_has_the_runs_of_the_rest_of_the_grid():
    spec = swept({NOISE: [0, 0.5]})
    assert len(spec.runs()) == 8
    assert at(spec, "training", "world", "observation", "noise") == [0.0, 0.5]
    for noise in (0.0, 0.5):
        alone = tiny_sweep(world={"observation": {"noise": noise}})
        assert {run.run_id for run in alone.runs()} <= {run.run_id for run in spec.runs()}


def test_two_axes_are_a_full_grid():
    spec = swept({NOISE: [0, 0.5], "world.observation.entries": ["normal", "uniform"]})
    assert spec.grid.axes == (NOISE, "world.observation.entries")
    assert len(spec.runs()) == 16
    assert list(dict.fromkeys(values for _, values in spec.grid.cells)) == [
        (0.0, "normal"),
        (0.0, "uniform"),
        (0.5, "normal"),
        (0.5, "uniform"),
    ]


@pytest.mark.parametrize(
    ("axes", "base", "path", "values"),
    [
        ({"train.steps": [3, 4.0]}, without("train.steps"), ("train", "steps"), [3, 4]),
        (
            {"nets.encoder_hidden": [[8], [8, 8]]},
            without("nets.encoder_hidden"),
            ("nets", "encoder_hidden"),
            [(8,), (8, 8)],
        ),
        (
            {"settings.simclr.normalize": [True, False]},
            TINY,
            ("settings", "normalize"),
            [True, False],
        ),
        ({"critic": ["cosine", "bilinear"]}, TINY, ("settings", "critic"), ["cosine", "bilinear"]),
        (
            {"augmentation.kind": ["official", "optimal"]},
            {**TINY, "methods": ["unimodal-ssl"]},
            ("augmentation", "kind"),
            ["official", "optimal"],
        ),
        ({"world.label.balance": [0.5]}, TINY, ("world", "label", "balance"), [0.5]),
        (
            {"train.schedule": "cosine,constant"},
            TINY,
            ("train", "schedule"),
            ["cosine", "constant"],
        ),
    ],
    ids=str,
)
def test_values_have_the_type_of_their_field(axes, base, path, values):
    spec = swept(axes, {**base, "methods": [base["methods"][0]]})
    assert at(spec, "training", *path) == values
    assert list(*spec.axes.values()) == values
    assert [type(value) for value in next(iter(spec.axes.values()))] == list(map(type, values))


def test_a_measurement_may_be_an_axis():
    spec = swept({"measurement.n_fit": [64, 128]})
    assert at(spec, "measurement", "n_fit") == [64, 128]
    plan = make_plan(spec, max_stack=6)
    # Both measurements of one training.
    assert (plan.n_runs, plan.n_trainings) == (8, 2)
    assert all(len(unit.measurements) == 2 for unit in plan.units)


def test_a_run_that_does_not_depend_on_an_axis_is_one_run_that_serves_every_value():
    spec = swept({"train.steps": [3, 4]}, without("train.steps"))
    served = {}
    for run_id, values in spec.grid.cells:
        served.setdefault(spec.grid.runs[run_id].training.method, {}).setdefault(run_id, [])
        served[spec.grid.runs[run_id].training.method][run_id] += values
    assert list(served["raw"].values()) == [[3, 4]] * 2
    assert list(served["simclr"].values()) == [[3]] * 2 + [[4]] * 2
    assert make_plan(spec, max_stack=6).n_runs == 6
    raw, simclr = next(iter(served["raw"])), next(iter(served["simclr"]))
    assert spec.grid.values_of(raw) == {}
    assert spec.grid.values_of(simclr) == {"train.steps": 3}


def test_test_sets_of_two_sizes_are_measured_in_two_stacks():
    spec = swept({"world.n_test": [64, 128]}, without("world.n_test"))
    assert len(make_plan(spec, max_stack=6).units) == 4


def test_a_run_knows_nothing_of_the_axes():
    (run, *_) = swept({NOISE: [0, 0.5]}).runs()
    assert "axes" not in run.model_dump(mode="json")
    assert run.run_id == tiny_sweep(world={"observation": {"noise": 0}}).runs()[0].run_id


def test_a_sweep_without_axes_says_nothing_of_them():
    spec = tiny_sweep()
    assert spec.axes == {}
    assert "axes" not in sweep_digest(spec)[0]
    assert sweep_digest(spec)[1] == sweep_digest(tiny_sweep(axes={}))[1]
    assert spec.grid.cells == ()


def test_equal_values_make_equal_sweeps_and_minus_zero_is_zero():
    digests = {sweep_digest(swept({NOISE: values}))[1] for values in ([0, 1], [-0.0, 1.0])}
    assert len(digests) == 1
    assert str(swept({NOISE: [-0.0]}).axes[NOISE][0]) == "0.0"


def test_the_dump_of_a_sweep_with_axes_is_the_sweep():
    spec = swept({NOISE: [0, 0.5], "train.schedule": ["cosine"]})
    again = SweepSpec.model_validate(json.loads(json.dumps(spec.model_dump(mode="json"))))
    assert again == spec
    assert [run.run_id for run in again.runs()] == [run.run_id for run in spec.runs()]


def test_the_grid_is_expanded_once_and_a_changed_copy_expands_its_own():
    spec = swept({NOISE: [0, 0.5]})
    assert spec.grid is spec.grid
    assert len(spec.model_copy(update={"seeds": (0, 1)}).runs()) == 16


def test_another_kind_keeps_what_both_kinds_have():
    spec = swept({"world.observation.kind": ["linear", "mlp"]}, without("world.observation.kind"))
    assert at(spec, "training", "world", "observation", "kind") == ["linear", "mlp"]
    assert at(spec, "training", "world", "observation", "dim1") == [6]
    labels = swept(
        {"world.label.kind": ["bits", "threshold"]},
        world={"latents": {"n_unique1": 2, "n_unique2": 2}},
        unique_ratio=[2 / 3],
        methods=["raw"],
        seeds=[0],
    )
    assert at(labels, "training", "world", "label", "kind") == ["bits", "threshold"]


def test_a_world_s_default_need_not_fit_the_axes():
    values = without("world.latents.n_shared")
    spec = swept(
        {"world.latents.n_shared": [4, 5]},
        values,
        world={"label": {"label_bits": 4}, "latents": {"n_unique1": 2, "n_unique2": 2}},
        methods=["raw"],
    )
    assert at(spec, "training", "world", "latents", "n_shared") == [4, 5]


@pytest.mark.parametrize(
    "text",
    [
        '[axes]\n"world.observation.noise" = [0, 0.5]\n"train.schedule" = ["cosine", "constant"]',
        '[axes]\nworld.observation.noise = "0:0.5:0.5"\ntrain.schedule = "cosine,constant"',
        "[axes.world.observation]\nnoise = [0, 0.5]\n"
        '[axes.train]\nschedule = ["cosine", "constant"]',
    ],
)
def test_a_file_may_write_axes_as_paths_or_tables(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert read_toml(path)["axes"] == {NOISE: (0, 0.5), "train.schedule": ("cosine", "constant")}
    spec = build_sweep(config=path, options={})
    option = ["world.observation.noise=0,0.5", "train.schedule=cosine,constant"]
    assert sweep_digest(spec) == sweep_digest(build_sweep(options={}, axes=option))


def test_an_axis_of_the_command_line_goes_over_what_the_file_says_of_its_field(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[axes]\ntrain.steps = [1, 2]\n[world.observation]\nnoise = 0.3\ngain = 2.0\n")
    spec = build_sweep(config=path, options={}, axes=[f"{NOISE}=0,0.5", "train.steps=3"])
    assert spec.axes == {"train.steps": (3,), NOISE: (0.0, 0.5)}
    assert spec.world.observation.gain == 2.0


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0:1:0.5", (0, 0.5, 1)),
        (" 3 , 1:2:1", (3, 1, 2)),
        ("true,false", (True, False)),
        ("cosine, constant", ("cosine", "constant")),
        ("[8],[8, 8]", ([8], [8, 8])),
        ('"a,b",c', ("a,b", "c")),
        ("1e-3,-2.5", (0.001, -2.5)),
    ],
)
def test_an_axis_on_the_command_line_is_a_field_and_its_values(text, values):
    assert read_axes([f"settings.my-method.key={text}"]) == {"settings.my-method.key": values}


def test_a_plug_in_s_name_is_one_key_of_the_path():
    path = 'settings."broken_methods:JointIfWide".width'
    assert read_axes([f"{path}=3,4"]) == {path: (3, 4)}
    spec = swept({path: [3, 4]}, methods=["broken_methods:JointIfWide"])
    assert at(spec, "training", "settings", "width") == [3, 4]
    tables = {"settings": {"broken_methods:JointIfWide": {"width": [3, 4]}}}
    assert swept(tables, methods=["broken_methods:JointIfWide"]).axes == spec.axes


def test_every_field_of_a_run_s_parts_can_be_an_axis():
    fields = axis_fields(SweepSpec, METHODS)
    expected = {
        NOISE,
        "world.n_test",
        "world.label.kind",
        "world.label.flow_seed",
        "nets.critic_hidden",
        "train.warmup",
        "augmentation.irrelevant",
        "measurement.channel.taus",
        "settings.factorcl-ssl.inner_rate",
        "critic",
    }
    assert expected <= set(fields)
    assert "world.label.unique_ratio" not in fields
    assert not any(path.split(".")[0] in ("variants", "axes", "seeds") for path in fields)


@pytest.mark.parametrize(
    ("axes", "values", "message"),
    [
        ({"world.noise": [0]}, {}, f"axes.world.noise: expected a field such as {NOISE}, got "),
        ({"train.stepz": [1]}, {}, "axes.train.stepz: expected a field such as train.steps, got"),
        ({"train": [1]}, {}, "axes.train: expected a field such as train."),
        (
            {"settings.simclr.temprature": [1]},
            {},
            "axes.settings.simclr.temprature: expected a field such as settings.simclr.temperature",
        ),
        ({"settings.foo.x": [1]}, {}, "axes.settings.foo.x: expected one of simclr, "),
        (
            {"unique_ratio": [0]},
            {},
            "axes.unique_ratio: expected another field than unique_ratio, which a sweep lists by "
            "itself (unique_ratio = [...], --unique-ratio), got 'unique_ratio'",
        ),
        ({"world.label.unique_ratio": [0]}, {}, "axes.world.label.unique_ratio: expected another"),
        ({"seeds": [0]}, {}, "axes.seeds: expected another field than seeds, "),
        ({NOISE: ["x"]}, {}, f"axes.{NOISE}: expected a number, got 'x'"),
        ({NOISE: [0, -1]}, {}, f"axes.{NOISE}: expected greater than or equal to 0, got -1"),
        ({NOISE: [0, 0.0]}, {}, f"axes.{NOISE}: expected different values, got [0, 0.0]"),
        ({NOISE: []}, {}, f"axes.{NOISE}: expected one or more different values, got []"),
        ({NOISE: "0:1"}, {}, f"axes.{NOISE}: expected a number or start:stop:step"),
        ({NOISE: "0,,1"}, {}, f"axes.{NOISE}: expected values separated by commas, got '0,,1'"),
        ({NOISE: "[1"}, {}, f"axes.{NOISE}: expected a TOML value, got '[1' ("),
        (
            {NOISE: [0], "world": {"observation": {"noise": [1]}}},
            {},
            f"axes.{NOISE}: expected an axis once, got it twice",
        ),
        (3, {}, "axes: expected a valid dictionary, got 3"),
        ({"train.steps": [3, 4]}, {}, "train.steps: expected a value or an axis, got both"),
        ({"critic": ["cosine"]}, {"critic": "concat"}, "critic: expected a value or an axis"),
        (
            {"settings.supcon.temperature": [0.1, 0.5]},
            {},
            "axes.settings.supcon.temperature: expected a field that some of simclr, raw use, got "
            "one that none of them does",
        ),
        ({"critic": ["concat"]}, {"methods": ["raw"]}, "axes.critic: expected a field that some"),
        ({"augmentation.kind": ["official"]}, {}, "axes.augmentation.kind: expected a field that "),
        ({"train.warmup": [1]}, {"methods": ["raw"]}, "axes.train.warmup: expected a field that "),
        (
            {"settings.simclr.critic": ["concat"]},
            {"critic": "cosine"},
            "axes.settings.simclr.critic: expected the only value of this field for simclr, got "
            "one from critic too",
        ),
        (
            {"critic": ["concat"]},
            {"settings": {"simclr": {"critic": "cosine"}}},
            "axes.critic: expected the only value of this field for simclr, got one from "
            "settings.simclr.critic too",
        ),
        (
            {"critic": ["concat"], "settings.simclr.critic": ["cosine"]},
            {},
            "axes.critic: expected the only value of this field for simclr, got one from "
            "settings.simclr.critic too",
        ),
        (
            {"settings.factorcl-sup.inner_rate": [1, 2]},
            {"methods": ["ourcl-sup"], "settings": {"ourcl-sup": {"inner_rate": 3}}},
            "axes.settings.factorcl-sup.inner_rate: expected the only value of this field for "
            "ourcl-sup, got one from settings.ourcl-sup.inner_rate too",
        ),
        (
            {"settings.simclr.normalize": [True]},
            {"methods": ["simclr"], "variants": "paper,official"},
            "axes.settings.simclr.normalize: expected the only value of this field for simclr, got "
            "one from variants.official too",
        ),
        (
            {"augmentation.kind": ["official", "optimal"]},
            {"methods": ["focal"], "variants": {"v": {"augmentation": {"kind": "unique"}}}},
            "axes.augmentation.kind: expected the only value of this field for focal, got one from "
            "variants.v.augmentation too",
        ),
        (
            {"world.label.label_bits": [2, 4]},
            {},
            "world.latents.n_shared: expected at least 4, because the bits label at unique_ratio 0 "
            "reads 4 relevant latents of w_s (raise latents.n_shared or ask for a smaller label), "
            "got 2 (at world.label.label_bits=4)",
        ),
        (
            {"world.label.balance": [0.5, 0.9], NOISE: [0.25]},
            {},
            "unique_ratio: expected at most 0.5555555556 (at balance 0.9 and synergy_ratio 0 a "
            "slot would carry more than one bit), got 1 (at world.label.balance=0.9, "
            f"{NOISE}=0.25)",
        ),
        (
            {"world.observation.entries": ["normal"], "world.observation.gain": [1.0]},
            {},
            "axes.world.observation.gain: expected one of kind, dim1, dim2, entries, noise, got "
            "the unknown key 'gain'",
        ),
        (
            {NOISE: "0:1:0.001", "train.learning_rate": "0.0001:0.1:0.0001"},
            {},
            "axes: expected a grid of at most 1000000 runs, got 2 ratios x 2 methods x 1 seeds x "
            f"1001 {NOISE} x 1000 train.learning_rate = 4004000",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_axes_that_cannot_be_are_refused_in_one_line(axes, values, message):
    assert line(axes, **values).startswith(message)


def test_a_value_that_no_axis_can_have_names_the_axis(tmp_path):
    base = without("world.latents.n_shared")
    assert line({"world.latents.n_shared": [3, 1]}, base).startswith(
        "axes.world.latents.n_shared: expected at least 2, because the bits label at unique_ratio 0"
    )
    assert line({"world.n_train": [256, "x"]}, without("world.n_train")).startswith(
        "axes.world.n_train: expected a number, got 'x'"
    )
    assert line({"world.n_train": ["x", 256]}, without("world.n_train")).startswith(
        "axes.world.n_train: expected a number, got 'x'"
    )


def test_an_error_names_the_place_that_wrote_the_axis(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[axes]\nworld.observation.noise = [0, -1]")
    refused = f"{NOISE}: expected greater than or equal to 0, got -1"
    with pytest.raises(SpecError) as from_file:
        build_sweep(config=path, options={})
    assert str(from_file.value) == f"{path}, line 2: axes.{refused}"
    with pytest.raises(SpecError) as from_option:
        build_sweep(options={}, axes=[f"{NOISE}=0,-1"])
    assert str(from_option.value) == f"--axis {refused}"


def test_a_file_with_both_a_value_and_an_axis_of_a_field_is_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[axes]\ntrain.steps = [1, 2]\n[train]\nsteps = 3")
    with pytest.raises(SpecError) as refused:
        build_sweep(config=path, options={})
    assert str(refused.value).startswith(
        f"{path}, line 4: train.steps: expected a value or an axis, got"
    )


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["train.steps"], "--axis: expected FIELD=VALUES such as world.observation.noise="),
        (["=3"], "--axis: expected FIELD=VALUES such as "),
        (["train..steps=3"], "--axis: expected FIELD=VALUES such as "),
        (["train.steps="], "--axis train.steps: expected values separated by commas, got ''"),
        (["train.steps=3", "train.steps=4"], "--axis train.steps: expected an axis once, got it"),
    ],
)
def test_what_is_no_axis_is_refused_in_one_line(texts, message):
    with pytest.raises(SpecError) as refused:
        read_axes(texts)
    assert str(refused.value).startswith(message)


def test_python_is_refused_as_the_command_line_is():
    with pytest.raises(InvalidSpec) as refused:
        SweepSpec(axes={"train.steps": [0]})
    assert str(refused.value) == "axes.train.steps: expected greater than 0, got 0"
