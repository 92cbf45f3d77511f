"""Bad arrays: one line that names the argument, never a silent number."""

import numpy as np
import pytest

from fctestbed.estimators import make_estimator

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((2, 50))
LABELS = RNG.integers(0, 3, 50)
CONTINUOUS = ["gaussian", "gaussian-copula", "ksg1", "ksg2", "mixed-ksg", "frenzel-pompe"]
EVERY = [*CONTINUOUS, "mesner-shalizi", "ross", "plugin", "miller-madow", "chao-wang-jost"]


def changed(array, value):
    array = array.astype(float if array.dtype != object else object)
    array[-1] = value
    return array


BROKEN = [
    ((changed(X, np.nan), LABELS), "x: expected finite numbers, got NaN"),
    ((X, changed(LABELS, np.inf)), "y: expected finite numbers, got infinity"),
    ((X, LABELS[:-1]), "y: expected 50 samples as in x, got 49"),
    ((changed(X.astype(object), None), LABELS), "x: expected a value in each row, got None in ro"),
    ((np.array([{}] * 50), LABELS), "x: expected an array of numbers or text, got dict in row 0"),
    ((X, LABELS.astype(complex)), "y: expected an array of numbers, got dtype complex128"),
    ((X[:, None, None], LABELS), "x: expected shape (n,) or (n, dim), got (50, 1, 1)"),
    ((X, np.empty((50, 0))), "y: expected shape (n,) or (n, dim), got (50, 0)"),
    ((X, 3.0), "y: expected shape (n,) or (n, dim), got ()"),
    ((X, [[1, 2], [3]]), "y: expected an array of numbers, got none (setting an array element"),
    ((np.ma.masked_less(X, 0), LABELS), "x: expected an array of numbers, got none (masked"),
    ((X[:1], LABELS[:1]), "x: expected at least "),
]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(("arrays", "message"), BROKEN, ids=[m for _, m in BROKEN])
def test_broken_arrays_are_refused_by_every_estimator(name, arrays, message):
    with pytest.raises(ValueError, match=r"^(x|y): ") as refusal:
        make_estimator(name).estimate(*arrays)
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", [*CONTINUOUS, "mesner-shalizi"])
def test_text_and_constant_columns_are_refused_where_they_mean_nothing(name):
    with pytest.raises(ValueError, match="y: expected an array of numbers, got text"):
        make_estimator(name).estimate(X, LABELS.astype(str))
    constant = np.stack([Y, np.full(50, 2.5)], axis=1)
    with pytest.raises(ValueError, match=r"y: expected columns that vary, got 2.5 throughout .* 1"):
        make_estimator(name).estimate(X, constant)


@pytest.mark.parametrize("name", ["ksg1", "ksg2", "mixed-ksg", "ross"])
def test_a_condition_is_refused_where_there_is_no_form_for_it(name):
    with pytest.raises(ValueError, match=f"given: expected none, because {name} has no conditio"):
        make_estimator(name).estimate(X, LABELS, Y)


@pytest.mark.parametrize("name", ["gaussian", "frenzel-pompe", "mesner-shalizi", "plugin"])
def test_a_broken_condition_is_refused_by_its_name(name):
    x, y = (X, Y) if name != "plugin" else (LABELS, LABELS)
    with pytest.raises(ValueError, match="given: expected finite numbers, got NaN"):
        make_estimator(name).estimate(x, y, changed(X, np.nan))
    with pytest.raises(ValueError, match="given: expected 50 samples as in x, got 40"):
        make_estimator(name).estimate(x, y, X[:40])


@pytest.mark.parametrize("name", ["ksg1", "ksg2", "frenzel-pompe", "ross"])
def test_values_that_repeat_are_refused_where_continuous_ones_are_needed(name):
    rounded = np.round(X)
    with pytest.raises(ValueError, match="x: expected continuous values, none of them more than"):
        make_estimator(name).estimate(rounded, RNG.permutation(LABELS))


def test_fewer_samples_than_neighbours_are_refused():
    with pytest.raises(ValueError, match="x: expected at least 6 samples, got 5"):
        make_estimator("ksg1", k=5).estimate(X[:5], Y[:5])
    with pytest.raises(ValueError, match="x: expected at least 12 samples for columns as many"):
        make_estimator("gaussian").estimate(X.reshape(10, 5), Y.reshape(10, 5))


@pytest.mark.parametrize("name", ["plugin", "miller-madow", "chao-wang-jost"])
def test_an_alphabet_as_large_as_the_sample_is_refused(name):
    with pytest.raises(ValueError, match="x: expected discrete values, some of which repeat, got"):
        make_estimator(name).estimate(X, LABELS)


def test_ross_needs_two_classes_that_repeat():
    with pytest.raises(ValueError, match="y: expected two classes or more, got one"):
        make_estimator("ross").estimate(X, np.zeros(50))
    with pytest.raises(ValueError, match="y: expected discrete values, which repeat, got 50"):
        make_estimator("ross").estimate(X, Y)


def test_columns_that_are_sums_of_others_are_refused_by_covariances():
    with pytest.raises(ValueError, match="x: expected columns that are linearly independent, got"):
        make_estimator("gaussian").estimate(np.stack([X, 2 * X + 1], axis=1), Y)
    with pytest.raises(ValueError, match="y: expected columns that are linearly independent of e"):
        make_estimator("gaussian").estimate(X, Y, 3 * Y)
    with pytest.raises(ValueError, match="y: expected no column that is an exact linear function"):
        make_estimator("gaussian").estimate(X, 3 * X - 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k": 0}, "k: expected a whole number of at least 1, got 0"),
        ({"k": 2.5}, "k: expected a whole number of at least 1, got 2.5"),
        ({"k": True}, "k: expected a whole number of at least 1, got True"),
        ({"seed": -1}, "seed: expected a whole number of at least 0, got -1"),
        ({"margins": "log"}, "margins: expected one of unit, raw, rank, normal, got 'log'"),
        ({"depth": 3}, "depth: expected one of k, margins, seed for ksg1, got an unknown setting"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match="expected") as refusal:
        make_estimator("ksg1", **settings)
    assert str(refusal.value) == message


def test_an_unknown_estimator_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"estimator: expected one of plugin, .*, got 'magic'"):
        make_estimator("magic")
    with pytest.raises(ValueError, match="counts: expected one of corrected, paper, got 'none'"):
        make_estimator("mesner-shalizi", counts="none")


def test_numbers_too_large_for_float64_are_refused_and_its_ends_are_not():
    with pytest.raises(ValueError, match="x: expected finite numbers, got infinity"):
        make_estimator("gaussian").estimate(X.astype(np.longdouble) * np.longdouble("1e4000"), Y)
    huge = make_estimator("ksg1").estimate(X * 1e300, Y * 1e-300).value_bits
    assert huge == pytest.approx(make_estimator("ksg1").estimate(X, Y).value_bits)
