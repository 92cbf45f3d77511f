"""Batches: whole permutations, each run's own, of arrays held once."""

import numpy as np
import pytest
import torch

from fctestbed.synthesis import (
    BitLatents,
    BitsLabel,
    Dataset,
    MlpObservation,
    WorldSpec,
    make_dataset,
)
from fctestbed.training.data import StackData, batch_order
from fctestbed.training.randomness import torch_stream


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def dataset(ratio: float = 0.5, seed: int = 0) -> Dataset:
    world = WorldSpec(
        latents=BitLatents(n_shared=2, n_unique1=2, n_unique2=2),
        observation=MlpObservation(dim1=6, dim2=5, hidden_dim=8),
        label=BitsLabel(unique_ratio=ratio),
        n_train=50,
        n_test=8,
    )
    return make_dataset(world, seed)


@pytest.mark.parametrize(
    ("n_samples", "batch_size", "n_batches"), [(20, 6, 8), (12, 4, 7), (5, 5, 3)]
)
def test_an_epoch_repeats_no_sample_and_drops_what_is_left(
    n_samples: int, batch_size: int, n_batches: int
) -> None:
    order = batch_order(
        generators(0, 1), n_samples=n_samples, batch_size=batch_size, n_batches=n_batches
    )
    assert order.shape == (n_batches, 2, batch_size)
    assert order.min() >= 0
    assert order.max() < n_samples
    per_epoch = n_samples // batch_size
    for k in range(2):
        epochs = [order[i : i + per_epoch, k].flatten() for i in range(0, n_batches, per_epoch)]
        for epoch in epochs:
            assert len(epoch.unique()) == len(epoch)
        assert not torch.equal(epochs[0], epochs[1][: len(epochs[0])])
        if n_samples % batch_size == 0:
            assert torch.equal(epochs[0].sort().values, torch.arange(n_samples))


def test_every_sample_has_its_turn_over_the_epochs() -> None:
    order = batch_order(generators(0), n_samples=11, batch_size=4, n_batches=40)
    assert len(order.unique()) == 11


def test_a_runs_batches_do_not_depend_on_its_stack_or_on_how_many_are_drawn() -> None:
    sizes = {"n_samples": 20, "batch_size": 6}
    together = batch_order(generators(3, 4, 5), **sizes, n_batches=9)
    alone = batch_order(generators(4), **sizes, n_batches=9)
    fewer = batch_order(generators(4), **sizes, n_batches=4)
    assert torch.equal(together[:, 1], alone[:, 0])
    assert torch.equal(alone[:4], fewer)
    assert not torch.equal(together[:, 0], together[:, 1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gathered_rows_are_the_data_sets_own(dtype: torch.dtype) -> None:
    first = dataset(0.2)
    # The second differs in its label alone and shares x; the third is another draw.
    sets = [first, first.with_label(BitsLabel(unique_ratio=0.9)), dataset(0.2, seed=1)]
    data = StackData(sets, device=torch.device("cpu"), dtype=dtype)
    index = batch_order(generators(0, 1, 2), n_samples=data.n, batch_size=16, n_batches=1)[0]
    (x1, x2), y, latents = data.modalities(index), data.labels(index), data.latents(index)
    assert x1.dtype == x2.dtype == dtype
    for k, one in enumerate(sets):
        rows, split = index[k].numpy(), one.train
        np.testing.assert_array_equal(x1[k].numpy(), split.x1[rows])
        np.testing.assert_array_equal(x2[k].numpy(), split.x2[rows])
        np.testing.assert_array_equal(y[k].numpy(), split.y[rows])
        for block, values in zip((split.w_s, split.w_1, split.w_2), latents, strict=True):
            np.testing.assert_array_equal(values[k].numpy(), block[rows])


def test_data_sets_that_share_x_hold_it_once() -> None:
    first = dataset(0.2)
    sets = [first, first.with_label(BitsLabel(unique_ratio=0.9)), dataset(0.2, seed=1)]
    data = StackData(sets, device=torch.device("cpu"), dtype=torch.float32)
    assert data._x1.shape == (2, 50, 6)
    assert data._labels.shape == (3, 50)


def test_random_streams_differ_by_name_digest_and_seed_and_repeat() -> None:
    def numbers(name: str, digest: str, seed: int) -> list[float]:
        return torch.rand(3, generator=torch_stream(name, digest, seed)).tolist()

    base = numbers("batches", "ab", 0)
    assert numbers("batches", "ab", 0) == base
    others = [("batches", "ab", 1), ("batches", "ac", 0), ("augmentation", "ab", 0)]
    drawn = [numbers(*other) for other in others]
    assert all(one != base for one in drawn)
    assert drawn[0] != drawn[1] != drawn[2]
