"""Commands, presets and figures at a reduced size, for blocks that take minutes as they stand.

A block runs as it is written but for what this module names.
"""

from collections.abc import Collection, Mapping
from typing import Any

from fctestbed.estimators import ESTIMATORS
from fctestbed.objectives import METHODS

QUICK: dict[str, Any] = {
    "world": {
        "n_train": 512,
        "n_test": 256,
        "latents": {"n_shared": 3, "n_unique1": 2, "n_unique2": 2},
    },
    "nets": {
        "encoder_hidden": (8,),
        "embed_dim": 4,
        "head_hidden": (4,),
        "head_dim": 4,
        "critic_hidden": (4,),
    },
    "train": {"steps": 10, "batch_size": 64},
    "measurement": {"equal_width": 4},
    "settings": {},
}
"""The preset ``quick``: small networks in a world of seven bits, and ten steps."""

FIGURES = ("label_bits",)
"""The figures that a sweep draws."""

_SMALL_WORLD = ("--shared=2", "--unique=2", "--n-train=512", "--n-test=256")
# Options that are added to a command; of an option that is given twice the last value is taken.
ADDED: Mapping[str, tuple[str, ...]] = {
    "sweep": ("--seeds=0",),
    "explain": ("--method=simclr", "--unique-ratio=0.5", "--seeds=0", "--starts=1", "--long=1"),
    "judge": ("--dry-run",),
    "generate": _SMALL_WORLD,
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
# Options that are added where they are missing.
ADDED_WHERE_MISSING: Mapping[str, tuple[str, str]] = {"sweep": ("--methods", "simclr,raw")}
# Options whose names must be known even where others take their place.
_KNOWN: Mapping[str, Collection[str]] = {
    "--estimators": ESTIMATORS,
    "--methods": METHODS,
    "--method": METHODS,
}


def reduced(arguments: list[str]) -> list[str]:
    """The arguments of ``fctestbed`` with those that make it small.

    Raises:
        ValueError: for a name that is replaced and that no method or estimator has.
    """
    command = next((word for word in arguments if not word.startswith("-")), "")
    added = ADDED.get(command, ())
    for option, names in _KNOWN.items():
        if option in arguments and any(word.startswith(f"{option}=") for word in added):
            given = arguments[arguments.index(option) + 1].split(",")
            if unknown := set(given) - set(names):
                raise ValueError(f"{option}: expected known names, got {sorted(unknown)}")
    option, value = ADDED_WHERE_MISSING.get(command, ("", ""))
    missing = [option, value] if option and option not in arguments else []
    return [*arguments, *missing, *added]
