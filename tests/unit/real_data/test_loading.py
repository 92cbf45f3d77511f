"""Files of real data become two modalities and a label."""

import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from real_files import (
    N_STEPS,
    N_TEXT,
    N_VISION,
    affect_pickle,
    affect_tree,
    mimic_tree,
)

from fctestbed.real_data import (
    ModalityShape,
    features_of,
    load_multimodal,
)

NAMES = {"modality1": "vision", "modality2": "text", "label": "labels", "label_rule": "sign"}


def save_pickle(directory: Path, tree: dict[str, Any]) -> Path:
    path = directory / "data.pkl"
    path.write_bytes(pickle.dumps(tree))
    return path


def numeric(tree: dict[str, Any]) -> dict[str, Any]:
    return {
        split: {name: array for name, array in own.items() if name != "id"}
        for split, own in tree.items()
    }


def save_npz(directory: Path, tree: dict[str, Any]) -> Path:
    path = directory / "data.npz"
    arrays = {f"{s}_{name}": a for s, own in numeric(tree).items() for name, a in own.items()}
    np.savez(path, **arrays)
    return path


def save_h5(directory: Path, tree: dict[str, Any]) -> Path:
    path = directory / "data.h5"
    with h5py.File(path, "w") as file:
        for split, own in numeric(tree).items():
            for name, array in own.items():
                file[f"{split}/{name}"] = array
    return path


def save_directory(directory: Path, tree: dict[str, Any]) -> Path:
    path = directory / "data"
    for split, own in numeric(tree).items():
        (path / split).mkdir(parents=True)
        for name, array in own.items():
            np.save(path / split / f"{name}.npy", array)
    return path


@pytest.mark.parametrize("save", [save_pickle, save_npz, save_h5, save_directory])
def test_every_format_gives_the_same_arrays(
    tmp_path: Path, save: Callable[[Path, dict[str, Any]], Path]
) -> None:
    tree = affect_tree()
    data = load_multimodal(save(tmp_path, tree), **NAMES)
    assert data.sha256 == load_multimodal(affect_pickle(tmp_path / "mosi_data.pkl")).sha256
    assert data.shape1 == ModalityShape(N_STEPS, N_VISION)
    assert data.shape2 == ModalityShape(N_STEPS, N_TEXT)
    np.testing.assert_array_equal(
        data.train.x1.reshape(-1, N_STEPS, N_VISION), tree["train"]["vision"]
    )
    np.testing.assert_array_equal(data.test.y, tree["test"]["labels"].ravel() >= 0)


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("mosi_data.pkl", "mosi"),
        ("mosei_senti_data.pkl", "mosei"),
        ("humor.pkl", "ur-funny"),
        ("sarcasm.pkl", "mustard"),
    ],
)
def test_a_file_s_name_says_its_data_set(tmp_path: Path, name: str, dataset: str) -> None:
    tree = affect_tree()
    for own in tree.values():
        own["labels"] = np.where(own["labels"] > 0, 1.0, -1.0)
    path = tmp_path / name
    path.write_bytes(pickle.dumps(tree))
    data = load_multimodal(path)
    assert (data.dataset, data.modality1, data.modality2) == (dataset, "vision", "text")
    assert data.n_classes == 2


def test_mimic_is_split_and_standardised(tmp_path: Path) -> None:
    tree = mimic_tree()
    path = tmp_path / "im.pk"
    path.write_bytes(pickle.dumps(tree))
    data = load_multimodal(path)
    assert data.dataset == "mimic"
    assert (data.shape1, data.shape2) == (ModalityShape(None, 5), ModalityShape(24, 12))
    # Python's shuffle with seed 10, as MultiBench's loader: a tenth valid, a tenth test.
    order = list(range(100))
    random.Random(10).shuffle(order)
    np.testing.assert_array_equal(data.test.y, tree["y_icd9"][order[10:20], 7])
    np.testing.assert_array_equal(data.train.y, tree["y_icd9"][order[20:], 7])
    np.testing.assert_allclose(data.train.x1.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(data.train.x2.reshape(-1, 12).std(0), 1, rtol=1e-4)
    assert any("1 of 500 numbers were NaN" in note for note in data.notes)


def test_image_and_caption_features_are_vectors(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "irfl_clip.npz"
    labels = rng.integers(0, 3, 60)
    np.savez(path, image=rng.random((60, 8)), caption=rng.random((60, 8)), labels=labels)
    with pytest.raises(ValueError, match="test_share: expected the share"):
        load_multimodal(path)
    data = load_multimodal(path, test_share=0.25, valid_share=0.2)
    assert [len(part) for part in (data.train, data.valid, data.test)] == [36, 9, 15]
    assert data.classes == ("0", "1", "2")
    rows = np.concatenate([part.x1 for part in (data.train, data.valid, data.test)])
    assert len(np.unique(rows, axis=0)) == 60


def test_a_file_without_a_valid_split_gets_one_of_the_training_samples(tmp_path: Path) -> None:
    tree = affect_tree()
    del tree["valid"]
    data = load_multimodal(save_pickle(tmp_path, tree), **NAMES)
    assert (len(data.train), len(data.valid), len(data.test)) == (58, 6, 40)
    assert any("valid split is 6 of 64" in note for note in data.notes)


def test_infinities_of_audio_are_replaced_and_counted_or_refused(tmp_path: Path) -> None:
    path = affect_pickle(tmp_path / "mosi.pkl")
    data = load_multimodal(path, modality1="audio")
    assert np.isfinite(data.train.x1).all()
    assert "train/audio: 1 of 960 numbers were NaN or infinite and are 0" in data.notes
    with pytest.raises(ValueError, match=r"train/audio: expected finite numbers, got 1 NaN"):
        load_multimodal(path, modality1="audio", nonfinite="refuse")


def test_sequences_of_different_lengths_end_at_the_last_step() -> None:
    parts = [np.full((length, 2), float(length)) for length in (1, 3, 2)]
    found, _ = features_of("x", parts)
    np.testing.assert_array_equal(found[:, :, 0], [[0, 0, 1], [3, 3, 3], [0, 2, 2]])
    ragged = np.empty(3, object)
    ragged[:] = parts
    np.testing.assert_array_equal(features_of("x", ragged)[0], found)
    kept, _ = features_of("x", parts, max_steps=2)
    np.testing.assert_array_equal(kept[:, :, 0], [[0, 1], [3, 3], [2, 2]])
    behind = found[:, ::-1].copy()
    np.testing.assert_array_equal(features_of("x", behind)[0], found)
    assert behind[0, 0, 0] == 1


def test_splits_of_other_lengths_get_that_of_the_training_samples(tmp_path: Path) -> None:
    tree = affect_tree()
    tree["test"]["text"] = tree["test"]["text"][:, -3:]
    data = load_multimodal(save_pickle(tmp_path, tree), **NAMES)
    assert data.test.x2.shape == (40, N_STEPS * N_TEXT)
    assert (data.test.x2.reshape(40, N_STEPS, N_TEXT)[:, :2] == 0).all()


@pytest.mark.parametrize(
    ("rule", "classes", "y"),
    [
        ("sign", ("negative", "not negative"), [0, 0, 1, 1, 1]),
        ("nonzero-sign", ("negative", "positive"), [0, 0, 1, 1]),
        ("round", ("-2", "-1", "0", "1", "3"), [0, 1, 2, 3, 4]),
        ("values", ("-2.2", "-1", "0", "0.6", "3"), [0, 1, 2, 3, 4]),
    ],
)
def test_labels_become_classes_by_a_rule(
    tmp_path: Path, rule: str, classes: tuple[str, ...], y: list[int]
) -> None:
    values = np.array([-2.2, -1, -0.0, 0.6, 3])
    tree = {
        split: {"a": np.ones((5, 2)), "b": np.ones((5, 2)), "labels": values[:, None]}
        for split in ("train", "valid", "test")
    }
    data = load_multimodal(
        save_pickle(tmp_path, tree), modality1="a", modality2="b", label="labels", label_rule=rule
    )
    assert data.classes == classes
    assert data.train.y.tolist() == y


def test_the_description_has_shapes_counts_and_hashes(tmp_path: Path) -> None:
    data = load_multimodal(affect_pickle(tmp_path / "mosi.pkl"))
    found = data.description()
    assert found["modality1"] == {"name": "vision", "shape": "5 x 4"}
    assert found["samples"]["train"]["n"] == 64
    assert sum(found["samples"]["test"]["of_classes"]) == 40
    assert len(found["samples"]["valid"]["sha256"]["x2"]) == 64
    other = affect_tree()
    other["test"]["text"][0, 0, 0] = 5
    assert load_multimodal(save_pickle(tmp_path, other), **NAMES).sha256 != found["sha256"]


def changed(split: str, name: str, value: Any) -> dict[str, Any]:
    tree: dict[str, Any] = affect_tree()
    tree[split] = {**tree[split], name: value}
    return tree


def without(split: str, name: str) -> dict[str, Any]:
    tree = affect_tree()
    del tree[split][name]
    return tree


@pytest.mark.parametrize(
    ("tree", "options", "message"),
    [
        (affect_tree(), {"dataset": "mossi"}, "dataset: expected one of .*got 'mossi'.*mosi"),
        (affect_tree(), {"modality1": None}, "modality1: expected the name of an array"),
        (affect_tree(), {"modality1": "vison"}, "modality1: expected one of the arrays of train"),
        (without("test", "text"), {}, r"modality2: expected one of the arrays of test .* 'text'"),
        (affect_tree(), {"modality1": "id"}, "train/id: expected arrays .steps, features."),
        (affect_tree(), {"label": "id"}, "label: expected numbers in id"),
        (affect_tree(), {"label": "text"}, "label: expected one number a sample in text"),
        (affect_tree(), {"label": "labels:2"}, "label: expected a column of an array"),
        (affect_tree(), {"label_rule": "half"}, "label_rule: expected one of sign"),
        (affect_tree(), {"label_rule": "values"}, "label: expected classes that training samples"),
        (affect_tree(), {"nonfinite": "ignore"}, "nonfinite: expected zero or refuse"),
        (affect_tree(), {"max_steps": 0}, "max_steps: expected a whole number"),
        (affect_tree(), {"valid_share": 1.0}, "valid_share: expected a share"),
        (affect_tree(), {"test_share": 0.0}, "test_share: expected a share"),
        (changed("train", "vision", np.ones((3, 5, 4))), {}, "train/vision: expected 64 samples"),
        (changed("train", "vision", np.ones(64)), {}, "train/vision: expected shape"),
        (changed("test", "vision", np.ones((40, 5, 7))), {}, "test/vision: expected samples of"),
        (changed("test", "vision", np.ones((40, 4))), {}, "test/vision: expected samples of"),
        (changed("train", "vision", np.array(["a"] * 64)), {}, "expected an array of numbers"),
        (changed("train", "vision", 5), {}, "expected an array of numbers, got int"),
        (changed("train", "vision", [np.ones((2, 3)), 1]), {}, "expected arrays .steps, features."),
        (changed("train", "labels", np.ones(64)), {}, "label: expected 2 to 100 classes"),
        (changed("train", "labels", np.full(64, np.nan)), {}, "label: expected finite numbers"),
        ({"train": affect_tree()["train"]}, {}, "expected the splits train and test, got train"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    tmp_path: Path, tree: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        load_multimodal(save_pickle(tmp_path, tree), **{**NAMES, **options})
    assert "\n" not in str(caught.value)


def test_too_few_samples_with_a_class_are_refused(tmp_path: Path) -> None:
    tree = affect_tree()
    tree["test"] = {name: array[:3] for name, array in tree["test"].items()}
    with pytest.raises(ValueError, match="expected at least 4 test samples, got 3"):
        load_multimodal(save_pickle(tmp_path, tree), **NAMES)


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "a.csv"
    text.write_text("a,b")
    with pytest.raises(ValueError, match=r"expected a file that ends in .*, got \.csv"):
        load_multimodal(text, **NAMES)
    with pytest.raises(ValueError, match=r"a directory with \.npy files"):
        load_multimodal(tmp_path, **NAMES)
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1]))
    with pytest.raises(ValueError, match="expected arrays by name, got list"):
        load_multimodal(tmp_path / "list.pkl", **NAMES)
    (tmp_path / "a.h5").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"expected an \.h5 file"):
        load_multimodal(tmp_path / "a.h5", **NAMES)
    with pytest.raises(FileNotFoundError):
        load_multimodal(tmp_path / "none.h5", **NAMES)


def test_an_h5_file_that_points_elsewhere_is_refused(tmp_path: Path) -> None:
    path = save_h5(tmp_path, affect_tree())
    with h5py.File(path, "a") as file:
        file["train/other"] = h5py.ExternalLink("other.h5", "/x")
    with pytest.raises(ValueError, match="other: expected arrays of numbers in the file itself"):
        load_multimodal(path, **NAMES)


def test_an_h5_file_that_declares_too_many_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", shape=(1 << 40,), chunks=(1024,), dtype="f8")
    with pytest.raises(ValueError, match="too many bytes"):
        load_multimodal(path, **NAMES)


def test_without_h5py_its_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_h5(tmp_path, affect_tree())
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(ValueError, match=r"fctestbed\[hdf5\]"):
        load_multimodal(path, **NAMES)


def test_arrays_of_a_caller_stay_as_they_are() -> None:
    array = np.array([[[1.0, np.nan]], [[0.0, 2.0]]])
    before = array.copy()
    features_of("x", array)
    np.testing.assert_array_equal(array, before)
