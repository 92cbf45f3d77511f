"""The codes of readouts, and the channel information of several readouts at once.

Owns how a readout's codewords become codebooks of the oracle. May import ``fctestbed.synthesis``,
``fctestbed.training`` and the oracle.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from fctestbed.measurement.channel import (
    ChannelInformation,
    Codebook,
    Group,
    Readers,
    channel_curve,
    codebook,
    constant_codebook,
    metric,
    noises_of_rates,
    unit_power_codewords,
    whitened,
)
from fctestbed.synthesis import WorldSpec
from fctestbed.training import Readouts, pattern_columns

Power = Literal["per_dimension", "total"]
Form = Literal["metric", "whitened"]
FORMS: tuple[Form, ...] = ("metric", "whitened")
# At low rates posteriors are diffuse, and their entropies differ little from draw to draw.
_FIRST_DRAWS = 512
_FORMS = {"metric": metric, "whitened": whitened}


@dataclass(frozen=True, eq=False)
class ReadoutCode:
    """A readout's codewords: of one modality, of both in separate columns, or of both fused.

    Attributes:
        modalities: the modalities of each part: (1,) and (2,) for two parts, (1, 2) for a fused
            one.
        pieces: for each part its readouts by name. The part is the concatenation of these arrays
            [2^n_bits, width], whose rows are in the order of ``pattern_columns``.
    """

    modalities: tuple[tuple[int, ...], ...]
    pieces: tuple[Mapping[str, Tensor], ...]

    def levels(self, power: Power = "per_dimension") -> list[Tensor]:
        """The codewords of each part, float64. Each piece is centred and scaled to unit power, as
        when it is measured alone, so that no piece holds more than its part.

        Args:
            power: whether the power of a dimension is 1 on average, or that of the whole piece,
                which padding does not change.
        """
        found = []
        for pieces in self.pieces:
            scaled = [unit_power_codewords(piece)[0] for piece in pieces.values()]
            if power == "total":
                scaled = [piece / piece.shape[1] ** 0.5 for piece in scaled]
            found.append(torch.cat(scaled, 1))
        return found


def readout_codes(readouts: Readouts) -> dict[str, ReadoutCode]:
    """The codes of the readouts that have codewords.

    A composed readout is two parts, one for each modality: given the shared bits they are
    independent.
    """
    found: dict[str, ReadoutCode] = {}
    for name, readout in readouts.by_name.items():
        if readout.no_codewords:
            continue
        pieces: dict[tuple[int, ...], dict[str, Tensor]] = {}
        for part in readout.parts or (name,):
            own = readouts.by_name[part]
            if own.codewords is not None:
                pieces.setdefault(own.modalities, {})[part] = own.codewords
        if pieces:
            modalities = tuple(sorted(pieces))
            found[name] = ReadoutCode(modalities, tuple(pieces[key] for key in modalities))
    return found


def readout_information(
    codes: Mapping[str, ReadoutCode],
    groups: Mapping[str, Group],
    world: WorldSpec,
    *,
    taus: Sequence[float],
    target_bits: float,
    targets: Iterable[str],
    max_draws: int,
    seed: int,
    device: torch.device | str = "cpu",
) -> dict[str, tuple[tuple[ChannelInformation, ...], Readers]]:
    """Channel information of every readout at each noise, and which of its representations are the
    readout.

    Args:
        codes: the readouts' codes.
        groups: the groups of bits and the labels, as in ``channel_curve``.
        world: the world whose patterns the codewords are of.
        taus: the noises.
        target_bits: largest standard error.
        targets: the groups whose standard errors count.
        max_draws: most draws.
        seed: of the draws.
        device: where to compute.

    Raises:
        ValueError: for codewords that are not finite.
    """
    targets = tuple(targets)
    books = {name: _books(code, world, "per_dimension") for name, code in codes.items()}
    found: dict[str, tuple[tuple[ChannelInformation, ...], Readers]] = {}
    # Readouts of two parts first: their results include those of parts that are readouts.
    for name in sorted(codes, key=lambda name: -len(books[name])):
        if name in found:
            continue
        curve = channel_curve(
            books[name],
            groups,
            taus=taus,
            target_bits=target_bits,
            targets=targets,
            max_draws=max_draws,
            seed=seed,
            device=device,
        )
        found[name] = curve, tuple(range(1, len(books[name]) + 1))
        for reader, pieces in enumerate(codes[name].pieces, 1):
            if len(pieces) == 1:
                found.setdefault(next(iter(pieces)), (curve, (reader,)))
    return found


def readout_information_at_rates(
    code: ReadoutCode,
    groups: Mapping[str, Group],
    world: WorldSpec,
    *,
    rates: Sequence[float],
    form: Form,
    target_bits: float,
    targets: Iterable[str],
    max_draws: int,
    seed: int,
    device: torch.device | str = "cpu",
) -> tuple[ChannelInformation, ...]:
    """Channel information of one readout at each rate. Its parts share the noise, which lets the
    rate through all of them together.

    Args:
        code: the readout's code.
        groups: the groups of bits and the labels, as in ``channel_curve``.
        world: the world whose patterns the codewords are of.
        rates: in bits.
        form: ``metric``: each part, and each piece of one, at a total power of 1; ``whitened``:
            each direction of each part at a variance of 1.
        target_bits: largest standard error.
        targets: the groups whose standard errors count.
        max_draws: most draws.
        seed: of the draws.
        device: where to compute.

    Raises:
        ValueError: for codewords that are not finite, or a rate that is not a number above 0.
    """
    books = [_FORMS[form](book) for book in _books(code, world, "total")]
    return channel_curve(
        books,
        groups,
        taus=noises_of_rates(books, rates),
        target_bits=target_bits,
        targets=targets,
        first_draws=_FIRST_DRAWS,
        max_draws=max_draws,
        seed=seed,
        device=device,
    )


def _books(code: ReadoutCode, spec: WorldSpec, power: Power) -> list[Codebook]:
    """A codebook for each part of a readout."""
    columns = pattern_columns(spec)
    books = []
    for modalities, level in zip(code.modalities, code.levels(power), strict=True):
        own = columns[modalities]
        constant = not level.any()
        books.append(constant_codebook(own, level.shape[1]) if constant else codebook(level, own))
    return books
