"""A table in the place of an encoder: one free vector for every pattern of signed bits.

Owns the stacked table and its limit. May import torch and ``fctestbed.nets.stack``.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.nets.stack import Stack

MAX_TABLE_BITS = 16
"""Most bits of a pattern: 2^16 = 65536 patterns."""


class StackedTable(nn.Module):
    """K tables of 2^n_bits vectors each: [K, n, n_bits or more] -> [K, n, width].

    The pattern of an input is the number whose binary digits are the signs of its first ``n_bits``
    coordinates, the first most significant. Further coordinates are not read. The vectors are drawn
    from U(-1, 1).

    Args:
        stack: the runs.
        n_bits: bits of a pattern.
        width: of the vectors.

    Raises:
        ValueError: for more than 2^16 patterns.
    """

    weights: Tensor

    def __init__(self, stack: Stack, n_bits: int, width: int) -> None:
        super().__init__()
        check_table_bits(n_bits)
        self.vectors = nn.Parameter(stack.uniform(2**n_bits, width, bound=1.0))
        weights = 2 ** torch.arange(n_bits - 1, -1, -1)
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, x: Float[Tensor, "stack n coordinates"]) -> Float[Tensor, "stack n width"]:
        """The vector of each input's pattern."""
        index = ((x[..., : len(self.weights)] > 0) * self.weights).sum(-1)
        return self.vectors.gather(1, index.unsqueeze(2).expand(-1, -1, self.vectors.shape[2]))


def check_table_bits(n_bits: int) -> None:
    """Refuse a table of too many patterns.

    Raises:
        ValueError: one line with the count and the limit.
    """
    if n_bits > MAX_TABLE_BITS:
        raise ValueError(
            f"nets.encoder: expected at most 2^{MAX_TABLE_BITS} = {2**MAX_TABLE_BITS} input "
            f"patterns for a table, got 2^{n_bits} = {2**n_bits}"
        )
