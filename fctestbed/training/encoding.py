"""Readouts of a trained stack: samples and latent patterns, encoded in chunks.

Owns which inputs are encoded, and how many at once. May import ``fctestbed.objectives`` and
``fctestbed.synthesis``.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed._devices import sent
from fctestbed.results import JOINT
from fctestbed.synthesis import Dataset, World, modality_codewords
from fctestbed.training.kept import stack_members
from fctestbed.training.patterns import fused_patterns, n_patterns, why_no_codewords
from fctestbed.training.readouts import Readout, Readouts, with_joint
from fctestbed.training.stack import TrainedStack

CHUNK = 2048
# The readouts of a whole stack would take gigabytes: so many members are encoded at once.
_MEMBERS_AT_ONCE = 4

Inputs = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Arrays of both modalities, [n, dim1] and [n', dim2]."""
Index = NDArray[np.int64]
Network = Callable[[Tensor, Tensor], Mapping[str, Tensor]]


def encode(
    trained: TrainedStack,
    network: Network,
    inputs: Sequence[Inputs],
    rows: tuple[Index, Index],
    *,
    names: Collection[str] | None = None,
) -> dict[str, Tensor]:
    """Outputs of a stack's networks for rows of each member's inputs.

    Args:
        trained: the stack.
        network: ``trained.readouts`` or ``trained.heads``.
        inputs: arrays of each member of the stack.
        rows: rows of modality 1 and of modality 2, equally many, the same for every member.
        names: the outputs that are kept; all by default.

    Returns:
        Each output, [members, rows, width].
    """
    chunks: dict[str, list[Tensor]] = {}
    for start in range(0, len(rows[0]), CHUNK):
        x1, x2 = (
            sent(
                torch.from_numpy(
                    np.stack([own[side][index[start : start + CHUNK]] for own in inputs])
                ),
                trained.device,
            ).to(trained.dtype)
            for side, index in enumerate(rows)
        )
        for name, values in network(x1, x2).items():
            if names is None or name in names:
                chunks.setdefault(name, []).append(values)
    return {name: torch.cat(parts, 1) for name, parts in chunks.items()}


def encode_samples(
    trained: TrainedStack,
    network: Network,
    datasets: Sequence[Dataset],
    split: str,
    n: int,
) -> dict[str, Tensor]:
    """Outputs of a stack's networks for the first ``n`` samples (or all, if there are fewer) of a
    split of each member's data set, [members, samples, width]."""
    splits = [getattr(dataset, split) for dataset in datasets]
    index = np.arange(min(n, len(splits[0])))
    inputs = [(own.x1, own.x2) for own in splits]
    return encode(trained, network, inputs, (index, index))


def stack_readouts(
    trained: TrainedStack,
    datasets: Sequence[Dataset],
    *,
    n_fit: int,
    max_codewords: int = 0,
) -> Iterator[Readouts]:
    """The readouts of each training of a stack; those of a few members are in memory at once.

    Args:
        trained: the stack.
        datasets: the data set of each training.
        n_fit: most training samples that are encoded.
        max_codewords: most latent patterns of a modality, or of both for a fused readout, that are
            encoded; 0 for no codewords.

    Returns:
        Readouts in the order of the trainings, on the stack's device. Those of a training that
        diverged may not be finite.

    Raises:
        ValueError: if the number of data sets is not the number of trainings.
    """
    if len(datasets) != len(trained.specs):
        raise ValueError(
            f"datasets: expected {len(trained.specs)}, one per training, got {len(datasets)}"
        )
    return (
        readouts
        for part, own in _parts(trained, datasets)
        for readouts in _whole_readouts(part, own, n_fit, max_codewords)
    )


def head_spreads(
    trained: TrainedStack, datasets: Sequence[Dataset], *, n_samples: int
) -> dict[str, list[float]]:
    """Largest standard deviation of each head's outputs over test samples, for each training.

    Args:
        trained: the stack.
        datasets: the data set of each training.
        n_samples: most test samples.
    """
    found: dict[str, list[float]] = {}
    for part, own in _parts(trained, datasets):
        for name, out in encode_samples(part, part.heads, own, "test", n_samples).items():
            found.setdefault(name, []).extend(out.std(1).amax(1).tolist())
    return found


def _parts(
    trained: TrainedStack, datasets: Sequence[Dataset]
) -> Iterator[tuple[TrainedStack, Sequence[Dataset]]]:
    """A stack in parts that are encoded at once, with the data sets of each."""
    for start in range(0, len(datasets), _MEMBERS_AT_ONCE):
        members = range(len(datasets))[start : start + _MEMBERS_AT_ONCE]
        yield stack_members(trained, members), datasets[members.start : members.stop]


def _whole_readouts(
    trained: TrainedStack, datasets: Sequence[Dataset], n_fit: int, max_codewords: int
) -> Iterator[Readouts]:
    """The readouts of each training of a stack, all of them in memory."""
    method, spec = trained.method, datasets[0].spec
    n_test = len(datasets[0].test)
    train, test = (
        encode_samples(trained, trained.readouts, datasets, split, n)
        for split, n in (("train", n_fit), ("test", n_test))
    )
    parts = method.joint_parts(train)
    # A method may return a joint readout that its parts also make up.
    names = [name for name in train if name != JOINT or not parts]
    modalities = {name: method.reads(name) for name in names}
    refusal = {name: why_no_codewords(spec, modalities[name], max_codewords) for name in names}
    known = {name: modalities[name] for name in names if not refusal[name]}
    codewords = _codewords(trained, [dataset.world for dataset in datasets], known)
    for place in range(len(datasets)):
        own = {
            name: Readout(
                modalities=modalities[name],
                train=train[name][place],
                test=test[name][place],
                codewords=codewords[name][place] if name in known else None,
                no_codewords=refusal[name],
            )
            for name in names
        }
        yield with_joint(own, parts)


def _codewords(
    trained: TrainedStack,
    worlds: Sequence[World],
    modalities: Mapping[str, tuple[int, ...]],
) -> dict[str, Tensor]:
    """The codewords of the named readouts, [members, patterns, width]."""
    if not modalities:
        return {}
    # Members of one seed share their observation maps.
    found: dict[tuple[str, int], Inputs] = {}
    inputs = []
    for world in worlds:
        key = world.spec.without_label_digest(), world.seed
        if key not in found:
            found[key] = modality_codewords(world, 1), modality_codewords(world, 2)
        inputs.append(found[key])
    sizes = n_patterns(worlds[0].spec)
    fused = [name for name, own in modalities.items() if own == (1, 2)]
    alone = [name for name in modalities if name not in fused]
    encoded: dict[str, Tensor] = {}
    if alone:
        # Patterns of both modalities in one pass; the shorter list repeats.
        index = np.arange(max(sizes[1,], sizes[2,]))
        rows = index % sizes[1,], index % sizes[2,]
        both = encode(trained, trained.readouts, inputs, rows, names=alone)
        encoded |= {name: values[:, : sizes[modalities[name]]] for name, values in both.items()}
    if fused:
        rows = fused_patterns(worlds[0].spec)
        encoded |= encode(trained, trained.readouts, inputs, rows, names=fused)
    return encoded
