"""Laws of columns and a class, drawn at random from a written family.

May import ``class_pairs`` and ``drawn``.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, get_args

import numpy as np

from fctestbed.information import nats_to_bits
from fctestbed.laws.class_pairs import ClassPair, PlaneClasses, ShiftedClasses, ThresholdClasses
from fctestbed.laws.drawn import (
    ROUGH,
    SMOOTH,
    Margin,
    Mixing,
    changed,
    draw_margins,
    draw_mixing,
    keep_smooth,
    name_of_changes,
    twisted,
)
from fctestbed.laws.law import Array, Kind, Law
from fctestbed.laws.pairs import Function, Noise

_NOISES: tuple[Noise, ...] = get_args(Noise)
_FUNCTIONS: tuple[Function, ...] = get_args(Function)
_LEAST_BITS, _MOST_BITS = 0.02, 2.0
# Of a class, so that some hundred samples have all classes.
_LEAST_WEIGHT = 0.05


@dataclass(frozen=True)
class DrawnClassLaw(Law):
    """A pair of columns and a class, further independent columns, and one-to-one maps of X.

    None of the maps changes the information, which is that of the pair.

    Attributes:
        seed: the seed that the law was drawn with; names it.
        pair: the first columns of X, and Y.
        margins: map of each column of X, after the pair's own distribution.
        mixing: matrix that mixes the columns of X, nested tuples; of one column: 1.
        twist: radians per unit of radius by which the first two columns of X are turned.
    """

    seed: int
    pair: ClassPair
    margins: tuple[Margin, ...]
    mixing: Mixing
    twist: float = 0.0
    kind: ClassVar[Kind] = "mixed"

    @property
    def name(self) -> str:
        """Such as ``drawn classes 3: 2 dims, 4 classes in the plane``."""
        dims = f"{len(self.margins)} dim{'s' if len(self.margins) > 1 else ''}"
        changes = name_of_changes([self.margins], self.twist)
        return f"drawn classes {self.seed}: {dims}, {self.pair.label}{changes}"

    @property
    def smooth(self) -> bool:
        """As of a ``DrawnLaw``, for the density of X in each class."""
        return self.pair.smooth and keep_smooth([self.margins], self.twist)

    @property
    def group(self) -> str:
        """As of a ``DrawnLaw``."""
        return SMOOTH if self.smooth else ROUGH

    @cached_property
    def true_bits(self) -> float:
        """I(X; Y), in bits, within 1e-4."""
        return float(nats_to_bits(self.pair.true_nats()))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        """x, [n, columns], and y, [n] whole numbers."""
        x = rng.standard_normal((n, len(self.margins)))
        x[:, : self.pair.n_columns], y = self.pair.sample(n, rng)
        return twisted(changed(x, self.margins, self.mixing), self.twist), y


def drawn_class_law(seed: int) -> DrawnClassLaw:
    """A law of one to three columns and two to five classes, of 0.02 to 2 bits.

    The classes are shifted and scaled noise on a line (normal, Laplace or uniform), normal
    distributions in the plane, or steps of a linear, sine, square or saturated signal in normal
    noise. Margins, mixings and twists of the columns are those of ``drawn_law``.

    Args:
        seed: seed of the draw, at least 0.

    Raises:
        ValueError: for a negative seed.
    """
    if seed < 0:
        raise ValueError(f"seed: expected at least 0, got {seed}")
    rng = np.random.default_rng([seed, *b"drawn classes"])
    while True:
        law = _draw(seed, rng)
        if _LEAST_BITS <= law.true_bits <= _MOST_BITS:
            return law


def _draw(seed: int, rng: np.random.Generator) -> DrawnClassLaw:
    pair = _draw_pair(rng)
    # Half of the laws have no further columns.
    columns = max(pair.n_columns, int(rng.choice((1, 2, 3), p=(0.5, 0.25, 0.25))))
    margins = draw_margins(rng, (columns, 0))[0]
    mixes, twists = bool(rng.random() < 0.6), rng.random() < 0.15
    plain = set(margins) == {"same"}
    return DrawnClassLaw(
        seed,
        pair,
        margins,
        draw_mixing(rng, columns, mixes),
        float(rng.uniform(0.3, 1.2)) if twists and plain and columns > 1 else 0.0,
    )


def _draw_pair(rng: np.random.Generator) -> ClassPair:
    kind = rng.choice(("shifted", "plane", "threshold"), p=(0.4, 0.3, 0.3))
    size = int(rng.integers(2, 6))
    shares = rng.dirichlet(np.full(size, 3.0))
    weights = tuple(float(w) for w in _LEAST_WEIGHT + (1 - size * _LEAST_WEIGHT) * shares)
    spreads = tuple(float(s) for s in rng.uniform(0.3, 1, size))
    normal = rng.random() < 0.4
    if kind == "shifted":
        means = tuple(float(m) for m in 1.2 * rng.standard_normal(size))
        return ShiftedClasses(
            weights, means, spreads, "normal" if normal else _NOISES[rng.integers(3)]
        )
    if kind == "plane":
        points = tuple((float(a), float(b)) for a, b in rng.standard_normal((size, 2)))
        return PlaneClasses(weights, points, spreads)
    return ThresholdClasses(
        source="normal" if normal else _NOISES[rng.integers(3)],
        function=_FUNCTIONS[rng.integers(4)],
        thresholds=tuple(sorted(float(t) for t in rng.uniform(-1, 1, size - 1))),
        scale=float(np.exp(rng.uniform(np.log(0.1), 0))),
        frequency=float(rng.uniform(1, 4)),
    )
