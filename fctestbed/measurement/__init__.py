"""What a readout captured: rows out of trained encoders, and of representations from anywhere."""

from fctestbed.measurement.capture import Measured, measure_stack
from fctestbed.measurement.channel_rows import readout_information, why_no_channel
from fctestbed.measurement.external import measure_representations
from fctestbed.measurement.latent_bits import BLOCKS, quantities
from fctestbed.measurement.readout_codes import ReadoutCode, stack_codes, word_columns
from fctestbed.measurement.representation_file import Representations, load_representations
from fctestbed.measurement.spec import ChannelSpec, MeasureSpec

__all__ = [
    "BLOCKS",
    "ChannelSpec",
    "MeasureSpec",
    "Measured",
    "ReadoutCode",
    "Representations",
    "load_representations",
    "measure_representations",
    "measure_stack",
    "quantities",
    "readout_information",
    "stack_codes",
    "why_no_channel",
    "word_columns",
]
