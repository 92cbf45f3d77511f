"""Kernels give the same digits whether they were just compiled or come from numba's cache."""

import os
import subprocess
import sys

import pytest

KERNELS = """
import hashlib
import numpy as np
from fctestbed.bounds.softmax_kernels import row_softmax
from fctestbed.measurement.channel.posterior_kernels import posterior_sums
from fctestbed.nets.kernels import (
    relu_dot_backward,
    relu_dot_forward,
    relu_dot_forward_by_columns,
)
from fctestbed.nets.layer_kernels import affine, affine_backward

rng = np.random.default_rng(0)
digest = hashlib.sha256()


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


for n in (128, 37):
    a, c, w, g = normal(2, n, 64), normal(2, n, 64), normal(2, 64), normal(2, n, n)
    scores = np.empty_like(g)
    relu_dot_forward(a, c, w, scores)
    gradients = [np.zeros_like(part) for part in (a, c, w)]
    relu_dot_backward(a, c, w, g, *gradients)
    by_columns = np.empty_like(g)
    relu_dot_forward_by_columns(a, c, w, by_columns)
    weight, each = normal(2, 64, 64), np.arange(2)
    layer = np.empty_like(a), np.zeros_like(a), np.empty_like(weight), np.empty((2, 1, 64), a.dtype)
    affine(a, each, weight, w[:, None], each, 0, True, layer[0])
    affine_backward(a, each, weight, each, 0, layer[0], True, c, *layer[1:])
    found = [scores, *gradients, by_columns, *layer]
    kept = (rng.random(g.shape) < 0.3) | np.eye(n, dtype=bool)
    for mask, alone in ((kept[:0], False), (kept, False), (kept[:0], True)):
        shares, normalisers = np.empty_like(g), np.empty((2, n), np.float32)
        row_softmax(3 * g, mask, alone, shares, normalisers)
        found += [shares, normalisers]
    outputs = [
        tuple(np.empty((2, n, *shape), np.float32) for _ in range(2))
        for shape in ((), (25 + 50,), (20,), (20,))
    ]
    posterior_sums(
        2,
        (normal(n, 25, 20), normal(n, 25, 20)),
        (normal(n, 25, 20), normal(n, 25, 20)),
        (rng.integers(0, 500, n), rng.integers(0, 500, n)),
        np.array([1.0, 3.0]),
        (np.array([20, 10]), np.array([20, 10])),
        (np.empty((25, 20), np.float32), np.empty((25, 20), np.float32)),
        (np.empty(25, np.int32), np.empty(25, np.int32)),
        *outputs,
    )
    for part in (*found, *(part for pair in outputs for part in pair)):
        digest.update(part.tobytes())
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_compiled_kernels_and_cached_ones_give_the_same_digits(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    compiled, cached = (
        subprocess.run(
            [sys.executable, "-c", KERNELS],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    )
    assert any(tmp_path.rglob("*.nbc"))
    assert compiled == cached
