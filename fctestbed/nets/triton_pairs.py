"""Pair scores on a GPU by Triton kernels, forward and backward, without an array of pairs x width.

Owns the launches: tile sizes, slabs, scratch memory. May import torch, ``fctestbed.nets.pair_list``,
``fctestbed.nets.precision`` and ``fctestbed.nets.triton_kernels``; is imported only where triton is there.

The critic with two hidden layers, s = w3 . relu(W2^T x + b2) with x = relu(a_i + c_j): let m be 1
where its second layer is active, and g the gradient of s. Then

    Q[h, u] = sum g x[h] m[u],    r[u] = sum g m[u]         (sums over pairs)
    dW2 = w3 Q,    db2 = w3 r,    dw3 = sum_h W2 Q + b2 r,
    d(a_i + c_j) = g [x > 0] (W2 w3) m

so that the backward pass needs m alone of the forward pass, one bit a unit. The bits are kept if
they take at most 256 MiB; otherwise the backward pass computes them again, slab by slab. It costs
two products of the forward's size, or three. Sums over pairs are made in fixed segments that are
added one after the other: no atomic operations, the same result every time and in every stack.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fctestbed.nets import triton_kernels as kernels
from fctestbed.nets.pair_list import PairList
from fctestbed.nets.precision import Precision

_KEPT_BYTES = 1 << 28
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
_ROW_TILE = 32
_COLUMN_TILE = 64


def _ceil(n: int, step: int) -> int:
    return -(-n // step)


def _padded(width: int) -> int:
    """A width as the kernels take it: a power of two from 32 to 64, or a multiple of 64."""
    return 32 if width <= 32 else _ceil(width, 64) * 64


def _tile(width: int, most: int) -> int:
    """The largest power of two up to ``most`` that divides a padded width."""
    return min(width & -width, most)


@dataclass(frozen=True)
class _Problem:
    """Arguments of the kernels for some runs: widths are padded by zeros, which add nothing."""

    a: Tensor
    c: Tensor
    w2: Tensor
    b2: Tensor
    w3: Tensor
    pairs: PairList | None
    product: Precision

    @property
    def stack(self) -> int:
        return self.a.shape[0]

    @property
    def n_pairs(self) -> int:
        """Pairs of a run, with those behind the last pair of a list."""
        if self.pairs is not None:
            return self.pairs.rows.shape[1]
        return self.a.shape[1] * self.c.shape[1]

    @property
    def factor(self) -> torch.dtype:
        """The type of a product's factors."""
        return torch.bfloat16 if self.product == "bf16" else self.a.dtype

    @property
    def depth(self) -> int:
        """Terms of a product that a tile loads at once: 128 bytes of each row."""
        return 64 if self.product == "bf16" else 32

    @property
    def stages(self) -> int:
        """Loads that run ahead of the products."""
        return 2 if self.product == "bf16" else 3

    @property
    def lists(self) -> tuple[Tensor, Tensor]:
        """Row and column of each listed pair; any tensors where all pairs are scored."""
        return (self.a, self.a) if self.pairs is None else (self.pairs.rows, self.pairs.columns)

    @property
    def types(self) -> dict[str, Any]:
        """The constants that say in which types a kernel computes."""
        wide = _sum_type(self.a)
        return {
            "H1": self.a.shape[2],
            "H2": self.b2.shape[1],
            "FACTOR": kernels.tl.bfloat16 if self.product == "bf16" else wide,
            # Triton's interpreter multiplies by numpy, which has no bf16.
            "OPERAND": kernels.tl.bfloat16 if self.product == "bf16" and kernels.COMPILED else wide,
            "SUM": wide,
            "PRECISION": "tf32" if self.product == "tf32" else "ieee",
        }

    def runs(self, chosen: slice) -> "_Problem":
        """The problem of some runs."""
        pairs = self.pairs
        if pairs is not None:
            pairs = PairList(
                rows=pairs.rows[chosen],
                columns=pairs.columns[chosen],
                n_rows=pairs.n_rows,
                n_columns=pairs.n_columns,
                row_pairs=pairs.row_pairs[chosen],
                column_pairs=pairs.column_pairs[chosen],
            )
        tensors = (self.a, self.c, self.w2, self.b2, self.w3)
        return _Problem(*(tensor[chosen] for tensor in tensors), pairs, self.product)


def _wide(tensor: Tensor, *widths: int) -> Tensor:
    """A contiguous tensor whose last axes are padded by zeros to these widths."""
    extents = zip(reversed(widths), reversed(tensor.shape), strict=False)
    padding = [step for width, own in extents for step in (0, width - own)]
    padded = torch.nn.functional.pad(tensor, padding) if any(padding) else tensor
    return padded.contiguous()


def _problem(
    a: Tensor,
    c: Tensor,
    w2: Tensor,
    b2: Tensor,
    w3: Tensor,
    pairs: PairList | None,
    product: Precision,
) -> _Problem:
    h1, h2 = (_padded(width) for width in w2.shape[1:])
    listed = pairs
    if pairs is not None:
        # int32 halves what the kernels read of a list.
        listed = PairList(
            rows=pairs.rows.int().contiguous(),
            columns=pairs.columns.int().contiguous(),
            n_rows=pairs.n_rows,
            n_columns=pairs.n_columns,
            row_pairs=pairs.row_pairs.int().contiguous(),
            column_pairs=pairs.column_pairs.int().contiguous(),
        )
    return _Problem(
        _wide(a, h1), _wide(c, h1), _wide(w2, h1, h2), _wide(b2, h2), _wide(w3, h2), listed, product
    )


def _score(
    problem: _Problem,
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
    kernels.score_kernel[(_ceil(end - begin, _PAIRS), problem.stack)](
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
        UNITS=_tile(h2, _UNITS),
        DEPTH=_tile(h1, problem.depth),
        num_warps=8,
        num_stages=problem.stages,
        **problem.types,
    )


def _slabs(problem: _Problem) -> Iterator[tuple[int, int]]:
    """Ranges of pairs that a backward pass treats at once; whole rows, unless pairs are listed."""
    columns = problem.c.shape[1]
    step = max(1, _SLAB_PAIRS // columns) * columns if problem.pairs is None else _SLAB_LISTED
    for begin in range(0, problem.n_pairs, step):
        yield begin, min(begin + step, problem.n_pairs)


def _segment(problem: _Problem, begin: int, end: int) -> int:
    """Pairs that are summed at once; the same for every stack."""
    if problem.pairs is not None:
        return _LISTED_SEGMENT
    return max(_LEAST_PAIRS, _ceil(end - begin, _PARTS))


@dataclass(frozen=True)
class _Gradients:
    """Sums over pairs of some runs, in the padded widths."""

    a: Tensor
    c: Tensor
    q: Tensor
    r: Tensor

    def runs(self, chosen: slice) -> "_Gradients":
        """The sums of some runs."""
        return _Gradients(self.a[chosen], self.c[chosen], self.q[chosen], self.r[chosen])


def _add_parts(parts: Tensor, out: Tensor) -> None:
    """out[k] += the sum of parts[k, s]; ``out`` may be a slice of each run."""
    stack, n_parts = parts.shape[:2]
    size = parts[0, 0].numel()
    kernels.add_parts_kernel[(_ceil(size, 1024), stack)](
        parts, out, n_parts, size, out.stride(0), SIZE=1024
    )


def _add_dense_inputs(
    problem: _Problem,
    w23: Tensor,
    grad: Tensor,
    bits: Tensor,
    slab: tuple[int, int],
    sums: _Gradients,
) -> None:
    columns = problem.c.shape[1]
    h1, h2 = problem.w2.shape[1:]
    begin, end = (place // columns for place in slab)
    segment = max(_LEAST_ROWS, _ceil(end - begin, _PARTS))
    segments, blocks = _ceil(end - begin, segment), _ceil(columns, _PAIRS)
    units = _tile(h1, _UNITS // 2)
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
        DEPTH=_tile(h2, problem.depth),
        num_warps=8,
        num_stages=problem.stages,
        **problem.types,
    )
    _add_parts(parts_a, sums.a[:, begin:end])
    _add_parts(parts_c, sums.c)


def _add_listed_inputs(
    problem: _Problem,
    w23: Tensor,
    grad: Tensor,
    bits: Tensor,
    slab: tuple[int, int],
    sums: _Gradients,
) -> None:
    assert problem.pairs is not None
    h1, h2 = problem.w2.shape[1:]
    begin, end = slab
    units = _tile(h1, _UNITS)
    through = grad.new_empty(problem.stack, end - begin, h1)
    kernels.listed_inputs_kernel[(_ceil(end - begin, _PAIRS), h1 // units, problem.stack)](
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
        DEPTH=_tile(h2, problem.depth),
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
    problem: _Problem, grad: Tensor, bits: Tensor, slab: tuple[int, int], sums: _Gradients
) -> None:
    h1, h2 = problem.w2.shape[1:]
    begin, end = slab
    segment = _segment(problem, begin, end)
    segments = _ceil(end - begin, segment)
    units = _tile(h2, _UNITS)
    depth = _tile(h1, _UNITS)
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
    _add_parts(parts_q, sums.q)
    _add_parts(parts_r, sums.r)


def _backward(problem: _Problem, grad: Tensor, bits: Tensor | None) -> _Gradients:
    """Sums over pairs that the gradients are made of.

    Args:
        problem: the arguments.
        grad: gradients of the scores, [stack, pairs].
        bits: the bits of all pairs, or None to compute them again.
    """
    h1, h2 = problem.w2.shape[1:]
    sums = _Gradients(
        torch.zeros_like(problem.a),
        torch.zeros_like(problem.c),
        torch.zeros_like(problem.w2),
        torch.zeros_like(problem.b2),
    )
    w23 = (problem.w2 * problem.w3.unsqueeze(1)).transpose(1, 2).contiguous().to(problem.factor)
    for begin, end in _slabs(problem):
        listed = problem.pairs is not None
        segments = _ceil(end - begin, _segment(problem, begin, end))
        rows, columns = problem.a.shape[1], problem.c.shape[1]
        inputs = end - begin if listed else _PARTS * columns + rows * _ceil(columns, _PAIRS)
        scratch = segments * h1 * h2 + inputs * h1
        step = max(1, _SCRATCH // scratch)
        for run in range(0, problem.stack, step):
            runs = slice(run, run + step)
            part, own = problem.runs(runs), sums.runs(runs)
            if bits is None:
                slab_bits = _bits(part, end - begin)
                _score(part, None, slab_bits, begin, end)
            else:
                slab_bits = bits[runs, begin:end].contiguous()
            add = _add_listed_inputs if listed else _add_dense_inputs
            add(part, w23[runs], grad[runs], slab_bits, (begin, end), own)
            _add_weights(part, grad[runs], slab_bits, (begin, end), own)
    return sums


def _bits(problem: _Problem, n_pairs: int) -> Tensor:
    words = problem.w2.shape[2] // 32
    return problem.a.new_empty(problem.stack, n_pairs, words, dtype=torch.int32)


class _TwoLayerScores(torch.autograd.Function):
    """Scores of pairs [stack, pairs] by a critic with two hidden layers, without its last bias."""

    @staticmethod
    def forward(
        ctx: Any,
        a: Tensor,
        c: Tensor,
        w2: Tensor,
        b2: Tensor,
        w3: Tensor,
        pairs: PairList | None,
        product: Precision,
    ) -> Tensor:
        problem = _problem(a, c, w2, b2, w3, pairs, product)
        scores = problem.a.new_empty(problem.stack, problem.n_pairs)
        bits = None
        size = problem.stack * problem.n_pairs * problem.w2.shape[2] // 8
        if any(ctx.needs_input_grad) and size <= _KEPT_BYTES:
            bits = _bits(problem, problem.n_pairs)
        _score(problem, scores, bits, 0, problem.n_pairs)
        ctx.save_for_backward(a, c, w2, b2, w3, *(() if bits is None else (bits,)))
        ctx.pairs, ctx.product = pairs, product
        return scores

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        a, c, w2, b2, w3, *kept = ctx.saved_tensors
        problem = _problem(a, c, w2, b2, w3, ctx.pairs, ctx.product)
        sums = _backward(problem, grad_outputs[0].contiguous(), kept[0] if kept else None)
        h1, h2 = w2.shape[1:]
        q, r = sums.q[:, :h1, :h2], sums.r[:, :h2]
        return (
            sums.a[..., :h1],
            sums.c[..., :h1],
            q * w3.unsqueeze(1),
            r * w3,
            (w2 * q).sum(1) + b2 * r,
            None,
            None,
        )


def two_layer_scores(
    a: Tensor,
    c: Tensor,
    w2: Tensor,
    b2: Tensor,
    w3: Tensor,
    pairs: PairList | None,
    *,
    product: Precision,
) -> Tensor:
    """w3 . relu(W2^T relu(a_i + c_j) + b2) of all pairs, [stack, rows, columns], or of listed ones,
    [stack, pairs].

    Args:
        a: first layer of the rows, [stack, rows, width].
        c: first layer of the columns, [stack, columns, width].
        w2: weights of the second layer, [stack, width, width2].
        b2: its biases, [stack, width2].
        w3: weights of the last layer, [stack, width2].
        pairs: the pairs to score; None for all.
        product: precision of the products with W2; sums have the precision of ``a``.
    """
    apply: Callable[..., Tensor] = _TwoLayerScores.apply
    scores = apply(a, c, w2, b2, w3, pairs, product)
    return scores.view(a.shape[0], a.shape[1], c.shape[1]) if pairs is None else scores


class _OneLayerScores(torch.autograd.Function):
    """Scores of all pairs by a critic with one hidden layer, without its bias."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, c: Tensor, w: Tensor) -> Tensor:
        stack, rows, width = a.shape
        columns = c.shape[1]
        ctx.save_for_backward(a, c, w)
        scores = a.new_empty(stack, rows, columns)
        kernels.relu_dot_kernel[(_ceil(rows, _ROW_TILE), _ceil(columns, _COLUMN_TILE), stack)](
            a.transpose(1, 2).contiguous(),
            c.transpose(1, 2).contiguous(),
            w.contiguous(),
            scores,
            rows,
            columns,
            width,
            SUM=_sum_type(a),
            ROWS=_ROW_TILE,
            COLUMNS=_COLUMN_TILE,
        )
        return scores

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, ...]:
        a, c, w = (tensor.contiguous() for tensor in ctx.saved_tensors)
        grad = grad_outputs[0].contiguous()
        stack, rows, width = a.shape
        columns = c.shape[1]
        grad_a, grad_c, grad_w = torch.empty_like(a), torch.empty_like(c), torch.zeros_like(w)
        parts_w = a.new_empty(stack, _ceil(rows, _LEAST_ROWS), width)
        for own, other, out, strides, weights in (
            (a, c, grad_a, (columns, 1), True),
            (c, a, grad_c, (1, columns), False),
        ):
            n = own.shape[1]
            grid = _ceil(n, _LEAST_ROWS), _ceil(width, _COLUMN_TILE), stack
            kernels.relu_dot_gradient_kernel[grid](
                own,
                other,
                grad,
                out,
                parts_w,
                n,
                other.shape[1],
                width,
                *strides,
                SUM=_sum_type(a),
                WEIGHTS=weights,
                ROWS=_LEAST_ROWS,
                UNITS=_COLUMN_TILE,
            )
        _add_parts(parts_w, grad_w)
        weight = w.unsqueeze(1)
        return grad_a.mul_(weight), grad_c.mul_(weight), grad_w


def _sum_type(a: Tensor) -> Any:
    return kernels.tl.float64 if a.dtype == torch.float64 else kernels.tl.float32


def one_layer_scores(a: Tensor, c: Tensor, w: Tensor) -> Tensor:
    """w . relu(a_i + c_j) of all pairs, [stack, rows, columns]; no product is rounded to tf32 or
    bf16, since there is none.

    Args:
        a: first layer of the rows, [stack, rows, width].
        c: first layer of the columns, [stack, columns, width].
        w: weights of the last layer, [stack, width].
    """
    apply: Callable[..., Tensor] = _OneLayerScores.apply
    return apply(a, c, w)
