"""Launches of the pair critic's Triton kernels: scores, and the sums that gradients are made of.

Owns slabs, segments and scratch memory. May import torch, ``fctestbed.nets.triton_kernels`` and
``fctestbed.nets.triton_problem``.

The critic with two hidden layers, s = w3 . relu(W2^T x + b2) with x = relu(a_i + c_j): let m be 1
where its second layer is active, and g the gradient of s. Then

    Q[h, u] = sum g x[h] m[u],    r[u] = sum g m[u]         (sums over pairs)
    dW2 = w3 Q,    db2 = w3 r,    dw3 = sum_h W2 Q + b2 r,
    d(a_i + c_j) = g [x > 0] (W2 w3) m

so that the backward pass needs m alone of the forward pass, one bit a unit; it computes them again,
slab by slab, where they were not kept. Sums over pairs are made in fixed segments that are
added one after the other: no atomic operations, the same result every time and in every stack.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from fctestbed.nets import triton_kernels as kernels
from fctestbed.nets.triton_problem import Problem, ceil_div, tile_of

# Pairs that a backward pass treats at once: of all pairs of a run, and of a list of them, whose
# gradients with respect to a_i + c_j are held in memory.
_SLAB_PAIRS = 1 << 20
_SLAB_LISTED = 1 << 16
# Elements of scratch memory for the runs that are treated at once.
_SCRATCH = 1 << 27
# Tiles that leave no registers to memory on compute capability 9.0, and take at most 115 KB of a
# multiprocessor's shared memory.
_PAIRS = 128
_UNITS = 128
LEAST_SHARED_BYTES = 128 << 10
"""Shared memory of a thread block without which the kernels cannot run (an A100 has 163 KB)."""
_PARTS = 16
_LEAST_ROWS = 16
_LEAST_PAIRS = 4096
_LISTED_SEGMENT = 2048


def launch_scores(
    problem: Problem,
    scores: Tensor | None,
    bits: Tensor | None,
    begin: int,
    end: int,
) -> None:
    """Scores of pairs begin ... end - 1 and their bits; the bits begin with pair ``begin``."""
    h1, h2 = problem.w2.shape[1:]
    unused = problem.a
    if end == begin:
        return
    kernels.score_kernel[(ceil_div(end - begin, _PAIRS), problem.stack)](
        problem.a,
        problem.c,
        problem.w2.to(problem.factor),
        problem.b2,
        problem.w3,
        *problem.lists,
        unused if scores is None else scores,
        unused if bits is None else bits,
        problem.a.shape[1],
        problem.c.shape[1],
        problem.n_pairs,
        begin,
        end,
        begin,
        0 if bits is None else bits.shape[1],
        LISTED=problem.pairs is not None,
        SCORES=scores is not None,
        BITS=bits is not None,
        PAIRS=_PAIRS,
        UNITS=tile_of(h2, _UNITS),
        DEPTH=tile_of(h1, problem.depth),
        num_warps=8,
        num_stages=problem.stages,
        **problem.types,
    )


def _slabs(problem: Problem) -> Iterator[tuple[int, int]]:
    """Ranges of pairs that a backward pass treats at once; whole rows, unless pairs are listed."""
    columns = problem.c.shape[1]
    step = max(1, _SLAB_PAIRS // columns) * columns if problem.pairs is None else _SLAB_LISTED
    for begin in range(0, problem.n_pairs, step):
        yield begin, min(begin + step, problem.n_pairs)


def _segment(problem: Problem, begin: int, end: int) -> int:
    """Pairs that are summed at once; the same for every stack."""
    if problem.pairs is not None:
        return _LISTED_SEGMENT
    return max(_LEAST_PAIRS, ceil_div(end - begin, _PARTS))


@dataclass(frozen=True)
class PairSums:
    """Sums over pairs of some runs, in the padded widths."""

    a: Tensor
    c: Tensor
    q: Tensor
    r: Tensor

    def runs(self, chosen: slice) -> "PairSums":
        """The sums of some runs."""
        return PairSums(self.a[chosen], self.c[chosen], self.q[chosen], self.r[chosen])


def add_parts(parts: Tensor, out: Tensor) -> None:
    """out[k] += the sum of parts[k, s]; ``out`` may be a slice of each run."""
    stack, n_parts = parts.shape[:2]
    size = parts[0, 0].numel()
    kernels.add_parts_kernel[(ceil_div(size, 1024), stack)](
        parts, out, n_parts, size, out.stride(0), SIZE=1024
    )


def _add_dense_inputs(
    problem: Problem,
    w23: Tensor,
    grad: Tensor,
    bits: Tensor,
    slab: tuple[int, int],
    sums: PairSums,
) -> None:
    columns = problem.c.shape[1]
    h1, h2 = problem.w2.shape[1:]
    begin, end = (place // columns for place in slab)
    segment = max(_LEAST_ROWS, ceil_div(end - begin, _PARTS))
    segments, blocks = ceil_div(end - begin, segment), ceil_div(columns, _PAIRS)
    units = tile_of(h1, _UNITS // 2)
    parts_a = grad.new_empty(problem.stack, blocks, end - begin, h1)
    parts_c = grad.new_empty(problem.stack, segments, columns, h1)
    kernels.dense_inputs_kernel[(blocks, h1 // units * segments, problem.stack)](
        problem.a,
        problem.c,
        w23,
        grad,
        bits,
        parts_a,
        parts_c,
        problem.a.shape[1],
        columns,
        problem.n_pairs,
        begin,
        end,
        segment,
        slab[0],
        bits.shape[1],
        PAIRS=_PAIRS,
        UNITS=units,
        DEPTH=tile_of(h2, problem.depth),
        num_warps=8,
        num_stages=problem.stages,
        **problem.types,
    )
    add_parts(parts_a, sums.a[:, begin:end])
    add_parts(parts_c, sums.c)


def _add_listed_inputs(
    problem: Problem,
    w23: Tensor,
    grad: Tensor,
    bits: Tensor,
    slab: tuple[int, int],
    sums: PairSums,
) -> None:
    assert problem.pairs is not None
    h1, h2 = problem.w2.shape[1:]
    begin, end = slab
    units = tile_of(h1, _UNITS)
    through = grad.new_empty(problem.stack, end - begin, h1)
    kernels.listed_inputs_kernel[(ceil_div(end - begin, _PAIRS), h1 // units, problem.stack)](
        problem.a,
        problem.c,
        w23,
        *problem.lists,
        grad,
        bits,
        through,
        problem.a.shape[1],
        problem.c.shape[1],
        problem.n_pairs,
        begin,
        end,
        begin,
        bits.shape[1],
        PAIRS=_PAIRS,
        UNITS=units,
        DEPTH=tile_of(h2, problem.depth),
        num_warps=8,
        num_stages=problem.stages,
        **problem.types,
    )
    for out, places in (
        (sums.a, problem.pairs.row_pairs),
        (sums.c, problem.pairs.column_pairs),
    ):
        kernels.add_listed_kernel[(out.shape[1], h1 // units, problem.stack)](
            through,
            places,
            out,
            out.shape[1],
            begin,
            end,
            H1=h1,
            SUM=problem.types["SUM"],
            UNITS=units,
        )


def _add_weights(
    problem: Problem, grad: Tensor, bits: Tensor, slab: tuple[int, int], sums: PairSums
) -> None:
    h1, h2 = problem.w2.shape[1:]
    begin, end = slab
    segment = _segment(problem, begin, end)
    segments = ceil_div(end - begin, segment)
    units = tile_of(h2, _UNITS)
    depth = tile_of(h1, _UNITS)
    parts_q = grad.new_empty(problem.stack, segments, h1, h2)
    parts_r = grad.new_empty(problem.stack, segments, h2)
    kernels.weights_kernel[(h1 // depth * (h2 // units), segments, problem.stack)](
        problem.a,
        problem.c,
        *problem.lists,
        grad,
        bits,
        parts_q,
        parts_r,
        problem.a.shape[1],
        problem.c.shape[1],
        problem.n_pairs,
        begin,
        end,
        segment,
        begin,
        bits.shape[1],
        LISTED=problem.pairs is not None,
        PAIRS=problem.depth,
        UNITS=units,
        DEPTH=depth,
        num_warps=8,
        num_stages=problem.stages,
        **problem.types,
    )
    add_parts(parts_q, sums.q)
    add_parts(parts_r, sums.r)


def sums_over_pairs(problem: Problem, grad: Tensor, bits: Tensor | None) -> PairSums:
    """Sums over pairs that the gradients are made of.

    Args:
        problem: the arguments.
        grad: gradients of the scores, [stack, pairs].
        bits: the bits of all pairs, or None to compute them again.
    """
    h1, h2 = problem.w2.shape[1:]
    sums = PairSums(
        torch.zeros_like(problem.a),
        torch.zeros_like(problem.c),
        torch.zeros_like(problem.w2),
        torch.zeros_like(problem.b2),
    )
    w23 = (problem.w2 * problem.w3.unsqueeze(1)).transpose(1, 2).contiguous().to(problem.factor)
    for begin, end in _slabs(problem):
        listed = problem.pairs is not None
        segments = ceil_div(end - begin, _segment(problem, begin, end))
        rows, columns = problem.a.shape[1], problem.c.shape[1]
        inputs = end - begin if listed else _PARTS * columns + rows * ceil_div(columns, _PAIRS)
        scratch = segments * h1 * h2 + inputs * h1
        step = max(1, _SCRATCH // scratch)
        for run in range(0, problem.stack, step):
            runs = slice(run, run + step)
            part, own = problem.runs(runs), sums.runs(runs)
            if bits is None:
                slab_bits = empty_bits(part, end - begin)
                launch_scores(part, None, slab_bits, begin, end)
            else:
                slab_bits = bits[runs, begin:end].contiguous()
            add = _add_listed_inputs if listed else _add_dense_inputs
            add(part, w23[runs], grad[runs], slab_bits, (begin, end), own)
            _add_weights(part, grad[runs], slab_bits, (begin, end), own)
    return sums


def empty_bits(problem: Problem, n_pairs: int) -> Tensor:
    """Room for the bits of some pairs of each run, [stack, n_pairs, words]."""
    words = problem.w2.shape[2] // 32
    return problem.a.new_empty(problem.stack, n_pairs, words, dtype=torch.int32)
