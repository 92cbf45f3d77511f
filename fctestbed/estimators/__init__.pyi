from .base import Estimate as Estimate
from .base import Estimator as Estimator
from .base import Invariance as Invariance
from .files import read_samples as read_samples
from .intervals import (
    HALF_WIDTH as HALF_WIDTH,
)
from .intervals import (
    mean_interval as mean_interval,
)
from .intervals import (
    score_interval as score_interval,
)
from .intervals import (
    share_interval as share_interval,
)
from .linear_probe import LinearProbe as LinearProbe
from .linear_probe import ProbeReader as ProbeReader
from .registry import (
    ESTIMATORS as ESTIMATORS,
)
from .registry import (
    make_estimator as make_estimator,
)
from .registry import (
    settings_of as settings_of,
)
