"""For the tests of others: the contracts of methods and estimators as checks that name what is
broken, and strategies of distributions with known information.

Names are imported when they are first used: the checks do not need hypothesis, the strategies do.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fctestbed.testing.estimator_checks import EstimatorCheckFailed, check_estimator
    from fctestbed.testing.method_checks import (
        METHOD_CLAUSES,
        MethodCheckFailed,
        check_method,
        method_failures,
    )
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
    "method_checks": ("METHOD_CLAUSES", "MethodCheckFailed", "check_method", "method_failures"),
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
    "METHOD_CLAUSES",
    "BitChannel",
    "BitInNoise",
    "EstimatorCheckFailed",
    "GaussianPair",
    "GaussianTriple",
    "JointDistribution",
    "MethodCheckFailed",
    "bit_channels",
    "bits_in_noise",
    "check_estimator",
    "check_method",
    "gaussian_pairs",
    "gaussian_triples",
    "joint_distributions",
    "method_failures",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'fctestbed.testing' has no attribute {name!r}")
    return getattr(import_module(f"fctestbed.testing.{_HOME_OF[name]}"), name)
