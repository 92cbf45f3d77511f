"""The label rules. A new rule is a module here and a member of ``Label``.

May import numpy, ``information``, ``latents``, ``products`` and ``record``.
"""

from typing import Annotated, get_args

from pydantic import Field

from fctestbed.synthesis.labels.base import LabelRule, LabelWrites
from fctestbed.synthesis.labels.function import FunctionLabel
from fctestbed.synthesis.labels.parity import ParityLabel
from fctestbed.synthesis.labels.planar import PlanarLabel
from fctestbed.synthesis.labels.slots import Slot
from fctestbed.synthesis.labels.threshold import ThresholdLabel
from fctestbed.synthesis.labels.word import BitsLabel, NoiselessLabel

__all__ = [
    "LABELS",
    "BitsLabel",
    "FunctionLabel",
    "Label",
    "LabelRule",
    "LabelWrites",
    "NoiselessLabel",
    "ParityLabel",
    "PlanarLabel",
    "Slot",
    "ThresholdLabel",
]

Label = Annotated[
    BitsLabel | NoiselessLabel | ThresholdLabel | PlanarLabel | ParityLabel | FunctionLabel,
    Field(discriminator="kind"),
]

LABELS: dict[str, type[LabelRule]] = {
    rule.model_fields["kind"].default: rule for rule in get_args(get_args(Label)[0])
}
"""The rules by kind."""
