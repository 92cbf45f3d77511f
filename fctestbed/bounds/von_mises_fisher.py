"""Von Mises-Fisher distributions on the unit sphere: mean length and divergence, in nats.

Owns the functionals. May import torch only.

vMF(mu, kappa) on the sphere of R^d has the density C_d(kappa) exp(kappa <mu, z>).
"""

import math
from functools import lru_cache

from jaxtyping import Float
from torch import Tensor


@lru_cache(maxsize=64)
def vmf_mean_length(dim: int, kappa: float) -> float:
    """A_d(kappa) = I_{d/2}(kappa) / I_{d/2-1}(kappa): the length of E[Z], which points along mu.

    Args:
        dim: d, of the space around the sphere.
        kappa: concentration, positive.

    Source:
        Mardia and Jupp 2000, section 9.3; the continued fraction of the ratio, from its tail to its
        first term.
    """
    # Each step multiplies the error by a squared ratio below 1: with so many it is far below
    # rounding.
    tail = 64 + math.ceil(8 * math.sqrt(kappa))
    ratio = 0.0
    for order in range(tail, 0, -1):
        ratio = 1 / (2 * (dim / 2 - 1 + order) / kappa + ratio)
    return ratio


def vmf_divergence_nats(
    direction1: Float[Tensor, "*stack n dim"],
    direction2: Float[Tensor, "*stack n dim"],
    *,
    kappa: float,
) -> Float[Tensor, "*stack"]:
    """KL(vMF(mu1, kappa) || vMF(mu2, kappa)), in nats, the mean over samples.

    The normalisers are equal and cancel, and E1[<mu, Z>] = A_d(kappa) <mu, mu1>. The divergence is
    therefore kappa A_d(kappa) (1 - <mu1, mu2>): symmetric, and 0 for equal directions.

    Args:
        direction1: mu1, unit vectors.
        direction2: mu2, unit vectors.
        kappa: concentration of both.
    """
    cosines = (direction1 * direction2).sum(-1)
    return kappa * vmf_mean_length(direction1.shape[-1], kappa) * (1 - cosines).mean(-1)
