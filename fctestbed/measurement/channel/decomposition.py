"""What a representation holds of the label, decomposed into S, U1 and U2; and how well a factorised
method separates shared from unique bits.

Owns S, U1, U2 of a pair of representations, and the separation score. May import this package.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fctestbed.measurement.channel.result import ChannelBits, ChannelInformation


@dataclass(frozen=True, kw_only=True)
class Decomposition:
    """The information of (Z1, Z2) about the label, in the channel sense, in bits.

    Comparable with S, U1, U2 of the world (``Truth``), up to what the noise removes.

    Attributes:
        shared: S = I(Z1; Y) + I(Z2; Y) - I(Z1, Z2; Y); negative where synergy exceeds redundancy.
        unique1: U1 = I(Z1; Y | Z2).
        unique2: U2 = I(Z2; Y | Z1).
        total: I(Z1, Z2; Y) = S + U1 + U2.

    Source:
        Liang et al. 2023 (FactorCL), Eq. 1, with Z for X.
    """

    shared: ChannelBits
    unique1: ChannelBits
    unique2: ChannelBits
    total: ChannelBits


def decompose(found: ChannelInformation, label: str = "label") -> Decomposition:
    """S, U1, U2 of two representations about a label.

    Args:
        found: channel information of two representations, the label among its groups.
        label: the label's name.

    Raises:
        ValueError: for a single representation, or a name that is not in ``found.groups``.
    """
    if len(found.columns) != 2:
        raise ValueError(f"found: expected two representations, got {len(found.columns)}")
    total = found.amount(label)
    alone = [found.amount(label, of=(reader,)) for reader in (1, 2)]
    return Decomposition(
        shared=found.evaluate(alone[0] + alone[1] - total, label),
        unique1=found.evaluate(total - alone[1], label),
        unique2=found.evaluate(total - alone[0], label),
        total=found.evaluate(total, label),
    )


@dataclass(frozen=True, kw_only=True)
class Separation:
    """How well the parts of one modality's factorised representation separate the blocks, in bits.

    Attributes:
        shared_in_s_bits: I(Z_S; w_s).
        shared_in_u_bits: I(Z_U; w_s), shared bits in the wrong part.
        unique_in_s_bits: I(Z_S; w_m), unique bits in the wrong part.
        unique_in_u_bits: I(Z_U; w_m).
    """

    shared_in_s_bits: float
    shared_in_u_bits: float
    unique_in_s_bits: float
    unique_in_u_bits: float

    @property
    def shared_share(self) -> float | None:
        """Share of the shared bits that is in Z_S; None where neither part has any."""
        return _share(self.shared_in_s_bits, self.shared_in_u_bits)

    @property
    def unique_share(self) -> float | None:
        """Share of the unique bits that is in Z_U; None where neither part has any."""
        return _share(self.unique_in_u_bits, self.unique_in_s_bits)

    @property
    def leak_bits(self) -> float:
        """Bits of both blocks that are in the wrong part."""
        return self.shared_in_u_bits + self.unique_in_s_bits


def separation(value_bits: Mapping[tuple[str, str], float], modality: int) -> Separation:
    """The separation of a factorised method's parts of one modality.

    Args:
        value_bits: exact readings at one noise or rate by (readout, quantity): ``z_s1``, ``z_u1``
            and ``shared``, ``unique1`` for modality 1, as in the rows of a results store.
        modality: 1 or 2.

    Raises:
        ValueError: if a part was not measured.
    """

    def bits(factor: str, quantity: str) -> float:
        key = (f"z_{factor}{modality}", quantity)
        if key not in value_bits:
            raise ValueError(f"value_bits: expected {' / '.join(key)} among them, got none")
        return value_bits[key]

    unique = f"unique{modality}"
    return Separation(
        shared_in_s_bits=bits("s", "shared"),
        shared_in_u_bits=bits("u", "shared"),
        unique_in_s_bits=bits("s", unique),
        unique_in_u_bits=bits("u", unique),
    )


def _share(here: float, there: float) -> float | None:
    total = here + there
    return here / total if total > 0 else None
