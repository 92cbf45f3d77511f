"""The paper's conditional check (its Tables 9 and 10) as rows, on a law of known I(X; Y | Z).

May import what is below ``fctestbed.experiments``; draws nothing.

The paper uses CCMI's benchmark without naming the model, and released no code for it. This module
uses CCMI's linear one (Mukherjee et al. 2019, models I and II): X standard normal, Z uniform on
[-1/2, 1/2]^d_z, Y = X + strength a'Z + sigma E with |a| = 1, so that
I(X; Y | Z) = log(1 + 1 / sigma^2) / 2 for every d_z and strength; sigma is set to give the paper's
2.32 nats. A critic with Z concatenated to X and negatives from the whole batch estimates
I((X, Z); Y). At CCMI's strength of 1 that exceeds I(X; Y | Z) by I(Z; Y) = 0.04 nats only, which is
hardly visible; at a strength of 10 the difference is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Tensor

from fctestbed.estimators import fit, mean_interval
from fctestbed.information import nats_to_bits
from fctestbed.nets import ConcatCritic, Stack
from fctestbed.synthesis import Spec

Negatives = Literal["exact", "batch"]
_EVAL_BLOCK = 256


class ConditionalSpec(Spec):
    """Settings.

    Attributes:
        cells: pairs (n, d_z); the defaults are those of the paper's two tables.
        information_nats: I(X; Y | Z).
        strengths: weights of Z in Y.
        negatives: ``exact``, drawn from p(y | z) at the anchor's z, as in Eq. 13; ``batch``, the y
            of other samples, as in the official code. Z is concatenated to X in both.
        n_negatives: number for each anchor, which sets the ceiling log(n_negatives + 1).
        batch_size: anchors in each step.
        steps: largest number of steps.
        learning_rate: Adam's.
        hidden: width of the critic's hidden layer.
        seeds: of data and training.
    """

    cells: tuple[tuple[Annotated[int, Field(ge=10)], PositiveInt], ...] = (
        *((n, 20) for n in (5000, 10000, 20000, 50000)),
        *((20000, dim) for dim in (1, 10, 50, 100)),
    )
    information_nats: Annotated[float, Field(gt=0)] = 2.32
    strengths: tuple[Annotated[float, Field(ge=0)], ...] = (1.0, 10.0)
    negatives: tuple[Negatives, ...] = ("exact", "batch")
    n_negatives: PositiveInt = 63
    batch_size: PositiveInt = 64
    steps: PositiveInt = 2000
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    hidden: PositiveInt = 128
    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)] = (0,)


@dataclass(frozen=True, kw_only=True)
class ConditionalRow:
    """One value of one critic.

    Attributes:
        estimator: ``infonce`` or ``nce-club``, two values of one critic trained by InfoNCE.
        bound: ``lower`` for InfoNCE (on I(X; Y | Z) with exact negatives, on I((X, Z); Y) with
            negatives from the batch), ``none`` for NCE-CLUB.
        negatives: as in the settings.
        n: number of samples: 60 % for training, 20 % for early stopping, 20 % for evaluation.
        dim: d_z.
        strength: weight of Z in Y.
        seed: seed of data and training.
        true_bits: I(X; Y | Z).
        unconditional_bits: I((X, Z); Y), by quadrature.
        value_bits: the value on the evaluation samples.
        low_bits: lower end of its 95 % interval over the evaluation samples.
        high_bits: upper end of the interval.
        ceiling_bits: the largest possible value.
        n_eval: number of evaluation samples.
    """

    estimator: Literal["infonce", "nce-club"]
    bound: Literal["lower", "none"]
    negatives: Negatives
    n: int
    dim: int
    strength: float
    seed: int
    true_bits: float
    unconditional_bits: float
    value_bits: float
    low_bits: float
    high_bits: float
    ceiling_bits: float
    n_eval: int


@dataclass(frozen=True)
class LinearChannel:
    """Y = X + strength a'Z + sigma E with a = (1, ..., 1) / sqrt(d_z)."""

    information_nats: float
    strength: float
    dim: int

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise that gives I(X; Y | Z) its value."""
        return math.expm1(2 * self.information_nats) ** -0.5

    def shift(self, z: Tensor) -> Tensor:
        """Mean of Y - X given Z, [...], of z [..., d_z]."""
        return self.strength * z.sum(-1) / math.sqrt(self.dim)

    def sample(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """x [n], y [n] and z [n, d_z]."""
        z = torch.rand(n, self.dim, generator=generator) - 0.5
        x = torch.randn(n, generator=generator)
        noise = self.sigma * torch.randn(n, generator=generator)
        return x, x + self.shift(z) + noise, z

    def conditional(self, z: Tensor, n: int, generator: torch.Generator) -> Tensor:
        """n draws from p(y | z) for each z [m, d_z], [m, n]."""
        spread = math.sqrt(1 + self.sigma**2)
        noise = torch.randn(len(z), n, generator=generator)
        return self.shift(z).unsqueeze(1) + spread * noise

    def unconditional_nats(self) -> float:
        """I((X, Z); Y) = h(Y) - h(sigma E), in nats.

        Y's density is a convolution of d_z uniforms and a Gaussian, whose characteristic function
        is known; the integrals are sums over a fine grid.
        """
        spread = math.sqrt(1 + self.sigma**2)
        width = self.strength / math.sqrt(self.dim)
        reach = 9 * math.sqrt(spread**2 + self.strength**2 / 12) + 0.5 * self.strength
        frequencies, step = np.linspace(0.0, 9.0 / spread, 4001, retstep=True)
        # numpy's sinc is sin(pi t) / (pi t).
        of_uniforms = np.sinc(frequencies * width / (2 * np.pi)) ** self.dim
        law = of_uniforms * np.exp(-0.5 * (spread * frequencies) ** 2)
        law[0] /= 2
        grid, cell = np.linspace(0.0, reach, 2001, retstep=True)
        density = np.cos(np.outer(grid, frequencies)) @ law * step / np.pi
        inside = density > 1e-14
        terms = -density[inside] * np.log(density[inside])
        entropy = 2 * cell * (terms.sum() - terms[0] / 2)
        return float(entropy) - 0.5 * math.log(2 * math.pi * math.e * self.sigma**2)


def conditional_rows(
    spec: ConditionalSpec,
    cell: tuple[int, int],
    strength: float,
    negatives: Negatives,
    seed: int,
) -> list[ConditionalRow]:
    """Train one critic on one cell and evaluate InfoNCE and NCE-CLUB on held-out samples.

    Args:
        spec: settings.
        cell: number of samples and d_z.
        strength: weight of Z in Y.
        negatives: where the negatives come from.
        seed: seed of data and training.
    """
    n, dim = cell
    channel = LinearChannel(spec.information_nats, strength, dim)
    generator = torch.Generator().manual_seed(seed * 1_000_003 + n + dim)
    samples = channel.sample(n, generator)
    ends = round(0.6 * n), round(0.8 * n)
    train, stop, evaluate = (
        _Part(channel, negatives, *(array[rows] for array in samples))
        for rows in (slice(0, ends[0]), slice(*ends), slice(ends[1], n))
    )
    critic = ConcatCritic(Stack(generators=(generator,)), 1 + dim, 1, (spec.hidden,))

    def objective(noise: torch.Generator) -> Tensor:
        rows = torch.randperm(len(train), generator=noise)[: spec.batch_size]
        return _contrast(train.scores(critic, rows, spec.n_negatives, noise)).mean()

    def terms(part: _Part, of: Callable[[Tensor], Tensor]) -> NDArray[np.float64]:
        """The pointwise terms of a value; the negatives are the same at every call."""
        own = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            blocks = [
                of(part.scores(critic, rows, spec.n_negatives, own).double())
                for rows in torch.arange(len(part)).split(_EVAL_BLOCK)
            ]
        return torch.cat(blocks).numpy()

    fit(
        critic,
        objective,
        lambda: float(terms(stop, _contrast).mean()),
        steps=spec.steps,
        rate=spec.learning_rate,
        stop_every=100,
        patience=6,
        noise=generator,
    )
    rows = []
    for name, of in (("infonce", _contrast), ("nce-club", _difference)):
        value, low, high = mean_interval(nats_to_bits(terms(evaluate, of)))
        bounded = name == "infonce"
        rows.append(
            ConditionalRow(
                estimator="infonce" if bounded else "nce-club",
                bound="lower" if bounded else "none",
                negatives=negatives,
                n=n,
                dim=dim,
                strength=strength,
                seed=seed,
                true_bits=nats_to_bits(spec.information_nats),
                unconditional_bits=nats_to_bits(channel.unconditional_nats()),
                value_bits=value,
                low_bits=low,
                high_bits=high,
                ceiling_bits=math.log2(spec.n_negatives + 1) if bounded else math.inf,
                n_eval=len(evaluate),
            )
        )
    return rows


@dataclass(frozen=True)
class _Part:
    """Part of the samples, and how their negatives are drawn."""

    channel: LinearChannel
    negatives: Negatives
    x: Tensor
    y: Tensor
    z: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def scores(
        self, critic: ConcatCritic, rows: Tensor, n_negatives: int, generator: torch.Generator
    ) -> Tensor:
        """Scores [anchors, 1 + negatives], the positive first; the critic's input is x, z and y."""
        z = self.z[rows]
        if self.negatives == "exact":
            others = self.channel.conditional(z, n_negatives, generator)
        else:
            # Any sample except the anchor.
            shape = len(rows), n_negatives
            steps = torch.randint(1, len(self), shape, generator=generator)
            others = self.y[(rows.unsqueeze(1) + steps) % len(self)]
        anchors = torch.cat([self.x[rows].unsqueeze(1), z], 1).unsqueeze(0)
        columns = torch.cat([self.y[rows].unsqueeze(1), others], 1).unsqueeze(2)
        # One group for each anchor: one row, and its own columns.
        of_anchors = critic.rows(anchors).transpose(0, 1)
        of_columns = critic.columns(columns.view(1, -1, 1)).view(len(rows), n_negatives + 1, -1)
        return critic.pairs(of_anchors, of_columns).squeeze(1)


def _contrast(scores: Tensor) -> Tensor:
    """The pointwise terms of InfoNCE, in nats; the positive is in the first column."""
    return scores[:, 0] - scores.logsumexp(1) + math.log(scores.shape[1])


def _difference(scores: Tensor) -> Tensor:
    """The pointwise terms of NCE-CLUB, in nats."""
    return scores[:, 0] - scores[:, 1:].mean(1)
