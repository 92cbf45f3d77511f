"""Sweeps of seconds, for tests of the sweep and its measurement."""

from fctestbed.sweep import make_plan, merge, sweep_spec

TINY = {
    "unique_ratio": [0.0, 1.0],
    "methods": ["simclr", "raw"],
    "seeds": [0],
    "world": {
        "n_train": 256,
        "n_test": 128,
        "latents": {"n_shared": 2, "n_unique1": 1, "n_unique2": 1},
        "observation": {"kind": "linear", "dim1": 6, "dim2": 6},
    },
    "nets": {
        "encoder_hidden": [8],
        "embed_dim": 4,
        "head_hidden": [4],
        "head_dim": 4,
        "critic_hidden": [4],
    },
    "train": {"steps": 10, "batch_size": 64},
}

# The same as options of the command line, but for methods, ratios and seeds.
_SETTINGS = {
    "world.observation.dim1": "6",
    "world.observation.dim2": "6",
    "nets.encoder_hidden": "[8]",
    "nets.embed_dim": "4",
    "nets.head_hidden": "[4]",
    "nets.head_dim": "4",
    "nets.critic_hidden": "[4]",
    "train.steps": "10",
    "train.batch_size": "64",
}
TINY_OPTIONS = [
    "--n-train=256",
    "--n-test=128",
    "--shared=2",
    "--unique=1",
    "--observation=linear",
    *(f"--set={key}={value}" for key, value in _SETTINGS.items()),
]


def tiny_sweep(**values):
    return sweep_spec(merge(TINY, values))


def tiny_units(max_stack=6, **values):
    return list(make_plan(tiny_sweep(**values), max_stack=max_stack).units)
