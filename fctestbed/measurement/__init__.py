"""What a readout captured: rows out of trained encoders."""

from fctestbed.measurement.capture import Measured, measure_stack
from fctestbed.measurement.spec import MeasureSpec

__all__ = ["MeasureSpec", "Measured", "measure_stack"]
