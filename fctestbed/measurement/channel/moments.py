"""Means of many values over draws, with the covariance of those means. May import torch only."""

import torch
from jaxtyping import Float
from torch import Tensor

# Rows are rounded to these steps, far below their Monte Carlo errors. Sums of up to 2^17 rows
# of numbers under 32, and of their products, then fit into float64 without rounding.
_STEP, _PRODUCT_STEP = 2.0**-31, 2.0**-13


class Moments:
    """Running mean and covariance of rows, without storing the rows.

    All sums are exact, so that no result depends on the order of a sum, on what else is in a row,
    or on the device.

    Args:
        n_values: values of a row.
        device: of the rows. Results are on the CPU.
    """

    def __init__(self, n_values: int, device: torch.device | str = "cpu") -> None:
        self.n = 0
        self._pivot: Tensor | None = None
        self._sum = torch.zeros(n_values, dtype=torch.float64, device=device)
        self._coarse_sum = torch.zeros_like(self._sum)
        self._square = torch.zeros(n_values, n_values, dtype=torch.float64, device=device)

    def add(self, rows: Float[Tensor, "n values"]) -> None:
        """Add rows."""
        wide = _rounded(rows.double(), _STEP)
        if self._pivot is None:
            # Sums of squares about the first mean avoid cancellation.
            self._pivot = _rounded(wide.mean(0), _PRODUCT_STEP)
        wide = wide - self._pivot
        self.n += len(wide)
        self._sum += wide.sum(0)
        coarse = _rounded(wide, _PRODUCT_STEP)
        self._coarse_sum += coarse.sum(0)
        self._square += coarse.T @ coarse

    @property
    def mean(self) -> Tensor:
        """Mean of the rows, [values]."""
        assert self._pivot is not None
        return (self._pivot + self._sum / self.n).cpu()

    @property
    def covariance_of_mean(self) -> Tensor:
        """Covariance of the mean of independent rows, [values, values]."""
        centred = self._square - torch.outer(self._coarse_sum, self._coarse_sum) / self.n
        return (centred / max(self.n - 1, 1) / self.n).cpu()


def _rounded(values: Tensor, step: float) -> Tensor:
    return (values / step).round_().mul_(step)
