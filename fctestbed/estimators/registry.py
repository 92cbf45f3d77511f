"""Every estimator by name, a user's own by entry point or import path, and estimates by name.

Imports all modules of estimators.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np

from fctestbed._messages import did_you_mean, one_line
from fctestbed._plugins import described, find_plugin, tried
from fctestbed.estimators.base import Array, Estimate, Estimator, Kind
from fctestbed.estimators.discrete import ChaoWangJost, MillerMadow, Plugin
from fctestbed.estimators.gaussian import Gaussian, GaussianCopula
from fctestbed.estimators.knn import FrenzelPompe, Ksg1, Ksg2, MesnerShalizi, MixedKsg, Ross
from fctestbed.estimators.usable import Prequential, UsableKnn, UsableLinear, UsableMlp
from fctestbed.estimators.variational.critics import (
    DonskerVaradhan,
    InfoNce,
    JensenShannon,
    Mine,
    NceClub,
    Nwj,
    ProbabilisticClassifier,
    Smile,
)
from fctestbed.estimators.variational.learned_densities import (
    DifferenceOfEntropies,
    LeaveOneOut,
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

# Samples that a plug-in is tried on.
_TRIED = 64
ENTRY_POINT_GROUP = "fctestbed.estimators"


def find_estimator(name: str) -> type[Estimator]:
    """The class of an estimator.

    Args:
        name: a name of ``ESTIMATORS``; else that of an installed entry point of the group
            ``fctestbed.estimators``; else an import path, ``package.module:ClassName``.

    Raises:
        ValueError: one line, for an unknown name, a module that cannot be imported, or an object
            that is no concrete subclass of ``Estimator``.
    """
    if not isinstance(name, str):
        raise ValueError(f"estimator: expected the name of an estimator, got {name!r}")
    return ESTIMATORS[name] if name in ESTIMATORS else _plugin(name)


@cache
def _plugin(name: str) -> type[Estimator]:
    try:
        return find_plugin(
            name, Estimator, group=ENTRY_POINT_GROUP, known=ESTIMATORS, noun="an estimator"
        )
    except ValueError as error:
        raise ValueError(one_line(f"estimator: {error}")) from error


def make_estimator(name: str, **settings: Any) -> Estimator:
    """The estimator of that name with those settings.

    Args:
        name: as ``find_estimator``: a registered name, or ``package.module:ClassName``.
        settings: values of its settings; the others have their defaults.

    Raises:
        ValueError: one line naming what is wrong: the name, a setting that it does not have or
            that it needs, or a setting's value.
    """
    kind = find_estimator(name)
    known = settings_of(name)
    for key in settings:
        if key not in known:
            expected = f"one of {', '.join(known)}" if known else "no settings"
            raise ValueError(f"{key}: expected {expected} for {name}, got an unknown setting")
    for key, default in known.items():
        if default is dataclasses.MISSING and key not in settings:
            raise ValueError(f"{key}: expected a value for {name}, which has no default, got none")
    if name not in ESTIMATORS:
        try:
            tried(f"{__name__}:_try", name, settings)
        except ValueError as error:
            line = str(error)
            # Settings that the plug-in refuses have their own name.
            own = line.partition(":")[0] in known
            raise ValueError(line if own else one_line(f"estimator: {name}: {line}")) from error
    return kind(**settings)


def _try(name: str, settings: dict[str, Any]) -> None:
    """Make a plug-in and call it on a few samples of each kind; it may refuse them."""
    rng = np.random.default_rng(0)
    amounts, symbols = rng.standard_normal((2, _TRIED, 1)), rng.integers(0, 3, (2, _TRIED, 1))
    pairs: dict[Kind, tuple[Array, Array]] = {
        "continuous": (amounts[0], amounts[1]),
        "discrete": (symbols[0], symbols[1]),
        "mixed": (amounts[0], symbols[1]),
    }
    found = find_estimator(name)(**settings)
    for kind in found.kinds:
        with suppress(ValueError):
            found.estimate(*pairs[kind])


def estimate_of(estimator: Estimator, x: Array, y: Array, given: Array | None = None) -> Estimate:
    """What an estimator says of samples; whatever a user's own raises is one line.

    Args:
        estimator: the estimator.
        x: as ``Estimator.estimate``.
        y: likewise.
        given: likewise.

    Raises:
        ValueError: as ``Estimator.estimate``; also for an estimator that is not of this package and
            raises something else, calls ``sys.exit`` or returns no ``Estimate``.
    """
    try:
        found = estimator.estimate(x, y) if given is None else estimator.estimate(x, y, given)
    except ValueError:
        raise
    except (Exception, SystemExit) as error:
        if type(estimator).__module__.startswith(f"{__name__.partition('.')[0]}."):
            raise
        raise ValueError(
            one_line(f"{estimator.name}: expected an estimate, got {described(error)}")
        ) from error
    if not isinstance(found, Estimate):
        raise ValueError(one_line(f"{estimator.name}: expected an Estimate, got {found!r}"))
    return found


def make_estimators(
    names: Iterable[str] | None = None, *, kind: Kind | None = None
) -> dict[str, Estimator]:
    """Several estimators with their default settings, by name, as ``calibrate`` takes them.

    Args:
        names: as ``find_estimator``; None for all of ``ESTIMATORS`` that support ``kind``.
        kind: the kind of pairs that each has to support; None for no restriction.

    Raises:
        ValueError: one line beginning with ``estimators``, for a name as in ``find_estimator``, an
            estimator that does not support ``kind`` or that has a setting without default.
    """
    known = [name for name, found in ESTIMATORS.items() if kind is None or kind in found.kinds]
    supporting = "" if kind is None else f", which support {kind} pairs,"
    made = {}
    for name in known if names is None else names:
        refusal = (
            f"estimators: expected some of {', '.join(known)}{supporting} or import paths "
            f"package.module:ClassName, got {name!r}{did_you_mean(name, known)}"
        )
        try:
            made[name] = make_estimator(name)
        except ValueError as error:
            reason = f"estimators: {str(error).removeprefix('estimator: ')}"
            raise ValueError(reason if ":" in name else refusal) from error
        if kind is not None and kind not in made[name].kinds:
            raise ValueError(refusal)
    return made


def settings_of(name: str) -> dict[str, Any]:
    """Names of an estimator's settings and their defaults; ``dataclasses.MISSING`` for none.

    Raises:
        ValueError: as ``find_estimator``.
    """
    kind = find_estimator(name)
    if not dataclasses.is_dataclass(kind):
        return {}
    return {
        field.name: field.default
        if field.default_factory is dataclasses.MISSING
        else field.default_factory()
        for field in dataclasses.fields(kind)
        if field.init
    }


def estimate(
    x: Array,
    y: Array,
    given: Array | None = None,
    *,
    estimator: str,
    classes: Sequence[str] = (),
    amounts: Sequence[str] = (),
    **settings: Any,
) -> Estimate:
    """Estimate I(X; Y), or I(X; Y | given), of samples, in bits.

    No estimator is good on all data, so there is no default: ``fctestbed estimate --list`` says
    what each one bounds, and its class when it fails.

    Args:
        x: samples of X, (n,) or (n, dim); an array, a sequence, or a table of pandas.
        y: samples of Y, (n,) or (n, dim); row i of ``x`` and ``y`` are one pair.
        given: samples of the condition, likewise, or None.
        estimator: a name of ``ESTIMATORS``, or ``package.module:ClassName`` for a class of your
            own.
        classes: names of the arguments (``x``, ``y``) whose numbers are names of classes; for
            estimators that distinguish classes from amounts, which otherwise go by the type:
            whole numbers are names, floats are amounts.
        amounts: names of the arguments whose numbers are amounts, likewise.
        settings: values of the estimator's settings, such as ``k=5``.

    Returns:
        The estimate with its standard error, its ceiling, its direction and, where the bias is
        known, a 95 % interval.

    Raises:
        ValueError: as ``make_estimator`` and ``Estimator.estimate``; also for ``classes`` or
            ``amounts`` of an estimator that does not distinguish them.
    """
    roles = role_settings(estimator, classes=classes, amounts=amounts)
    return estimate_of(make_estimator(estimator, **roles, **settings), x, y, given)


def role_settings(
    name: str, *, classes: Sequence[str] = (), amounts: Sequence[str] = ()
) -> dict[str, Any]:
    """The settings of an estimator that name its classes and amounts; none where both are empty.

    Raises:
        ValueError: as ``find_estimator``; also for an estimator that has no such settings.
    """
    roles = {
        setting: value if isinstance(value, str) else tuple(value)
        for setting, value in (("classes", classes), ("amounts", amounts))
        if value
    }
    for setting, value in roles.items():
        if setting not in settings_of(name):
            raise ValueError(
                f"{setting}: expected none, because {name} does not distinguish classes from "
                f"amounts, got {', '.join(value)}"
            )
    return roles
