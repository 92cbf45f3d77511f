"""The rows of scores without labels."""

import pytest
import torch
from raw_stacks import readouts_of

from fctestbed.measurement import (
    MeasureSpec,
    ScoreMeter,
    alignment,
    effective_rank,
    linear_cka,
    measure_readouts,
    modality_gap,
    uniformity,
)
from fctestbed.synthesis import WorldSpec, make_dataset
from fctestbed.training import Readout, Readouts

N = 60
WORLD = WorldSpec.model_validate(
    {
        "n_train": 80,
        "n_test": N,
        "observation": {"kind": "linear", "dim1": 6, "dim2": 6},
        "latents": {"n_shared": 2, "n_unique1": 1, "n_unique2": 1},
    }
)
PAIR_SCORES = ["alignment", "uniformity", "modality_gap", "linear_cka"]


@pytest.fixture(scope="module")
def dataset():
    return make_dataset(WORLD.with_ratio(0.5), 0)


def readout(modalities, width, seed):
    z = torch.randn(2 * N, width, generator=torch.Generator().manual_seed(seed))
    return Readout(modalities=modalities, train=z[:N], test=z[N:])


def scores(dataset, by_name, **settings):
    (found,) = ScoreMeter(**settings).measure(Readouts(by_name), [dataset])
    assert (found.captured, found.accuracy, found.warnings) == ((), (), ())
    return {(row.readout, row.score): row for row in found.scores}


def test_a_pair_has_every_score_of_its_held_out_samples(dataset):
    z1, z2 = readout((1,), 4, 0), readout((2,), 4, 1)
    found = scores(dataset, {"z1": z1, "z2": z2})
    a, b = z1.test, z2.test
    assert {key: row.value for key, row in found.items()} == {
        ("z1,z2", "alignment"): alignment(a, b),
        ("z1,z2", "uniformity"): (uniformity(a) + uniformity(b)) / 2,
        ("z1,z2", "modality_gap"): modality_gap(a, b),
        ("z1,z2", "linear_cka"): linear_cka(a, b),
        ("z1", "effective_rank"): effective_rank(a),
        ("z2", "effective_rank"): effective_rank(b),
    }
    assert {row.unit for row in found.values()} == {"1", "dimensions"}
    assert all((row.unit == "dimensions") == ("rank" in row.score) for row in found.values())
    assert {row.n_eval for row in found.values()} == {N}


def test_uniformity_is_of_the_first_held_out_samples(dataset):
    z1, z2 = readout((1,), 4, 0), readout((2,), 4, 1)
    found = scores(dataset, {"z1": z1, "z2": z2}, n_uniformity=10)
    row = found["z1,z2", "uniformity"]
    assert row.n_eval == 10
    assert row.value == (uniformity(z1.test[:10]) + uniformity(z2.test[:10])) / 2
    assert found["z1,z2", "alignment"].n_eval == N


def test_scores_are_of_at_most_so_many_samples(dataset):
    z1, z2 = readout((1,), 4, 0), readout((2,), 4, 1)
    found = scores(dataset, {"z1": z1, "z2": z2}, n_samples=20)
    assert {row.n_eval for row in found.values()} == {20}
    assert found["z1,z2", "linear_cka"].value == linear_cka(z1.test[:20], z2.test[:20])


def test_pairs_are_readouts_of_both_modalities_under_one_name(dataset):
    names = {"z_s1": (1,), "z_s2": (2,), "z_u1": (1,), "z_u2": (2,), "z_x1": (1,), "joint": (1, 2)}
    # A name says nothing where the readout reads something else.
    names |= {"z_y1": (1, 2), "z_y2": (2,)}
    found = scores(dataset, {name: readout(m, 3, 0) for name, m in names.items()})
    pairs = [name for name, score in found if score == "alignment"]
    assert pairs == ["z_s1,z_s2", "z_u1,z_u2"]
    assert [name for name, score in found if score == "effective_rank"] == list(names)


def test_a_score_that_is_not_defined_has_no_row(dataset):
    wide = scores(dataset, {"z1": readout((1,), 4, 0), "z2": readout((2,), 5, 1)})
    assert [score for name, score in wide if name == "z1,z2"] == ["uniformity", "linear_cka"]
    dead = Readout(modalities=(2,), train=torch.zeros(N, 4), test=torch.zeros(N, 4))
    assert list(scores(dataset, {"z1": readout((1,), 4, 0), "z2": dead})) == [
        ("z1", "effective_rank")
    ]
    lone = Readout(modalities=(1,), train=torch.ones(1, 2), test=torch.ones(1, 2))
    found = scores(dataset, {"z1": lone, "z2": Readout(**{**vars(lone), "modalities": (2,)})})
    assert [score for name, score in found if name == "z1,z2"] == ["alignment", "modality_gap"]


def test_scores_are_on_by_default_the_same_for_every_label_and_never_at_equal_width(dataset):
    (readouts,) = readouts_of([dataset])
    other = dataset.with_label(dataset.spec.label.with_ratio(1.0))
    first, second = measure_readouts(readouts, [dataset, other], MeasureSpec(equal_width=2))
    assert first.scores == second.scores
    expected = [("z1,z2", score) for score in PAIR_SCORES]
    expected += [(name, "effective_rank") for name in ("z1", "z2", "joint")]
    assert [(row.readout, row.score) for row in first.scores] == expected
    (without,) = measure_readouts(readouts, [dataset], MeasureSpec(scores=False))
    assert without.scores == ()
