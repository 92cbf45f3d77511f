from .base import (
    Estimate as Estimate,
    Estimator as Estimator,
    Invariance as Invariance,
    Kind as Kind,
)
from .files import read_samples as read_samples
from .intervals import (
    HALF_WIDTH as HALF_WIDTH,
    LEVEL as LEVEL,
    mean_interval as mean_interval,
    share_interval as share_interval,
    sum_intervals as sum_intervals,
)
from .linear_probe import LinearProbe as LinearProbe, ProbeReader as ProbeReader
from .nonconvex import LocalMinima as LocalMinima, local_minima as local_minima
from .probes import ProbeSettings as ProbeSettings
from .readers import KnnReader as KnnReader, MlpReader as MlpReader, Reader as Reader
from .registry import (
    ESTIMATORS as ESTIMATORS,
    estimate as estimate,
    estimate_of as estimate_of,
    find_estimator as find_estimator,
    make_estimator as make_estimator,
    make_estimators as make_estimators,
    role_settings as role_settings,
    settings_of as settings_of,
)
from .variational.base import TrainedEstimator as TrainedEstimator
from .variational.fitting import fit as fit
