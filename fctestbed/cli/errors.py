"""The error that becomes exit code 2, and the names of options in its line."""

_WORLD = {
    "latents": "--latents",
    "latents.kind": "--latents",
    "latents.n_shared": "--shared",
    "latents.n_unique1": "--unique",
    "latents.n_unique2": "--unique",
    "label": "--label",
    "label.kind": "--label",
    "label.unique_ratio": "--unique-ratio",
    "label.label_bits": "--label-bits",
    "label.n_relevant": "--relevant",
    "label.balance": "--balance",
    "label.synergy_ratio": "--synergy",
    "observation.kind": "--observation",
    "observation.noise": "--noise",
    "n_train": "--n-train",
    "n_test": "--n-test",
}
_OPTIONS = {
    **_WORLD,
    **{f"world.{path}": option for path, option in _WORLD.items()},
    "unique_ratio": "--unique-ratio",
    "methods": "--methods",
    "seeds": "--seeds",
    "seed": "--seed",
    "preset": "--preset",
    "variants": "--variant",
    "critic": "--critic",
    "augmentation": "--augmentation",
    "augmentation.kind": "--augmentation",
    "device": "--device",
    "workers": "--workers",
    "max_stack": "--max-stack",
    "format": "--format",
    "formats": "--formats",
    "estimator": "--estimator",
    "compress": "--compress",
    "taus": "--tau",
    "target_bits": "--target",
    "gaussian": "--gaussian",
    "dims": "--dims",
    "levels_nats": "--levels",
    "steps": "--steps",
    "batch": "--batch",
    "cells": "--cells",
    "n": "--n",
    "repetitions": "--repetitions",
    "cell_seconds": "--cell-seconds",
    "calibration": "--calibration",
}


class UsageError(Exception):
    """What was asked for cannot be; the message is one line naming the option, what was expected
    and what came."""

    @classmethod
    def of(cls, error: Exception) -> "UsageError":
        """The error with the field that its line begins with called by its option, if it has
        one."""
        path, colon, rest = str(error).partition(":")
        key = ".".join(part for part in path.split(".") if not part.isdigit())
        return cls(f"{_OPTIONS.get(key, path)}{colon}{rest}")
