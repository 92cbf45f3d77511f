"""The joint readout at one width, to compare methods whose readouts differ in width.

Owns the reduction and its rows. May import ``fctestbed.results`` and ``fctestbed.training``.
"""

from dataclasses import replace

import torch
from torch import Tensor

from fctestbed.measurement.meters import Measured
from fctestbed.results import JOINT, equal_width_name
from fctestbed.training import Readout, Readouts


def with_equal_width(readouts: Readouts, width: int | None) -> Readouts:
    """The readouts, followed by the first ``width`` principal components of the joint readout if it
    is wider than that."""
    joint = readouts.by_name.get(JOINT)
    if joint is None or width is None or joint.width <= width:
        return readouts
    train, test = principal_components(joint.train, joint.test, width)
    reduced = Readout(modalities=joint.modalities, train=train, test=test)
    return Readouts({**readouts.by_name, equal_width_name(width): reduced})


def repeated_at_equal_width(measured: Measured, readouts: Readouts, width: int | None) -> Measured:
    """The rows. If the joint readout already has this width, its rows are repeated under the name
    of the readout at equal width."""
    joint = readouts.by_name.get(JOINT)
    if joint is None or width is None or joint.width != width:
        return measured
    name = equal_width_name(width)
    return measured + Measured(
        captured=tuple(replace(r, readout=name) for r in measured.captured if r.readout == JOINT),
        accuracy=tuple(replace(r, readout=name) for r in measured.accuracy if r.readout == JOINT),
    )


def principal_components(fit: Tensor, held_out: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Both arrays in the first principal components of ``fit``.

    Args:
        fit: representations that the components are computed from, [n, dim].
        held_out: representations that are mapped to the same components, [n', dim].
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
