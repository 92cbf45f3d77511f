from . import laws as laws, testing as testing
from ._version import __version__ as __version__
from .assessment import Measurement as Measurement, measure as measure
from .calibration import calibrate as calibrate
from .claims import compare as compare, judge as judge
from .estimators import (
    ESTIMATORS as ESTIMATORS,
    Estimate as Estimate,
    Estimator as Estimator,
    LinearProbe as LinearProbe,
    estimate as estimate,
    find_estimator as find_estimator,
    make_estimator as make_estimator,
)
from .faults import explain as explain
from .information import partial_information as partial_information
from .interactive import (
    SweepResults as SweepResults,
    World as World,
    load_results as load_results,
    sweep_results as sweep_results,
)
from .measurement import MeasureSpec as MeasureSpec
from .objectives import METHODS as METHODS, Method as Method, NetSpec as NetSpec
from .plotting import FIGURES as FIGURES, draw_figures as draw_figures
from .real_data import (
    load_multimodal as load_multimodal,
    real_spec as real_spec,
    train_real as train_real,
)
from .reporting import report as report, write_report as write_report
from .results import Results as Results
from .sweep import (
    PRESETS as PRESETS,
    RunSpec as RunSpec,
    SweepSpec as SweepSpec,
    measure_sweep as measure_sweep,
    merge_sweeps as merge_sweeps,
    run_sweep as run_sweep,
    sweep_spec as sweep_spec,
)
from .synthesis import (
    Dataset as Dataset,
    WorldSpec as WorldSpec,
    load_dataset as load_dataset,
    make_dataset as make_dataset,
    world_truth as world_truth,
)
from .testing import check_estimator as check_estimator, check_method as check_method
from .training import (
    Encoder as Encoder,
    TrainingSpec as TrainingSpec,
    TrainSpec as TrainSpec,
    load_encoder as load_encoder,
    train_stack as train_stack,
)
