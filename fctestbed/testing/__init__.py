"""For the tests of others: strategies of distributions with known information, and checks that put
an estimator through what its class claims.

Names are imported when they are first used: the checks do not need hypothesis, the strategies do.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fctestbed.testing.estimator_checks import EstimatorCheckFailed, check_estimator
    from fctestbed.testing.strategies import (
        bit_channels,
        bits_in_noise,
        gaussian_pairs,
        gaussian_triples,
        joint_distributions,
    )
    from fctestbed.testing.truths import (
        BitChannel,
        BitInNoise,
        GaussianPair,
        GaussianTriple,
        JointDistribution,
    )

_HOMES = {
    "estimator_checks": ("EstimatorCheckFailed", "check_estimator"),
    "strategies": (
        "bit_channels",
        "bits_in_noise",
        "gaussian_pairs",
        "gaussian_triples",
        "joint_distributions",
    ),
    "truths": (
        "BitChannel",
        "BitInNoise",
        "GaussianPair",
        "GaussianTriple",
        "JointDistribution",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BitChannel",
    "BitInNoise",
    "EstimatorCheckFailed",
    "GaussianPair",
    "GaussianTriple",
    "JointDistribution",
    "bit_channels",
    "bits_in_noise",
    "check_estimator",
    "gaussian_pairs",
    "gaussian_triples",
    "joint_distributions",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'fctestbed.testing' has no attribute {name!r}")
    return getattr(import_module(f"fctestbed.testing.{_HOME_OF[name]}"), name)
