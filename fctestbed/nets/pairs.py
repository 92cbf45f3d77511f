"""Scores of all pairs of two sets by a concat critic, without an array of pairs x width.

Owns the pair scores and the choice of what computes them. May import torch and the other modules of
pairs in ``fctestbed.nets``.

A concat critic's first layer is linear in [u, v], so for all pairs it is two small products and a
broadcast sum, a_i + c_j. The hidden layers of a pair are then computed tile by tile: by compiled
loops and small products on a CPU (``cpu_pairs``), by Triton's kernels on a GPU (``triton_pairs``),
or by torch. With one hidden layer of width h, N^2 scores need about 3 N^2 h operations forward and
7 N^2 h backward, and no memory but the scores' own.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from importlib.util import find_spec
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from fctestbed.nets import cpu_pairs
from fctestbed.nets.kernels import (
    relu_dot_backward,
    relu_dot_forward,
    relu_dot_forward_by_columns,
)
from fctestbed.nets.pair_list import PairList
from fctestbed.nets.precision import critic_precision

# Elements of one tile: enough work for a GPU, and 256 MiB of its memory in float32.
_TILE_ELEMENTS = 1 << 26
# Least columns for which a CPU's kernel has the columns as vectors.
_MANY_COLUMNS = 64


def _tiles(stack: int, rows: int, row_elements: int) -> Iterator[tuple[slice, slice]]:
    """Cut [stack, rows] into rectangles of at most a tile: whole runs, or rows of one run."""
    if rows * row_elements <= _TILE_ELEMENTS:
        runs = _TILE_ELEMENTS // (rows * row_elements)
        for k in range(0, stack, runs):
            yield slice(k, k + runs), slice(0, rows)
        return
    step = max(1, _TILE_ELEMENTS // row_elements)
    for k in range(stack):
        for i in range(0, rows, step):
            yield slice(k, k + 1), slice(i, i + step)


class _ReluDotPairs(torch.autograd.Function):
    """scores[k, i, j] = sum_h w[k, h] relu(a[k, i, h] + c[k, j, h]), without its hidden layer."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, c: Tensor, w: Tensor, is_padded: bool) -> Tensor:
        a, c, w = a.contiguous(), c.contiguous(), w.contiguous()
        ctx.save_for_backward(a, c, w)
        if a.device.type == "cpu":
            scores = a.new_empty(a.shape[0], a.shape[1], c.shape[1])
            is_wide = c.shape[1] >= _MANY_COLUMNS and not is_padded
            forward = relu_dot_forward_by_columns if is_wide else relu_dot_forward
            forward(*_arrays(a, c, w, scores))
            return scores
        return _forward_tiles(a, c, w)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        a, c, w = ctx.saved_tensors
        grad = grad_outputs[0].contiguous()
        if a.device.type == "cpu":
            gradients = torch.zeros_like(a), torch.zeros_like(c), torch.zeros_like(w)
            relu_dot_backward(*_arrays(a, c, w, grad, *gradients))
            return (*gradients, None)
        return (*_backward_tiles(a, c, w, grad), None)


def _arrays(*tensors: Tensor) -> list[NDArray[np.floating[Any]]]:
    return [tensor.detach().numpy() for tensor in tensors]


def _forward_tiles(a: Tensor, c: Tensor, w: Tensor) -> Tensor:
    stack, rows, width = a.shape
    columns = c.shape[1]
    scores = a.new_empty(stack, rows, columns)
    for k, i in _tiles(stack, rows, columns * width):
        hidden = (a[k, i].unsqueeze(2) + c[k].unsqueeze(1)).relu_()
        scores[k, i] = (hidden @ w[k].unsqueeze(1).unsqueeze(3)).squeeze(3)
    return scores


def _backward_tiles(a: Tensor, c: Tensor, w: Tensor, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    stack, rows, width = a.shape
    columns = c.shape[1]
    grad_a, grad_c, grad_w = torch.empty_like(a), torch.zeros_like(c), torch.zeros_like(w)
    for k, i in _tiles(stack, rows, columns * width):
        hidden = (a[k, i].unsqueeze(2) + c[k].unsqueeze(1)).relu_()
        tile = grad[k, i]
        flat = tile.reshape(tile.shape[0], 1, -1)
        grad_w[k] += torch.bmm(flat, hidden.flatten(1, 2)).squeeze(1)
        active = hidden.sign_()
        grad_a[k, i] = (tile.unsqueeze(2) @ active).squeeze(2)
        grad_c[k] += active.mul_(tile.unsqueeze(3)).sum(1)
    weight = w.unsqueeze(1)
    return grad_a.mul_(weight), grad_c.mul_(weight), grad_w


def _triton_pairs(device: torch.device) -> Any:
    """The module with Triton's kernels; None where there is no Triton, or the device is no CUDA
    device that can run them (compute capability 8.0, and shared memory for their tiles)."""
    if device.type != "cuda" or find_spec("triton") is None:
        return None
    # Triton takes a third of a second to import.
    from fctestbed.nets import triton_pairs  # noqa: PLC0415

    # torch's stubs lack the shared memory.
    found: Any = torch.cuda.get_device_properties(device)
    capable = (found.major, found.minor) >= (8, 0)
    shared = found.shared_memory_per_block_optin
    return triton_pairs if capable and shared >= triton_pairs.LEAST_SHARED_BYTES else None


def _not_half(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Tensors in float32 where an autocast made them bf16."""
    return tuple(t.float() if t.dtype == torch.bfloat16 else t for t in tensors)


def relu_dot_pairs(
    a: Float[Tensor, "stack rows width"],
    c: Float[Tensor, "stack columns width"],
    w: Float[Tensor, "stack width"],
    *,
    is_padded: bool = False,
) -> Float[Tensor, "stack rows columns"]:
    """All-pairs scores of a critic with one hidden layer: w . relu(a_i + c_j).

    About 3 rows * columns * width operations forward and 6 backward; memory beyond the result is
    one tile. There is no product to round: every precision gives float32's scores.

    Args:
        a: first layer of the rows, with its bias.
        c: first layer of the columns.
        w: weights of the last layer.
        is_padded: whether other runs of the stack decide how many rows and columns there are. The
            kernel is then the same whatever their number.
    """
    a, c, w = _not_half(a, c, w)
    triton = _triton_pairs(a.device)
    if triton is not None:
        return cast(Tensor, triton.one_layer_scores(a, c, w))
    scores: Tensor = _ReluDotPairs.apply(a, c, w, is_padded)  # type: ignore[no-untyped-call]
    return scores


def _has_cpu_tiles(features: Tensor) -> bool:
    """Whether a critic with two hidden layers is computed by ``cpu_pairs``."""
    return features.device.type == "cpu"


def _two_layer_scores(
    a: Tensor, c: Tensor, layer: tuple[Tensor, Tensor], w: Tensor, pairs: PairList | None
) -> Tensor | None:
    """Scores of a critic with two hidden layers; None where only ``mlp_pairs``'s tiles can."""
    weight, bias = layer
    product = critic_precision(a)
    a, c, weight, bias, w = _not_half(a, c, weight, bias.squeeze(1), w)
    if _has_cpu_tiles(a):
        return cpu_pairs.two_layer_scores(a, c, weight, bias, w, pairs)
    triton = _triton_pairs(a.device)
    # Products of float32 gain nothing from Triton: tensor cores have none.
    if triton is None or product == "float32" or a.dtype != torch.float32:
        return None
    return cast(Tensor, triton.two_layer_scores(a, c, weight, bias, w, pairs, product=product))


def scores_lists(features: Tensor, n_middle: int) -> bool:
    """Whether ``listed_pairs`` can score critics with this number of layers between the first and
    the last, on the features' device and in the precision of products."""
    if n_middle != 1:
        return False
    if _has_cpu_tiles(features):
        return True
    return critic_precision(features) != "float32" and _triton_pairs(features.device) is not None


def listed_pairs(
    a: Float[Tensor, "stack rows width"],
    c: Float[Tensor, "stack columns width"],
    layers: Sequence[tuple[Tensor, Tensor]],
    w: Float[Tensor, "stack last"],
    pairs: PairList,
) -> Float[Tensor, "stack pairs"]:
    """Scores of listed pairs, where ``scores_lists`` says so; arguments as of ``mlp_pairs``."""
    (layer,) = layers
    scores = _two_layer_scores(a, c, layer, w, pairs)
    assert scores is not None
    return scores


def mlp_pairs(
    a: Float[Tensor, "stack rows width"],
    c: Float[Tensor, "stack columns width"],
    layers: Sequence[tuple[Tensor, Tensor]],
    w: Float[Tensor, "stack last"],
) -> Float[Tensor, "stack rows columns"]:
    """All-pairs scores of a critic with several hidden layers, without the last layer's bias.

    With two hidden layers a CPU has tiles that stay in cache, and a CUDA device Triton's kernels,
    if triton is installed, products are in tf32 or bf16, and the device has compute capability 8.0
    and 128 KB of shared memory for a thread block. Otherwise tiles are made by torch.

    Args:
        a: the first layer's output for the row elements alone, with its bias.
        c: the first layer's output for the column elements alone, without its bias.
        layers: weights [stack, in, out] and biases [stack, 1, out] of the layers between the first
            and the last.
        w: weights of the last layer, which has a single output.

    Returns:
        The scores. The backward pass computes each tile's hidden layers again instead of keeping
        them, unless there is one tile only.
    """
    if len(layers) == 1:
        scores = _two_layer_scores(a, c, layers[0], w, None)
        if scores is not None:
            return scores
    return _torch_tiles(a, c, layers, w)


def _torch_tiles(
    a: Tensor, c: Tensor, layers: Sequence[tuple[Tensor, Tensor]], w: Tensor
) -> Tensor:
    stack, rows, width = a.shape
    columns = c.shape[1]
    kind, in_bf16 = a.device.type, critic_precision(a) == "bf16"

    def tile_scores(a_tile: Tensor, c_tile: Tensor, last: Tensor, *middle: Tensor) -> Tensor:
        runs, n = a_tile.shape[:2]
        hidden = (a_tile.unsqueeze(2) + c_tile.unsqueeze(1)).relu_().view(runs, n * columns, width)
        with torch.autocast(kind, torch.bfloat16) if in_bf16 else nullcontext():
            for weight, bias in zip(middle[::2], middle[1::2], strict=True):
                hidden = torch.baddbmm(bias, hidden, weight).relu_()
            return torch.bmm(hidden, last.unsqueeze(2)).view(runs, n, columns)

    tiles = list(_tiles(stack, rows, columns * width))
    parts: list[Tensor] = []
    for k, i in tiles:
        arguments = (a[k, i], c[k], w[k], *(tensor[k] for layer in layers for tensor in layer))
        if len(tiles) == 1:
            parts.append(tile_scores(*arguments))
        else:
            tile = checkpoint(
                tile_scores, *arguments, use_reentrant=False, preserve_rng_state=False
            )
            assert isinstance(tile, Tensor)
            parts.append(tile)
    scores = torch.cat([part.flatten(0, 1) for part in parts]).view(stack, rows, columns)
    return scores.float() if in_bf16 else scores
