"""Probes, channel readings and neighbour estimates, one problem after the other, by numpy, scipy
and torch."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial import cKDTree
from scipy.special import digamma, expit

from fctestbed.measurement.channel import Codebook

Array = NDArray[np.float64]
_ROWS = 256


def bit_probes(z_fit: Array, w_fit: Array, z_eval: Array, w_eval: Array, ridge: float) -> Array:
    """Held-out cross-entropies -log2 q(bit | z), [n_eval, n_bits], of logistic regressions on
    whitened features with a constant; the ridge leaves the constant alone."""
    mean, spread = z_fit.mean(0), z_fit.std(0)
    standard = (z_fit - mean) / spread
    variances, axes = np.linalg.eigh(np.cov(standard.T, bias=True))
    kept = variances > 1e-10 * len(variances)
    scaled = axes[:, kept] / np.sqrt(variances[kept])
    fit, held_out = (
        np.hstack([z @ scaled, np.ones((len(z), 1))]) for z in (standard, (z_eval - mean) / spread)
    )
    losses = []
    for bit, held_out_bit in zip(w_fit.T, w_eval.T, strict=True):

        def objective(w: Array, bit: Array = bit) -> tuple[float, Array]:
            logits = fit @ w
            penalised = np.append(w[:-1], 0.0)
            loss = np.logaddexp(0, logits).mean() - (bit * logits).mean()
            gradient = fit.T @ (expit(logits) - bit) / len(fit) + ridge * penalised
            return loss + 0.5 * ridge * penalised @ penalised, gradient

        start = np.zeros(fit.shape[1])
        found = minimize(objective, start, jac=True, method="L-BFGS-B", tol=1e-9)
        signed = (1 - 2 * held_out_bit) * (held_out @ found.x)
        losses.append(np.logaddexp(0, signed) / np.log(2))
    return np.stack(losses, 1)


def ksg(x: Array, y: Array, k: int = 3) -> float:
    """Kraskov et al. 2004, Eq. 8, in nats, with k-d trees: the distance of the k-th neighbour in
    the joint space by the maximum norm, and the counts of strictly nearer points in each margin.
    Columns are divided by their standard deviations before."""
    x, y = x / x.std(0), y / y.std(0)
    joint = np.hstack([x, y])
    n = len(x)
    radius = cKDTree(joint).query(joint, k=k + 1, p=np.inf)[0][:, -1]
    nearer = np.nextafter(radius, 0)
    counts = [
        cKDTree(part).query_ball_point(part, nearer, p=np.inf, return_length=True)
        for part in (x, y)
    ]
    # A point counts itself, as n + 1 of the equation does.
    return float(digamma(k) + digamma(n) - sum(digamma(count).mean() for count in counts))


def block_entropies_nats(
    book: Codebook, tau: float, n_draws: int, device: str, seed: int = 0
) -> tuple[float, float, float]:
    """Mean posterior entropies of the pattern and of its two halves, given a noisy codeword: the
    log-probabilities of all codewords for each draw, and sums of them for each half."""
    generator = torch.Generator().manual_seed(seed)
    points = book.points.float().to(device)
    half = 2 ** (len(book.columns) // 2)
    totals = [0.0, 0.0, 0.0]
    for start in range(0, n_draws, _ROWS):
        n = min(_ROWS, n_draws - start)
        index = torch.randint(len(points), (n,), generator=generator).to(device)
        noise = torch.randn(n, book.rank, generator=generator).to(device)
        distance = torch.cdist(points[index] + tau * noise, points).square()
        logs = (-distance / (2 * tau**2)).log_softmax(1).view(n, half, -1)
        for place, part in enumerate((logs, logs.logsumexp(2), logs.logsumexp(1))):
            totals[place] -= float((part.exp() * part).sum())
    return totals[0] / n_draws, totals[1] / n_draws, totals[2] / n_draws
