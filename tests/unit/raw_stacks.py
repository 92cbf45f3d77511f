import torch
from torch import nn

from fctestbed.objectives.controls import Raw
from fctestbed.training import TrainedStack, TrainingSpec


def stack(datasets, method=None):
    return TrainedStack(
        specs=[TrainingSpec(method="raw", world=d.spec, seed=d.seed) for d in datasets],
        method=method or Raw(),
        module=nn.Identity(),
        device=torch.device("cpu"),
        dtype=torch.float32,
        diverged=[None] * len(datasets),
    )
