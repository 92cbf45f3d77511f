"""A referee for multimodal contrastive learning: worlds whose information is known, in bits.

Names are imported when they are first used, so that ``import fctestbed`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fctestbed._version import __version__

if TYPE_CHECKING:
    from fctestbed.estimators import ESTIMATORS, Estimate, Estimator, LinearProbe, make_estimator
    from fctestbed.objectives import METHODS, Method, NetSpec
    from fctestbed.plotting import FIGURES, draw_figures
    from fctestbed.results import Results, load_results
    from fctestbed.sweep import PRESETS, RunSpec, SweepSpec, run_sweep, sweep_spec
    from fctestbed.synthesis import Dataset, WorldSpec, load_dataset, make_dataset, world_truth
    from fctestbed.training import TrainingSpec, TrainSpec, train_stack

_HOMES = {
    "estimators": ("ESTIMATORS", "Estimate", "Estimator", "LinearProbe", "make_estimator"),
    "objectives": ("METHODS", "Method", "NetSpec"),
    "plotting": ("FIGURES", "draw_figures"),
    "results": ("Results", "load_results"),
    "sweep": ("PRESETS", "RunSpec", "SweepSpec", "run_sweep", "sweep_spec"),
    "synthesis": ("Dataset", "WorldSpec", "load_dataset", "make_dataset", "world_truth"),
    "training": ("TrainSpec", "TrainingSpec", "train_stack"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ESTIMATORS",
    "FIGURES",
    "METHODS",
    "PRESETS",
    "Dataset",
    "Estimate",
    "Estimator",
    "LinearProbe",
    "Method",
    "NetSpec",
    "Results",
    "RunSpec",
    "SweepSpec",
    "TrainSpec",
    "TrainingSpec",
    "WorldSpec",
    "__version__",
    "draw_figures",
    "load_dataset",
    "load_results",
    "make_dataset",
    "make_estimator",
    "run_sweep",
    "sweep_spec",
    "train_stack",
    "world_truth",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'fctestbed' has no attribute {name!r}")
    return getattr(import_module(f"fctestbed.{_HOME_OF[name]}"), name)
