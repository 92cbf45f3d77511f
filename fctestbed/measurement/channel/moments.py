"""Means of many values over draws, with the covariance of those means. May import torch only."""

import torch
from jaxtyping import Float
from torch import Tensor


class Moments:
    """Running mean and covariance of rows, without storing the rows.

    Args:
        n_values: values of a row.
        device: of the rows. Results are on the CPU.
    """

    def __init__(self, n_values: int, device: torch.device | str = "cpu") -> None:
        self.n = 0
        self._pivot: Tensor | None = None
        self._sum = torch.zeros(n_values, dtype=torch.float64, device=device)
        self._square = torch.zeros(n_values, n_values, dtype=torch.float64, device=device)

    def add(self, rows: Float[Tensor, "n values"]) -> None:
        """Add rows."""
        wide = rows.double()
        if self._pivot is None:
            # Sums of squares about the first mean avoid cancellation.
            self._pivot = wide.mean(0)
        wide = wide - self._pivot
        self.n += len(wide)
        self._sum += wide.sum(0)
        self._square += wide.T @ wide

    @property
    def mean(self) -> Tensor:
        """Mean of the rows, [values]."""
        assert self._pivot is not None
        return (self._pivot + self._sum / self.n).cpu()

    @property
    def covariance_of_mean(self) -> Tensor:
        """Covariance of the mean of independent rows, [values, values]."""
        centred = self._square - torch.outer(self._sum, self._sum) / self.n
        return (centred / max(self.n - 1, 1) / self.n).cpu()
