"""Methods, the parts that they are built from, and their registry."""

from fctestbed.objectives.base import (
    JOINT,
    MLP_ENCODER,
    TABLE_ENCODER,
    TERMS,
    Batch,
    CriticSettings,
    DataShape,
    EncoderMaker,
    LossMarks,
    Method,
    MethodSettings,
    NetSpec,
    Views,
    modalities_of,
)
from fctestbed.objectives.encoders import Encoders, HeadBank, build_encoder, concatenate
from fctestbed.objectives.groups import (
    NO_GROUPS,
    GroupExtents,
    Groups,
    group_by_condition,
    group_extents,
)
from fctestbed.objectives.registry import METHODS, encoder_source, find_method, method_source
from fctestbed.objectives.unimodal import label_codes
from fctestbed.objectives.user_encoders import (
    check_user_encoder,
    encoder_class,
    how_encoded,
)
from fctestbed.objectives.user_losses import how_computed

__all__ = [
    "JOINT",
    "METHODS",
    "MLP_ENCODER",
    "NO_GROUPS",
    "TABLE_ENCODER",
    "TERMS",
    "Batch",
    "CriticSettings",
    "DataShape",
    "EncoderMaker",
    "Encoders",
    "GroupExtents",
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
    "encoder_class",
    "encoder_source",
    "find_method",
    "group_by_condition",
    "group_extents",
    "how_computed",
    "how_encoded",
    "label_codes",
    "method_source",
    "modalities_of",
]
