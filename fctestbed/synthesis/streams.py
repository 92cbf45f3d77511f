"""Random streams by name. May import numpy.

A stream depends only on its name, a digest and a seed, so draws from one stream do not change the
numbers of another.
"""

import hashlib
import operator

import numpy as np


def stream(name: str, digest: str, seed: int) -> np.random.Generator:
    """The generator of the stream ``name`` for this ``digest`` and ``seed``.

    Args:
        name: what is drawn, for instance ``train``.
        digest: hexadecimal digest of the specification.
        seed: a whole number in [0, 2^63).

    Raises:
        ValueError: for a seed outside that range.
    """
    return np.random.default_rng(np.random.SeedSequence(stream_words(name, digest, seed)))


def stream_words(name: str, digest: str, seed: int) -> list[int]:
    """The eight 32-bit numbers that seed the stream (see ``stream``), for other generators."""
    whole = int(operator.index(seed))
    if not 0 <= whole < 2**63:
        raise ValueError(f"seed: expected a whole number in [0, 2^63), got {whole}")
    key = hashlib.sha256(f"{name}\0{digest}\0{whole}".encode()).digest()
    return np.frombuffer(key, dtype="<u4").tolist()
