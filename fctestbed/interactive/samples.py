"""Samples of a world in the forms that other libraries take.

May import numpy and pandas, and torch where it is asked for.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fctestbed.synthesis import Split

if TYPE_CHECKING:
    from torch.utils.data import TensorDataset

_BLOCKS = ("w_s", "w_1", "w_2")


class Samples:
    """Samples (x1, x2, y) with the latents behind them.

    Attributes:
        x1: float32 (n, dim1), read-only.
        x2: float32 (n, dim2), read-only.
        y: int64 (n,), read-only.
        w_s: latents of the shared block, (n, size of the block), read-only; bits are uint8.
        w_1: the same of the block unique to modality 1.
        w_2: the same of the block unique to modality 2.
    """

    def __init__(self, split: Split) -> None:
        self._split = split
        self.x1, self.x2, self.y = split.x1, split.x2, split.y
        self.w_s, self.w_1, self.w_2 = split.w_s, split.w_1, split.w_2

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(
        self, index: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], int]:
        """(x1, x2, y) of one sample, as copies: a torch ``DataLoader`` takes these samples."""
        return self._split[index]

    def numpy(self) -> dict[str, npt.NDArray[Any]]:
        """Copies of all arrays by name: ``x1, x2, y, w_s, w_1, w_2``."""
        return {name: getattr(self, name).copy() for name in ("x1", "x2", "y", *_BLOCKS)}

    def torch(self) -> "TensorDataset":
        """A ``torch.utils.data.TensorDataset`` of x1, x2 and y."""
        return self._split.torch_dataset()

    def pandas(self) -> pd.DataFrame:
        """One row per sample; columns ``x1[0]``, ..., ``x2[0]``, ..., ``y``, ``w_s[0]``, ..."""
        parts = {
            f"{name}[{column}]": array[:, column]
            for name in ("x1", "x2")
            for array in (getattr(self, name),)
            for column in range(array.shape[1])
        }
        parts["y"] = self.y
        parts |= {
            f"{name}[{column}]": array[:, column]
            for name in _BLOCKS
            for array in (getattr(self, name),)
            for column in range(array.shape[1])
        }
        return pd.DataFrame(parts)

    def __repr__(self) -> str:
        return f"Samples({len(self)}, x1 {self.x1.shape}, x2 {self.x2.shape}, y {self.y.shape})"
