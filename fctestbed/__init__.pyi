from ._version import __version__ as __version__
from .estimators import (
    ESTIMATORS as ESTIMATORS,
)
from .estimators import (
    Estimate as Estimate,
)
from .estimators import (
    Estimator as Estimator,
)
from .estimators import (
    LinearProbe as LinearProbe,
)
from .estimators import (
    make_estimator as make_estimator,
)
from .measurement import MeasureSpec as MeasureSpec
from .measurement import measure as measure
from .objectives import METHODS as METHODS
from .objectives import Method as Method
from .objectives import NetSpec as NetSpec
from .plotting import FIGURES as FIGURES
from .plotting import draw_figures as draw_figures
from .results import Results as Results
from .results import load_results as load_results
from .sweep import (
    PRESETS as PRESETS,
)
from .sweep import (
    RunSpec as RunSpec,
)
from .sweep import (
    SweepSpec as SweepSpec,
)
from .sweep import (
    run_sweep as run_sweep,
)
from .sweep import (
    sweep_spec as sweep_spec,
)
from .synthesis import (
    Dataset as Dataset,
)
from .synthesis import (
    WorldSpec as WorldSpec,
)
from .synthesis import (
    load_dataset as load_dataset,
)
from .synthesis import (
    make_dataset as make_dataset,
)
from .synthesis import (
    world_truth as world_truth,
)
from .training import (
    TrainingSpec as TrainingSpec,
)
from .training import (
    TrainSpec as TrainSpec,
)
from .training import (
    train_stack as train_stack,
)
