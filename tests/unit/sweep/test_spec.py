import pytest
from pydantic import ValidationError

from fctestbed.sweep import RunSpec, SweepSpec, merge, sweep_spec
from fctestbed.sweep.spec import DEFAULT_RATIOS

CHANGES = [
    {"unique_ratio": [0.25]},
    {"methods": ["supcon"]},
    {"seeds": [1]},
    {"world": {"n_train": 512}},
    {"world": {"n_test": 512}},
    {"world": {"latents": {"n_shared": 7}}},
    {"world": {"latents": {"kind": "gaussian"}}},
    {"world": {"observation": {"noise": 0.1}}},
    {"world": {"observation": {"dim2": 50}}},
    {"world": {"label": {"balance": 0.6}}},
    {"world": {"label": {"kind": "threshold", "n_relevant": 4}}},
    {"nets": {"embed_dim": 9}},
    {"nets": {"critic_hidden": [9]}},
    {"train": {"steps": 9}},
    {"train": {"batch_size": 65}},
    {"train": {"learning_rate": 0.5}},
    {"train": {"schedule": "constant"}},
    {"augmentation": {"kind": "official"}},
    {"measurement": {"n_fit": 9}},
    {"measurement": {"ridge": 0.5}},
    {"measurement": {"channel": True}},
    {"measurement": {"rate": False}},
    {"measurement": {"rate": {"rates": [4.0]}}},
    {"measurement": {"channel": {"taus": [1.0]}}},
    {"measurement": {"channel": {"target_bits": 0.5}}},
    {"settings": {"factorcl-ssl": {"inner_steps": 2}}},
]


def one_run(**values):
    base = {"unique_ratio": [0.5], "methods": ["factorcl-ssl"], "seeds": [0]}
    (run,) = sweep_spec(merge(base, values)).runs()
    return run


def line(values, **how):
    with pytest.raises(ValueError, match=r".") as refused:
        sweep_spec(values, **how).runs()
    error = refused.value
    message = str(error)
    assert "\n" not in message
    return message


def test_the_default_sweep_is_nine_methods_eleven_ratios_and_three_seeds():
    spec = sweep_spec()
    assert (len(spec.methods), len(spec.unique_ratio), len(spec.seeds)) == (9, 11, 3)
    assert spec.unique_ratio == DEFAULT_RATIOS
    runs = spec.runs()
    assert len(runs) == 297
    assert len({run.run_id for run in runs}) == 297


def test_run_ids_are_sixteen_hexadecimal_digits():
    assert len(one_run().run_id) == 16
    int(one_run().run_id, 16)


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_run_s_id_changes_with_any_field(change):
    assert one_run(**change).run_id != one_run().run_id


def test_a_run_s_id_knows_no_names_of_presets_and_variants():
    run = one_run()
    named = RunSpec(**{**run.model_dump(), "preset": "mine", "variant": "official"})
    assert named.run_id == run.run_id


def test_a_run_s_id_knows_no_order_of_keys():
    def turned(value):
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return value

    run = one_run(settings={"factorcl-ssl": {"inner_steps": 2, "inner_rate": 3.0}})
    assert RunSpec(**turned(run.model_dump())).run_id == run.run_id


def test_a_setting_written_out_at_its_default_changes_no_id():
    default = one_run().training.settings
    assert one_run(settings={"factorcl-ssl": default}).run_id == one_run().run_id


def test_a_run_s_id_knows_nothing_of_the_rest_of_the_grid():
    grid = sweep_spec({"seeds": [2, 0], "methods": ["raw", "factorcl-ssl"]})
    assert one_run().run_id in {run.run_id for run in grid.runs()}


def test_a_method_without_networks_does_not_know_their_widths():
    ids = {
        sweep_spec({"methods": ["raw"], "unique_ratio": [0.5], "seeds": [0], "nets": nets})
        .runs()[0]
        .run_id
        for nets in ({}, {"embed_dim": 3})
    }
    assert len(ids) == 1


def test_minus_zero_is_zero():
    assert one_run(unique_ratio=[-0.0]).run_id == one_run(unique_ratio=[0]).run_id


def test_values_go_over_the_preset_s_and_leave_the_rest():
    spec = sweep_spec({"train": {"steps": 7}}, preset="official")
    assert (spec.train.steps, spec.train.batch_size) == (7, 256)
    assert spec.preset == "official"


def test_merging_replaces_a_table_of_another_kind_as_a_whole():
    base = {"label": {"label_bits": 4}, "latents": {"kind": "bits", "n_shared": 9}}
    assert merge(base, {"label": {"balance": 0.4}})["label"] == {"label_bits": 4, "balance": 0.4}
    assert merge(base, {"label": {"kind": "bits"}})["label"] == {"label_bits": 4, "kind": "bits"}
    assert merge(base, {"label": {"kind": "threshold"}})["label"] == {"kind": "threshold"}
    assert merge(base, {"latents": {"kind": "gaussian"}})["latents"] == {"kind": "gaussian"}


def test_merging_leaves_its_arguments_alone():
    base = {"train": {"steps": 1}}
    merge(base, {"train": {"steps": 2}})
    assert base == {"train": {"steps": 1}}


@pytest.mark.parametrize(
    ("world", "ratios"),
    [
        ({"label": {"kind": "noiseless", "label_bits": 1}}, [0.0]),
        ({"label": {"synergy_ratio": 0.75}}, [0.25]),
        ({"label": {"balance": 1.0}}, [0.1, 0.5]),
        ({"label": {"kind": "noiseless"}, "latents": {"n_shared": 1}}, [1.0]),
    ],
)
def test_only_the_ratios_of_the_grid_must_fit_the_label(world, ratios):
    spec = sweep_spec({"unique_ratio": ratios, "methods": ["raw"], "world": world})
    assert [run.unique_ratio for run in spec.runs()][:: len(spec.seeds)] == ratios


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"methods": ["foo"]}, "methods: expected one of simclr, supcon, "),
        ({"methods": []}, "methods: expected one or more different values, got []"),
        ({"methods": ["raw", "raw"]}, "methods: expected one or more different values, got ['raw'"),
        ({"seeds": [1, 1]}, "seeds: expected one or more different values, got [1, 1]"),
        ({"seeds": [-1]}, "seeds.0: expected greater than or equal to 0, got -1"),
        ({"seeds": [2**63]}, "seeds.0: expected less than 9223372036854775808"),
        ({"unique_ratio": []}, "unique_ratio: expected one or more different values, got []"),
        ({"unique_ratio": [1.5]}, "unique_ratio.0: expected less than or equal to 1, got 1.5"),
        (
            {"unique_ratio": [0.1, 0.6], "world": {"label": {"balance": 0.9}}},
            "unique_ratio: expected at most 0.5555555556",
        ),
        (
            {"unique_ratio": [1.0, 0.0], "world": {"label": {"kind": "noiseless"},
             "latents": {"n_shared": 2}}},
            "world.latents.n_shared: expected at least 4, because the noiseless label at "
            "unique_ratio 0 reads 4 relevant latents of w_s",
        ),
        (
            {"world": {"label": {"label_bits": 4}}, "methods": ["factorcl-sup"]},
            "train.batch_size: expected at least 1024 for factorcl-sup, whose negatives share the "
            "label (4 samples for each of its 256 classes), got 128: enlarge the batch or ask for "
            "fewer label bits",
        ),
        (
            {"world": {"n_train": 64}, "methods": ["simclr"]},
            "train.batch_size: expected at most the 64 training samples, got 128",
        ),
        (
            {"world": {"label": {"kind": "planar", "n_relevant": 4}}, "unique_ratio": [0.0]},
            "augmentation: expected at least 5 relevant latents in modality 1 to write 20 classes",
        ),
        (
            {"settings": {"foo": {}}},
            "settings: expected one of simclr, supcon",
        ),
        (
            {"settings": {"factorcl-sup": {"foo": 1}}},
            "settings.factorcl-sup: expected one of critic, ",
        ),
        (
            {"settings": {"raw": {"foo": 1}}},
            "settings.raw: expected no settings, got the unknown key 'foo'",
        ),
        (
            {"settings": {"factorcl-sup": {"conditioning": "foo"}}},
            "settings.factorcl-sup.conditioning: expected 'within' or 'batch', got 'foo'",
        ),
        (
            {"unique_ratio": [i / 9000 for i in range(9001)], "seeds": list(range(13))},
            "unique_ratio: expected a grid of at most 1000000 runs, got 9001 ratios x 9 methods x "
            "13 seeds = 1053117",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_sweeps_that_cannot_be_are_refused_in_one_line_that_begins_with_the_field(values, message):
    assert line(values).startswith(message)


@pytest.mark.parametrize("method", ["supervised", "supcon", "unimodal-sup"])
def test_a_label_of_more_classes_than_can_be_learnt_is_refused_before_memory_is_taken(method):
    latents = {"n_shared": 20, "n_unique1": 10, "n_unique2": 10}
    values = {"methods": [method], "world": {"label": {"label_bits": 20}, "latents": latents}}
    assert line(values) == (
        f"world.label.label_bits: expected at most 4096 classes for {method}, which learns from "
        "the label, got 1099511627776: ask for fewer label bits or leave the method out"
    )


def test_a_method_that_does_not_read_the_label_may_have_any_number_of_classes():
    latents = {"n_shared": 20, "n_unique1": 10, "n_unique2": 10}
    world = {"label": {"label_bits": 20}, "latents": latents}
    spec = sweep_spec({"methods": ["simclr", "raw"], "world": world})
    assert spec.runs()[0].training.world.n_classes == 2**40


@pytest.mark.parametrize("preset", ["foo", 3, ["quick"], {"quick": 1}])
def test_an_unknown_preset_is_refused(preset):
    assert line({}, preset=preset).startswith("preset: expected one of quick, official, got ")


def test_a_sweep_is_frozen():
    with pytest.raises(ValidationError):
        SweepSpec().seeds = (4,)


def test_a_preset_among_the_values_is_the_preset():
    assert sweep_spec({"preset": "official"}) == sweep_spec(preset="official")
    assert sweep_spec({"preset": "official"}, preset="official").preset == "official"
    assert sweep_spec().preset == sweep_spec({"seeds": [0]}).preset == "quick"


@pytest.mark.parametrize(
    ("values", "preset", "message"),
    [
        ({"preset": "nope"}, None, "preset: expected one of quick, official, got 'nope'"),
        ({"preset": 3}, None, "preset: expected one of quick, official, got 3"),
        ({}, "nope", "preset: expected one of quick, official, got 'nope'"),
        ({"preset": "quick"}, "official", "preset: expected one, got 'quick' and 'official'"),
        ({"seeds": [True]}, None, "seeds.0: expected a number, got True"),
        ({"seeds": ["3"]}, None, "seeds.0: expected a number, got '3'"),
        ({"unique_ratio": [True]}, None, "unique_ratio.0: expected a number, got True"),
        (
            [("seeds", [0])],
            None,
            "values: expected fields of a sweep by name, got [('seeds', [0])]",
        ),
    ],
)
def test_presets_and_numbers_that_are_none_are_refused_in_one_line(values, preset, message):
    with pytest.raises(ValueError, match="expected") as refused:
        sweep_spec(values, preset=preset)
    assert str(refused.value) == message
