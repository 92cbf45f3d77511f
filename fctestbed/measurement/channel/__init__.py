"""Channel information: exactly how many bits a representation holds through noise."""

from fctestbed.measurement.channel.codebook import Codebook, codebook
from fctestbed.measurement.channel.labels import LabelChannel, bit_patterns, label_channel
from fctestbed.measurement.channel.oracle import channel_information
from fctestbed.measurement.channel.result import ChannelBits, ChannelInformation

__all__ = [
    "ChannelBits",
    "ChannelInformation",
    "Codebook",
    "LabelChannel",
    "bit_patterns",
    "channel_information",
    "codebook",
    "label_channel",
]
