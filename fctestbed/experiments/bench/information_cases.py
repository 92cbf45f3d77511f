"""Cases of measuring: probes, the oracle's readings at a rate, estimators, decompositions.

May import what is below ``fctestbed.experiments``, and the benchmark's own modules.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.estimators import LinearProbe, estimate
from fctestbed.experiments.bench.case import Case, GrowthCase, Prepared
from fctestbed.experiments.bench.data_cases import small_dataset
from fctestbed.experiments.bench.timing import Work, timed
from fctestbed.information import partial_information
from fctestbed.measurement.channel import (
    Codebook,
    Group,
    channel_information,
    codebook,
    metric,
    noise_of_rate,
)
from fctestbed.synthesis import bit_patterns

_RATE_BITS = 4.0
_N_FIT, _N_EVAL = 8192, 4096
# Estimators, samples of the pair that they measure, and the name of a plain form.
_ESTIMATORS = (("ksg1", 4000, "ksg"), ("gaussian", 4000, ""), ("infonce", 2000, ""))


@dataclass(frozen=True, kw_only=True)
class ProbeInputs:
    """Representations [n, dim] to fit on and to evaluate on, with bits [n, n_bits]."""

    z_fit: Tensor
    w_fit: Tensor
    z_eval: Tensor
    w_eval: Tensor
    ridge: float


@dataclass(frozen=True, kw_only=True)
class OracleInputs:
    """A codebook, the noise of a reading, and the draws that it took."""

    book: Codebook
    tau: float
    n_draws: int
    device: str


@dataclass(frozen=True, kw_only=True)
class PairInputs:
    """Samples [n, dim] of two variables."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]


def information_cases() -> Iterator[Case | GrowthCase]:
    """Probes, readings at a rate, estimators and decompositions, and how some of them grow."""
    yield Case(
        name="probes/bits",
        unit=f"12 bits from 100 columns, {_N_FIT} samples",
        prepare=_bit_probes,
        plain="probes",
    )
    yield Case(
        name="probes/classes",
        unit=f"16 classes from 100 columns, {_N_FIT} samples",
        prepare=_class_probe,
    )
    for n_bits in (12, 16):
        yield Case(
            name=f"oracle/{n_bits}",
            unit=f"a reading at {_RATE_BITS:g} bits, 2^{n_bits} codewords, 128 columns",
            prepare=partial(_reading, n_bits),
            plain="oracle",
            is_long=n_bits > 12,
        )
    for name, n, plain in _ESTIMATORS:
        yield Case(
            name=f"estimators/{name}",
            unit=f"{n} samples of 2 + 2 columns",
            prepare=partial(_estimator, name, n),
            plain=plain,
            is_long=name == "infonce",
        )
    for name, table in _tables().items():
        unit = "an exact decomposition"
        yield Case(name=f"pid/{name}", unit=unit, prepare=partial(_decomposition, table))
    yield GrowthCase(
        name="growth/oracle/codewords",
        unit="a reading at a rate",
        axis="codewords",
        sizes=(2**8, 2**10, 2**12, 2**14),
        prepare=lambda device, n: _reading(n.bit_length() - 1, device).work,
    )
    yield GrowthCase(
        name="growth/probes/samples",
        unit="12 bits from 100 columns",
        axis="samples",
        sizes=(1024, 2048, 4096, 8192),
        prepare=_probes_of,
    )
    yield GrowthCase(
        name="growth/ksg1/samples",
        unit="an estimate",
        axis="samples",
        sizes=(1000, 2000, 4000, 8000),
        prepare=lambda device, n: _estimator("ksg1", n, device).work,
    )


def _representations(device: str) -> tuple[Tensor, Tensor]:
    train, test = small_dataset().train, small_dataset().test
    return torch.tensor(train.x1).to(device), torch.tensor(test.x1[:_N_EVAL]).to(device)


def probe_inputs(n_fit: int, device: str) -> ProbeInputs:
    """The default world's first modality, and the bits that it depends on."""
    z_fit, z_eval = _representations(device)
    train, test = small_dataset().train, small_dataset().test
    w_fit, w_eval = (
        torch.tensor(np.concatenate([split.w_1, split.w_s], 1)).to(device)
        for split in (train, test)
    )
    return ProbeInputs(
        z_fit=z_fit[:n_fit],
        w_fit=w_fit[:n_fit],
        z_eval=z_eval,
        w_eval=w_eval[:_N_EVAL],
        ridge=LinearProbe().ridge,
    )


def _bit_probes(device: str) -> Prepared:
    inputs = probe_inputs(_N_FIT, device)
    return Prepared(work=_probes(inputs, device), inputs=inputs)


def _probes_of(device: str, n_fit: int) -> Work:
    return _probes(probe_inputs(n_fit, device), device)


def _probes(inputs: ProbeInputs, device: str) -> Work:
    probe = LinearProbe(ridge=inputs.ridge)
    arrays = inputs.z_fit, inputs.w_fit, inputs.z_eval, inputs.w_eval
    return timed(partial(probe.bits, *arrays), device)


def _class_probe(device: str) -> Prepared:
    z_fit, z_eval = _representations(device)
    dataset = small_dataset()
    y = torch.tensor(dataset.train.y).to(device)
    work = partial(LinearProbe().classes, z_fit, y, z_eval, dataset.spec.n_classes)
    return Prepared(work=timed(work, device))


def oracle_inputs(n_bits: int, device: str) -> tuple[OracleInputs, dict[str, Group]]:
    """A random tanh network of n bits as a codebook, and its two blocks and all its bits."""
    generator = torch.Generator().manual_seed(0)
    patterns = 2.0 * torch.from_numpy(bit_patterns(n_bits).astype("float32")) - 1
    weights = torch.randn(n_bits, 256, generator=generator) * 1.5 / n_bits**0.5
    points = torch.tanh(patterns @ weights) @ torch.randn(256, 128, generator=generator)
    book = metric(codebook(points, range(n_bits)))
    half = n_bits // 2
    groups: dict[str, Group] = {
        "shared": tuple(range(half)),
        "unique1": tuple(range(half, n_bits)),
        **{f"bit{place}": (place,) for place in range(n_bits)},
    }
    tau = noise_of_rate(book, _RATE_BITS)
    found = channel_information(book, groups, tau=tau, device=device)
    return OracleInputs(book=book, tau=tau, n_draws=found.n_draws, device=device), groups


def _reading(n_bits: int, device: str) -> Prepared:
    inputs, groups = oracle_inputs(n_bits, device)
    work = partial(channel_information, inputs.book, groups, tau=inputs.tau, device=device)
    return Prepared(
        work=timed(work, device),
        inputs=inputs,
        operations=2.0 * inputs.n_draws * len(inputs.book) * (inputs.book.rank + 1),
    )


def gaussian_pairs(n: int) -> PairInputs:
    """n samples of two pairs of normal columns of correlation 0.8."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 2))
    return PairInputs(x=x, y=0.8 * x + 0.6 * rng.standard_normal((n, 2)))


def _estimator(name: str, n: int, device: str) -> Prepared:
    inputs = gaussian_pairs(n)
    return Prepared(
        work=timed(partial(estimate, inputs.x, inputs.y, estimator=name)), inputs=inputs
    )


def _tables() -> dict[str, NDArray[np.float64]]:
    """k bits through BSC(.1) and BSC(.2), and a random table, which is harder."""
    bit = np.array([[0.9 * 0.8, 0.9 * 0.2], [0.1 * 0.8, 0.1 * 0.2]])
    one = np.stack([bit, bit[::-1, ::-1]], axis=2) / 2
    tables, table = {}, np.ones((1, 1, 1))
    for k in range(1, 7):
        table = np.asarray(np.kron(table, one))
        if k in {4, 6}:
            tables[f"noisy-{2**k}"] = table
    random = np.random.default_rng(0).dirichlet(np.full(16**3, 0.5))
    tables["dirichlet-16"] = random.reshape(16, 16, 16)
    return tables


def _decomposition(table: NDArray[np.float64], device: str) -> Prepared:
    return Prepared(work=timed(partial(partial_information, table)))
