"""Draws of codewords and noise, evenly over the codewords.

Owns the oracle's random numbers. May import torch and ``codebook``.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from fctestbed.measurement.channel.codebooks import Codebook
from fctestbed.measurement.channel.marginals import Columns, ordered


class CodewordDraws:
    """Codewords and noise. Every pair (w_s, w_m) is drawn once before any is drawn again."""

    def __init__(self, books: Sequence[Codebook], generator: torch.Generator) -> None:
        shared = common_columns(books)
        self._ranks = [book.rank for book in books]
        self._n_shared = 2 ** len(shared)
        self._n_own = [len(book) // self._n_shared for book in books]
        self._generator = generator
        self._pending = self._indices()
        self._left: list[Tensor] = [torch.empty(0, dtype=torch.long) for _ in books]

    def next(self, n: int) -> list[tuple[Tensor, Tensor]]:
        """Indices [n] and standard normal noise [n, rank] for each codebook."""
        while len(self._left[0]) < n:
            more = next(self._pending)
            self._left = [torch.cat(pair) for pair in zip(self._left, more, strict=True)]
        taken = [index[:n] for index in self._left]
        self._left = [index[n:] for index in self._left]
        return [
            (index, torch.randn(n, rank, generator=self._generator))
            for index, rank in zip(taken, self._ranks, strict=True)
        ]

    def _indices(self) -> Iterator[list[Tensor]]:
        """Passes over the patterns of w_s; each pass combines a pattern with another w_m."""

        def permutation(n: int) -> Tensor:
            return torch.randperm(n, generator=self._generator)

        def offsets(n: int) -> Tensor:
            return torch.randint(n, (self._n_shared,), generator=self._generator)

        while True:
            shared = permutation(self._n_shared)
            orders = [(permutation(n), offsets(n)) for n in self._n_own]
            for sweep in range(max(self._n_own)):
                yield [
                    shared * n + (order[sweep % n] + offset[shared]) % n
                    for n, (order, offset) in zip(self._n_own, orders, strict=True)
                ]


def common_columns(books: Sequence[Codebook]) -> Columns:
    """The bits that two codebooks share (all bits of a single one).

    Raises:
        ValueError: for no codebook or more than two, or if the common bits do not lead in both.
    """
    if len(books) not in (1, 2):
        raise ValueError(f"books: expected one codebook or two, got {len(books)}")
    shared = ordered(books[0].columns, books[-1].columns)
    for book in books:
        if book.columns[: len(shared)] != shared:
            raise ValueError(
                f"books: expected the common bits {list(shared)} to lead in both, "
                f"got {[list(book.columns) for book in books]}"
            )
    return shared
