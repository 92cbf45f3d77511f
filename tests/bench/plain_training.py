"""A training loop of one run: batches, copies, the loss, torch's Adam, and an inner loop where the
method has one."""

import time

import numpy as np
import torch
from plain_methods import INNER, PLAIN, Plain, PlainBatch
from plain_world import OptimalCopies

from fctestbed.synthesis import Dataset
from fctestbed.training import TrainingSpec


class PlainTraining:
    """One run's training as a loop that is begun anew at each call of ``step_seconds``."""

    def __init__(self, training: TrainingSpec, dataset: Dataset, device: str) -> None:
        self.training, self.device = training, device
        split = dataset.train
        self.x1, self.x2 = (torch.tensor(x).to(device) for x in (split.x1, split.x2))
        self.y = torch.tensor(split.y).long().to(device)
        self.latents = torch.tensor(np.concatenate([split.w_s, split.w_1, split.w_2], 1))
        self.copies = None if training.augmentation is None else OptimalCopies(dataset)
        self.generator = torch.Generator().manual_seed(0)
        self.plain: Plain = PLAIN[training.method](training)
        self.plain.networks.to(device)
        inner = [
            weight
            for name, critic in self.plain.networks.critics.items()
            if name in INNER
            for weight in critic.parameters()
        ]
        own = {id(weight) for weight in inner}
        outer = [weight for weight in self.plain.networks.parameters() if id(weight) not in own]
        assert training.train is not None
        rate = training.train.learning_rate
        self.outer = torch.optim.Adam(outer, lr=rate)
        self.inner = None
        if inner:
            self.inner = torch.optim.Adam(inner, lr=rate * training.settings["inner_rate"])

    def batch(self) -> PlainBatch:
        assert self.training.train is not None
        size = self.training.train.batch_size
        index = torch.randint(len(self.x1), (size,), generator=self.generator)
        views = condition = None
        if self.copies is not None:
            one, two, condition = self.copies(self.latents[index], self.generator)
            views, condition = (one.to(self.device), two.to(self.device)), condition.to(self.device)
        index = index.to(self.device)
        return PlainBatch(self.x1[index], self.x2[index], self.y[index], views, condition)

    def step(self) -> float:
        loss = self.plain.loss(self.batch())
        self.outer.zero_grad()
        loss.backward()
        self.outer.step()
        if self.inner is not None:
            inner_loss = self.plain.inner_loss(self.batch())
            assert inner_loss is not None
            self.inner.zero_grad()
            inner_loss.backward()
            self.inner.step()
        return float(loss.detach())

    def step_seconds(self, steps: int) -> float:
        """The mean time of some steps; the last number of each waits for the device."""
        started = time.perf_counter()
        for _ in range(steps):
            self.step()
        return (time.perf_counter() - started) / steps
