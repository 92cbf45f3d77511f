"""The variational estimators by name. Imports them only."""

from fctestbed.estimators.base import Estimator
from fctestbed.estimators.variational.club import Club
from fctestbed.estimators.variational.learned import DifferenceOfEntropies, LeaveOneOut, VClub
from fctestbed.estimators.variational.lower import (
    DonskerVaradhan,
    InfoNce,
    JensenShannon,
    Mine,
    Nwj,
)
from fctestbed.estimators.variational.unbounded import NceClub, ProbabilisticClassifier, Smile

# ``club`` needs a known conditional and cannot be made from its name alone.
VARIATIONAL: dict[str, type[Estimator]] = {
    estimator.name: estimator
    for estimator in (
        InfoNce,
        Nwj,
        DonskerVaradhan,
        Mine,
        JensenShannon,
        Smile,
        ProbabilisticClassifier,
        Club,
        VClub,
        LeaveOneOut,
        NceClub,
        DifferenceOfEntropies,
    )
}
