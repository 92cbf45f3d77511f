"""Channel information: exactly how many bits a representation holds through noise."""

from fctestbed.measurement.channel.codebook import Codebook, codebook
from fctestbed.measurement.channel.decomposition import (
    Decomposition,
    Separation,
    decompose,
    separation,
)
from fctestbed.measurement.channel.gaussian import (
    GaussianBounds,
    gaussian_bounds,
    linear_gaussian_bits,
    unit_power,
)
from fctestbed.measurement.channel.labels import LabelChannel, bit_patterns, label_channel
from fctestbed.measurement.channel.noiseless import distinct_points, noiseless_information
from fctestbed.measurement.channel.oracle import channel_information
from fctestbed.measurement.channel.result import ChannelBits, ChannelInformation

__all__ = [
    "ChannelBits",
    "ChannelInformation",
    "Codebook",
    "Decomposition",
    "GaussianBounds",
    "LabelChannel",
    "Separation",
    "bit_patterns",
    "channel_information",
    "codebook",
    "decompose",
    "distinct_points",
    "gaussian_bounds",
    "label_channel",
    "linear_gaussian_bits",
    "noiseless_information",
    "separation",
    "unit_power",
]
