"""Commands and presets at a reduced size, for blocks that take minutes as they stand.

A block runs as it is written but for what this module names.
"""

from typing import Any

QUICK: dict[str, Any] = {
    "world": {
        "n_train": 512,
        "n_test": 256,
        "latents": {"n_shared": 2, "n_unique1": 2, "n_unique2": 2},
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
"""The preset ``quick``: small networks in a world of six bits, and ten steps."""

_SMALL_WORLD = ("--shared=2", "--unique=2", "--n-train=512", "--n-test=256")
# Options that are added to a command; of an option that is given twice the last value is taken.
ADDED: dict[str, tuple[str, ...]] = {
    "sweep": ("--workers=1", "--seeds=0"),
    "explain": ("--method=simclr", "--unique-ratio=0.5", "--seeds=0", "--starts=1", "--long=1"),
    "judge": ("--dry-run",),
    "generate": _SMALL_WORLD,
    "figures": ("--formats=png",),
    "calibrate": ("--n=200", "--repetitions=1", "--cell-seconds=0.01", "--workers=1"),
    "calibrate-readouts": (
        "--methods=untrained",
        "--unique-ratio=0.5",
        "--seeds=0",
        "--only=z1",
        "--n=200",
        "--workers=1",
    ),
    "figures-readouts": ("--formats=png",),
    "bench": ("--rounds=1", "--seconds=1", "--steps=1", "--only=bounds"),
}
# Options that are added where they are missing: a list of names that is there stays.
FEWER = {"sweep": ("--methods", "simclr,raw")}


def reduced(arguments: list[str]) -> list[str]:
    """The arguments of ``fctestbed`` with those of ``ADDED`` and ``FEWER``."""
    name = next((word for word in arguments if not word.startswith("-")), "")
    option, value = FEWER.get(name, ("", ""))
    fewer = [option, value] if option and option not in arguments else []
    return [*arguments, *fewer, *ADDED.get(name, ())]
