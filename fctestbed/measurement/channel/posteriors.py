"""Posteriors over codewords, p(w | z), a tile of draws at a time.

Owns the matrix product and the softmax, which take most of the time: 2 N M rank operations and N M
exponentials for N draws and M codewords. Memory is two tiles and the codebook, for any N.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from fctestbed.measurement.channel.codebooks import Codebook

# Cells of a tile: on a CPU it stays in the cache, but a product of few rows is slow.
_CPU_CELLS, _GPU_CELLS, _FEWEST_ROWS = 1 << 19, 1 << 26, 32
# Rounding of a difference of two logits, in nats, above which float64 is used.
_ROUNDING_NATS = 1e-3


def tile_rows(n_codewords: int, device: torch.device) -> int:
    """Draws of a tile."""
    cells = _CPU_CELLS if device.type == "cpu" else _GPU_CELLS
    return max(_FEWEST_ROWS, cells // n_codewords)


def working_dtype(book: Codebook, tau: float) -> torch.dtype:
    """float32 where its error is below a thousandth of a nat for each draw, else float64.

    Logits are of the order of |z|^2 / tau^2 = dim (1 + tau^2) / tau^2, and the relative error of
    float32 is 6e-8.
    """
    rounding = book.dim * (1 + tau**2) / tau**2 * torch.finfo(torch.float32).eps
    return torch.float32 if rounding < _ROUNDING_NATS else torch.float64


class PosteriorReader:
    """Posteriors of the codewords given z = c + tau e, with a uniform prior.

    p(w | z) is proportional to exp((<z, c_w> - |c_w|^2 / 2) / tau^2).

    Args:
        book: the codebook.
        tau: noise, standard deviation per dimension.
        rows: most draws of a tile.
        device: where to compute.
        dtype: float32 or float64.
    """

    def __init__(
        self, book: Codebook, tau: float, rows: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        points = book.points.to(device)
        bias = -points.square().sum(1, keepdim=True) / 2
        # In units of the noise; the bias is the weight of a column of ones.
        self._keys = (torch.cat([points, bias], 1) / tau**2).to(dtype)
        self._points = points.to(dtype)
        self._tau = tau
        self._logits, self._p = (
            torch.empty(rows, len(book), device=device, dtype=dtype) for _ in range(2)
        )
        self._z = torch.ones(rows, book.rank + 1, device=device, dtype=dtype)

    def __call__(
        self, index: Int[Tensor, " n"], noise: Float[Tensor, "n rank"]
    ) -> tuple[Float[Tensor, "n codewords"], Float[Tensor, " n"]]:
        """Posteriors of draws and their entropies H(W | z) in nats.

        The next call overwrites the posteriors: they are in a buffer.
        """
        n = len(index)
        z, logits, p = self._z[:n], self._logits[:n], self._p[:n]
        z[:, :-1] = self._points.index_select(0, index).add_(noise, alpha=self._tau)
        torch.mm(z, self._keys.T, out=logits)
        logits.sub_(logits.amax(1, keepdim=True))
        torch.exp(logits, out=p)
        total = p.sum(1, keepdim=True)
        p.div_(total)
        # H = log sum exp(l) - sum p l, without a logarithm for each codeword.
        entropy = total.squeeze(1).log() - logits.mul_(p).sum(1)
        return p, entropy.clamp_min_(0.0)
