"""Stacks whose readouts are the inputs, and their measurement."""

import torch
from torch import nn

from fctestbed.measurement import MeasureSpec, measure_readouts
from fctestbed.objectives.controls import Raw
from fctestbed.training import TrainedStack, TrainingSpec, stack_readouts


def stack(datasets, method=None):
    """What training of ``raw`` gives."""
    return TrainedStack(
        specs=[TrainingSpec(method="raw", world=d.spec, seed=d.seed) for d in datasets],
        method=method or Raw(),
        module=nn.Identity(),
        device=torch.device("cpu"),
        dtype=torch.float32,
        diverged=[None] * len(datasets),
    )


def readouts_of(datasets, method=None, spec=None):
    """The readouts of each data set's inputs, as a sweep makes them."""
    spec = spec or MeasureSpec()
    made = stack_readouts(
        stack(datasets, method), datasets, n_fit=spec.n_fit, max_codewords=spec.most_codewords
    )
    return list(made)


def measured(*labelled, method=None, spec=None):
    """What is measured of one world's inputs, on each of its labelled data sets."""
    (readouts,) = readouts_of(labelled[:1], method, spec)
    return measure_readouts(readouts, labelled, spec or MeasureSpec())
