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
from fctestbed.objectives.groups import (
    NO_GROUPS,
    GroupExtents,
    Groups,
    group_by_condition,
    group_extents,
)
from fctestbed.objectives.registry import METHODS, find_method, method_source

__all__ = [
    "JOINT",
    "METHODS",
    "NO_GROUPS",
    "TERMS",
    "Batch",
    "CriticSettings",
    "DataShape",
    "Encoders",
    "GroupExtents",
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
    "group_extents",
    "method_source",
    "modalities_of",
]
