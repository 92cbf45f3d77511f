"""Presets: sizes and optimisation that go together.

Owns the numbers. ``quick`` is for two CPU cores and minutes, ``official`` has the official code's
sizes (FactorCL at 0f9f740, Synthetic/) and is a GPU's work.
"""

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "world": {"n_train": 16384, "n_test": 8192},
        "nets": {
            "encoder_hidden": (128, 128),
            "embed_dim": 8,
            "head_hidden": (64,),
            "head_dim": 16,
            "critic_hidden": (64,),
        },
        "train": {"steps": 800, "batch_size": 128, "learning_rate": 2e-3, "schedule": "cosine"},
        "settings": {
            "factorcl-sup": {"inner_rate": 30.0},
            "factorcl-ssl": {"inner_rate": 30.0},
        },
    },
    "official": {
        "world": {"n_train": 24000, "n_test": 6000},
        "nets": {
            "encoder_hidden": (512, 512, 512),
            "embed_dim": 128,
            "head_hidden": (128, 128),
            "head_dim": 128,
            "critic_hidden": (512, 512),
        },
        "train": {
            "steps": 1860,
            "batch_size": 256,
            "learning_rate": 1e-4,
            "schedule": "constant",
        },
        "measurement": {"equal_width": 256},
        "settings": {},
    },
}
