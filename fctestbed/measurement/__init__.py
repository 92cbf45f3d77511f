"""What a readout captured: rows out of trained encoders, and of representations from anywhere."""

from fctestbed.measurement.capture import Measured, measure_stack
from fctestbed.measurement.external import measure_representations
from fctestbed.measurement.representation_file import Representations, load_representations
from fctestbed.measurement.spec import ChannelSpec, MeasureSpec

__all__ = [
    "ChannelSpec",
    "MeasureSpec",
    "Measured",
    "Representations",
    "load_representations",
    "measure_representations",
    "measure_stack",
]
