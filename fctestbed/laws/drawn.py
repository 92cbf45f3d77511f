"""Laws drawn at random from a written family, for judging what was tuned on other laws.

May import ``pairs``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from fctestbed.information import nats_to_bits
from fctestbed.laws.law import Array, Kind, Law
from fctestbed.laws.pairs import (
    ChannelPair,
    ColumnPair,
    CopulaPair,
    Floats,
    Function,
    MixturePair,
    Noise,
    RoundPair,
)

Margin = Literal["same", "exponential", "uniform", "cube", "sinh"]
Mixing = tuple[tuple[float, ...], ...]

_MARGINS: dict[Margin, Callable[[Floats], NDArray[Any]]] = {
    "same": lambda v: v,
    "exponential": lambda v: np.exp(0.7 * v),
    "uniform": ndtr,
    "cube": lambda v: v**3,
    "sinh": lambda v: np.sinh(1.5 * v),
}
_SMOOTH_MARGINS: tuple[Margin, ...] = ("same", "exponential")
# Numbers of columns of X and of Y, half of them 1 + 1.
_SHAPES = (*[(1, 1)] * 6, (1, 2), (2, 1), (2, 2), (3, 2), (2, 3), (3, 3))
_FUNCTIONS: tuple[Function, ...] = get_args(Function)
_NOISES: tuple[Noise, ...] = get_args(Noise)
# A drawn law has at least and at most so much information, in bits.
_LEAST_BITS, _MOST_BITS = 0.02, 3.0
SMOOTH, ROUGH = "drawn, smooth", "drawn, rough"
"""The groups of drawn laws."""


@dataclass(frozen=True)
class DrawnLaw(Law):
    """Independent pairs of columns, further independent columns, and one-to-one maps of each side.

    None of the maps changes the information, which is the sum of that of the pairs.

    Attributes:
        seed: the seed that the law was drawn with; names it.
        pairs: the pairs.
        margins: map of each column of X and of Y, after the pairs' own distributions.
        mixing: matrices that mix the columns of X and of Y, nested tuples; of one column: 1.
        twist: radians per unit of radius by which the first two columns of X are turned.
    """

    seed: int
    pairs: tuple[ColumnPair, ...]
    margins: tuple[tuple[Margin, ...], tuple[Margin, ...]]
    mixing: tuple[Mixing, Mixing]
    twist: float = 0.0
    kind: ClassVar[Kind] = "continuous"

    @property
    def name(self) -> str:
        """Such as ``drawn 3: 2 + 2 dims, clayton(1.2)``."""
        dims = f"{len(self.margins[0])} + {len(self.margins[1])} dims"
        pairs = " & ".join(pair.label for pair in self.pairs)
        changes = name_of_changes(self.margins, self.twist)
        return f"drawn {self.seed}: {dims}, {pairs}{changes}"

    @property
    def group(self) -> str:
        """``SMOOTH`` or ``ROUGH``."""
        return SMOOTH if self.smooth else ROUGH

    @property
    def smooth(self) -> bool:
        """Whether the density has derivatives everywhere and no tails longer than log-normal ones,
        and X is not twisted."""
        return all(pair.smooth for pair in self.pairs) and keep_smooth(self.margins, self.twist)

    @cached_property
    def true_bits(self) -> float:
        """I(X; Y), in bits, within 1e-4."""
        return float(nats_to_bits(sum(pair.true_nats() for pair in self.pairs)))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        """x and y, [n, columns]."""
        sides = [rng.standard_normal((n, len(side))) for side in self.margins]
        for column, pair in enumerate(self.pairs):
            sides[0][:, column], sides[1][:, column] = pair.sample(n, rng)
        x, y = map(changed, sides, self.margins, self.mixing)
        return twisted(x, self.twist), y


def name_of_changes(margins: Sequence[Sequence[Margin]], twist: float) -> str:
    """Such as ``, margins cube sinh, twist 0.5``; empty for none."""
    names = sorted({margin for side in margins for margin in side} - {"same"})
    turned = f", twist {twist:.2g}" if twist else ""
    return (f", margins {' '.join(names)}" if names else "") + turned


def keep_smooth(margins: Sequence[Sequence[Margin]], twist: float) -> bool:
    """Whether these maps keep a density smooth, and its tails at most log-normal."""
    return not twist and {margin for side in margins for margin in side} <= set(_SMOOTH_MARGINS)


def changed(side: Floats, margins: Sequence[Margin], mixing: Mixing) -> Floats:
    """Columns with other margins, mixed by a matrix."""
    columns = [_MARGINS[margin](column) for margin, column in zip(margins, side.T, strict=True)]
    return np.asarray(np.column_stack(columns) @ np.array(mixing))


def twisted(side: Floats, twist: float) -> Floats:
    """The first two columns turned by ``twist`` radians per unit of radius."""
    if not twist:
        return side
    a, b = side[:, 0], side[:, 1]
    angle = twist * np.hypot(a, b)
    turned = side.copy()
    turned[:, 0] = np.cos(angle) * a - np.sin(angle) * b
    turned[:, 1] = np.sin(angle) * a + np.cos(angle) * b
    return turned


def drawn_law(seed: int) -> DrawnLaw:
    """A continuous law drawn from a family of pairs, margins, mixings and numbers of columns.

    The pairs are Gaussian, Student and Clayton copulas, mixtures of normal distributions, additive
    normal, Laplace and uniform noise on a linear, sine, square or saturated signal, and points on a
    circle or in a disc. There are 1 + 1 to 3 + 3 columns and 0.02 to 3 bits.

    Args:
        seed: seed of the draw, at least 0.

    Raises:
        ValueError: for a negative seed.
    """
    if seed < 0:
        raise ValueError(f"seed: expected at least 0, got {seed}")
    rng = np.random.default_rng([seed, *b"drawn law"])
    while True:
        law = _draw(seed, rng)
        if _LEAST_BITS <= law.true_bits <= _MOST_BITS:
            return law


def _draw(seed: int, rng: np.random.Generator) -> DrawnLaw:
    columns = _SHAPES[rng.integers(len(_SHAPES))]
    n_pairs = int(rng.integers(1, min(columns) + 1))
    pairs = tuple(_draw_pair(rng) for _ in range(n_pairs))
    margins = draw_margins(rng, columns)
    mixes, twists = bool(rng.random() < 0.6), rng.random() < 0.15
    plain = set(margins[0]) == {"same"}
    return DrawnLaw(
        seed,
        pairs,
        margins,
        (draw_mixing(rng, columns[0], mixes), draw_mixing(rng, columns[1], mixes)),
        float(rng.uniform(0.3, 1.2)) if twists and plain and columns[0] > 1 else 0.0,
    )


def draw_margins(
    rng: np.random.Generator, columns: tuple[int, int]
) -> tuple[tuple[Margin, ...], tuple[Margin, ...]]:
    """Half of the laws keep the margins of their pairs, and a fifth have smooth ones."""
    choice = rng.random()
    if choice < 0.5:
        same: Margin = "same"
        return (same,) * columns[0], (same,) * columns[1]
    names: tuple[Margin, ...] = _SMOOTH_MARGINS if choice < 0.7 else get_args(Margin)
    choices: list[list[Margin]] = [
        [names[i] for i in rng.integers(len(names), size=dim)] for dim in columns
    ]
    return tuple(choices[0]), tuple(choices[1])


def draw_mixing(rng: np.random.Generator, dim: int, mixes: bool) -> Mixing:
    """A rotation with scales of 0.5 to 2, or none."""
    matrix = np.eye(dim)
    if mixes and dim > 1:
        rotation = np.linalg.qr(rng.standard_normal((dim, dim)))[0]
        matrix = rotation * np.exp2(rng.uniform(-1, 1, dim))
    return tuple(tuple(float(v) for v in row) for row in matrix)


def _draw_pair(rng: np.random.Generator) -> ColumnPair:
    kind = rng.choice(
        ("gaussian", "student", "clayton", "mixture", "channel", "round"),
        p=(0.25, 0.1, 0.1, 0.2, 0.25, 0.1),
    )
    sign = rng.choice((-1, 1))
    if kind == "gaussian":
        return CopulaPair("gaussian", float(sign * rng.uniform(0.1, 0.95)))
    if kind == "student":
        return CopulaPair(
            "student", float(sign * rng.uniform(0, 0.9)), float(rng.choice((2, 3, 5)))
        )
    if kind == "clayton":
        return CopulaPair("clayton", float(np.exp(rng.uniform(np.log(0.3), np.log(6)))))
    if kind == "mixture":
        return _draw_mixture(rng)
    if kind == "round":
        filled = bool(rng.random() < 0.5)
        noise = float(np.exp(rng.uniform(np.log(0.1), np.log(0.5))))
        return RoundPair(filled, 0.0 if filled and rng.random() < 0.5 else noise)
    normal = rng.random() < 0.4
    return ChannelPair(
        source="normal" if normal else _NOISES[rng.integers(3)],
        function=_FUNCTIONS[rng.integers(4)],
        noise="normal" if normal else _NOISES[rng.integers(3)],
        scale=float(np.exp(rng.uniform(np.log(0.15), 0))),
        frequency=float(rng.uniform(1, 4)),
    )


def _draw_mixture(rng: np.random.Generator) -> MixturePair:
    size = int(rng.integers(2, 5))

    def pairs(values: Floats) -> tuple[tuple[float, float], ...]:
        return tuple((float(a), float(b)) for a, b in values)

    return MixturePair(
        weights=tuple(float(w) for w in rng.dirichlet(np.full(size, 2.0))),
        means=pairs(1.2 * rng.standard_normal((size, 2))),
        spreads=pairs(rng.uniform(0.3, 1, (size, 2))),
        correlations=tuple(float(r) for r in rng.uniform(-0.9, 0.9, size)),
    )
