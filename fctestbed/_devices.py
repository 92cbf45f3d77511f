"""Copies between the CPU and a device for which neither waits. May import torch only."""

from typing import Any

import torch
from torch import Tensor


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor of the CPU on a device. To a CUDA device it is copied from page-locked memory, while
    the caller goes on."""
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


class Fetched:
    """The values that a tensor has now; they are copied to the CPU while the caller goes on."""

    def __init__(self, tensor: Tensor) -> None:
        self._event: Any = None
        if tensor.device.type == "cuda":
            self._values = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._values.copy_(tensor, non_blocking=True)
            self._event = torch.cuda.Event()
            self._event.record()
        else:
            self._values = tensor.clone()

    def tolist(self) -> Any:
        """The values. This waits until they are there."""
        if self._event is not None:
            self._event.synchronize()
        return self._values.tolist()
