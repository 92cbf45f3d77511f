"""The CPU kernel of posteriors over codewords, compiled by numba.

Owns the softmax over codewords at several noises, its entropy, and sums of the posteriors, from
products that all noises share. May import numpy, ``_compilation`` and ``_kernel_math``.

The posteriors of a draw stay in the cache until they are summed, and are not written to memory.
Where a whole row of them is too small to matter, neither exponentials nor sums are computed: in
little noise this is nearly every row.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed._compilation import compiled
from fctestbed._kernel_math import FAST, LEAST_EXPONENT, exp_float32

Array = NDArray[np.floating[Any]]
Floats = NDArray[np.float32]
Wholes = NDArray[np.int32]

_ONE, _ZERO = np.float32(1.0), np.float32(0.0)
_LEAST_LOGIT, _LOWEST = np.float32(-1e9), np.int32(-(1 << 30))
# exp(-40) = 4e-18: so many posteriors as there can be codewords, 2^24, together change a sum and
# an entropy by less than 3e-9, a twentieth of a float32 rounding error.
_NEGLIGIBLE = -40
_SMALLEST = np.float32(1.1754944e-38)


@compiled(fastmath=FAST)
def posterior_sums(  # noqa: PLR0912, PLR0915 - calls of compiled functions lose digits
    n_books: int,
    squares: tuple[Array, Array],
    crosses: tuple[Array, Array],
    own: tuple[NDArray[np.int64], NDArray[np.int64]],
    inverse_taus: NDArray[np.float64],
    widths: tuple[NDArray[np.int64], NDArray[np.int64]],
    p: tuple[Floats, Floats],
    tops: tuple[Wholes, Wholes],
    entropies: tuple[Floats, Floats],
    segments: tuple[Floats, Floats],
    columns: tuple[Floats, Floats],
    mixed: tuple[Floats, Floats],
) -> None:
    """Sums of posteriors p(w | c + tau n) and their entropies in nats, for each noise and draw.

    The codewords of a book are a matrix: its rows are the patterns of the leading bits, equally
    many for both books, its columns those of the others. Of each pair of arguments the second is
    read for two books alone.

    Args:
        n_books: 1 or 2.
        squares: <c, c_w> - |c_w|^2 / 2 of each draw's codeword c and all codewords,
            [n, rows, columns].
        crosses: <n, c_w> of each draw's noise n, [n, rows, columns].
        own: the place of each draw's codeword, [n]. Logits are relative to it: they are then small
            where posteriors are not, and float32 suffices for them.
        inverse_taus: 1 / tau, [taus].
        widths: codewords of a segment, for each kind of segments; the first is a whole row.
        p: overwritten, [rows, columns].
        tops: overwritten, [rows].
        entropies: written, [taus, n].
        segments: sums over segments, one kind after the other, written, [taus, n, all segments].
        columns: sums over rows of the matrix, written, [taus, n, columns].
        mixed: for two books, sums over rows weighted by the other book's posterior of the row,
            which add up to 1, written, [taus, n, columns].
    """
    for draw in range(len(own[0])):
        for place in range(len(inverse_taus)):
            for book in range(n_books):
                square, cross, q = squares[book][draw], crosses[book][draw], p[book]
                n_leads, n_columns = q.shape
                linear = square.dtype.type(inverse_taus[place])
                quadratic = square.dtype.type(inverse_taus[place] * inverse_taus[place])
                own_row, own_column = divmod(own[book][draw], n_columns)
                base, noise = square[own_row, own_column], cross[own_row, own_column]
                highest = tops[book]
                # The largest logits in whole nats: a largest float has no vector form.
                top = _LOWEST
                for row in range(n_leads):
                    row_top = _LOWEST
                    for column in range(n_columns):
                        logit = np.float32(
                            (square[row, column] - base) * quadratic
                            + (cross[row, column] - noise) * linear
                        )
                        q[row, column] = logit
                        row_top = max(row_top, np.int32(max(logit, _LEAST_LOGIT)))
                    highest[row] = row_top
                    top = max(top, row_top)
                shift = np.float32(top) + _ONE
                sums, over_rows = segments[book][place, draw], columns[book][place, draw]
                sums[:] = _ZERO
                over_rows[:] = _ZERO
                total, weighted = _ZERO, _ZERO
                for row in range(n_leads):
                    if highest[row] - top < _NEGLIGIBLE:
                        continue
                    row_total = _ZERO
                    for column in range(n_columns):
                        logit = max(q[row, column] - shift, LEAST_EXPONENT)
                        value = exp_float32(logit)
                        q[row, column] = value
                        over_rows[column] += value
                        row_total += value
                        weighted += value * logit
                    sums[row] = row_total
                    total += row_total
                    at = n_leads
                    for kind in range(1, len(widths[book])):
                        width = widths[book][kind]
                        n_segments = n_columns // width
                        for segment in range(n_segments):
                            values = q[row, segment * width : (segment + 1) * width]
                            part = _ZERO
                            for w in range(width):
                                part += values[w]
                            sums[at + row * n_segments + segment] = part
                        at += n_leads * n_segments
                scale = _ONE / total
                for cell in range(len(sums)):
                    sums[cell] *= scale
                for column in range(n_columns):
                    over_rows[column] *= scale
                # H = log sum exp(l) - sum p l, without a logarithm for each codeword.
                entropies[book][place, draw] = max(np.log(total) - weighted * scale, _ZERO)
            if n_books == 1:
                continue
            for book in range(2):
                q, highest, over_rows = p[book], tops[book], mixed[book][place, draw]
                weights = segments[1 - book][place, draw]
                n_leads, n_columns = q.shape
                top = highest.max()
                over_rows[:] = _ZERO
                for row in range(n_leads):
                    weight = weights[row]
                    if highest[row] - top < _NEGLIGIBLE or weight == _ZERO:
                        continue
                    for column in range(n_columns):
                        over_rows[column] += weight * q[row, column]
                total = _ZERO
                for column in range(n_columns):
                    total += over_rows[column]
                scale = _ONE / max(total, _SMALLEST)
                for column in range(n_columns):
                    over_rows[column] *= scale
