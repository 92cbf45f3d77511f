"""The bits of codes at a stated rate, or through a stated noise, by the exact oracle.

Owns the groups that a level reports. May import torch, ``fctestbed.measurement``,
``fctestbed.training`` and ``fctestbed.synthesis``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from fctestbed.measurement import (
    Form,
    ReadoutCode,
    readout_information,
    readout_information_at_rates,
)
from fctestbed.measurement.channel import Group, label_channel
from fctestbed.objectives import JOINT, Method
from fctestbed.synthesis import WorldSpec, world_truth
from fctestbed.training import fused_patterns

_TARGET_BITS = 0.01
_MAX_DRAWS = 1 << 15


@dataclass(frozen=True, kw_only=True)
class Bits:
    """What a reader takes of a representation, in bits.

    Attributes:
        label: of the label, I(Z; Y).
        shared: of the shared block.
        unique: of both unique blocks.
    """

    label: float
    shared: float
    unique: float


def true_bits(world: WorldSpec) -> Bits:
    """What the world holds: the label's information, and the sizes of the blocks."""
    truth = world_truth(world)
    return Bits(
        label=truth.total_bits, shared=truth.w_s_bits, unique=truth.w_1_bits + truth.w_2_bits
    )


def module_codes(
    method: Method,
    module: nn.Module,
    world: WorldSpec,
    inputs: tuple[Tensor, Tensor],
    *,
    runs: Sequence[int],
    as_scored: bool,
) -> list[ReadoutCode]:
    """The codes of a method's joint readout, fused or its parts of each modality, of some runs.

    Args:
        method: the method.
        module: its networks, or tables in their place.
        world: of the patterns; its label does not matter.
        inputs: every pattern of each modality, [stack, patterns, dim], in the order of
            ``pattern_columns``.
        runs: places in the stack.
        as_scored: whether arrays whose length the loss does not depend on, as it scores them by
            their cosines, are scaled to length 1.
    """
    with torch.no_grad():
        pieces = joint_pieces(method, module, world, inputs, as_scored=as_scored)
    return [
        ReadoutCode(
            tuple(pieces),
            tuple(
                {name: array[run].clone() for name, array in part.items()}
                for part in pieces.values()
            ),
        )
        for run in runs
    ]


def joint_pieces(
    method: Method,
    module: nn.Module,
    world: WorldSpec,
    inputs: tuple[Tensor, Tensor],
    *,
    as_scored: bool,
) -> dict[tuple[int, ...], dict[str, Tensor]]:
    """What a method's joint readout is made of: for each part, by the modalities that it reads, the
    arrays of all patterns, [stack, patterns, width].

    Args:
        method: the method.
        module: its networks, or tables in their place.
        world: of the patterns.
        inputs: as in ``module_codes``.
        as_scored: as in ``module_codes``.

    Raises:
        ValueError: one line, for a method without a joint readout.
    """
    settings: Any = method.settings
    by_cosine = getattr(settings, "critic", None) == "cosine"
    unit = as_scored and by_cosine and getattr(settings, "normalize", True)

    def scaled(array: Tensor) -> Tensor:
        return normalize(array, dim=-1) if unit else array

    x1, x2 = inputs
    if JOINT in method.fused:
        first, second = (torch.from_numpy(index) for index in fused_patterns(world))
        return {
            (1, 2): {JOINT: scaled(method.readouts(module, x1[:, first], x2[:, second])[JOINT])}
        }
    n = max(x1.shape[1], x2.shape[1])
    # Readouts take as many samples of both modalities.
    padded = [x[:, torch.arange(n) % x.shape[1]] for x in (x1, x2)]
    readouts = method.readouts(module, padded[0], padded[1])
    pieces: dict[tuple[int, ...], dict[str, Tensor]] = {(1,): {}, (2,): {}}
    parts = method.joint_parts(readouts)
    if not parts:
        raise ValueError("readouts: expected a joint one, got a modality without a readout")
    for name in parts:
        (modality,) = method.reads(name)
        held = (x1, x2)[modality - 1].shape[1]
        pieces[(modality,)][name] = scaled(readouts[name][:, :held])
    return pieces


def read_bits(
    code: ReadoutCode,
    world: WorldSpec,
    *,
    rate: float | None = None,
    tau: float | None = None,
    form: Form = "metric",
    seed: int = 0,
) -> Bits:
    """The label's, the shared and the unique bits of a representation, with Monte Carlo errors of
    about 0.01 bit.

    Args:
        code: of a readout.
        world: the world of the patterns.
        rate: the rate that the reader takes, in bits.
        tau: the noise per dimension of codes of unit power, in its place.
        form: at a rate, as in ``readout_information_at_rates``.
        seed: of the draws.

    Raises:
        ValueError: if not exactly one of ``rate`` and ``tau`` is given.
    """
    n_s, n_1, n_2 = world.block_sizes
    groups: dict[str, Group] = {
        "shared": tuple(range(n_s)),
        "unique1": tuple(range(n_s, n_s + n_1)),
        "unique2": tuple(range(n_s + n_1, n_s + n_1 + n_2)),
        "label": label_channel(world),
    }
    if rate is not None and tau is None:
        (found,) = readout_information_at_rates(
            code,
            groups,
            world,
            rates=(rate,),
            form=form,
            target_bits=_TARGET_BITS,
            targets=tuple(groups),
            max_draws=_MAX_DRAWS,
            seed=seed,
        )
    elif tau is not None and rate is None:
        curves = readout_information(
            {JOINT: code},
            groups,
            world,
            taus=(tau,),
            target_bits=_TARGET_BITS,
            targets=tuple(groups),
            max_draws=_MAX_DRAWS,
            seed=seed,
        )
        (found,) = curves[JOINT][0]
    else:
        raise ValueError("rate: expected a rate or a tau, one of them, got both or none")
    bits = {name: found.information(name).value_bits for name in groups}
    return Bits(
        label=bits["label"], shared=bits["shared"], unique=bits["unique1"] + bits["unique2"]
    )
