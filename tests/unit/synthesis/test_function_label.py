"""Labels of a user's own function: how it is found, checked, identified and used."""

import importlib
import sys
from itertools import count

import numpy as np
import pytest
import torch

from fctestbed.information import partial_information
from fctestbed.synthesis import (
    Augmenter,
    BitLatents,
    FunctionLabel,
    GaussianLatents,
    LinearObservation,
    OptimalAugmentation,
    UniqueAugmentation,
    WorldSpec,
    augmentation_plan,
    load_dataset,
    make_dataset,
    slots_of,
    world_truth,
)
from fctestbed.synthesis.labels import function

NAMES = count()
MAJORITY = """
import numpy as np

def label(signs):
    return np.minimum((signs > 0).sum(axis=1), 3)
"""
LATENTS = BitLatents(n_shared=3, n_unique1=2, n_unique2=2)


@pytest.fixture
def path_of(tmp_path, monkeypatch):
    """Writes a module and gives the import path of its ``label``."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(text, name=None):
        name = name or f"user_label_{next(NAMES)}"
        (tmp_path / f"{name}.py").write_text(text)
        importlib.invalidate_caches()
        return f"{name}:label"

    return write


def forget(path):
    """As in a new process."""
    sys.modules.pop(path.partition(":")[0], None)
    function._find.cache_clear()
    function._classes.cache_clear()
    importlib.invalidate_caches()


def line_of(build):
    with pytest.raises(ValueError, match=r".") as caught:
        build()
    line = str(caught.value)
    assert "\n" not in line
    return line


def label_of(path, **fields):
    return FunctionLabel(**{"path": path, "n_relevant": 4, "unique_ratio": 0.5, **fields})


def test_y_is_what_the_function_says_of_the_relevant_latents(path_of):
    label = label_of(path_of(MAJORITY), n_classes=4)
    dataset = make_dataset(WorldSpec(latents=LATENTS, label=label, n_train=200), 0)
    w_s, w_1, w_2 = dataset.train.latents
    ones = w_s[:, :2].sum(1) + w_1[:, 0] + w_2[:, 0]
    np.testing.assert_array_equal(dataset.train.y, np.minimum(ones, 3))
    assert dataset.train.y.dtype == np.int64


def test_latents_come_shared_first_then_unique_1_then_unique_2(path_of):
    text = "def label(signs):\n    return (signs @ [8, 4, 2, 1] + 15).astype(int) // 2\n"
    dataset = make_dataset(
        WorldSpec(latents=LATENTS, label=label_of(path_of(text), n_classes=16), n_train=64), 0
    )
    w_s, w_1, w_2 = dataset.train.latents.w_s, dataset.train.latents.w_1, dataset.train.latents.w_2
    expected = 8 * w_s[:, 0] + 4 * w_s[:, 1] + 2 * w_1[:, 0] + w_2[:, 0]
    np.testing.assert_array_equal(dataset.train.y, expected)


def test_the_truth_is_that_of_the_enumerated_table(path_of):
    label = label_of(path_of(MAJORITY), n_classes=4)
    truth = world_truth(WorldSpec(latents=LATENTS, label=label))
    p = np.zeros((8, 8, 4))
    for pattern in range(16):
        s1, s2, u1, u2 = (pattern >> place & 1 for place in (3, 2, 1, 0))
        shared = 4 * s1 + 2 * s2
        p[shared + u1, shared + u2, min(s1 + s2 + u1 + u2, 3)] += 1 / 16
    full = partial_information(p)
    for field in ("redundancy_bits", "unique1_bits", "unique2_bits", "synergy_bits"):
        assert getattr(truth.pid, field) == pytest.approx(getattr(full, field), abs=2e-9), field
    assert truth.total_bits == pytest.approx(full.total_bits, abs=1e-12)
    assert truth.bayes_accuracy == 1
    assert truth.bayes_accuracy_x1 == pytest.approx(p.sum(1).max(1).sum(), abs=1e-12)
    assert truth.majority_accuracy == pytest.approx(6 / 16, abs=1e-12)


def test_optimal_copies_hold_the_class_in_binary(path_of):
    spec = WorldSpec(
        observation=LinearObservation(dim1=30, dim2=25),
        label=label_of(path_of(MAJORITY), n_classes=4),
        n_train=500,
    )
    dataset = make_dataset(spec, 0)
    augmenter = Augmenter([dataset.world], OptimalAugmentation())
    noise = augmenter.draw([torch.Generator().manual_seed(0)], 1, 500)
    x1, x2 = (torch.tensor(x[None]) for x in (dataset.train.x1, dataset.train.x2))
    latents = tuple(torch.tensor(w[None]) for w in dataset.train.latents)
    out = augmenter.augment(x1, x2, latents, augmenter.at(noise, 0))
    np.testing.assert_array_equal(out.condition[0].numpy(), dataset.train.y)
    inputs = out.x1[0].numpy() @ np.linalg.pinv(dataset.world.maps[1].matrix)
    np.testing.assert_array_equal(inputs[:, 6:8] > 0, slots_of(dataset.train.y, 2))


def test_copies_without_room_for_the_class_are_refused(path_of):
    spec = WorldSpec(label=label_of(path_of(MAJORITY), n_classes=4))
    with pytest.raises(
        ValueError, match=r"^augmentation: expected at least 2 relevant latents in w_2"
    ):
        augmentation_plan(spec, UniqueAugmentation())


def test_a_saved_dataset_of_a_function_comes_back(path_of, tmp_path):
    label = label_of(path_of(MAJORITY), n_classes=4)
    made = make_dataset(WorldSpec(latents=LATENTS, label=label, n_train=20, n_test=5), 1)
    made.save(tmp_path / "data.npz")
    back = load_dataset(tmp_path / "data.npz", allow_plugins=True)
    assert back.spec == made.spec
    np.testing.assert_array_equal(back.train.y, made.train.y)


def test_a_changed_function_is_another_label(path_of, tmp_path):
    path = path_of(MAJORITY)
    before = label_of(path, n_classes=4)
    world = WorldSpec(latents=LATENTS, label=before, n_train=4)
    make_dataset(world, 0).save(tmp_path / "a.npz")
    path_of(MAJORITY.replace("3", "2"), path.partition(":")[0])
    forget(path)
    after = label_of(path, n_classes=4)
    assert before.source != after.source
    assert world.digest() != WorldSpec(latents=LATENTS, label=after, n_train=4).digest()
    # The label that was made before refuses to give the new function's classes.
    with pytest.raises(ValueError, match=rf"^source: expected the file of {path} as it was"):
        before.class_table()
    with pytest.raises(ValueError, match=r"spec_json: label\.source: expected the file of"):
        load_dataset(tmp_path / "a.npz", allow_plugins=True)


def test_the_same_file_gives_the_same_digest_in_another_process(path_of):
    path = path_of(MAJORITY)
    before = label_of(path, n_classes=4).digest()
    forget(path)
    assert label_of(path, n_classes=4).digest() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label = 3", "path: expected a function at {path}, got int"),
        ("other = 3", "path: {path}: expected a function, got none (AttributeError: "),
        ("1 / 0", "path: {path}: expected a function, got none (ZeroDivisionError: division by "),
        (
            "def label(signs):\n    raise RuntimeError('a\\nb')",
            "path: expected whole numbers in [0, 2) of shape (16,) from {path}, "
            "got RuntimeError: a b",
        ),
        (
            "def label(signs):\n    return (signs > 0).sum(1)",
            "path: expected whole numbers in [0, 2) of shape (16,) from {path}, got 0 to 4",
        ),
        (
            "def label(signs):\n    return signs[:, 0]",
            "path: expected whole numbers in [0, 2) of shape (16,) from {path}, got -1.0 to 1.0",
        ),
        (
            "def label(signs):\n    return signs.mean(1) ** 2",
            "path: expected whole numbers in [0, 2) of shape (16,) from {path}, got 0.25",
        ),
        (
            "def label(signs):\n    return signs[:, 0] * float('nan')",
            "path: expected whole numbers in [0, 2) of shape (16,) from {path}, got nan",
        ),
        (
            "def label(signs):\n    return signs[:, 0] * float('inf')",
            "path: expected whole numbers in [0, 2) of shape (16,) from {path}, got -inf to inf",
        ),
        (
            "def label(signs):\n    return (signs > 0)",
            "path: expected whole numbers in [0, 2) of shape (16,) from {path}, "
            "got bool of shape (16, 4)",
        ),
        (
            "import itertools\ncalls = itertools.count()\n"
            "def label(signs):\n    return (signs[:, 0] > 0) ^ (next(calls) % 2 == 1)",
            "path: expected one class for one row, whatever the other rows, from {path}, got ",
        ),
        (
            "def label(signs):\n    return signs[:, 0] * 0.5 >= signs[:, 0].mean()",
            "path: expected one class for one row, whatever the other rows, from {path}, got ",
        ),
    ],
)
def test_functions_that_are_no_labels_are_refused_in_one_line(path_of, text, message):
    path = path_of(text)
    assert line_of(lambda: label_of(path)).startswith(message.format(path=path))


def test_whole_numbers_may_be_floats(path_of):
    text = "def label(signs):\n    return signs.sum(axis=1) % 3"
    table = label_of(path_of(text), n_classes=3).class_table()
    signs = 2 * ((np.arange(16)[:, None] >> np.arange(3, -1, -1)) & 1) - 1
    np.testing.assert_array_equal(table, signs.sum(axis=1) % 3)


def test_a_function_that_writes_to_its_argument_does_no_harm(path_of):
    text = "def label(signs):\n    signs[:] = signs > 0\n    return signs[:, 0].astype(int)"
    table = label_of(path_of(text)).class_table()
    np.testing.assert_array_equal(table, np.repeat([0, 1], 8))


def test_paths_limits_and_latents_are_checked(path_of):
    path = path_of(MAJORITY)
    assert line_of(lambda: FunctionLabel(path="nowhere")) == (
        "path: expected an import path package.module:name, got 'nowhere'"
    )
    assert line_of(FunctionLabel) == "path: expected a value, got none"
    assert line_of(lambda: label_of(path, n_relevant=24)) == (
        "n_relevant: expected at most 22 for a function label, whose truth is enumerated, got 24"
    )
    line = line_of(lambda: WorldSpec(latents=GaussianLatents(), label=label_of(path, n_classes=4)))
    assert line.endswith("a function label is known for bit latents only), got function")


def test_runs_at_all_ratios_share_one_table(path_of):
    label = label_of(path_of(MAJORITY), n_classes=4)
    assert label.class_table() is label.with_ratio(0.0).class_table()
    assert label.with_ratio(1.0).source == label.source
