"""Commands, presets and figures at a reduced size, for blocks that take minutes as they stand.

A block runs as it is written but for what this module names.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fctestbed.cli import app
from fctestbed.estimators import ESTIMATORS
from fctestbed.objectives import METHODS

N_TRAIN, N_TEST, N_SHARED, N_UNIQUE = 512, 256, 3, 2
"""Sizes of a reduced world."""

QUICK: dict[str, Any] = {
    "world": {
        "n_train": N_TRAIN,
        "n_test": N_TEST,
        "latents": {"n_shared": N_SHARED, "n_unique1": N_UNIQUE, "n_unique2": N_UNIQUE},
    },
    "nets": {
        "encoder_hidden": (8,),
        "embed_dim": 4,
        "head_hidden": (4,),
        "head_dim": 4,
        "critic_hidden": (4,),
    },
    "train": {"steps": 12, "batch_size": 64},
    "measurement": {"equal_width": 4},
    "settings": {},
}
"""The preset ``quick``: small networks in a world of seven bits, and twelve steps."""

FIGURES = ("label_bits",)
"""The figures that a sweep draws."""

FEW_STEPS = {
    "searches._ADAM_STEPS": 40,
    "distilled._REGRESSION_STEPS": 40,
    "distilled._ADAPTATION_STEPS": 10,
}
"""Steps of the searches of ``explain``."""

_SMALL_WORLD = (
    f"--shared={N_SHARED}",
    f"--unique={N_UNIQUE}",
    f"--n-train={N_TRAIN}",
    f"--n-test={N_TEST}",
)
# Options that are added to a command; of an option that is given twice the last value is taken.
ADDED: Mapping[str, tuple[str, ...]] = {
    "sweep": ("--seeds=0", "--unique-ratio=0.5", "--no-report"),
    "explain": ("--method=simclr", "--unique-ratio=0.5", "--seeds=0", "--starts=1", "--long=1"),
    "judge": ("--dry-run",),
    "generate": _SMALL_WORLD,
    "train": (
        "--seeds=0",
        "--set=train.steps=2",
        "--set=encoder1.layers=1",
        "--set=encoder1.feedforward=8",
        "--set=encoder2.layers=1",
        "--set=encoder2.feedforward=8",
    ),
    "figures": ("--formats=png",),
    "calibrate": (
        "--n=200",
        "--repetitions=1",
        "--cell-seconds=0.01",
        "--estimators=plugin,gaussian",
        "--workers=1",
    ),
    "calibrate-readouts": (
        "--methods=untrained",
        "--unique-ratio=0.5",
        "--seeds=0",
        "--only=z1",
        "--estimators=usable-linear,ross",
        "--n=200",
        "--workers=1",
    ),
    "figures-readouts": ("--formats=png",),
    "bench": ("--rounds=1", "--seconds=1", "--steps=1", "--only=start-up/python"),
}
# Commands that only plan here, and do so with the preset as it is.
PLANNED = ("judge",)
# Options that are added where they are missing.
ADDED_WHERE_MISSING: Mapping[str, tuple[str, str]] = {
    "sweep": ("--methods", "simclr,raw"),
    "train": ("--methods", "simclr,raw"),
}
# Values that are replaced where the option is given.
_REPLACED: Mapping[str, str] = {"--drawn": "1100"}
# Options whose names must be known even where others take their place.
_KNOWN: Mapping[str, Collection[str]] = {
    "--estimators": ESTIMATORS,
    "--methods": METHODS,
    "--method": METHODS,
}


def command_of(arguments: Sequence[str]) -> str:
    """The command that the arguments of ``fctestbed`` call; empty where they call none."""
    return next((word for word in arguments if word in app.commands), "")


def reduced(arguments: list[str]) -> list[str]:
    """The arguments of ``fctestbed`` with those that make it small.

    Raises:
        ValueError: for a name that is replaced and that no method or estimator has.
    """
    command = command_of(arguments)
    added = ADDED.get(command, ())
    for option, names in _KNOWN.items():
        if option in arguments and any(word.startswith(f"{option}=") for word in added):
            given = arguments[arguments.index(option) + 1].split(",")
            if unknown := set(given) - set(names):
                raise ValueError(f"{option}: expected known names, got {sorted(unknown)}")
    for option, value in _REPLACED.items():
        if option in arguments:
            added = (*added, f"{option}={value}")
    option, value = ADDED_WHERE_MISSING.get(command, ("", ""))
    missing = [option, value] if option and option not in arguments else []
    return [*arguments, *missing, *added]
