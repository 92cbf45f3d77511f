"""Meters, one file each: from the readouts of a training to rows."""

from fctestbed.measurement.meters.base import Measured, Meter
from fctestbed.measurement.meters.channel import ChannelSpec, why_no_channel
from fctestbed.measurement.meters.linear_probe import LinearProbeMeter

__all__ = ["ChannelSpec", "LinearProbeMeter", "Measured", "Meter", "why_no_channel"]
