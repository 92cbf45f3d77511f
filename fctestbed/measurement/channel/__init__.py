"""Channel information: exactly how many bits a representation holds through noise."""

from fctestbed.measurement.channel.codebooks import (
    Codebook,
    codebook,
    constant_codebook,
    unit_power_codewords,
)
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
    linear_noise_of_rate,
    samples_noise_of_rate,
    unit_power,
)
from fctestbed.measurement.channel.labels import MAX_RELEVANT_BITS, LabelChannel, label_channel
from fctestbed.measurement.channel.marginals import Columns
from fctestbed.measurement.channel.noiseless import distinct_points, noiseless_information
from fctestbed.measurement.channel.oracle import channel_curve, channel_information
from fctestbed.measurement.channel.rates import (
    RESOLUTION,
    metric,
    noise_of_rate,
    noise_of_variances,
    noises_of_rates,
    rate_of_noise,
    whitened,
)
from fctestbed.measurement.channel.result import (
    ChannelBits,
    ChannelInformation,
    Group,
    Readers,
)

__all__ = [
    "MAX_RELEVANT_BITS",
    "RESOLUTION",
    "ChannelBits",
    "ChannelInformation",
    "Codebook",
    "Columns",
    "Decomposition",
    "GaussianBounds",
    "Group",
    "LabelChannel",
    "Readers",
    "Separation",
    "channel_curve",
    "channel_information",
    "codebook",
    "constant_codebook",
    "decompose",
    "distinct_points",
    "gaussian_bounds",
    "label_channel",
    "linear_gaussian_bits",
    "linear_noise_of_rate",
    "metric",
    "noise_of_rate",
    "noise_of_variances",
    "noiseless_information",
    "noises_of_rates",
    "rate_of_noise",
    "samples_noise_of_rate",
    "separation",
    "unit_power",
    "unit_power_codewords",
    "whitened",
]
