"""The arguments of the pair critic's Triton kernels, in the form in which the kernels take them.

Owns padding, tile sizes and number types. May import torch, triton, ``fctestbed.nets.pair_list``,
``fctestbed.nets.precision`` and ``fctestbed.nets.triton_kernels``.
"""

from dataclasses import dataclass
from typing import Any

import torch
import triton.language as tl
from torch import Tensor

from fctestbed.nets.pair_list import PairList
from fctestbed.nets.precision import Precision
from fctestbed.nets.triton_kernels import COMPILED


def ceil_div(n: int, step: int) -> int:
    """n / step, rounded up."""
    return -(-n // step)


def padded(width: int) -> int:
    """A width as the kernels take it: a power of two from 32 to 64, or a multiple of 64."""
    return 32 if width <= 32 else ceil_div(width, 64) * 64


def tile_of(width: int, most: int) -> int:
    """The largest power of two up to ``most`` that divides a padded width."""
    return min(width & -width, most)


def sum_type(a: Tensor) -> Any:
    """The type of sums: that of the features."""
    return tl.float64 if a.dtype == torch.float64 else tl.float32


@dataclass(frozen=True)
class Problem:
    """Arguments of the kernels for some runs: widths are padded by zeros, which add nothing.

    Attributes:
        a: first layer of the rows.
        c: first layer of the columns.
        w2: weights of the second layer.
        b2: its biases.
        w3: weights of the last layer.
        pairs: the pairs to score; None for all.
        product: precision of products.
    """

    a: Tensor
    c: Tensor
    w2: Tensor
    b2: Tensor
    w3: Tensor
    pairs: PairList | None
    product: Precision

    @property
    def stack(self) -> int:
        """Number of runs."""
        return self.a.shape[0]

    @property
    def n_pairs(self) -> int:
        """Pairs of a run, with those behind the last pair of a list."""
        if self.pairs is not None:
            return self.pairs.rows.shape[1]
        return self.a.shape[1] * self.c.shape[1]

    @property
    def factor(self) -> torch.dtype:
        """The type of a product's factors."""
        return torch.bfloat16 if self.product == "bf16" else self.a.dtype

    @property
    def depth(self) -> int:
        """Terms of a product that a tile loads at once: 128 bytes of each row."""
        return 64 if self.product == "bf16" else 32

    @property
    def stages(self) -> int:
        """Loads that run ahead of the products."""
        return 2 if self.product == "bf16" else 3

    @property
    def lists(self) -> tuple[Tensor, Tensor]:
        """Row and column of each listed pair; any tensors where all pairs are scored."""
        return (self.a, self.a) if self.pairs is None else (self.pairs.rows, self.pairs.columns)

    @property
    def types(self) -> dict[str, Any]:
        """The constants that say in which types a kernel computes."""
        wide = sum_type(self.a)
        return {
            "H1": self.a.shape[2],
            "H2": self.b2.shape[1],
            "FACTOR": tl.bfloat16 if self.product == "bf16" else wide,
            # Triton's interpreter multiplies by numpy, which has no bf16.
            "OPERAND": tl.bfloat16 if self.product == "bf16" and COMPILED else wide,
            "SUM": wide,
            "PRECISION": "tf32" if self.product == "tf32" else "ieee",
        }

    def runs(self, chosen: slice) -> "Problem":
        """The problem of some runs."""
        pairs = self.pairs
        if pairs is not None:
            pairs = PairList(
                rows=pairs.rows[chosen],
                columns=pairs.columns[chosen],
                n_rows=pairs.n_rows,
                n_columns=pairs.n_columns,
                row_pairs=pairs.row_pairs[chosen],
                column_pairs=pairs.column_pairs[chosen],
            )
        return Problem(
            a=self.a[chosen],
            c=self.c[chosen],
            w2=self.w2[chosen],
            b2=self.b2[chosen],
            w3=self.w3[chosen],
            pairs=pairs,
            product=self.product,
        )


def _wide(tensor: Tensor, *widths: int) -> Tensor:
    """A contiguous tensor whose last axes are padded by zeros to these widths."""
    extents = zip(reversed(widths), reversed(tensor.shape), strict=False)
    padding = [step for width, own in extents for step in (0, width - own)]
    padded = torch.nn.functional.pad(tensor, padding) if any(padding) else tensor
    return padded.contiguous()


def problem_of(
    a: Tensor,
    c: Tensor,
    w2: Tensor,
    b2: Tensor,
    w3: Tensor,
    pairs: PairList | None,
    product: Precision,
) -> Problem:
    """The padded problem of a critic's pairs."""
    h1, h2 = (padded(width) for width in w2.shape[1:])
    listed = pairs
    if pairs is not None:
        # int32 halves what the kernels read of a list.
        listed = PairList(
            rows=pairs.rows.int().contiguous(),
            columns=pairs.columns.int().contiguous(),
            n_rows=pairs.n_rows,
            n_columns=pairs.n_columns,
            row_pairs=pairs.row_pairs.int().contiguous(),
            column_pairs=pairs.column_pairs.int().contiguous(),
        )
    return Problem(
        _wide(a, h1), _wide(c, h1), _wide(w2, h1, h2), _wide(b2, h2), _wide(w3, h2), listed, product
    )
