"""Worlds by the names of their options."""

import copy
import pickle

import numpy as np
import pytest
import torch

import fctestbed
from fctestbed import World, WorldSpec
from fctestbed.synthesis import make_dataset, world_truth


def small(unique_ratio=0.25, **options):
    return World(unique_ratio, shared=2, unique=2, n_train=16, n_test=8, **options)


def test_a_world_is_made_from_the_names_of_the_commands_options():
    world = World(0.5, seed=3, shared=2, unique=2, label="planar", relevant=4, noise=0.1)
    assert world.spec == WorldSpec.model_validate(
        {
            "latents": {"n_shared": 2, "n_unique1": 2, "n_unique2": 2},
            "label": {"kind": "planar", "unique_ratio": 0.5, "n_relevant": 4},
            "observation": {"noise": 0.1},
        }
    )
    assert world.seed == 3
    assert World().spec == WorldSpec()


def test_its_truth_is_the_exact_one_and_prints_as_a_table():
    world = small()
    exact = world_truth(world.spec)
    assert world.truth.shared_bits == exact.shared_bits == pytest.approx(1.5)
    assert world.truth.record is not None
    frame = world.truth.frame.set_index("quantity")
    assert frame.loc["S, shared", "value"] == pytest.approx(1.5)
    assert frame.loc["PID: redundancy", "value"] == pytest.approx(exact.pid.redundancy_bits)
    assert set(frame["unit"]) == {"bits", "probability"}
    lines = repr(world.truth).splitlines()
    assert next(line for line in lines if line.startswith("S, shared")).split()[-2:] == [
        "1.5",
        "bits",
    ]
    with pytest.raises(AttributeError):
        _ = world.truth.no_such_number


def test_notes_of_the_truth_are_below_the_table():
    text = repr(small(noise=0.5).truth)
    assert text.splitlines()[-1].startswith("observation noise")


def test_worlds_and_truths_can_be_copied_and_pickled():
    truth = small().truth
    assert copy.deepcopy(truth).total_bits == pickle.loads(pickle.dumps(truth)).total_bits == 2.0


def test_a_notebook_shows_html_whose_texts_are_escaped():
    shown = small()._repr_html_()
    assert shown.startswith("<table><caption>World(unique ratio 0.25")
    assert "<td" in shown
    assert "&lt;" not in repr(small())


def test_samples_come_as_arrays_frames_and_torch_data_sets():
    samples = small().sample(5)
    assert len(samples) == 5
    assert samples.x1.shape == samples.x2.shape == (5, 100)
    frame = samples.pandas()
    assert frame.shape == (5, 100 + 100 + 1 + 2 + 2 + 2)
    np.testing.assert_array_equal(frame["x2[7]"], samples.x2[:, 7])
    np.testing.assert_array_equal(frame["w_1[1]"], samples.w_1[:, 1])
    x1, x2, y = samples.torch()[2]
    assert torch.equal(x1, torch.from_numpy(samples.x1[2].copy()))
    assert x2.shape == (100,)
    assert int(y) == samples.y[2]
    arrays = samples.numpy()
    arrays["x1"][:] = 0.0
    assert samples.x1.any()
    batch = next(
        iter(torch.utils.data.DataLoader(samples, batch_size=5, generator=torch.Generator()))
    )
    assert torch.equal(batch[2], torch.from_numpy(samples.y.copy()))


def test_samples_are_a_function_of_the_seed_and_the_name():
    world = small()
    first = world.sample(6).x1
    np.testing.assert_array_equal(first, world.sample(6).x1)
    assert (first != world.sample(6, name="another").x1).any()
    assert (first != small(seed=1).sample(6).x1).any()
    train = make_dataset(world.spec, 0).train
    np.testing.assert_array_equal(world.sample(16, name="train").x1, train.x1)
    np.testing.assert_array_equal(world.dataset().train.y, train.y)
    assert len(world.sample(0)) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"no_such": 1}, "no_such: expected an option of a world"),
        ({"shared": 0}, "latents.n_shared: expected greater than 0, got 0"),
        ({"unique_ratio": 1.5}, "label.unique_ratio: expected less than or equal to 1, got 1.5"),
        ({"label": "no-such"}, "label.kind: expected one of"),
        ({"seed": -1}, "seed: expected a whole number"),
    ],
)
def test_a_world_that_cannot_be_is_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        World(**options)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("n", "name", "message"),
    [
        (-1, "sample", "n: expected a whole number of at least 0, got -1"),
        (1.5, "sample", "n: expected a whole number of at least 0, got 1.5"),
        (True, "sample", "n: expected a whole number"),
        (1 << 50, "sample", "n: expected samples that fit into memory"),
        (1, "", "name: expected the name of a stream, got ''"),
    ],
)
def test_samples_that_cannot_be_are_refused_in_one_line(n, name, message):
    with pytest.raises(ValueError, match=message):
        small().sample(n, name=name)


def test_the_public_names_are_these_classes():
    assert fctestbed.World is World
