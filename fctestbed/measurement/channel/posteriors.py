"""Posteriors over codewords, p(w | z), a tile of draws at a time and at several noises at once.

Owns the matrix products and the softmax, which take most of the time: 4 N M rank operations for N
draws and M codewords, whatever the number of noises, and N M exponentials for each noise. Memory is
the tiles and the codebook, for any N. May import torch, the kernel and ``codebooks``.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from fctestbed.measurement.channel.codebooks import Codebook
from fctestbed.measurement.channel.posterior_kernels import posteriors

# Cells of a tile: on a CPU it stays in the cache, but a product of few rows is slow.
_CPU_CELLS, _GPU_CELLS, _FEWEST_ROWS = 1 << 20, 1 << 26, 32
# Rounding of a difference of two logits, in nats, above which products are in float64.
_ROUNDING_NATS = 1e-3
# Posteriors below exp(-64) = 2e-28 have no effect; an exponential that underflows is slow.
_LEAST_LOGIT = -64.0


def tile_rows(n_codewords: int, n_taus: int, device: torch.device) -> int:
    """Draws of a tile."""
    cells = _CPU_CELLS if device.type == "cpu" else _GPU_CELLS
    return max(_FEWEST_ROWS, cells // (n_codewords * n_taus))


def product_dtype(book: Codebook, tau: float) -> torch.dtype:
    """float32 where its error is below a thousandth of a nat for each draw, else float64.

    Products are of the order of |z|^2 / tau^2, on average power / tau^2 + rank, and the relative
    error of float32 is 1e-7.
    """
    power = float(book.points.square().sum(1).mean())
    rounding = (power / tau**2 + book.rank) * torch.finfo(torch.float32).eps
    return torch.float32 if rounding < _ROUNDING_NATS else torch.float64


class PosteriorReader:
    """Posteriors of the codewords given z = c + tau n, with a uniform prior.

    p(w | z) is proportional to exp((<z, c_w> - |c_w|^2 / 2) / tau^2). The exponent is
    (<c, c_w> - |c_w|^2 / 2) / tau^2 + <n, c_w> / tau, so two products serve all noises.

    Args:
        book: the codebook.
        device: where to compute.
        dtype: of the posteriors, float32 or float64.
        products: of the products, float32 or float64. Exponents are taken relative to that of the
            true codeword before they are rounded to ``dtype``.
    """

    def __init__(
        self,
        book: Codebook,
        *,
        device: torch.device,
        dtype: torch.dtype,
        products: torch.dtype,
    ) -> None:
        points = book.points.to(device)
        bias = -points.square().sum(1, keepdim=True) / 2
        # The bias is the weight of a column of ones.
        self._keys = torch.cat([points, bias], 1).to(products)
        self._compiled = device.type == "cpu" and dtype is torch.float32
        self._buffers = [torch.empty(0, dtype=kind) for kind in (products, products, dtype)]

    def __call__(
        self, index: Int[Tensor, " n"], noise: Float[Tensor, "n rank"], taus: Sequence[float]
    ) -> tuple[Float[Tensor, "taus n codewords"], Float[Tensor, "taus n"]]:
        """Posteriors of draws and their entropies H(W | z) in nats, at each noise.

        The next call overwrites the posteriors: they are in a buffer.
        """
        n, keys = len(index), self._keys
        shapes = (n, len(keys)), (n, len(keys)), (len(taus), n, len(keys))
        squares, crosses, p = (self._buffer(place, shape) for place, shape in enumerate(shapes))
        z = keys.index_select(0, index)
        z[:, -1] = 1.0
        torch.mm(z, keys.T, out=squares)
        torch.mm(noise.to(keys.dtype), keys[:, :-1].T, out=crosses)
        if self._compiled:
            entropy = torch.empty(p.shape[:2])
            inverse = np.array([1 / tau for tau in taus])
            posteriors(
                squares.numpy(),
                crosses.numpy(),
                index.numpy(),
                inverse,
                p.numpy(),
                entropy.numpy(),
            )
            return p, entropy
        own = index.unsqueeze(1)
        squares.sub_(squares.gather(1, own))
        crosses.sub_(crosses.gather(1, own))
        return p, torch.stack(
            [_softmax(squares, crosses, tau, out) for tau, out in zip(taus, p, strict=True)]
        )

    def _buffer(self, place: int, shape: tuple[int, ...]) -> Tensor:
        """Memory of an array, which is kept as long as no larger array comes."""
        n_cells = math.prod(shape)
        if self._buffers[place].numel() < n_cells:
            kind = self._buffers[place].dtype
            self._buffers[place] = torch.empty(n_cells, dtype=kind, device=self._keys.device)
        return self._buffers[place][:n_cells].view(shape)


def _softmax(squares: Tensor, crosses: Tensor, tau: float, out: Tensor) -> Tensor:
    """Write the posteriors at one noise; their entropies."""
    logits = (squares / tau**2).add_(crosses, alpha=1 / tau).to(out.dtype)
    logits.sub_(logits.amax(1, keepdim=True)).clamp_min_(_LEAST_LOGIT)
    torch.exp(logits, out=out)
    total = out.sum(1, keepdim=True)
    out.div_(total)
    # H = log sum exp(l) - sum p l, without a logarithm for each codeword.
    entropy = total.squeeze(1).log() - logits.mul_(out).sum(1)
    return entropy.clamp_min_(0.0)
