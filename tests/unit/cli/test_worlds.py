"""Options of a world: the same in every command that takes one, made from the world's records."""

import json
from typing import Any

import pytest

from fctestbed.cli import worlds
from fctestbed.cli.commands import option_names
from fctestbed.cli.main import app, run
from fctestbed.synthesis import load_dataset, world_options

COMMANDS = ("sweep", "truth", "generate")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_world_is_an_option_of_the_command(command):
    params = {param.opts[0]: param for param in app.commands[command].load().params}
    for option in world_options():
        assert params[option.flag].help == option.help
        assert params[option.flag].name == option.name


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_lists_every_option_of_a_world(command, capsys):
    assert run([command, "--help"]) == 0
    listed = " ".join(capsys.readouterr().out.split())
    for option in world_options():
        assert f" {option.flag} <{option.type.__name__}> {option.help}" in listed


def test_a_command_is_given_the_nested_values_that_were_asked():
    @worlds.world_options
    def command(world: dict[str, Any], scale: int = 1) -> Any:
        return world, scale

    given = {option.name: None for option in world_options()}
    given |= {"label": "threshold", "relevant": 4, "unique": 3}
    assert command(scale=2, **given) == (
        {
            "label": {"kind": "threshold", "n_relevant": 4},
            "latents": {"n_unique1": 3, "n_unique2": 3},
        },
        2,
    )


def test_the_commands_describe_the_same_world(tmp_path, capsys):
    options = "--unique-ratio 1 --label noiseless --label-bits 2 --shared 3 --unique 2"
    world = f"{options} --n-train 256 --n-test 8 --observation linear --noise 0.1".split()
    assert run(["truth", "--json", *world]) == 0
    truth = json.loads(capsys.readouterr().out)
    assert truth["total_bits"] == 2
    path = tmp_path / "world.npz"
    assert run(["generate", "--out", str(path), *world]) == 0
    dataset = load_dataset(path)
    assert dataset.truth.as_dict() == truth
    assert dataset.spec.observation.noise == 0.1
    assert dataset.spec.label.kind == "noiseless"
    assert run(["sweep", "--dry-run", "--methods=raw", "--out", str(tmp_path / "s"), *world]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--noise -1", "--noise: expected greater than or equal to 0, got -1.0"),
        ("--label-bits 3", "--label-bits: expected "),
        ("--label foo", "--label: expected one of bits, noiseless, threshold, "),
        ("--unique 0", "--unique: expected greater than 0, got 0"),
        ("--unique-ratio 2", "--unique-ratio: expected "),
    ],
)
@pytest.mark.parametrize("command", ["sweep --dry-run", "truth", "generate --out x.npz"])
def test_a_field_of_a_world_is_named_by_its_option_in_errors(command, options, message, capsys):
    assert run([*command.split(), *options.split()]) == 2
    assert capsys.readouterr().err.startswith(f"fctestbed: {message}")


def test_options_are_named_by_their_parameters_and_arguments_by_what_the_usage_says():
    names = option_names(app.commands["measure"].load().params)
    assert names["taus"] == "--tau"
    assert names["representations"] == "REPRESENTATIONS.npz"
    assert option_names(app.commands["estimate"].load().params)["x"] == "X"
