"""Probe families: predictors q(w | z) of discrete variables, fitted on one sample and evaluated on
another.

May import torch, ``neighbours``, ``linear_probe`` and the networks of trained estimators.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from fctestbed.estimators.inputs import Codes, row_codes
from fctestbed.estimators.linear_probe import LinearProbe
from fctestbed.estimators.neighbours import tree_of
from fctestbed.estimators.variational.fitting import fit
from fctestbed.estimators.variational.networks import Density, Hidden
from fctestbed.information import nats_to_bits

Family = Literal["linear", "mlp", "knn"]
Bits = NDArray[np.float64]

# Each value of the condition has its own weights for each feature, so their number is limited.
MAX_FEATURES = 4096
_NEIGHBOURS = (4, 8, 16, 32, 64, 128)
_BLOCK = 4096
_KNN_PRIOR = 1.0


@dataclass(frozen=True)
class Sample:
    """Representations and the variables to be predicted from them.

    Attributes:
        z: [n, dim].
        w: codes of each column of W, [n, columns].
        b: codes of the condition, [n]; all 0 where there is none.
    """

    z: NDArray[np.float64]
    w: Codes
    b: Codes

    def __getitem__(self, rows: slice | Codes) -> "Sample":
        return Sample(self.z[rows], self.w[rows], self.b[rows])

    def __len__(self) -> int:
        return len(self.z)


@dataclass(frozen=True)
class Alphabet:
    """Number of values of each column of W, and of the condition."""

    w: tuple[int, ...]
    b: int


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    """Settings of the families that have them.

    Attributes:
        ridge: of the linear probe.
        hidden: widths of the MLP's hidden layers; it also has a linear path.
        dropout: of the MLP.
        steps: largest number of training steps of the MLP.
        seed: of the MLP's weights and batches.
    """

    ridge: float = 1e-4
    hidden: tuple[int, ...] = (128,)
    dropout: float = 0.2
    steps: int = 1500
    seed: int = 0


Probe = Callable[[Sample, Sample, Sample, Alphabet, ProbeSettings], Bits]


def linear_bits(
    train: Sample, stop: Sample, evaluate: Sample, alphabet: Alphabet, settings: ProbeSettings
) -> Bits:
    """-log2 q(w | z, b) of each evaluated sample, of logistic probes with weights per condition.

    Args:
        train: samples to fit on.
        stop: samples to fit on as well, because this fit has no early stopping.
        evaluate: samples whose losses are returned.
        alphabet: values of W and of the condition.
        settings: the ridge.

    Returns:
        Bits, [n_evaluate]; the sum over columns of W, each predicted separately.

    Raises:
        ValueError: one line, for more features than ``MAX_FEATURES``.
    """
    both = [np.concatenate([getattr(train, name), getattr(stop, name)]) for name in ("z", "w", "b")]
    fit_on = Sample(*both)
    if alphabet.b > 1:
        # The products with the condition's indicators would have the offset of z as their spread.
        centre = fit_on.z.mean(0)
        fit_on, evaluate = (Sample(s.z - centre, s.w, s.b) for s in (fit_on, evaluate))
    reader = LinearProbe(ridge=settings.ridge).reader(
        *(torch.from_numpy(_crossed(part, alphabet.b)) for part in (fit_on, evaluate))
    )
    total = np.zeros(len(evaluate))
    for column, size in enumerate(alphabet.w):
        logs = reader.classes(torch.from_numpy(fit_on.w[:, column]), size)
        total -= logs[np.arange(len(evaluate)), evaluate.w[:, column]]
    return total


@dataclass(frozen=True, eq=False)
class FittedMlp:
    """One MLP for all columns of W, stopped by the stop sample.

    Attributes:
        density: q(w | z, b) of scaled inputs.
        centre: subtracted from z, [dim].
        scale: divides it then, [dim].
        n_conditions: values of the condition.
    """

    density: Density
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    n_conditions: int

    def inputs(self, part: Sample) -> torch.Tensor:
        """The network's inputs, [n, dim + conditions]."""
        scaled = (part.z - self.centre) / self.scale
        z = np.concatenate([scaled, _one_hot(part.b, self.n_conditions)], axis=1)
        return torch.as_tensor(z, dtype=torch.float32)

    def targets(self, part: Sample) -> torch.Tensor:
        """One-hot columns of W, side by side."""
        sizes = self.density.y_classes
        w = np.concatenate([_one_hot(part.w[:, k], size) for k, size in enumerate(sizes)], axis=1)
        return torch.as_tensor(w, dtype=torch.float32)

    @torch.no_grad()
    def log_density(self, z: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        """log q(w | z), in nats, [n], of inputs and targets."""
        parts = zip(z.split(_BLOCK), w.split(_BLOCK), strict=True)
        return torch.cat([self.density.log_density(*part) for part in parts]).double()

    @torch.no_grad()
    def log_probabilities(self, z: torch.Tensor) -> tuple[Bits, ...]:
        """log2 q(value | z) of each column of W, in bits, [n, values] each, of inputs."""
        blocks = zip(*(self.density.log_probabilities(own) for own in z.split(_BLOCK)), strict=True)
        return tuple(nats_to_bits(torch.cat(column).double().numpy()) for column in blocks)


def fitted_mlp(
    train: Sample, stop: Sample, alphabet: Alphabet, settings: ProbeSettings
) -> FittedMlp:
    """The MLP of ``mlp_bits``."""
    generator = torch.Generator().manual_seed(settings.seed)
    scale = train.z.std(0)
    density = Density(
        train.z.shape[1] + alphabet.b,
        sum(alphabet.w),
        alphabet.w,
        Hidden(settings.hidden, settings.dropout, generator),
        components=1,
    )
    fitted = FittedMlp(density, train.z.mean(0), np.where(scale > 0, scale, 1.0), alphabet.b)
    z, w = fitted.inputs(train), fitted.targets(train)
    stopping = fitted.inputs(stop), fitted.targets(stop)

    def objective(noise: torch.Generator) -> torch.Tensor:
        rows = torch.randperm(len(z), generator=noise)[:128]
        return density.log_density(z[rows], w[rows], noise).mean()

    fit(
        density,
        objective,
        lambda: float(fitted.log_density(*stopping).mean()),
        steps=settings.steps,
        rate=1e-3,
        stop_every=25,
        patience=12,
        noise=generator,
    )
    return fitted


def mlp_bits(
    train: Sample, stop: Sample, evaluate: Sample, alphabet: Alphabet, settings: ProbeSettings
) -> Bits:
    """As ``linear_bits``, of one MLP for all columns, stopped by the stop sample."""
    fitted = fitted_mlp(train, stop, alphabet, settings)
    found = fitted.log_density(fitted.inputs(evaluate), fitted.targets(evaluate))
    return nats_to_bits(-found.numpy())


def knn_bits(
    train: Sample, stop: Sample, evaluate: Sample, alphabet: Alphabet, settings: ProbeSettings
) -> Bits:
    """As ``linear_bits``, of smoothed shares among the nearest training samples of the condition.

    The number of neighbours is the one with the least loss on the stop sample. The training
    frequencies count as one more neighbour, so that nothing has probability 0.
    """
    most = most_neighbours(len(train))
    scale = column_scale(train.z)
    priors = vote_priors(train.w, alphabet.w)
    tried = neighbour_numbers(most)
    found = {}
    for name, part in (("stop", stop), ("evaluate", evaluate)):
        losses = np.zeros((len(tried), len(part)))
        for value in range(alphabet.b):
            same, known = part.b == value, train[np.flatnonzero(train.b == value)]
            if not same.any():
                continue
            votes = known.w[nearest_rows(known.z, part.z[same], scale, most)]
            losses[:, same] = [vote_bits(votes, k, priors, part.w[same]).sum(1) for k in tried]
        found[name] = losses
    return found["evaluate"][int(found["stop"].mean(1).argmin())]


PROBES: dict[Family, Probe] = {"linear": linear_bits, "mlp": mlp_bits, "knn": knn_bits}


def column_scale(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of each column; 1 for a constant column."""
    spread = z.std(0)
    return np.where(spread > 0, spread, 1.0)


def most_neighbours(n: int) -> int:
    """The largest number of neighbours that is tried among n known samples."""
    return min(max(_NEIGHBOURS), n)


def neighbour_numbers(most: int) -> list[int]:
    """The numbers of neighbours that are tried."""
    return [k for k in _NEIGHBOURS if k <= most] or [most]


def nearest_rows(
    known: NDArray[np.float64], z: NDArray[np.float64], scale: NDArray[np.float64], most: int
) -> Codes:
    """Rows of the known samples nearest to ``z``, nearest first, [n, at most ``most``]."""
    if not len(known):
        return np.zeros((len(z), 0), dtype=np.int64)
    # Equal queries have the same answer, and take long where many known samples are equal too.
    code = row_codes(z)
    _, first = np.unique(code, return_index=True)
    near = tree_of(known / scale).query(z[first] / scale, min(most, len(known)))[1]
    return np.asarray(near).reshape(len(first), -1)[code]


def vote_priors(w: Codes, sizes: tuple[int, ...]) -> list[NDArray[np.float64]]:
    """Share of each value of each column of ``w`` [n, columns], each value counted once more."""
    counts = [np.bincount(w[:, column], minlength=size) + 1.0 for column, size in enumerate(sizes)]
    return [count / count.sum() for count in counts]


def vote_bits(known: Codes, k: int, priors: list[NDArray[np.float64]], w: Codes) -> Bits:
    """Losses of ``w`` [n, columns] by the first ``k`` neighbours, codes [n, most, columns]; of each
    column, [n, columns]."""
    losses = np.empty(w.shape)
    for column, prior in enumerate(priors):
        votes = known[:, :k, column]
        agree = (votes == w[:, column, None]).sum(1)
        losses[:, column] = -np.log2(vote_shares(agree, votes.shape[1], prior[w[:, column]]))
    return losses


def vote_shares(votes: NDArray[Any], n_votes: int, prior: NDArray[np.float64]) -> Bits:
    """Share of a value among the neighbours, whose prior share counts as one more neighbour."""
    return (votes + _KNN_PRIOR * prior) / (n_votes + _KNN_PRIOR)


def _crossed(part: Sample, n_conditions: int) -> NDArray[np.float64]:
    """Features, the condition's indicators, and their products."""
    if n_conditions == 1:
        return part.z
    width = part.z.shape[1] * n_conditions
    if width > MAX_FEATURES:
        raise ValueError(
            f"given: expected at most {MAX_FEATURES} features in all (x's columns times given's "
            f"values), got {width}"
        )
    indicators = _one_hot(part.b, n_conditions)
    products = (part.z[:, None, :] * indicators[:, :, None]).reshape(len(part), width)
    return np.concatenate([indicators, products], axis=1)


def _one_hot(codes: Codes, size: int) -> NDArray[np.float64]:
    return np.eye(size)[codes]
