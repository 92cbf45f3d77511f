"""Worlds, sweeps and results as people type them in a notebook or a script."""

from fctestbed.interactive.display import SweepBar
from fctestbed.interactive.results import SweepResults, load_results
from fctestbed.interactive.samples import Samples
from fctestbed.interactive.sweeps import sweep_results
from fctestbed.interactive.world import TruthTable, World

__all__ = [
    "Samples",
    "SweepBar",
    "SweepResults",
    "TruthTable",
    "World",
    "load_results",
    "sweep_results",
]
