"""Every estimator by name, and how to make one from a name and settings."""

import dataclasses
from typing import Any

from fctestbed.estimators.base import Estimator
from fctestbed.estimators.conditional_knn import FrenzelPompe, MesnerShalizi
from fctestbed.estimators.discrete import ChaoWangJost, MillerMadow, Plugin
from fctestbed.estimators.gaussian import Gaussian, GaussianCopula
from fctestbed.estimators.ksg import Ksg1, Ksg2
from fctestbed.estimators.mixed_ksg import MixedKsg
from fctestbed.estimators.ross import Ross
from fctestbed.estimators.usable import Prequential, UsableKnn, UsableLinear, UsableMlp
from fctestbed.estimators.variational import (
    DifferenceOfEntropies,
    DonskerVaradhan,
    InfoNce,
    JensenShannon,
    LeaveOneOut,
    Mine,
    NceClub,
    Nwj,
    ProbabilisticClassifier,
    Smile,
    VClub,
)

ESTIMATORS: dict[str, type[Estimator]] = {
    "plugin": Plugin,
    "miller-madow": MillerMadow,
    "chao-wang-jost": ChaoWangJost,
    "ksg1": Ksg1,
    "ksg2": Ksg2,
    "ross": Ross,
    "mixed-ksg": MixedKsg,
    "frenzel-pompe": FrenzelPompe,
    "mesner-shalizi": MesnerShalizi,
    "gaussian": Gaussian,
    "gaussian-copula": GaussianCopula,
    "infonce": InfoNce,
    "nwj": Nwj,
    "dv": DonskerVaradhan,
    "mine": Mine,
    "js": JensenShannon,
    "smile": Smile,
    "classifier": ProbabilisticClassifier,
    "vclub": VClub,
    "l1out": LeaveOneOut,
    "nce-club": NceClub,
    "doe": DifferenceOfEntropies,
    "usable-linear": UsableLinear,
    "usable-mlp": UsableMlp,
    "usable-knn": UsableKnn,
    "prequential": Prequential,
}
"""``variational.Club`` itself needs a known conditional, and is made from it, not by name."""


def make_estimator(name: str, **settings: Any) -> Estimator:
    """The estimator of that name with those settings.

    Raises:
        ValueError: one line naming what is wrong: the name, a setting that it does not have, or a
            setting's value.
    """
    if name not in ESTIMATORS:
        raise ValueError(f"estimator: expected one of {', '.join(ESTIMATORS)}, got {name!r}")
    kind = ESTIMATORS[name]
    known = settings_of(name)
    for key in settings:
        if key not in known:
            expected = f"one of {', '.join(known)}" if known else "no settings"
            raise ValueError(f"{key}: expected {expected} for {name}, got an unknown setting")
    return kind(**settings)


def settings_of(name: str) -> dict[str, Any]:
    """Names of a registered estimator's settings, and their defaults."""
    kind = ESTIMATORS[name]
    if not dataclasses.is_dataclass(kind):
        return {}
    return {field.name: field.default for field in dataclasses.fields(kind)}
