import re
from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from fctestbed.sweep import SpecError, build_sweep, make_plan, sweep_digest
from fctestbed.sweep.options import read_pair
from fctestbed.synthesis import QualityAugmentation, UniqueAugmentation

SWEEPS = Path(__file__).parents[3] / "sweeps"


def toml(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def line(**how):
    with pytest.raises(SpecError, match="expected") as refused:
        build_sweep(**{"options": {}, **how})
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_the_published_quick_sweep_is_the_command_line_s_default():
    from_file = build_sweep(config=SWEEPS / "quick.toml", options={})
    default = build_sweep(preset="quick", options={})
    assert from_file == default
    assert sweep_digest(from_file) == sweep_digest(default)


def test_the_published_official_sweep_has_five_seeds_and_a_gpu_s_precision():
    from_file = build_sweep(config=SWEEPS / "official.toml", options={})
    options = {"seeds": range(5), "train": {"precision": "tf32"}}
    assert from_file == build_sweep(preset="official", options=options)
    assert len(from_file.runs()) == 11 * 5 * 9


def test_layers_go_over_each_other_preset_file_options_pairs(tmp_path):
    config = toml(
        tmp_path,
        """
        preset = "official"
        seeds = "0:4"
        [train]
        steps = 100
        batch_size = 100
        warmup = 100
        """,
    )
    options = {"train": {"steps": 200, "batch_size": 200}}
    spec = build_sweep(config=config, options=options, pairs=["train.steps=300"])
    # The learning rate is the preset's alone.
    assert spec.train.model_dump() == {
        "steps": 300,
        "batch_size": 200,
        "warmup": 100,
        "learning_rate": 1e-4,
        "schedule": "constant",
    }
    assert spec.seeds == (0, 1, 2, 3, 4)
    assert spec.preset == "official"


def test_the_preset_can_be_named_by_every_layer(tmp_path):
    config = toml(tmp_path, 'preset = "official"')
    assert build_sweep(options={}).preset == "quick"
    assert build_sweep(config=config, options={}).preset == "official"
    assert build_sweep(config=config, preset="quick", options={}).preset == "quick"
    assert build_sweep(preset="quick", options={}, pairs=["preset=official"]).preset == "official"


def test_later_pairs_go_over_earlier_ones():
    spec = build_sweep(options={}, pairs=["train.steps=3", "train.steps=4", "world.n_train=999"])
    assert (spec.train.steps, spec.world.n_train) == (4, 999)


@pytest.mark.parametrize(
    ("pair", "values"),
    [
        ("train.steps=500", {"train": {"steps": 500}}),
        (" nets.head_hidden = [64, 64]", {"nets": {"head_hidden": [64, 64]}}),
        ("train.schedule=constant", {"train": {"schedule": "constant"}}),
        ('train.schedule="constant"', {"train": {"schedule": "constant"}}),
        (
            "settings.factorcl-sup.inner_rate=1e1",
            {"settings": {"factorcl-sup": {"inner_rate": 10}}},
        ),
        ("unique_ratio=0:1:0.5", {"unique_ratio": (0.0, 0.5, 1.0)}),
        ("unique_ratio=0.5", {"unique_ratio": [0.5]}),
        ("seeds=0:2", {"seeds": (0, 1, 2)}),
        ("seeds=7", {"seeds": [7]}),
    ],
)
def test_a_pair_is_a_dotted_key_and_a_value_in_toml_or_text(pair, values):
    assert read_pair(pair) == values


def test_a_key_with_dots_of_its_own_stands_in_quotes():
    pair = 'settings."my_pkg.mine:Mine".width="a=1.5"'
    assert read_pair(pair) == {"settings": {"my_pkg.mine:Mine": {"width": "a=1.5"}}}


def test_an_error_in_a_plug_in_s_settings_names_its_place(tmp_path):
    name = "fctestbed.objectives.contrastive:SimCLR"
    refused = f'settings."{name}": expected one of critic, temperature, learn_temperature, '
    config = toml(tmp_path, f'[settings."{name}"]\ntemprature = 1')
    assert line(config=config, allow_plugins=True).startswith(f"{config}, line 1: {refused}")
    pair = f'settings."{name}".temperature=0'
    assert line(config=toml(tmp_path, ""), pairs=[pair]) == (
        f'--set settings."{name}".temperature: expected greater than 0, got 0'
    )


@pytest.mark.parametrize("pair", ["train.steps", '"a.b".=3', "=3", "train..steps=3", ".=3", ""])
def test_a_pair_without_a_key_and_an_equals_sign_is_refused(pair):
    with pytest.raises(SpecError) as refused:
        read_pair(pair)
    expected = f"--set: expected KEY=VALUE such as train.steps=500, got {pair!r}"
    assert str(refused.value) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stepz = 3", "stepz: expected one of unique_ratio, methods, seeds, "),
        ("[train]\nstepz = 3", "train.stepz: expected one of steps, batch_size, "),
        ("[nets]\nfoo = 3", "nets.foo: expected one of encoder_hidden, "),
        ("[world]\nfoo = 3", "world.foo: expected one of latents, observation, label, "),
        ("[world.label]\nfoo = 3", "world.label.foo: expected one of unique_ratio, balance, "),
        (
            "[measurement]\nfoo = 3",
            "measurement.foo: expected one of n_fit, ridge, equal_width, rate, channel, ",
        ),
        ("[settings.foo]\nx = 3", "settings: expected one of simclr, "),
        ("[settings.raw]\nx = 3", "settings.raw: expected no settings, got the unknown key 'x'"),
        ("[train]\nsteps = 0", "train.steps: expected greater than 0, got 0"),
        ("train = 3", "train: expected "),
        ('unique_ratio = "1:0:1"', "unique_ratio: expected start <= stop, got 1 > 0 in '1:0:1'"),
        ("unique_ratio = 2", "unique_ratio.0: expected less than or equal to 1, got 2"),
        ('seeds = "-1"', "seeds: expected whole numbers from 0"),
        ("preset = 3", "preset: expected one of quick, official, got 3"),
        ("methods = ['foo']", "methods: expected one of simclr, "),
        (
            "[world.label]\nunique_ratio = 0.3",
            "world.label.unique_ratio: expected the grid unique_ratio alone to say the ratios, ",
        ),
        ("[train", "expected TOML, got "),
    ],
)
def test_a_file_s_errors_name_the_file_and_the_key(tmp_path, text, message):
    config = toml(tmp_path, text)
    found = re.sub(r", line [1-9]\d*(?=: )", "", line(config=config), count=1)
    assert found.startswith(f"{config}: {message}")


def test_an_error_names_the_layer_that_wrote_the_value(tmp_path):
    config = toml(tmp_path, "[train]\nsteps = 3\nbatch_size = 4")
    refused = "train.steps: expected greater than 0, got 0"
    assert line(config=config, pairs=["train.steps=0"]) == f"--set {refused}"
    assert line(config=config, options={"train": {"steps": 0}}) == refused
    small = {"world": {"n_train": 2}}
    expected = f"{config}, line 3: train.batch_size: expected at most the 2 training samples, got 4"
    assert line(config=config, options=small) == expected


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        message = line(config=path)
        assert message.startswith(f"{path}: expected a sweep file, got none that can be read (")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    assert line(config=tmp_path / "binary.toml").endswith("(not UTF-8 text)")


def test_the_quality_of_augmentations_is_two_numbers_of_a_sweep(tmp_path):
    text = 'methods = ["unimodal-ssl"]\n[augmentation]\nkind = "quality"\nrelevant = 0.5'
    path = toml(tmp_path, text)
    spec = build_sweep(config=path, options={}, pairs=["augmentation.irrelevant=0.25"])
    expected = QualityAugmentation(relevant=0.5, irrelevant=0.25)
    assert {run.training.augmentation for run in spec.runs()} == {expected}
    with pytest.raises(
        SpecError, match=r"augmentation\.relevant: expected less than or equal to 1"
    ):
        build_sweep(config=path, options={}, pairs=["augmentation.relevant=2"])
    unique = build_sweep(config=path, options={"augmentation": {"kind": "unique"}}, pairs=[])
    assert unique.augmentation == UniqueAugmentation()


def test_an_augmentation_without_a_kind_is_refused_in_one_line():
    with pytest.raises(SpecError, match=r"augmentation\.kind: expected the kind of augmentation"):
        build_sweep(options={}, pairs=["augmentation.noise=0.5"])


def test_the_sweep_of_precisions_trains_every_method_alike_in_each():
    spec = build_sweep(config=SWEEPS / "precision.toml", options={})
    plan = make_plan(spec, max_stack=33)
    runs = Counter(
        (run.training.method, run.training.train.precision) for run in plan.grid.runs.values()
    )
    assert runs == dict.fromkeys(
        product(spec.methods, ("float32", "tf32", "bf16")), len(spec.seeds) * 3
    )
    assert (len(spec.methods), len(spec.seeds), len(spec.unique_ratio)) == (4, 5, 3)
