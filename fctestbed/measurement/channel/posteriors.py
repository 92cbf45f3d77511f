"""Posteriors over codewords, p(w | z), summed for a tile of draws at a time, at several noises.

Owns the matrix products, the softmax and its sums, which take most of the time: 4 N M rank
operations for N draws and M codewords, whatever the number of noises, and at most N M exponentials
for each noise. Memory is the tiles and the codebook, for any N. May import torch, the kernel,
``codebooks`` and ``marginals``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fctestbed.measurement.channel.codebooks import Codebook
from fctestbed.measurement.channel.marginals import Columns
from fctestbed.measurement.channel.posterior_kernels import posterior_sums

# Cells of a tile's products on a CPU, and of its posteriors on a GPU. On a CPU it stays in the
# cache, but a product of few rows is slow.
_CPU_CELLS, _GPU_CELLS, _FEWEST_ROWS = 1 << 18, 1 << 26, 32
# Rounding of a difference of two logits, in nats, above which products are in float64.
_ROUNDING_NATS = 1e-3
# Posteriors below exp(-64) = 2e-28 have no effect; an exponential that underflows is slow.
_LEAST_LOGIT = -64.0


def tile_rows(n_codewords: int, n_taus: int, device: torch.device) -> int:
    """Draws of a tile."""
    cells = _CPU_CELLS if device.type == "cpu" else _GPU_CELLS // n_taus
    return max(_FEWEST_ROWS, cells // n_codewords)


def product_dtype(book: Codebook, tau: float) -> torch.dtype:
    """float32 where its error is below a thousandth of a nat for each draw, else float64.

    Products are of the order of |z|^2 / tau^2, on average power / tau^2 + rank, and the relative
    error of float32 is 1e-7.
    """
    power = float(book.points.square().sum(1).mean())
    rounding = (power / tau**2 + book.rank) * torch.finfo(torch.float32).eps
    return torch.float32 if rounding < _ROUNDING_NATS else torch.float64


@dataclass(frozen=True)
class SumLayout:
    """Which sums of a codebook's posteriors are taken.

    Attributes:
        lead: the leading columns of the codebook.
        own: its other columns.
        prefixes: numbers of leading columns of ``own``, all different: the posterior of ``lead``
            and so many more is taken. The first is 0.
    """

    lead: Columns
    own: Columns
    prefixes: tuple[int, ...] = (0,)

    @property
    def leading(self) -> tuple[Columns, ...]:
        """The columns whose posteriors are taken, for each prefix."""
        return tuple((*self.lead, *self.own[:n]) for n in self.prefixes)

    def prefix(self, kept: Columns) -> int:
        """How many columns of ``own`` the smallest leading columns have that contain ``kept``."""
        return max((self.own.index(column) + 1 for column in kept if column in self.own), default=0)

    def source(self, kept: Columns) -> Columns:
        """The columns whose posterior that of ``kept`` is summed from."""
        if kept and set(kept) <= set(self.own):
            return self.own
        return (*self.lead, *self.own[: self.prefix(kept)])


@dataclass(frozen=True, eq=False)
class PosteriorSums:
    """Sums of one representation's posteriors, at each noise and draw.

    Attributes:
        entropies: H(W | z) in nats, [taus, n].
        marginals: posteriors of some columns, [taus, n, patterns].
        given_both: of two representations, the posterior of this one's own columns given both,
            [taus, n, patterns of its own columns]; None for a single one.
    """

    entropies: Tensor
    marginals: Mapping[Columns, Tensor]
    given_both: Tensor | None


class PosteriorReader:
    """Sums of posteriors of the codewords given z = c + tau n, with a uniform prior.

    p(w | z) is proportional to exp((<z, c_w> - |c_w|^2 / 2) / tau^2). The exponent is
    (<c, c_w> - |c_w|^2 / 2) / tau^2 + <n, c_w> / tau, so one product serves all noises.

    Args:
        books: one codebook, or two that have the columns ``lead`` in common.
        layouts: of each.
        device: where to compute.
        dtype: of the posteriors, float32 or float64.
        products: of the products, float32 or float64. Exponents are taken relative to that of the
            true codeword before they are rounded to ``dtype``.
    """

    def __init__(
        self,
        books: Sequence[Codebook],
        layouts: Sequence[SumLayout],
        *,
        device: torch.device,
        dtype: torch.dtype,
        products: torch.dtype,
    ) -> None:
        self._layouts = tuple(layouts)
        self._keys = []
        for book in books:
            points = book.points.to(device)
            bias = -points.square().sum(1, keepdim=True) / 2
            # The bias is the weight of a column of ones.
            self._keys.append(torch.cat([points, bias], 1).to(products))
        self._dtype = dtype
        self._compiled = device.type == "cpu" and dtype is torch.float32
        self._buffers = [torch.empty(0, dtype=products, device=device) for _ in books]
        self._n_leads = 2 ** len(self._layouts[0].lead)
        self._n_columns = [2 ** len(layout.own) for layout in layouts]
        self._widths = [
            np.array([columns >> n for n in layout.prefixes])
            for columns, layout in zip(self._n_columns, layouts, strict=True)
        ]

    def __call__(
        self, draws: Sequence[tuple[Tensor, Tensor]], taus: Sequence[float]
    ) -> list[PosteriorSums]:
        """The sums of each representation.

        Args:
            draws: for each codebook indices [n] and standard normal noise [n, rank].
            taus: the noises.
        """
        products = []
        for place, (keys, (index, noise)) in enumerate(zip(self._keys, draws, strict=True)):
            n = len(index)
            # One product of all: codewords with a one for the bias, then noise with a zero.
            rows = torch.cat([keys[index], keys.new_zeros(n, keys.shape[1])])
            rows[:n, -1] = 1.0
            rows[n:, :-1] = noise
            squares, crosses = torch.mm(
                rows, keys.T, out=self._buffer(place, (2 * n, len(keys)))
            ).split(n)
            products.append((squares, crosses, index))
        return (self._by_kernel if self._compiled else self._by_torch)(products, taus)

    def _by_kernel(
        self, products: Sequence[tuple[Tensor, Tensor, Tensor]], taus: Sequence[float]
    ) -> list[PosteriorSums]:
        n, n_books = len(products[0][2]), len(products)
        sizes = [[self._n_leads << k for k in layout.prefixes] for layout in self._layouts]

        def outputs(widths: Sequence[int]) -> list[Tensor]:
            return [torch.empty(len(taus), n, width) for width in widths]

        entropies = [torch.empty(len(taus), n) for _ in products]
        segments, columns = outputs([sum(own) for own in sizes]), outputs(self._n_columns)
        mixed = outputs(self._n_columns if n_books == 2 else [0])
        scratch = [torch.empty(self._n_leads, width) for width in self._n_columns]
        tops = [torch.empty(self._n_leads, dtype=torch.int32) for _ in products]
        squares, crosses, index = zip(*products, strict=True)
        inverse = np.array([1 / tau for tau in taus])
        posterior_sums(
            n_books,
            _pair([own.view(n, self._n_leads, -1) for own in squares]),
            _pair([own.view(n, self._n_leads, -1) for own in crosses]),
            _pair(index),
            inverse,
            (self._widths[0], self._widths[-1]),
            *map(_pair, (scratch, tops, entropies, segments, columns, mixed)),
        )
        return [
            PosteriorSums(
                entropies=entropies[book],
                marginals={
                    **dict(zip(layout.leading, segments[book].split(sizes[book], 2), strict=True)),
                    layout.own: columns[book],
                },
                given_both=mixed[book] if n_books == 2 else None,
            )
            for book, layout in enumerate(self._layouts)
        ]

    def _by_torch(
        self, products: Sequence[tuple[Tensor, Tensor, Tensor]], taus: Sequence[float]
    ) -> list[PosteriorSums]:
        read, leads = [], []
        for squares, crosses, index in products:
            own = index.unsqueeze(1)
            squares.sub_(squares.gather(1, own))
            crosses.sub_(crosses.gather(1, own))
            found = [_softmax(squares, crosses, tau, self._dtype) for tau in taus]
            p, entropies = (torch.stack(parts) for parts in zip(*found, strict=True))
            read.append((p.view(*p.shape[:2], self._n_leads, -1), entropies))
            leads.append(read[-1][0].sum(3))
        sums = []
        for place, (layout, (p, entropies)) in enumerate(zip(self._layouts, read, strict=True)):
            marginals = {
                columns: p.unflatten(3, (2**n, -1)).sum(4).flatten(2)
                for columns, n in zip(layout.leading, layout.prefixes, strict=True)
            }
            marginals[layout.own] = p.sum(2)
            both = None
            if len(products) == 2:
                both = torch.matmul(leads[1 - place].unsqueeze(2), p).squeeze(2)
                both = both / both.sum(2, keepdim=True).clamp_min(torch.finfo(p.dtype).tiny)
            sums.append(PosteriorSums(entropies, marginals, both))
        return sums

    def _buffer(self, place: int, shape: tuple[int, ...]) -> Tensor:
        """Memory of an array, which is kept as long as no larger array comes."""
        n_cells = math.prod(shape)
        if self._buffers[place].numel() < n_cells:
            self._buffers[place] = self._buffers[place].new_empty(n_cells)
        return self._buffers[place][:n_cells].view(shape)


def _pair(arrays: Sequence[Tensor]) -> tuple[np.ndarray, np.ndarray]:
    """The arrays of both books; those of a single one twice."""
    return arrays[0].numpy(), arrays[-1].numpy()


def _softmax(
    squares: Tensor, crosses: Tensor, tau: float, dtype: torch.dtype
) -> tuple[Float[Tensor, "n codewords"], Float[Tensor, " n"]]:
    """The posteriors at one noise, and their entropies."""
    logits = (squares / tau**2).add_(crosses, alpha=1 / tau).to(dtype)
    logits.sub_(logits.amax(1, keepdim=True)).clamp_min_(_LEAST_LOGIT)
    p = logits.exp()
    total = p.sum(1, keepdim=True)
    p.div_(total)
    # H = log sum exp(l) - sum p l, without a logarithm for each codeword.
    entropy = total.squeeze(1).log() - logits.mul_(p).sum(1)
    return p, entropy.clamp_min_(0.0)
