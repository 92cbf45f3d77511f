"""The precision of matrix products: which a device has, and a context that sets it.

May import torch only.

======== ================================== ============================
name     products of the pair critic        other products
======== ================================== ============================
float32  float32                            float32
tf32     tf32                               tf32
bf16     bf16                               tf32
======== ================================== ============================

All of them are summed in float32, and parameters, features, scores, losses and Adam's state are
float32 throughout. A bf16 product rounds both factors to 8 significant bits, a tf32 product to 11.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

import torch
from torch import Tensor

Precision = Literal["float32", "tf32", "bf16"]
"""The precision of a training's matrix products."""

# Tensor cores of compute capability 8.0 (Ampere) were the first with tf32 and bf16.
_LEAST_CAPABILITY = (8, 0)

_of_critics: ContextVar[Precision | None] = ContextVar("_of_critics", default=None)


def check_precision(precision: Precision, device: torch.device | str, *, name: str) -> None:
    """Refuse a precision that a device cannot do.

    Args:
        precision: the precision.
        device: where products are computed.
        name: what the message calls the precision.

    Raises:
        ValueError: for tf32 or bf16 on anything but a CUDA device that has them.
    """
    if precision == "float32":
        return
    device = torch.device(device)
    place = str(device)
    if device.type == "cuda":
        capability = torch.cuda.get_device_capability(device)
        if capability >= _LEAST_CAPABILITY:
            return
        place = f"{place}, of compute capability {capability[0]}.{capability[1]}"
    raise ValueError(f"{name}: expected float32 on {place}, got {precision!r}")


@contextmanager
def products_in(precision: Precision) -> Iterator[None]:
    """Compute matrix products in a precision, and restore torch's settings afterwards.

    Without it, products have the precision that torch is set to. Backward passes belong inside,
    since torch reads its setting at each product.
    """
    # torch's stubs lack the second.
    mkldnn: Any = torch.backends.mkldnn
    backends: tuple[Any, ...] = torch.backends.cuda.matmul, mkldnn.matmul
    before = [backend.fp32_precision for backend in backends]
    wanted = "ieee" if precision == "float32" else "tf32", "ieee"
    token = _of_critics.set(precision)
    try:
        for backend, value in zip(backends, wanted, strict=True):
            backend.fp32_precision = value
        yield
    finally:
        _of_critics.reset(token)
        for backend, value in zip(backends, before, strict=True):
            backend.fp32_precision = value


def critic_precision(features: Tensor) -> Precision:
    """The precision of a pair critic's products: that of ``products_in``, or else what torch is set
    to (its autocast to bf16, or tf32 for float32 products)."""
    inside = _of_critics.get()
    if inside is not None:
        return inside
    kind = features.device.type
    if torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind) == torch.bfloat16:
        return "bf16"
    in_tf32 = kind == "cuda" and torch.backends.cuda.matmul.fp32_precision == "tf32"
    return "tf32" if in_tf32 else "float32"
