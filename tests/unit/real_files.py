"""Small made-up files with the shapes of circulating ones."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

N_STEPS, N_VISION, N_TEXT, N_AUDIO = 5, 4, 6, 3
FAST = {
    "train": {"steps": 3, "batch_size": 16},
    "nets": {
        "embed_dim": 4,
        "encoder_hidden": [4],
        "head_hidden": [4],
        "head_dim": 4,
        "critic_hidden": [8],
    },
    "encoder1": {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 8},
    "encoder2": {"kind": "gru", "hidden": 4},
    "ridges": [0.01, 1.0],
}


def affect_split(n: int, rng: np.random.Generator) -> dict[str, Any]:
    """A split of a MultiBench affect pickle: steps of zeros come first, audio has -inf."""
    y = 2 * rng.standard_normal(n)

    def sequences(width: int) -> np.ndarray[Any, Any]:
        array = rng.standard_normal((n, N_STEPS, width)) + y[:, None, None]
        array[: n // 2, :2] = 0
        return array

    audio = sequences(N_AUDIO)
    audio[0, -1, 0] = -np.inf
    return {
        "vision": sequences(N_VISION).astype(np.float32),
        "audio": audio,
        "text": sequences(N_TEXT).astype(np.float32),
        "labels": y.reshape(-1, 1, 1),
        "id": np.array([f"video_{row}" for row in range(n)], dtype=object),
    }


def affect_tree(seed: int = 0) -> dict[str, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return {
        split: affect_split(n, rng) for split, n in (("train", 64), ("valid", 24), ("test", 40))
    }


def affect_pickle(path: Path, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(affect_tree(), protocol=protocol))
    return path


def mimic_tree(n: int = 100) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, (n, 20))
    static = rng.standard_normal((n, 5)) + y[:, 7:8]
    static[3, 2] = np.nan
    return {
        "ep_tdata": 100 + rng.standard_normal((n, 24, 12)),
        "adm_features_all": static,
        "y_icd9": y,
        "adm_labels_all": rng.integers(0, 2, (n, 6)),
    }
