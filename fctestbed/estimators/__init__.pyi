from .base import Estimate as Estimate
from .base import Estimator as Estimator
from .base import Invariance as Invariance
from .base import Kind as Kind
from .files import read_samples as read_samples
from .intervals import (
    HALF_WIDTH as HALF_WIDTH,
)
from .intervals import (
    LEVEL as LEVEL,
)
from .intervals import (
    mean_interval as mean_interval,
)
from .intervals import (
    share_interval as share_interval,
)
from .linear_probe import LinearProbe as LinearProbe
from .linear_probe import ProbeReader as ProbeReader
from .probes import ProbeSettings as ProbeSettings
from .registry import (
    ESTIMATORS as ESTIMATORS,
)
from .registry import (
    estimate as estimate,
)
from .registry import (
    find_estimator as find_estimator,
)
from .registry import (
    make_estimator as make_estimator,
)
from .registry import (
    make_estimators as make_estimators,
)
from .registry import (
    settings_of as settings_of,
)
from .variational.base import TrainedEstimator as TrainedEstimator
from .variational.fitting import fit as fit
