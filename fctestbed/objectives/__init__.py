"""Methods, the parts that they are built from, and their registry."""

from fctestbed.objectives.base import (
    JOINT,
    TERMS,
    Batch,
    CriticSettings,
    DataShape,
    LossMarks,
    Method,
    MethodSettings,
    NetSpec,
    Views,
    modalities_of,
)
from fctestbed.objectives.encoders import Encoders, HeadBank, concatenate
from fctestbed.objectives.groups import Groups, group_by_condition
from fctestbed.objectives.registry import METHODS, find_method, method_source

__all__ = [
    "JOINT",
    "METHODS",
    "TERMS",
    "Batch",
    "CriticSettings",
    "DataShape",
    "Encoders",
    "Groups",
    "HeadBank",
    "LossMarks",
    "Method",
    "MethodSettings",
    "NetSpec",
    "Views",
    "concatenate",
    "find_method",
    "group_by_condition",
    "method_source",
    "modalities_of",
]
