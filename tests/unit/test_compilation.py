"""Functions that numba compiles: with a cache where it can be written, without one elsewhere."""

import json
import subprocess
import sys

import numpy as np
import pytest

# As in a read-only installation without a home: numba finds no place for a cache.
NO_PLACE = """
import sys
from numba import njit
from numba.core import caching

caching.CacheImpl._locator_classes = []
try:
    njit(cache=True)(lambda: 1)
except RuntimeError as error:
    assert "no locator available" in str(error), error
else:
    raise AssertionError("numba found a place for its cache")
from fctestbed.cli.main import run

sys.exit(run(sys.argv[1:]))
"""


def without_a_cache(place, *command):
    answer = subprocess.run(
        [sys.executable, "-c", NO_PLACE, *command],
        cwd=place, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.stderr == ""
    assert answer.returncode == 0
    return answer.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    path = tmp_path_factory.mktemp("no_cache")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 5))
    np.savez(path / "wide.npz", x=x, y=x + rng.standard_normal((300, 5)))
    return path


def test_neighbours_in_many_columns_need_no_cache(place):
    from fctestbed.estimators import make_estimator

    command = ["estimate", "wide.npz:x", "wide.npz:y", "--estimator", "ksg1", "--json"]
    with np.load(place / "wide.npz") as data:
        expected = make_estimator("ksg1").estimate(data["x"], data["y"]).value_bits
    assert json.loads(without_a_cache(place, *command))["value_bits"] == expected


def test_critics_of_trainings_need_no_cache(place):
    command = ["sweep", "--unique-ratio", "0", "--seeds", "0", "--methods", "raw", "--dry-run"]
    assert "1 run" in without_a_cache(place, *command)


def test_a_cache_is_kept_where_it_can_be_written():
    from fctestbed.nets import kernels

    assert type(kernels.relu_dot_forward._cache).__name__ == "FunctionCache"
