"""The paper's Gaussian figure as rows: NCE, CLUB and NCE-CLUB while the information rises in steps.

May import ``fctestbed.laws`` and what is below ``fctestbed.experiments``; draws nothing.

The networks train as in the paper: without held-out samples, each value computed on a batch before
the step on that batch. The estimators of ``fctestbed.estimators`` hold samples out instead.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import softplus

from fctestbed.bounds import infonce_lower_bound_nats, nce_club_estimate_nats
from fctestbed.information import nats_to_bits
from fctestbed.laws import gaussian_correlation
from fctestbed.nets import ConcatCritic, Stack, StackedMLP
from fctestbed.synthesis import Spec
from fctestbed.training import StackedAdam

Estimators = Literal["infonce", "vclub", "nce-club"]
_TRAININGS: dict[str, tuple[Estimators, ...]] = {
    "nce": ("infonce", "nce-club"),
    "club": ("vclub",),
}


class StaircaseSpec(Spec):
    """Settings; the defaults are those of the paper and its notebook.

    Attributes:
        dims: dimensions d of both variables.
        levels_nats: information of the pairs, in nats; the same networks train on one level after
            the other.
        steps: training steps at each level.
        batch_size: fresh samples in each step.
        seeds: of the trainings.
        learning_rate: Adam's.
        hidden: width of the critic Linear(2d, hidden)-ReLU-Linear(hidden, 1)-Softplus.
        club_hidden: width of the two networks of CLUB, Linear(d, width)-ReLU-Linear(width, d); the
            log-variance's ends in Tanh. The notebook's width is unknown; 256 is half of ``hidden``,
            the ratio of the published class.
        keep_diagonal: average the second term of CLUB and NCE-CLUB over all pairs, as the official
            code does, which scales them by 1 - 1/batch.
        window: number of steps whose values one row averages.
    """

    dims: tuple[PositiveInt, ...] = (20, 50, 100, 200)
    levels_nats: tuple[Annotated[float, Field(gt=0)], ...] = (2.0, 4.0, 6.0, 8.0, 10.0)
    steps: PositiveInt = 4000
    batch_size: Annotated[int, Field(ge=2)] = 64
    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)] = (0,)
    learning_rate: Annotated[float, Field(gt=0)] = 0.005
    hidden: PositiveInt = 512
    club_hidden: PositiveInt = 256
    keep_diagonal: bool = True
    window: PositiveInt = 100


@dataclass(frozen=True, kw_only=True)
class StaircaseRow:
    """The mean value over a window of steps.

    Attributes:
        estimator: ``infonce``, ``vclub`` (CLUB with a learned Gaussian) or ``nce-club``.
        bound: as in ``fctestbed.estimators.Estimate``.
        dim: d.
        seed: seed of the run.
        step: the window's last step, counted over all levels from 1.
        level_step: the window's last step, counted within the level.
        true_bits: the information of the pairs.
        value_bits: the mean value; each is computed on a batch before the step on it.
        exact_club_bits: CLUB with the true conditional, d (exp(2 I / d) - 1) nats, the Jeffreys
            divergence.
        ceiling_bits: log2 of the batch for ``infonce``, else infinite.
    """

    estimator: Estimators
    bound: Literal["lower", "none"]
    dim: int
    seed: int
    step: int
    level_step: int
    true_bits: float
    value_bits: float
    exact_club_bits: float
    ceiling_bits: float


def exact_gaussian_club_nats(information_nats: float, dim: int) -> float:
    """CLUB with the true conditional for d equal Gaussian pairs, in nats: the Jeffreys divergence,
    which is at least twice the information."""
    return dim * math.expm1(2 * information_nats / dim)


def units(spec: StaircaseSpec) -> list[tuple[str, int]]:
    """The independent trainings of a figure, (what, d), longest first."""
    return [(what, dim) for what in _TRAININGS for dim in sorted(spec.dims, reverse=True)]


def staircase(spec: StaircaseSpec, what: str, dim: int) -> list[StaircaseRow]:
    """Train one kind of network at one d over all levels, all seeds in one stack.

    NCE and NCE-CLUB are two values of one critic. The paper trains two critics, but both by InfoNCE
    on batches of the same distribution, so their differences are random.

    Args:
        spec: settings.
        what: ``nce`` or ``club``.
        dim: d.

    Returns:
        The rows, level by level, and in each by estimator, seed and step.
    """
    generators = tuple(torch.Generator().manual_seed(seed * 1_000_003 + dim) for seed in spec.seeds)
    stack = Stack(generators=generators)
    model: _Nce | _Club = _Nce(stack, dim, spec) if what == "nce" else _Club(stack, dim, spec)
    adam = StackedAdam(list(model.parameters()), len(spec.seeds), spec.learning_rate)
    rows: list[StaircaseRow] = []
    for place, level in enumerate(spec.levels_nats):
        values = []
        for _ in range(spec.steps):
            x, y = _pairs(generators, spec.batch_size, dim, gaussian_correlation(level, dim))
            value, loss = model.step(x, y)
            values.append(value)
            adam.step(loss, spec.learning_rate)
        of_level = torch.stack(values)
        rows += _rows(spec, _TRAININGS[what], dim, place, of_level)
    return rows


class _Nce(nn.Module):
    """The paper's critic, trained by InfoNCE, with the values of InfoNCE and NCE-CLUB."""

    def __init__(self, stack: Stack, dim: int, spec: StaircaseSpec) -> None:
        super().__init__()
        self.critic = ConcatCritic(stack, dim, dim, (spec.hidden,))
        self.keep_diagonal = spec.keep_diagonal

    def step(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Values of a batch, [estimators, seeds], and the loss, [seeds], both in nats."""
        scores = softplus(self.critic(x, y))
        bound = infonce_lower_bound_nats(scores)
        club = nce_club_estimate_nats(scores.detach(), keep_diagonal=self.keep_diagonal)
        return torch.stack([bound.detach(), club]), -bound


class _Club(nn.Module):
    """The published CLUB: a diagonal Gaussian q(y | x), its log-variance between -1 and 1."""

    def __init__(self, stack: Stack, dim: int, spec: StaircaseSpec) -> None:
        super().__init__()
        self.mean = StackedMLP(stack, (dim, spec.club_hidden, dim))
        self.log_variance = StackedMLP(stack, (dim, spec.club_hidden, dim))
        self.scale = 1.0 if spec.keep_diagonal else spec.batch_size / (spec.batch_size - 1)

    def step(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Values of a batch, [1, seeds], and the loss, [seeds], both in nats."""
        mean, log_variance = self.mean(x), self.log_variance(x).tanh()
        squares = (y - mean).square()
        with torch.no_grad():
            # The mean over j of (y_j - mean_i)^2, without the table of all pairs.
            centre, power = y.mean(1, keepdim=True), y.square().mean(1, keepdim=True)
            others = power - 2 * mean * centre + mean.square()
            value = (0.5 * (others - squares) / log_variance.exp()).sum(2).mean(1) * self.scale
        # The published loss: twice the negative log-likelihood, up to a constant.
        loss = (squares / log_variance.exp() + log_variance).sum(2).mean(1)
        return value.unsqueeze(0), loss


def _pairs(
    generators: tuple[torch.Generator, ...], n: int, dim: int, correlation: float
) -> tuple[Tensor, Tensor]:
    """x and y, [seeds, n, dim]; each seed draws from its own generator."""
    x, noise = (
        torch.stack([torch.randn(n, dim, generator=generator) for generator in generators])
        for _ in range(2)
    )
    return x, correlation * x + math.sqrt(1 - correlation**2) * noise


def _rows(
    spec: StaircaseSpec, names: tuple[Estimators, ...], dim: int, place: int, values: Tensor
) -> Iterator[StaircaseRow]:
    """Rows of one level from values [steps, estimators, seeds], in nats."""
    level = spec.levels_nats[place]
    means = [part.double().mean(0) for part in values.split(spec.window)]
    for column, name in enumerate(names):
        for place_of_seed, seed in enumerate(spec.seeds):
            for k, mean in enumerate(means):
                level_step = min((k + 1) * spec.window, spec.steps)
                yield StaircaseRow(
                    estimator=name,
                    bound="lower" if name == "infonce" else "none",
                    dim=dim,
                    seed=seed,
                    step=place * spec.steps + level_step,
                    level_step=level_step,
                    true_bits=nats_to_bits(level),
                    value_bits=nats_to_bits(float(mean[column, place_of_seed])),
                    exact_club_bits=nats_to_bits(exact_gaussian_club_nats(level, dim)),
                    ceiling_bits=math.log2(spec.batch_size) if name == "infonce" else math.inf,
                )
