"""Methods, the parts that they are built from, and their registry."""

from fctestbed.objectives.base import (
    JOINT,
    MLP_ENCODER,
    TABLE_ENCODER,
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
from fctestbed.objectives.encoders import Encoders, HeadBank, build_encoder, concatenate
from fctestbed.objectives.groups import Groups, group_by_condition
from fctestbed.objectives.registry import METHODS, encoder_source, find_method, method_source
from fctestbed.objectives.unimodal import label_codes
from fctestbed.objectives.user_encoders import check_user_encoder

__all__ = [
    "JOINT",
    "METHODS",
    "MLP_ENCODER",
    "TABLE_ENCODER",
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
    "build_encoder",
    "check_user_encoder",
    "concatenate",
    "encoder_source",
    "find_method",
    "group_by_condition",
    "label_codes",
    "method_source",
    "modalities_of",
]
