"""Nineteen families of tables p(x1, x2, y), most with probabilities of very different sizes."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Table = NDArray[np.float64]


def _shape(rng: Generator, high: int = 5) -> tuple[int, ...]:
    return tuple(rng.integers(2, high, 3))


def _normalised(table: Table) -> Table:
    return table / table.sum()


def _dirichlet(concentration: float) -> Callable[[Generator], Table]:
    def draw(rng: Generator) -> Table:
        shape = _shape(rng)
        return rng.dirichlet(np.full(np.prod(shape), concentration)).reshape(shape)

    return draw


def _tiny_masses(rng: Generator) -> Table:
    table = rng.random(_shape(rng))
    return np.where(rng.random(table.shape) < 0.5, table * 10.0 ** -rng.integers(4, 9), table)


def _one_part_in_a_million(rng: Generator) -> Table:
    table = rng.random(_shape(rng))
    return np.where(rng.random(table.shape) < rng.random(), 1e-6 * table, table)


def _twelve_orders(rng: Generator) -> Table:
    return 10.0 ** (-12 * rng.random(_shape(rng)))


def _sharp_channels(rng: Generator) -> Table:
    n = rng.integers(2, 5)
    y = rng.dirichlet(np.ones(n))
    first, second = (
        np.eye(n) * (1 - error) + error / n for error in 10.0 ** -rng.uniform(2, 8, size=2)
    )
    return np.einsum("y,yi,yj->ijy", y, first, second)


def _near_copies(rng: Generator) -> Table:
    n = rng.integers(2, 5)
    table, same = np.zeros((n, n, n)), np.arange(n)
    table[same, same, same] = rng.dirichlet(np.ones(n))
    return table + 10.0 ** -rng.uniform(3, 9) * rng.random(table.shape)


def _nearly_equal_sources(rng: Generator) -> Table:
    n = rng.integers(2, 5)
    table, same = np.zeros((n, n, n)), np.arange(n)
    table[same, same] = rng.dirichlet(np.ones(n * n)).reshape(n, n)
    return table + 10.0 ** -rng.uniform(3, 9) * rng.random(table.shape)


def _sparse(rng: Generator) -> Table:
    shape = _shape(rng, 6)
    table = rng.random(shape) * (rng.random(shape) < 0.3)
    table[0, 0, 0] += 0.1
    return table


def _sparse_and_tiny(rng: Generator) -> Table:
    table = _sparse(rng)
    return table * 10.0 ** (-9 * rng.random(table.shape))


def _counts(rng: Generator) -> Table:
    return rng.integers(0, 20, _shape(rng)) + 1e-9


def _nearly_independent(rng: Generator) -> Table:
    shape = _shape(rng)
    product = np.einsum("i,j,y->ijy", *[rng.dirichlet(np.ones(n)) for n in shape])
    return product * np.exp(10.0 ** -rng.uniform(2, 7) * rng.normal(size=shape))


def _nearly_xor(rng: Generator) -> Table:
    first, second = np.indices((2, 2))
    table = np.zeros((2, 2, 2))
    table[first, second, first ^ second] = 0.25
    return table + 10.0 ** -rng.uniform(2, 9) * rng.random(table.shape)


def _erasures(rng: Generator) -> Table:
    first, second = (
        np.array([[1 - erased, 0, erased], [0, 1 - erased, erased]])
        for erased in rng.random(2) * 10.0 ** -rng.uniform(0, 6, 2)
    )
    return np.einsum("y,yi,yj->ijy", rng.dirichlet(np.ones(2)), first, second)


def _rare_labels(rng: Generator) -> Table:
    shape = _shape(rng)
    return rng.random(shape) * 10.0 ** (-8 * rng.random(shape[2]))


def _rare_symbols(rng: Generator) -> Table:
    n1, n2, ny = _shape(rng)
    rarity = rng.random(n1)[:, None, None] + rng.random(n2)[None, :, None]
    return rng.random((n1, n2, ny)) * 10.0 ** (-8 * rarity)


def _nearly_degraded(rng: Generator) -> Table:
    p_x1_y = rng.dirichlet(np.ones(6)).reshape(3, 2)
    table = np.einsum("iy,ij->ijy", p_x1_y, rng.dirichlet(np.full(3, 0.5), 3))
    return table + 10.0 ** -rng.uniform(3, 9) * rng.random(table.shape)


def _near_blocks(rng: Generator) -> Table:
    table = np.zeros((4, 4, 4))
    table[:2, :2, :2] = rng.random((2, 2, 2))
    table[2:, 2:, 2:] = rng.random((2, 2, 2)) * 10.0 ** -rng.uniform(0, 8)
    return table + 10.0 ** -rng.uniform(4, 10) * rng.random(table.shape)


FAMILIES: dict[str, Callable[[Generator], Table]] = {
    "Dirichlet(1)": _dirichlet(1.0),
    "Dirichlet(0.5)": _dirichlet(0.5),
    "Dirichlet(0.1)": _dirichlet(0.1),
    "tiny masses": _tiny_masses,
    "one part in a million": _one_part_in_a_million,
    "twelve orders of magnitude": _twelve_orders,
    "sharp channels": _sharp_channels,
    "near copies": _near_copies,
    "nearly equal sources": _nearly_equal_sources,
    "sparse": _sparse,
    "sparse and tiny": _sparse_and_tiny,
    "counts": _counts,
    "nearly independent": _nearly_independent,
    "nearly XOR": _nearly_xor,
    "erasures": _erasures,
    "rare labels": _rare_labels,
    "rare symbols": _rare_symbols,
    "nearly degraded": _nearly_degraded,
    "near blocks": _near_blocks,
}


def draw(family: str, seed: int) -> Table:
    """A table of a family, the same for the same seed."""
    return _normalised(
        FAMILIES[family](np.random.default_rng([list(FAMILIES).index(family), seed]))
    )
