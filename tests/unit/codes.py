"""Small codebooks for tests of the channel oracle."""

import numpy as np
import torch

from fctestbed.synthesis import bit_patterns


def signs(n_bits):
    """All patterns as +-1, float64 [2^n_bits, n_bits]."""
    return torch.from_numpy(bit_patterns(n_bits).astype(np.float64) * 2 - 1)


def random_code(n_bits, dim, seed=0, hidden=64):
    """Codewords of a random tanh network."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    hidden_values = torch.tanh(signs(n_bits) @ normal(n_bits, hidden) * 1.5 / n_bits**0.5)
    return hidden_values @ normal(hidden, dim) / hidden**0.5


def rotation(dim, seed=0):
    """A random orthogonal matrix."""
    generator = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(dim, dim, generator=generator, dtype=torch.float64))[0]
