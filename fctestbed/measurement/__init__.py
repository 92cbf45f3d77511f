"""What a readout captured: rows out of trained encoders."""

from fctestbed.measurement.capture import Measured, measure_stack
from fctestbed.measurement.spec import ChannelSpec, MeasureSpec

__all__ = ["ChannelSpec", "MeasureSpec", "Measured", "measure_stack"]
