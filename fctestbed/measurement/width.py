"""The joint readout at one width, so that methods can be compared whose readouts differ in width.

Owns the reduction and its rows. May import ``fctestbed.results`` and ``fctestbed.training``.
"""

from dataclasses import replace

import torch
from torch import Tensor

from fctestbed.measurement.meters import Measured
from fctestbed.results import JOINT, equal_width_name
from fctestbed.training import Readout, Readouts


def with_equal_width(readouts: Readouts, width: int | None) -> Readouts:
    """The readouts, and after them the joint one in its first ``width`` principal components, where
    it is wider."""
    joint = readouts.by_name.get(JOINT)
    if joint is None or width is None or joint.width <= width:
        return readouts
    train, test = principal_components(joint.train, joint.test, width)
    reduced = Readout(modalities=joint.modalities, train=train, test=test)
    return Readouts({**readouts.by_name, equal_width_name(width): reduced})


def repeated_at_equal_width(measured: Measured, readouts: Readouts, width: int | None) -> Measured:
    """The rows, and after them those of a joint readout that is ``width`` wide already, a second
    time under the name that every method's readout of this width has."""
    joint = readouts.by_name.get(JOINT)
    if joint is None or width is None or joint.width != width:
        return measured
    name = equal_width_name(width)
    return measured + Measured(
        captured=tuple(replace(r, readout=name) for r in measured.captured if r.readout == JOINT),
        accuracy=tuple(replace(r, readout=name) for r in measured.accuracy if r.readout == JOINT),
    )


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
