"""Augmented copies of batches of real data. Imports torch, ``settings`` and ``features``."""

import torch
from jaxtyping import Float
from torch import Tensor

from fctestbed.real_data.features import ModalityShape
from fctestbed.real_data.settings import CopySpec

# What is done to a sequence, by number, and to a batch of vectors.
_PERMUTED, _DISTURBED, _DROPPED, _SAME = range(4)
_N_OF_VECTORS = 3


def copy_of(
    x: Float[Tensor, "n dim"], shape: ModalityShape, spec: CopySpec, generator: torch.Generator
) -> Float[Tensor, "n dim"]:
    """An augmented copy of each sample of a batch.

    Args:
        x: the samples; they are not changed.
        shape: of a sample.
        spec: amounts.
        generator: on the CPU; the number of numbers drawn does not depend on their values.
    """
    if shape.steps is None:
        return _copy_of_vectors(x, spec, generator)
    return _copy_of_sequences(x.view(len(x), shape.steps, -1), spec, generator).flatten(1)


def _copy_of_sequences(
    x: Float[Tensor, "n steps features"], spec: CopySpec, generator: torch.Generator
) -> Float[Tensor, "n steps features"]:
    n, steps, _ = x.shape
    kind = torch.randint(4, (n,), generator=generator).to(x.device)
    keys = torch.rand(n, steps, generator=generator).to(x.device)
    noise = torch.randn(x.shape, generator=generator).to(x)
    empty = (x == 0).all(2)
    # Steps of zeros before a sequence stay before it.
    order = torch.where(empty, -1.0, keys).argsort(dim=1, stable=True)
    permuted = x.gather(1, order.unsqueeze(2).expand_as(x))
    disturbed = torch.where(empty.unsqueeze(2), x, x + spec.noise * noise)
    n_dropped = int(spec.dropped * steps)
    dropped = x.masked_fill((keys.argsort(1).argsort(1) < n_dropped).unsqueeze(2), 0.0)
    copy = x
    for own, made in ((_PERMUTED, permuted), (_DISTURBED, disturbed), (_DROPPED, dropped)):
        copy = torch.where((kind == own).view(n, 1, 1), made, copy)
    return copy


def _copy_of_vectors(
    x: Float[Tensor, "n dim"], spec: CopySpec, generator: torch.Generator
) -> Float[Tensor, "n dim"]:
    kind = int(torch.randint(_N_OF_VECTORS, (), generator=generator))
    noise = torch.randn(x.shape, generator=generator).to(x)
    partner = torch.randperm(len(x), generator=generator).to(x.device)
    # Beta(1, 1), the official code's, is uniform.
    share = float(torch.rand((), generator=generator))
    if kind == 0:
        return x + spec.noise * noise
    return share * x + (1 - share) * x[partner] if kind == 1 else x
