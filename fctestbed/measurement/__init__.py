"""The measurement of readouts: readouts of a training, or any arrays, to rows."""

from fctestbed.measurement.along import along_steps, measure_along
from fctestbed.measurement.codes import ReadoutCode, readout_codes, readout_information
from fctestbed.measurement.measuring import measure, measure_readouts
from fctestbed.measurement.meters import ChannelSpec, Measured, Meter, RateSpec, why_no_channel
from fctestbed.measurement.quantity import quantities
from fctestbed.measurement.spec import MeasureSpec

__all__ = [
    "ChannelSpec",
    "MeasureSpec",
    "Measured",
    "Meter",
    "RateSpec",
    "ReadoutCode",
    "along_steps",
    "measure",
    "measure_along",
    "measure_readouts",
    "quantities",
    "readout_codes",
    "readout_information",
    "why_no_channel",
]
