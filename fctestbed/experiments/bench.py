"""Benchmarks: times, ratios to a straightforward implementation, and shares of the matrix rate.

May import what is below ``fctestbed.experiments``. Both sides of a ratio are timed in one run,
because times vary from run to run.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch

from fctestbed.experiments.critic_bench import critic_benchmarks
from fctestbed.experiments.timing import Timing, best_time, matrix_rate, matrix_size
from fctestbed.information import partial_information
from fctestbed.measurement.channel import Codebook, Group, channel_information, codebook
from fctestbed.objectives import METHODS
from fctestbed.sweep import SweepSpec, sweep_spec
from fctestbed.synthesis import (
    Augmenter,
    Dataset,
    OfficialAugmentation,
    OptimalAugmentation,
    WorldSpec,
    bit_patterns,
    forget_truths,
    make_dataset,
    world_truth,
)
from fctestbed.training import TrainingSpec, train_stack

_OFFICIAL_WORLD = {
    "latents": {"kind": "gaussian", "n_shared": 10, "n_unique1": 6, "n_unique2": 6},
    "observation": {"kind": "linear", "entries": "uniform"},
    "label": {"kind": "threshold", "n_relevant": 12, "unique_ratio": 1.0},
    "n_train": 24000,
    "n_test": 6000,
}
# One coordinate of unit power then holds 0.04 bit, all 128 together hold 4 to 5.
_ORACLE_TAU = 4.0
_PLAIN_ROWS = 256
_PLANAR_WORLD = {
    "latents": {"kind": "bits", "n_shared": 10, "n_unique1": 5, "n_unique2": 5},
    "label": {"kind": "planar", "n_relevant": 20, "unique_ratio": 0.5},
}


def benchmarks(device: str, *, steps: int = 40) -> Iterator[Timing]:
    """Run all benchmarks, one after the other.

    Args:
        device: a torch device.
        steps: number of steps of each training benchmark.
    """
    yield from _data()
    yield from _decompositions()
    rate = matrix_rate(device)
    n = matrix_size(device)
    yield Timing(f"matrix product {n} x {n} x {n}", 2 * n**3 / rate, operations=2 * n**3, rate=rate)
    yield from _oracle(device, rate)
    yield from critic_benchmarks(device, rate)
    yield from _training(device, rate, steps)


def _data() -> Iterator[Timing]:
    official = WorldSpec.model_validate(_OFFICIAL_WORLD)
    yield Timing("30,000 samples, official shape", best_time(lambda: make_dataset(official, 0)))
    planar = WorldSpec.model_validate(_PLANAR_WORLD)

    def enumerate_truth() -> None:
        forget_truths()
        world_truth(planar)

    yield Timing("exact truth, 20 enumerated bits", best_time(enumerate_truth, repeat=2))
    world = make_dataset(WorldSpec(), 0)
    for spec in (OfficialAugmentation(), OptimalAugmentation()):
        yield Timing(f"{spec.kind} augmentation, batch 256", _augmentation(world, spec))


def _decompositions() -> Iterator[Timing]:
    """Exact PID of k bits through BSC(.1) and BSC(.2), and of a random table, which is harder."""
    bit = np.array([[0.9 * 0.8, 0.9 * 0.2], [0.1 * 0.8, 0.1 * 0.2]])
    one = np.stack([bit, bit[::-1, ::-1]], axis=2) / 2
    tables, table = {}, np.ones((1, 1, 1))
    for k in range(1, 7):
        table = np.asarray(np.kron(table, one))
        if k in {4, 6}:
            tables[f"{2**k}^3 noisy two-view"] = table
    random = np.random.default_rng(0).dirichlet(np.full(16**3, 0.5))
    tables["16^3 Dirichlet(.5)"] = random.reshape(16, 16, 16)
    for name, known in tables.items():
        work = partial(partial_information, known)
        yield Timing(f"exact PID, {name}", best_time(work, repeat=3))


def _augmentation(dataset: Dataset, spec: OfficialAugmentation | OptimalAugmentation) -> float:
    augmenter = Augmenter([dataset.world], spec)
    generator = torch.Generator().manual_seed(0)
    x1, x2, w_s, w_1, w_2 = (
        torch.tensor(getattr(dataset.train, name)[:256]).unsqueeze(0)
        for name in ("x1", "x2", "w_s", "w_1", "w_2")
    )

    def augment() -> None:
        noise = augmenter.draw([generator], 1, 256)
        augmenter.augment(x1, x2, (w_s, w_1, w_2), augmenter.at(noise, 0))

    return best_time(augment, repeat=50)


def _oracle(device: str, rate: float) -> Iterator[Timing]:
    """Channel information of all blocks and bits of a random 128-dimensional code, to 0.02 bit; the
    reference computes a log-softmax over all codewords and the entropies of two blocks."""
    generator = torch.Generator().manual_seed(0)
    for n_bits, repeat in ((12, 5), (16, 1)):
        words = 2.0 * torch.from_numpy(bit_patterns(n_bits).astype("float32")) - 1
        hidden = torch.tanh(
            words @ torch.randn(n_bits, 256, generator=generator) * 1.5 / n_bits**0.5
        )
        book = codebook(hidden @ torch.randn(256, 128, generator=generator), range(n_bits))
        blocks = {"shared": tuple(range(n_bits // 2)), "unique1": tuple(range(n_bits // 2, n_bits))}
        groups: dict[str, Group] = {
            **blocks,
            **{f"bit{place}": (place,) for place in range(n_bits)},
        }
        found = channel_information(book, groups, tau=_ORACLE_TAU, device=device)

        def work(book: Codebook = book, groups: dict[str, Group] = groups) -> float:
            return channel_information(book, groups, tau=_ORACLE_TAU, device=device).tau

        def plain(book: Codebook = book, n: int = found.n_draws) -> float:
            return _plain_oracle(book, n, device)

        yield Timing(
            f"oracle, 2^{n_bits} codewords, {found.n_draws} draws, 128 dimensions",
            best_time(work, repeat=repeat),
            "log-softmax and a sum for each block",
            best_time(plain, repeat=1),
            2.0 * found.n_draws * len(book) * (book.rank + 1),
            rate,
        )


def _plain_oracle(book: Codebook, n_draws: int, device: str) -> float:
    """The reference, for two blocks: log-probabilities of all codewords, logsumexp for blocks."""
    generator = torch.Generator().manual_seed(0)
    points = book.points.float().to(device)
    half = 2 ** (len(book.columns) // 2)
    total = 0.0
    for start in range(0, n_draws, _PLAIN_ROWS):
        n = min(_PLAIN_ROWS, n_draws - start)
        index = torch.randint(len(points), (n,), generator=generator).to(device)
        noise = torch.randn(n, book.rank, generator=generator).to(device)
        distance = torch.cdist(points[index] + _ORACLE_TAU * noise, points).square()
        logs = (-distance / (2 * _ORACLE_TAU**2)).log_softmax(1).view(n, half, -1)
        for part in (logs, logs.logsumexp(2), logs.logsumexp(1)):
            total -= float((part.exp() * part).sum())
    return total / n_draws


def _training(device: str, rate: float, steps: int) -> Iterator[Timing]:
    """Time of a training step for each run, alone and in stacks of several sizes."""
    sizes = (1, 3, 6, 11, 33) if device == "cpu" else (1, 11, 33, 66)
    spec = sweep_spec({"train": {"steps": steps}})
    for name in spec.methods:
        if not METHODS[name].trained:
            continue
        alone = None
        for size in sizes:
            seconds = _step_seconds(spec, name, size, device)
            alone = seconds if alone is None else alone
            yield Timing(
                f"{name}: step of a run in a stack of {size}", seconds, "in a stack of 1", alone
            )


def _step_seconds(spec: SweepSpec, method: str, size: int, device: str) -> float:
    base = make_dataset(spec.world, 0)
    ratios: Sequence[float] = [place / 100 for place in range(size)]
    datasets = [base.with_label(spec.world.label.with_ratio(ratio)) for ratio in ratios]
    trainings = [
        TrainingSpec(
            method=method,
            settings=spec.settings.get(method, {}),
            nets=spec.nets,
            train=spec.train,
            world=dataset.spec,
        )
        for dataset in datasets
    ]
    assert spec.train is not None
    times = [train_stack(trainings, datasets, device=device).seconds for _ in range(2)]
    return min(times) / spec.train.steps / size
