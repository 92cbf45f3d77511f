"""Estimators of information: arrays in, estimates out. They know nothing of worlds or training."""

from fctestbed.estimators.intervals import mean_interval, share_interval
from fctestbed.estimators.linear_probe import LinearProbe, ProbeReader

__all__ = ["LinearProbe", "ProbeReader", "mean_interval", "share_interval"]
