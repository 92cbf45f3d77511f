"""Meters, one file each: from the readouts of a training to rows."""

from fctestbed.measurement.meters.base import Measured, Meter
from fctestbed.measurement.meters.channel import ChannelSpec
from fctestbed.measurement.meters.linear_probe import LinearProbeMeter
from fctestbed.measurement.meters.oracle_rows import why_no_channel
from fctestbed.measurement.meters.rate import RateSpec

__all__ = ["ChannelSpec", "LinearProbeMeter", "Measured", "Meter", "RateSpec", "why_no_channel"]
