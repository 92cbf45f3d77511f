"""The oracle's result: posterior entropies, and the information quantities that are sums of them.

Owns the arithmetic from entropies to information and its standard errors. May import numpy.
"""

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fctestbed.information import nats_to_bits
from fctestbed.measurement.channel.labels import LabelChannel
from fctestbed.measurement.channel.marginals import Columns

Readers = tuple[int, ...]
"""Which representations an information is about: (1,), (2,), both, or none."""
Group = Columns | LabelChannel
# An entropy's variable: columns, or the name of a label.
Target = frozenset[int] | str
Key = tuple[Readers, Target]


@dataclass(frozen=True)
class ChannelBits:
    """An amount of information, in bits, with its Monte Carlo standard error.

    Attributes:
        value_bits: the estimate: unbiased, so it may fall below 0 by a few errors.
        standard_error_bits: of the value; 0 where it is exact.
        ceiling_bits: its exact upper limit.
        n_draws: draws that it is estimated from.
    """

    value_bits: float
    standard_error_bits: float
    ceiling_bits: float
    n_draws: int


@dataclass(frozen=True, eq=False)
class Amount:
    """A weighted sum of mean posterior entropies, by their places, and a constant, in nats; amounts
    add and subtract."""

    weights: Mapping[int, float]
    constant: float

    def __add__(self, other: "Amount") -> "Amount":
        return self._plus(other, 1.0)

    def __sub__(self, other: "Amount") -> "Amount":
        return self._plus(other, -1.0)

    def _plus(self, other: "Amount", sign: float) -> "Amount":
        weights = dict(self.weights)
        for place, weight in other.weights.items():
            weights[place] = weights.get(place, 0.0) + sign * weight
        return Amount(weights, self.constant + sign * other.constant)


@dataclass(frozen=True, eq=False)
class ChannelInformation:
    """What one or two representations hold, through noise of one strength.

    Attributes:
        tau: the noise.
        n_draws: draws of the representation.
        groups: the groups of bits and the labels that were requested.
        columns: the bits of each representation.
        places: the index of each posterior entropy in ``mean`` and ``covariance``.
        mean: mean posterior entropies in nats.
        covariance: their covariance (of the means, not of single draws).
    """

    tau: float
    n_draws: int
    groups: Mapping[str, Group]
    columns: tuple[Columns, ...]
    places: Mapping[Key, int]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    _answers: dict[Hashable, ChannelBits] = field(default_factory=dict, init=False, repr=False)

    def information(
        self,
        group: str | Iterable[int],
        *,
        of: Readers | None = None,
        given: str | Iterable[int] = (),
        known: Readers = (),
    ) -> ChannelBits:
        """I(Z_of; group | given, Z_known), in bits.

        Args:
            group: a name of ``groups``, or columns.
            of: the representations: all by default.
            given: a name or columns of the condition: I(Z; W_s | W_1).
            known: representations of the condition: I(Z_1; Y | Z_2).

        Raises:
            ValueError: for a name that is not in ``groups``, or a union of group and given whose
                posterior was not computed.
        """
        group, given = (
            part if isinstance(part, str) else frozenset(part) for part in (group, given)
        )
        question = group, of, given, known
        # Rows of several data sets ask the same.
        if question not in self._answers:
            amount = self.amount(group, of=of, given=given, known=known)
            self._answers[question] = self.evaluate(amount, group)
        return self._answers[question]

    def amount(
        self,
        group: str | Iterable[int],
        *,
        of: Readers | None = None,
        given: str | Iterable[int] = (),
        known: Readers = (),
    ) -> Amount:
        """``information`` as a sum that can be added to others before it is evaluated."""
        everyone = tuple(range(1, len(self.columns) + 1))
        together = tuple(sorted({*known, *(everyone if of is None else of)}))
        if not set(together) <= set(everyone):
            raise ValueError(f"of: expected representations among {everyone}, got {together}")
        return self._entropy(group, given, known) - self._entropy(group, given, together)

    def between(self) -> ChannelBits:
        """I(Z1; Z2) = I(Z1; W_s) + I(Z2; W_s) - I(Z1, Z2; W_s), in bits.

        Raises:
            ValueError: for a single representation.
        """
        if len(self.columns) != 2:
            raise ValueError(f"between: expected two representations, got {len(self.columns)}")
        shared = set(self.columns[0]) & set(self.columns[1])
        both = self.amount(shared, of=(1,)) + self.amount(shared, of=(2,)) - self.amount(shared)
        return self.evaluate(both, shared)

    def evaluate(self, amount: Amount, group: str | Iterable[int]) -> ChannelBits:
        """An amount in bits with its standard error; its ceiling is the group's entropy."""
        weights = amount.weights.items()
        nats = sum(weight * self.mean.item(place) for place, weight in weights)
        variance = sum(
            weight * other * self.covariance.item(place, column)
            for place, weight in weights
            for column, other in weights
        )
        return ChannelBits(
            value_bits=nats_to_bits(nats + amount.constant),
            standard_error_bits=nats_to_bits(math.sqrt(max(variance, 0.0))),
            ceiling_bits=nats_to_bits(self._prior(self._target(group))),
            n_draws=self.n_draws,
        )

    def largest_error_bits(self, names: Iterable[str] | None = None) -> float:
        """Largest standard error of I(Z; group) over groups and representations.

        Args:
            names: the groups; all of ``groups`` by default.
        """
        readers = {reader for reader, _ in self.places}
        return max(
            (
                self.information(name, of=reader).standard_error_bits
                for name in (self.groups if names is None else names)
                for reader in readers
            ),
            default=0.0,
        )

    def _entropy(
        self, group: str | Iterable[int], given: str | Iterable[int], of: Readers
    ) -> Amount:
        """H(group | given, Z_of)."""
        target, known = self._target(group), self._target(given)
        if not known:
            return self._posterior(target, of)
        if isinstance(target, str) or isinstance(known, str):
            raise ValueError(f"given: expected groups of bits, got a label ({target}, {known})")
        return self._posterior(target | known, of) - self._posterior(known, of)

    def _posterior(self, target: Target, of: Readers) -> Amount:
        if not of:
            return Amount({}, self._prior(target))
        return Amount(*self._terms(target, of))

    def _terms(self, target: Target, of: Readers) -> tuple[dict[int, float], float]:
        """Entropies whose weighted sum, with a constant, is H(target | Z_of)."""
        if isinstance(target, str):
            return {self.places[of, target]: 1.0}, 0.0
        seen = target & {column for reader in of for column in self.columns[reader - 1]}
        # A bit that no representation depends on is fair given them.
        coins = len(target - seen) * math.log(2)
        if not seen:
            return {}, coins
        if (of, seen) in self.places:
            return {self.places[of, seen]: 1.0}, coins
        return self._chained(seen, of), coins

    def _chained(self, seen: frozenset[int], of: Readers) -> dict[int, float]:
        """H(W_s, A_1, A_2 | Z_1, Z_2) = H(W_s | Z_1, Z_2) + sum of H(A_m | W_s, Z_m): given w_s the
        two modalities are independent."""
        shared = frozenset(self.columns[0]) & frozenset(self.columns[-1])
        weights: dict[int, float] = {}
        wanted: list[tuple[Key, float]] = [((of, shared), 1.0)]
        for reader in of:
            own = seen & set(self.columns[reader - 1])
            wanted += [(((reader,), own), 1.0), (((reader,), shared), -1.0)]
        if len(of) < 2 or not shared <= seen or any(key not in self.places for key, _ in wanted):
            raise ValueError(
                f"group: expected one whose posterior was taken (ask for it by name), got the "
                f"columns {sorted(seen)} of representation {of}"
            )
        for key, weight in wanted:
            place = self.places[key]
            weights[place] = weights.get(place, 0.0) + weight
        return weights

    def _target(self, group: str | Iterable[int]) -> Target:
        if not isinstance(group, str):
            return frozenset(group)
        if group not in self.groups:
            raise ValueError(f"group: expected one of {', '.join(self.groups)}, got {group!r}")
        named = self.groups[group]
        return frozenset(named) if isinstance(named, tuple) else group

    def _prior(self, target: Target) -> float:
        if not isinstance(target, str):
            return len(target) * math.log(2)
        label = self.groups[target]
        assert not isinstance(label, tuple)
        return label.entropy_nats
