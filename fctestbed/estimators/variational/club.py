"""CLUB with a known conditional: the Jeffreys divergence.

Owns the estimator. May import torch and ``fctestbed.information``.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from fctestbed.estimators.base import Array, Direction, Estimate, Estimator, Target
from fctestbed.estimators.inputs import check_columns_vary, checked, refuse_given
from fctestbed.estimators.intervals import HALF_WIDTH, mean_interval
from fctestbed.estimators.variational import readings
from fctestbed.information.units import nats_to_bits

LogDensity = Callable[[Array, Array], Array]


@dataclass(frozen=True, kw_only=True)
class Club(Estimator):
    """CLUB with the true conditional log p(y | x): nothing is trained.

    Bounds: I(X; Y) from above in expectation, by the Jeffreys divergence KL(joint || product) +
    KL(product || joint) that it estimates. Fails: as a measurement; it is a penalty, 4.26 nats for
    a Gaussian pair of correlation .9 that holds 0.83, d (exp(2I/d) - 1) for d equal pairs, infinite
    for a noise-free link. Its ceiling is infinite.

    Attributes:
        log_density: gives log p(y_j | x_i), in nats, in row i and column j, from x (n, ...) and y
            (m, ...); -inf for what cannot happen.
        read_block: most samples whose pairs are read together.

    Source:
        Cheng et al. 2020, Eq. 9; the identity: Palomar and Verdu 2008 (lautum information).
    """

    name: ClassVar[str] = "club"
    bound: ClassVar[Direction] = "upper"
    target: ClassVar[Target] = "jeffreys"
    conditional: ClassVar[bool] = False
    log_density: LogDensity
    read_block: int = 1024

    def estimate(self, x: Array, y: Array, given: Array | None = None) -> Estimate:
        """As ``Estimator.estimate``; infinite, without an interval, where a pair of the product
        cannot happen.

        Raises:
            ValueError: also for a density of another shape, NaN, or a sample that it excludes.
        """
        refuse_given(self.name, given)
        for name, array in checked(x, y, least=2).items():
            check_columns_vary(name, array)
        n = len(x)
        blocks = [
            self._pseudo_values(np.asarray(x)[rows], np.asarray(y)[rows])
            for rows in np.array_split(np.arange(n), -(-n // self.read_block))
        ]
        values = np.concatenate(blocks)
        finite = bool(np.isfinite(values).all())
        mean, low, high = (
            mean_interval(nats_to_bits(values)) if finite else (math.inf, math.nan, math.nan)
        )
        return Estimate(
            estimator=self.name,
            bound=self.bound,
            value_bits=mean,
            low_bits=low,
            high_bits=high,
            ceiling_bits=math.inf,
            n_samples=n,
            se_bits=(high - low) / (2 * HALF_WIDTH),
            note="" if finite else "a pair of the product cannot happen, so the value is infinite",
        )

    def _pseudo_values(self, x: Array, y: Array) -> Array:
        scores = np.asarray(self.log_density(x, y), dtype=np.float64)
        if scores.shape != (len(x), len(y)):
            raise ValueError(
                f"log_density: expected shape ({len(x)}, {len(y)}), got {scores.shape}"
            )
        if np.isnan(scores).any() or not np.isfinite(scores.diagonal()).all():
            raise ValueError("log_density: expected finite values at the samples, got others")
        tensor = torch.as_tensor(scores)
        return readings.mean_difference(tensor.diagonal(), tensor).numpy()
