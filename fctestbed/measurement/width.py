"""Readouts at one width, so that methods can be compared whose readouts differ in it.

Owns the reduction. May import torch only.
"""

import torch
from torch import Tensor

JOINT = "joint"
_MARK = "@"


def equal_width_name(width: int) -> str:
    """The name of the joint readout at a width: ``joint@16``."""
    return f"{JOINT}{_MARK}{width}"


def whole_name(readout: str) -> str:
    """The readout that a readout of equal width was made from; other names as they are."""
    return readout.partition(_MARK)[0]


def principal_components(fit: Tensor, held_out: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Both arrays in the first principal components of the first one.

    Args:
        fit: representations that the components are found on, [n, dim].
        held_out: representations that are mapped alike, [n', dim].
        width: number of components, at most ``dim``.

    Returns:
        [n, width] and [n', width], in the arrays' own precision.
    """
    mean = fit.mean(0)
    centred = (fit - mean).double()
    # In float64: small components would be rounding in a float32 product.
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    basis = vectors[:, -width:].flip(1).to(fit.dtype)
    return (fit - mean) @ basis, (held_out - mean) @ basis
