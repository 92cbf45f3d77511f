"""Estimators of information: arrays in, estimates out. They know nothing of worlds or training.

Names are imported when they are first used: probes need torch, estimators from counts do not.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fctestbed.estimators.base import Estimate, Estimator
    from fctestbed.estimators.files import read_samples
    from fctestbed.estimators.intervals import mean_interval, score_interval, share_interval
    from fctestbed.estimators.linear_probe import LinearProbe, ProbeReader
    from fctestbed.estimators.registry import ESTIMATORS, make_estimator, settings_of

_HOMES = {
    "base": ("Estimate", "Estimator"),
    "files": ("read_samples",),
    "intervals": ("mean_interval", "score_interval", "share_interval"),
    "linear_probe": ("LinearProbe", "ProbeReader"),
    "registry": ("ESTIMATORS", "make_estimator", "settings_of"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ESTIMATORS",
    "Estimate",
    "Estimator",
    "LinearProbe",
    "ProbeReader",
    "make_estimator",
    "mean_interval",
    "read_samples",
    "score_interval",
    "settings_of",
    "share_interval",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'fctestbed.estimators' has no attribute {name!r}")
    return getattr(import_module(f"fctestbed.estimators.{_HOME_OF[name]}"), name)
