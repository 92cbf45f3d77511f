"""Torch's random streams by name. May import ``fctestbed.synthesis``."""

import torch

from fctestbed.synthesis import stream_words


def torch_stream(name: str, digest: str, seed: int) -> torch.Generator:
    """The CPU generator of the stream ``name`` for this ``digest`` and ``seed``."""
    low, high = stream_words(name, digest, seed)[:2]
    return torch.Generator().manual_seed(low | high << 32)
