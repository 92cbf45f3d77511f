"""Laws of the readouts of trained encoders: exact values, samples, identities."""

import pickle
from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp
from tiny_sweeps import tiny_sweep

from fctestbed.calibration import (
    READOUT_COLUMNS,
    calibrate,
    read_readout_rows,
    readout_laws,
    with_readout_columns,
)
from fctestbed.estimators import make_estimator
from fctestbed.sweep import make_plan
from fctestbed.synthesis import World, bit_patterns, modality_codewords

TAU = 0.7
SPEC = tiny_sweep(methods=["raw", "supcon", "factorcl-sup"])


@pytest.fixture(scope="module")
def laws():
    return readout_laws(SPEC, tau=TAU, target_bits=0.01)


def only(laws, method, readout, quantity):
    (law,) = [
        law
        for law in laws
        if (law.method, law.readout, law.quantity) == (method, readout, quantity)
    ]
    return law


def unit_power(codewords):
    centred = codewords.astype(np.float64) - codewords.mean(0)
    return centred / np.sqrt((centred**2).mean())


def raw_codebook(modalities):
    """Every word of the world, and what raw inputs are of it, without the code under test."""
    world = World(make_plan(SPEC, max_stack=1).units[0].jobs[0].worlds[0], 0)
    words = bit_patterns(4)
    columns = {1: (0, 1, 2), 2: (0, 1, 3)}
    parts = [
        unit_power(modality_codewords(world, m))[words[:, columns[m]] @ (4, 2, 1)]
        for m in modalities
    ]
    return words, np.concatenate(parts, axis=1)


@pytest.mark.parametrize(
    ("readout", "modalities", "quantity", "columns"),
    [
        ("z1", (1,), "shared", (0, 1)),
        ("z1", (1,), "unique1", (2,)),
        ("joint", (1, 2), "shared", (0, 1)),
        ("joint", (1, 2), "unique2", (3,)),
    ],
)
def test_the_exact_value_is_the_mean_log_ratio_of_its_own_draws(
    laws, readout, modalities, quantity, columns
):
    law = only(laws, "raw", readout, quantity)
    words, codewords = raw_codebook(modalities)
    x, y = law.sample(8000, np.random.default_rng(0))
    assert x.shape == (8000, codewords.shape[1])
    assert y.shape == (8000, len(columns))
    squares = ((x[:, None] - codewords) ** 2).sum(2)
    logs = -squares / (2 * TAU**2)
    same = (words[:, columns] == y[:, None]).all(2)
    own = np.where(same, logs, -np.inf)
    ratio = logsumexp(own, 1) - np.log(same.sum(1)) - logsumexp(logs, 1) + np.log(len(words))
    bits = ratio / np.log(2)
    # Four standard errors of the draws and of the exact value together.
    error = np.hypot(bits.std() / np.sqrt(len(bits)), law.exact_se_bits)
    assert law.true_bits == pytest.approx(bits.mean(), abs=4 * error)


def test_exact_values_are_as_exact_as_asked_for(laws):
    assert max(law.exact_se_bits for law in laws) <= 0.01
    assert all(law.kind == "mixed" and law.tau == TAU for law in laws)


def test_a_modality_knows_nothing_of_the_other_ones_unique_bits(laws):
    for method, (readout, quantity) in product(
        ("raw", "supcon"), [("z1", "unique2"), ("z2", "unique1")]
    ):
        for law in laws:
            if (law.method, law.readout, law.quantity) == (method, readout, quantity):
                assert (law.true_bits, law.exact_se_bits) == (0.0, 0.0)


def test_a_training_that_never_sees_the_label_is_one_law_at_every_ratio(laws):
    assert np.isnan(only(laws, "raw", "z1", "shared").unique_ratio)
    ratios = [
        law.unique_ratio
        for law in laws
        if (law.method, law.readout, law.quantity) == ("supcon", "z1", "shared")
    ]
    assert ratios == [0.0, 1.0]
    assert len({law.name for law in laws}) == len(laws)


def test_every_readout_of_every_method_is_there(laws):
    found = {(law.method, law.readout) for law in laws}
    plain = {(m, z) for m in ("raw", "supcon") for z in ("z1", "z2", "joint")}
    parts = ("z_s1", "z_s2", "z_u1", "z_u2", "joint")
    assert found == plain | {("factorcl-sup", z) for z in parts}


def test_a_joint_readout_s_parts_stand_at_unit_power_each(laws):
    x, _ = only(laws, "raw", "joint", "shared").sample(20000, np.random.default_rng(1))
    for half in np.split(x, 2, axis=1):
        # A mean of 6 x 20000 squares of codewords and noise; the words are 8, evenly drawn.
        assert (half**2).mean() == pytest.approx(1 + TAU**2, rel=0.03)


def test_a_law_that_is_pickled_draws_the_same_samples(laws):
    law = only(laws, "raw", "joint", "unique1")
    copy = pickle.loads(pickle.dumps(law))
    for one, other in zip(
        law.sample(50, np.random.default_rng(3)),
        copy.sample(50, np.random.default_rng(3)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_rows_say_which_readout_they_are_of_and_come_back_from_files(laws, tmp_path):
    some = [only(laws, "raw", z, "shared") for z in ("z1", "joint")]
    rows = with_readout_columns(
        calibrate(
            {"usable-linear": make_estimator("usable-linear")}, laws=some, n=[200], repetitions=2
        ),
        some,
    )
    assert list(rows["readout"]) == ["z1", "z1", "joint", "joint"]
    assert list(rows.columns[-len(READOUT_COLUMNS) :]) == list(READOUT_COLUMNS)
    assert (rows["exact_bits"] == rows["true_bits"]).all()
    rows.to_csv(tmp_path / "first.csv", index=False)
    later = rows[rows["readout"] == "z1"].assign(value_bits=9.0)
    later.to_csv(tmp_path / "later.csv", index=False)
    back = read_readout_rows([tmp_path / "first.csv", tmp_path / "later.csv"])
    assert len(back) == 4
    assert set(back.loc[back["readout"] == "z1", "value_bits"]) == {9.0}
    joint = back[back["readout"] == "joint"]
    np.testing.assert_allclose(joint["value_bits"], rows["value_bits"][2:])


def test_files_of_other_rows_are_refused(tmp_path):
    with pytest.raises(ValueError, match="expected one file or more, got none"):
        read_readout_rows([])
    law = readout_laws(tiny_sweep(methods=["raw"], unique_ratio=[0.0]), readouts=["z1"])[:1]
    rows = calibrate({"ross": make_estimator("ross")}, laws=law, n=[100], repetitions=1)
    rows.to_csv(tmp_path / "plain.csv", index=False)
    with pytest.raises(ValueError, match=r"plain\.csv: expected rows of readouts, got no column m"):
        read_readout_rows([tmp_path / "plain.csv"])


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ({}, {"tau": 0.0}, "tau: expected a number above 0, got 0.0"),
        ({}, {"tau": float("nan")}, "tau: expected a number above 0, got nan"),
        ({}, {"of": ["foo"]}, r"of: expected some of .*shared.*, got 'foo'"),
        ({}, {"readouts": ["z_s1"]}, "readouts: expected some of joint, z1, z2, got 'z_s1'"),
        (
            {"world": {"observation": {"noise": 0.1}}},
            {},
            "world: no channel information: expected noise-free observations",
        ),
        (
            {"methods": ["simclr"], "train": {"learning_rate": 1e9, "steps": 40}},
            {},
            "methods: expected trainings that end, got simclr, ratio 0, seed 0, which diverged",
        ),
        ({"axes": {"measurement.ridge": [0.1]}}, {}, "axes: expected a sweep without further axes"),
        (
            {"methods": ["broken_methods:NoJoint"]},
            {},
            "methods: broken_methods:NoJoint: breaks the clause shapes",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(values, options, message):
    spec = tiny_sweep(**{"methods": ["raw"], "unique_ratio": [0.0], **values})
    with pytest.raises(ValueError, match=message):
        readout_laws(spec, **options)
