"""The planar label: the class of the relevant latents after one planar-flow step.

May import numpy, ``products`` and ``labels``.
"""

from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field, NonNegativeInt

from fctestbed.synthesis.labels.classes import ClassLabel
from fctestbed.synthesis.products import product
from fctestbed.synthesis.record import Option

_CHUNK = 1 << 16


class Flow(NamedTuple):
    """Matrices ``W``, ``U`` (r, r), ``b`` (r,), ``H`` (r, n_classes) of a planar label."""

    W: npt.NDArray[np.float64]
    b: npt.NDArray[np.float64]
    U: npt.NDArray[np.float64]
    H: npt.NDArray[np.float64]


class PlanarLabel(ClassLabel):
    """The official planar-flow label: z <- z + tanh(z W + b) U, class = argmax(z H).

    z holds the relevant latents (shared, unique 1, unique 2; bits as +-1). W, b, U, H have N(0, 1)
    entries from ``flow_seed`` (with N(2, 1), as in the official code, only two or three classes
    occur). Here ``unique_ratio`` is a ratio of latents; the ratio of information is in the truth.
    """

    kind: Literal["planar"] = "planar"
    n_classes: Annotated[
        int, Field(ge=2, le=4096, description="Number of classes."), Option("--classes")
    ] = 20
    flow_seed: Annotated[NonNegativeInt, Field(description="Seed of the flow's matrices.")] = 0

    @property
    def flow(self) -> Flow:
        """The matrices, which depend only on the seed and the sizes."""
        return _flow(self.flow_seed, self.n_relevant, self.n_classes)

    def classify(self, relevant: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Classes of shape (n,) of signed relevant latents of shape (n, n_relevant)."""
        return planar_labels(relevant, *self.flow)


def planar_labels(
    relevant: npt.NDArray[Any],
    W: npt.NDArray[np.float64],
    b: npt.NDArray[np.float64],
    U: npt.NDArray[np.float64],
    H: npt.NDArray[np.float64],
) -> npt.NDArray[np.int64]:
    """argmax of (z + tanh(z W + b) U) H for z = the relevant latents, shape (n, r).

    Args:
        relevant: signed latents, shape (n, r).
        W: shape (r, r).
        b: shape (r,).
        U: shape (r, r).
        H: shape (r, n_classes).

    Source:
        ``get_planar_flow_labels`` in FactorCL's Synthetic/dataset.py at 033f2a3.
    """
    classes = np.empty(len(relevant), dtype=np.int64)
    for start in range(0, len(relevant), _CHUNK):
        z = relevant[start : start + _CHUNK].astype(np.float64)
        hidden = product(z, W)
        hidden += b
        z += product(np.tanh(hidden, out=hidden), U)
        classes[start : start + _CHUNK] = product(z, H).argmax(axis=1)
    return classes


@lru_cache(maxsize=64)
def _flow(seed: int, n_relevant: int, n_classes: int) -> Flow:
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    flow = Flow(
        W=rng.standard_normal((n_relevant, n_relevant)),
        b=rng.standard_normal(n_relevant),
        U=rng.standard_normal((n_relevant, n_relevant)),
        H=rng.standard_normal((n_relevant, n_classes)),
    )
    for matrix in flow:
        matrix.flags.writeable = False
    return flow
