"""Triton kernels of the pair critic: hidden layers of a tile of pairs live in registers only.

Owns the kernels for two hidden layers; ``fctestbed.nets.triton_launches`` launches them. May import
triton only, and is imported only where triton is there.

In all of them ``a`` and ``c`` are contiguous [stack, rows, H1] and [stack, columns, H1], scores and
their gradients [stack, n_pairs]. A pair p is row p // columns and column p % columns or, if LISTED,
``first[p]`` and ``second[p]``, where -1 is no pair. ``bits`` holds a bit for each unit of the
second hidden layer of each pair, 32 to a word: whether the unit is active. It begins with pair
``origin``. Factors of products are rounded to FACTOR, and multiplied as OPERAND; the two differ
only in Triton's interpreter, whose numpy has no bf16.

Comparisons are written ``x <= 0`` so that NaN passes, as it does in torch's relu. No sum depends on
the stack, and none uses atomic operations: results are the same every time.
"""

import triton
import triton.language as tl

COMPILED = not triton.knobs.runtime.interpret
"""Whether kernels are compiled for a GPU; with ``TRITON_INTERPRET=1`` numpy interprets them."""


@triton.jit
def _pair(first, second, run, p, inside, columns, n_pairs, LISTED: tl.constexpr):
    """Row and column of pairs, and which of them are pairs."""
    if LISTED:
        row = tl.load(first + run * n_pairs + p, mask=inside, other=-1)
        column = tl.load(second + run * n_pairs + p, mask=inside, other=-1)
        inside = row >= 0
        return tl.where(inside, row, 0), tl.where(inside, column, 0), inside
    return p // columns, p % columns, inside


@triton.jit
def score_kernel(
    a, c, w2, b2, w3, first, second, scores, bits,
    rows, columns, n_pairs, begin, end, origin, bit_pairs,
    H1: tl.constexpr, H2: tl.constexpr, LISTED: tl.constexpr,
    SCORES: tl.constexpr, BITS: tl.constexpr,
    FACTOR: tl.constexpr, OPERAND: tl.constexpr, SUM: tl.constexpr, PRECISION: tl.constexpr,
    PAIRS: tl.constexpr, UNITS: tl.constexpr, DEPTH: tl.constexpr,
):  # fmt: skip
    """scores[p] = w3 . relu(w2^T relu(a_i + c_j) + b2) of pairs begin ... end - 1, and their bits.

    Grid: (tiles of PAIRS pairs, stack).
    """
    run = tl.program_id(1).to(tl.int64)
    p = begin + tl.program_id(0) * PAIRS + tl.arange(0, PAIRS)
    inside = p < end
    row, column, inside = _pair(first, second, run, p, inside, columns, n_pairs, LISTED)
    a_row = a + (run * rows + row) * H1
    c_row = c + (run * columns + column) * H1
    total = tl.zeros([PAIRS], SUM)
    for start in range(0, H2, UNITS):
        unit = start + tl.arange(0, UNITS)
        z = tl.zeros([PAIRS, UNITS], SUM)
        for depth in range(0, H1, DEPTH):
            h = depth + tl.arange(0, DEPTH)
            x = tl.load(a_row[:, None] + h[None, :], mask=inside[:, None], other=0.0)
            x += tl.load(c_row[:, None] + h[None, :], mask=inside[:, None], other=0.0)
            x = tl.where(x <= 0, 0.0, x)
            w = tl.load(w2 + (run * H1 + h[:, None]) * H2 + unit[None, :])
            z = tl.dot(
                x.to(FACTOR).to(OPERAND),
                w.to(OPERAND),
                z,
                input_precision=PRECISION,
                out_dtype=SUM,
            )
        z += tl.load(b2 + run * H2 + unit)[None, :]
        off = z <= 0
        if SCORES:
            weight = tl.load(w3 + run * H2 + unit)
            total += tl.sum(tl.where(off, 0.0, z) * weight[None, :], 1)
        if BITS:
            on = tl.reshape(tl.where(off, 0, 1), [PAIRS, UNITS // 32, 32])
            words = tl.sum(on << tl.arange(0, 32)[None, None, :], 2)
            word = start // 32 + tl.arange(0, UNITS // 32)
            own = bits + (run * bit_pairs + p - origin) * (H2 // 32)
            tl.store(own[:, None] + word[None, :], words, mask=(p < end)[:, None])
    if SCORES:
        tl.store(scores + run * n_pairs + p, total, mask=p < end)


@triton.jit
def _active(own, unit, inside):
    """Activity, 0 or 1, of some units of some pairs: [pairs, units]."""
    words = tl.load(own[:, None] + (unit // 32)[None, :], mask=inside[:, None], other=0)
    return (words >> (unit % 32)[None, :]) & 1


@triton.jit
def dense_inputs_kernel(
    a, c, w23, grad, bits, parts_a, parts_c,
    rows, columns, n_pairs, first_row, last_row, segment, origin, bit_pairs,
    H1: tl.constexpr, H2: tl.constexpr,
    FACTOR: tl.constexpr, OPERAND: tl.constexpr, SUM: tl.constexpr, PRECISION: tl.constexpr,
    PAIRS: tl.constexpr, UNITS: tl.constexpr, DEPTH: tl.constexpr,
):  # fmt: skip
    """Gradients of ``a`` and ``c`` over all pairs of rows first_row ... last_row - 1.

    A program has PAIRS columns, UNITS units of the first layer and ``segment`` rows. It stores sums
    over its columns in parts_a [stack, column blocks, last_row - first_row, H1], and sums over its
    rows in parts_c [stack, segments, columns, H1]. ``w23`` is the transpose of w2 * w3.

    Grid: (column blocks, H1 / UNITS * segments, stack).
    """
    run = tl.program_id(2).to(tl.int64)
    block = tl.program_id(0)
    chunk = tl.program_id(1) % (H1 // UNITS)
    part = tl.program_id(1) // (H1 // UNITS)
    column = block * PAIRS + tl.arange(0, PAIRS)
    inside = column < columns
    h = chunk * UNITS + tl.arange(0, UNITS)
    c_place = (run * columns + column)[:, None] * H1 + h[None, :]
    c_tile = tl.load(c + c_place, mask=inside[:, None], other=0.0)
    sum_c = tl.zeros([PAIRS, UNITS], SUM)
    begin = first_row + part * segment
    for row in range(begin, tl.minimum(begin + segment, last_row)):
        p = row * columns + column
        own = bits + (run * bit_pairs + p - origin) * (H2 // 32)
        through = tl.zeros([PAIRS, UNITS], SUM)
        for depth in range(0, H2, DEPTH):
            unit = depth + tl.arange(0, DEPTH)
            active = _active(own, unit, inside).to(OPERAND)
            w = tl.load(w23 + (run * H2 + unit[:, None]) * H1 + h[None, :])
            through = tl.dot(
                active, w.to(OPERAND), through, input_precision=PRECISION, out_dtype=SUM
            )
        g = tl.load(grad + run * n_pairs + p, mask=inside, other=0.0)
        x = tl.load(a + (run * rows + row) * H1 + h)[None, :] + c_tile
        through = tl.where(x <= 0, 0.0, through * g[:, None])
        sum_c += through
        place = (run * tl.num_programs(0) + block) * (last_row - first_row) + row - first_row
        tl.store(parts_a + place * H1 + h, tl.sum(through, 0))
    parts = tl.num_programs(1) // (H1 // UNITS)
    place = ((run * parts + part) * columns + column)[:, None] * H1 + h[None, :]
    tl.store(parts_c + place, sum_c, mask=inside[:, None])


@triton.jit
def listed_inputs_kernel(
    a, c, w23, first, second, grad, bits, through_pairs,
    rows, columns, n_pairs, begin, end, origin, bit_pairs,
    H1: tl.constexpr, H2: tl.constexpr,
    FACTOR: tl.constexpr, OPERAND: tl.constexpr, SUM: tl.constexpr, PRECISION: tl.constexpr,
    PAIRS: tl.constexpr, UNITS: tl.constexpr, DEPTH: tl.constexpr,
):  # fmt: skip
    """Gradient of a_i + c_j of each listed pair begin ... end - 1: [stack, end - begin, H1].

    Grid: (tiles of PAIRS pairs, H1 / UNITS, stack).
    """
    run = tl.program_id(2).to(tl.int64)
    p = begin + tl.program_id(0) * PAIRS + tl.arange(0, PAIRS)
    row, column, inside = _pair(first, second, run, p, p < end, columns, n_pairs, True)
    h = tl.program_id(1) * UNITS + tl.arange(0, UNITS)
    own = bits + (run * bit_pairs + p - origin) * (H2 // 32)
    through = tl.zeros([PAIRS, UNITS], SUM)
    for depth in range(0, H2, DEPTH):
        unit = depth + tl.arange(0, DEPTH)
        active = _active(own, unit, inside).to(OPERAND)
        w = tl.load(w23 + (run * H2 + unit[:, None]) * H1 + h[None, :])
        through = tl.dot(active, w.to(OPERAND), through, input_precision=PRECISION, out_dtype=SUM)
    g = tl.load(grad + run * n_pairs + p, mask=inside, other=0.0)
    a_place = (run * rows + row)[:, None] * H1 + h[None, :]
    c_place = (run * columns + column)[:, None] * H1 + h[None, :]
    x = tl.load(a + a_place, mask=inside[:, None], other=0.0)
    x += tl.load(c + c_place, mask=inside[:, None], other=0.0)
    through = tl.where(x <= 0, 0.0, through * g[:, None])
    place = (run * (end - begin) + p - begin)[:, None] * H1 + h[None, :]
    tl.store(through_pairs + place, through, mask=inside[:, None])


@triton.jit
def add_listed_kernel(
    through_pairs, places, out, n_out, begin, end,
    H1: tl.constexpr, SUM: tl.constexpr, UNITS: tl.constexpr,
):  # fmt: skip
    """Add to out[k, i] the gradients of its pairs among begin ... end - 1, in the list's order.

    Grid: (n_out, H1 / UNITS, stack).
    """
    run = tl.program_id(2).to(tl.int64)
    own = run * n_out + tl.program_id(0)
    h = tl.program_id(1) * UNITS + tl.arange(0, UNITS)
    start = tl.load(places + own * 3)
    stride = tl.load(places + own * 3 + 1)
    count = tl.load(places + own * 3 + 2)
    low = (tl.maximum(begin - start, 0) + stride - 1) // stride
    high = tl.minimum((tl.maximum(end - start, 0) + stride - 1) // stride, count)
    total = tl.load(out + own * H1 + h)
    for t in range(low, high):
        p = start + t * stride - begin
        total += tl.load(through_pairs + (run * (end - begin) + p) * H1 + h)
    tl.store(out + own * H1 + h, total)


@triton.jit
def weights_kernel(
    a, c, first, second, grad, bits, parts_q, parts_r,
    rows, columns, n_pairs, begin, end, segment, origin, bit_pairs,
    H1: tl.constexpr, H2: tl.constexpr, LISTED: tl.constexpr,
    FACTOR: tl.constexpr, OPERAND: tl.constexpr, SUM: tl.constexpr, PRECISION: tl.constexpr,
    PAIRS: tl.constexpr, UNITS: tl.constexpr, DEPTH: tl.constexpr,
):  # fmt: skip
    """Sums over segments of the pairs begin ... end - 1, from which the layers' gradients follow.

    parts_q [stack, segments, H1, H2] holds sum_p g_p relu(a_i + c_j)[h] active_p[u], and parts_r
    [stack, segments, H2] holds sum_p g_p active_p[u]. A program has DEPTH units of the first layer
    and UNITS of the second.

    Grid: (H1 / DEPTH * H2 / UNITS, segments, stack).
    """
    run = tl.program_id(2).to(tl.int64)
    part = tl.program_id(1)
    chunk = tl.program_id(0) // (H2 // UNITS)
    h = chunk * DEPTH + tl.arange(0, DEPTH)
    unit = tl.program_id(0) % (H2 // UNITS) * UNITS + tl.arange(0, UNITS)
    q = tl.zeros([DEPTH, UNITS], SUM)
    r = tl.zeros([UNITS], SUM)
    low = begin + part * segment
    high = tl.minimum(low + segment, end)
    for start in range(low, high, PAIRS):
        p = start + tl.arange(0, PAIRS)
        row, column, inside = _pair(first, second, run, p, p < high, columns, n_pairs, LISTED)
        a_place = (run * rows + row)[None, :] * H1 + h[:, None]
        c_place = (run * columns + column)[None, :] * H1 + h[:, None]
        x = tl.load(a + a_place, mask=inside[None, :], other=0.0)
        x += tl.load(c + c_place, mask=inside[None, :], other=0.0)
        g = tl.load(grad + run * n_pairs + p, mask=inside, other=0.0)
        x = tl.where(x <= 0, 0.0, x) * g[None, :]
        own = bits + (run * bit_pairs + p - origin) * (H2 // 32)
        active = _active(own, unit, inside)
        q = tl.dot(
            x.to(FACTOR).to(OPERAND),
            active.to(OPERAND),
            q,
            input_precision=PRECISION,
            out_dtype=SUM,
        )
        r += tl.sum(active.to(SUM) * g[:, None], 0)
    place = (run * tl.num_programs(1) + part) * H1 + h
    tl.store(parts_q + place[:, None] * H2 + unit[None, :], q)
    if chunk == 0:
        tl.store(parts_r + (run * tl.num_programs(1) + part) * H2 + unit, r)


@triton.jit
def add_parts_kernel(parts, out, n_parts, size, out_stride, SIZE: tl.constexpr):
    """out[k, e] += sum_s parts[k, s, e], one part after the other.

    Zeros behind the last part therefore change no digit. Grid: (size / SIZE, stack).
    """
    run = tl.program_id(1).to(tl.int64)
    e = tl.program_id(0) * SIZE + tl.arange(0, SIZE)
    inside = e < size
    total = tl.load(out + run * out_stride + e, mask=inside, other=0.0)
    for part in range(0, n_parts):
        total += tl.load(parts + (run * n_parts + part) * size + e, mask=inside, other=0.0)
    tl.store(out + run * out_stride + e, total, mask=inside)
