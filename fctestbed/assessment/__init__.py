"""Representations from anywhere, measured beside controls that are trained in the same world."""

from fctestbed.assessment.controls import CONTROLS
from fctestbed.assessment.measuring import NAME, measure
from fctestbed.assessment.result import Measurement

__all__ = ["CONTROLS", "NAME", "Measurement", "measure"]
