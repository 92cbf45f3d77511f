"""Cases of worlds: samples, augmented copies and exact truths.

May import ``fctestbed.synthesis``, ``fctestbed.sweep`` and the benchmark's own modules.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial

import torch
from torch import Tensor

from fctestbed.experiments.bench.case import Case, GrowthCase, Prepared
from fctestbed.experiments.bench.timing import Work, timed
from fctestbed.sweep import sweep_spec
from fctestbed.synthesis import (
    Augmenter,
    Dataset,
    OfficialAugmentation,
    OptimalAugmentation,
    WorldSpec,
    forget_truths,
    make_dataset,
    world_truth,
)

_BATCH = 256
_OFFICIAL_SHAPE = {
    "latents": {"kind": "gaussian", "n_shared": 10, "n_unique1": 6, "n_unique2": 6},
    "observation": {"kind": "linear", "entries": "uniform"},
    "label": {"kind": "threshold", "n_relevant": 12, "unique_ratio": 1.0},
    "n_train": 24000,
    "n_test": 6000,
}
_PLANAR = {
    "latents": {"kind": "bits", "n_shared": 10, "n_unique1": 5, "n_unique2": 5},
    "label": {"kind": "planar", "n_relevant": 20, "unique_ratio": 0.5},
}


@dataclass(frozen=True, kw_only=True)
class AugmentationInputs:
    """A batch of one world, with a stack axis of one, and how it is augmented."""

    dataset: Dataset
    spec: OfficialAugmentation | OptimalAugmentation
    x1: Tensor
    x2: Tensor
    latents: tuple[Tensor, Tensor, Tensor]


def data_cases() -> Iterator[Case | GrowthCase]:
    """Samples of two worlds, copies of a batch, and a truth that is enumerated."""
    quick = sweep_spec().world
    for name, world in (("quick", quick), ("official", WorldSpec.model_validate(_OFFICIAL_SHAPE))):
        yield Case(
            name=f"data/{name}",
            unit=f"{world.n_train + world.n_test:,} samples",
            prepare=partial(_samples, world),
            plain="data",
        )
    for spec in (OfficialAugmentation(), OptimalAugmentation()):
        yield Case(
            name=f"augmentation/{spec.kind}",
            unit=f"a batch of {_BATCH}",
            prepare=partial(_copies, spec),
            plain="augmentation",
        )
    yield Case(name="truth/planar", unit="20 enumerated bits", prepare=_enumerated)
    yield GrowthCase(
        name="growth/data/samples",
        unit="data of the quick preset's world",
        axis="samples",
        sizes=(4096, 16384, 65536),
        prepare=_samples_of,
    )


def _samples(world: WorldSpec, device: str) -> Prepared:
    return Prepared(work=timed(partial(make_dataset, world, 0)), inputs=world)


def _samples_of(device: str, n: int) -> Work:
    world = sweep_spec({"world": {"n_train": n // 2, "n_test": n // 2}}).world
    return timed(partial(make_dataset, world, 0))


def _enumerated(device: str) -> Prepared:
    planar = WorldSpec.model_validate(_PLANAR)

    def enumerate_truth() -> None:
        forget_truths()
        world_truth(planar)

    return Prepared(work=timed(enumerate_truth))


@cache
def small_dataset() -> Dataset:
    """Data of the default world, enough for batches and probes."""
    return make_dataset(WorldSpec(n_train=8192, n_test=4096), 0)


def _copies(spec: OfficialAugmentation | OptimalAugmentation, device: str) -> Prepared:
    dataset = small_dataset()
    x1, x2, w_s, w_1, w_2 = (
        torch.tensor(getattr(dataset.train, name)[:_BATCH]).unsqueeze(0).to(device)
        for name in ("x1", "x2", "w_s", "w_1", "w_2")
    )
    augmenter = Augmenter([dataset.world], spec, device)
    generator = torch.Generator().manual_seed(0)

    def augment() -> None:
        noise = augmenter.draw([generator], 1, _BATCH).to(device)
        augmenter.augment(x1, x2, (w_s, w_1, w_2), augmenter.at(noise, 0))

    inputs = AugmentationInputs(dataset=dataset, spec=spec, x1=x1, x2=x2, latents=(w_s, w_1, w_2))
    return Prepared(work=timed(augment, device, times=20), inputs=inputs)
