"""Variational estimators: trained on one part of the samples, stopped on a second, read on a
third."""

from fctestbed.estimators.variational.club import Club
from fctestbed.estimators.variational.fitting import fit
from fctestbed.estimators.variational.learned import DifferenceOfEntropies, LeaveOneOut, VClub
from fctestbed.estimators.variational.lower import (
    DonskerVaradhan,
    InfoNce,
    JensenShannon,
    Mine,
    Nwj,
)
from fctestbed.estimators.variational.unbounded import NceClub, ProbabilisticClassifier, Smile

__all__ = [
    "Club",
    "DifferenceOfEntropies",
    "DonskerVaradhan",
    "InfoNce",
    "JensenShannon",
    "LeaveOneOut",
    "Mine",
    "NceClub",
    "Nwj",
    "ProbabilisticClassifier",
    "Smile",
    "VClub",
    "fit",
]
