"""Exact information theory of finite distributions, in bits. May import numpy and scipy only."""

from fctestbed.information.channels import bsc_capacity_bits, bsc_flip_probability
from fctestbed.information.entropy import (
    binary_entropy_bits,
    co_information_bits,
    conditional_mutual_information_bits,
    entropy_bits,
    mutual_information_bits,
)
from fctestbed.information.pid import (
    LeastInformation,
    PartialInformation,
    decomposition,
    least_information,
    partial_information,
)
from fctestbed.information.units import bits_to_nats, nats_to_bits

__all__ = [
    "LeastInformation",
    "PartialInformation",
    "binary_entropy_bits",
    "bits_to_nats",
    "bsc_capacity_bits",
    "bsc_flip_probability",
    "co_information_bits",
    "conditional_mutual_information_bits",
    "decomposition",
    "entropy_bits",
    "least_information",
    "mutual_information_bits",
    "nats_to_bits",
    "partial_information",
]
