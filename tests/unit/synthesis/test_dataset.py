"""Worlds, datasets, streams and dataset files."""

import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch

from fctestbed.synthesis import (
    BitLatents,
    BitsLabel,
    GaussianLatents,
    LinearObservation,
    MlpObservation,
    World,
    WorldSpec,
    load_dataset,
    make_dataset,
    modality_codewords,
    slots_of,
    stream,
)

ARRAYS = ("x1", "x2", "y", "w_s", "w_1", "w_2")
SPEC = WorldSpec(n_train=60, n_test=40)


@pytest.fixture
def dataset():
    return make_dataset(SPEC, 3)


def test_streams_differ_by_name_digest_and_seed():
    keys = [("a", "ff", 0), ("b", "ff", 0), ("a", "fe", 0), ("a", "ff", 1)]
    draws = {stream(*key).integers(2**62) for key in keys}
    assert len(draws) == len(keys)
    assert stream("a", "ff", 0).integers(2**62) in draws


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match=r"seed: expected a whole number in \[0, 2\^63\), got -1"):
        World(WorldSpec(), -1)
    with pytest.raises(ValueError, match=r"seed: expected .* got 9223372036854775808"):
        make_dataset(WorldSpec(), 2**63)


def test_mlp_worlds_render_the_formula(dataset):
    m, split = dataset.world.maps[1], dataset.train
    z = np.concatenate([2.0 * split.w_1 - 1, 2.0 * split.w_s - 1], axis=1)
    np.testing.assert_allclose(split.x1, np.tanh(1.5 * z @ m.A + m.a) @ m.B, atol=1e-5)


def test_linear_worlds_render_the_formula_for_each_modality():
    spec = WorldSpec(
        latents=GaussianLatents(n_shared=3),
        observation=LinearObservation(entries="uniform", dim2=20),
        n_train=50,
    )
    made = make_dataset(spec, 0)
    matrix = made.world.maps[2].matrix
    assert matrix.shape == (9, 20)
    assert 0 <= matrix.min() < 0.1
    assert 0.9 < matrix.max() <= 1
    z = np.concatenate([made.train.w_2, made.train.w_s], axis=1)
    np.testing.assert_allclose(made.train.x2, z @ matrix, atol=1e-5)


def test_observation_noise_has_its_standard_deviation():
    spec = WorldSpec(observation=MlpObservation(noise=0.3), n_train=2000)
    made = make_dataset(spec, 0)
    quiet = made.world.maps[1].render(
        np.concatenate([2.0 * made.train.w_1 - 1, 2.0 * made.train.w_s - 1], axis=1).astype("f4")
    )
    residual = made.train.x1 - quiet
    # 200,000 draws: the standard error of the deviation is 0.3 / sqrt(400,000).
    assert residual.std() == pytest.approx(0.3, abs=5 * 0.3 / 400_000**0.5)


def test_gaussian_latents_have_their_variance():
    made = make_dataset(WorldSpec(latents=GaussianLatents(variance=0.5), n_train=20_000), 0)
    # 120,000 squares of variance 2 v^2 each.
    error = 5 * 0.5 * (2 / 120_000) ** 0.5
    assert np.mean(made.train.w_1.astype("f8") ** 2) == pytest.approx(0.5, abs=error)


def test_all_codewords_of_a_modality_are_told_apart(dataset):
    codes = (np.arange(4096)[:, None] >> np.arange(12) & 1) * np.float32(2) - np.float32(1)
    x = dataset.world.maps[2].render(codes.astype("f4"))
    gram = x.astype("f8") @ x.T.astype("f8")
    squares = np.diag(gram)[:, None] + np.diag(gram) - 2 * gram
    np.fill_diagonal(squares, np.inf)
    assert squares.min() > 1e-2


def test_train_and_test_are_drawn_apart(dataset):
    assert not np.array_equal(dataset.train.x1[:40], dataset.test.x1)
    assert not np.array_equal(dataset.train.w_s[:40], dataset.test.w_s)


def test_another_seed_gives_another_world(dataset):
    other = make_dataset(SPEC, 4)
    assert not np.array_equal(dataset.train.w_s, other.train.w_s)
    assert not np.array_equal(dataset.world.maps[1].A, other.world.maps[1].A)


def test_relabelled_datasets_share_their_arrays(dataset):
    other = dataset.with_label(BitsLabel(unique_ratio=1))
    assert other.train.x1 is dataset.train.x1
    assert other.world.maps is dataset.world.maps
    assert not np.array_equal(other.train.y, dataset.train.y)
    assert dataset.world.spec == SPEC


def test_label_noise_is_coupled_over_ratios_and_added_slots():
    spec = WorldSpec(label=BitsLabel(unique_ratio=0.2), n_train=4000)
    made = make_dataset(spec, 0)
    labels = [
        BitsLabel(unique_ratio=0.2),
        BitsLabel(unique_ratio=0.5),
        BitsLabel(unique_ratio=0.2, synergy_ratio=0.3),
    ]
    wrong = [
        slots_of(made.with_label(label).train.y, label.layout.n_slots)[:, :2]
        != made.train.w_s[:, :2]
        for label in labels
    ]
    # Shared capacities are 0.8, 0.5 and 0.5 bits: what flips at 0.8 flips at 0.5, alike in both.
    assert np.all(wrong[1] | ~wrong[0])
    np.testing.assert_array_equal(wrong[1], wrong[2])
    assert wrong[1].sum() > wrong[0].sum() > 0


def test_modalities_have_maps_of_their_own(dataset):
    assert not np.array_equal(dataset.world.maps[1].A, dataset.world.maps[2].A)


def test_arrays_are_typed_and_cannot_be_written(dataset):
    kinds = ("float32", "float32", "int64", "uint8", "uint8", "uint8")
    for name, kind in zip(ARRAYS, kinds, strict=True):
        array = getattr(dataset.train, name)
        assert array.dtype == kind
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_splits_serve_a_torch_loader(dataset):
    loader = torch.utils.data.DataLoader(
        dataset.train, batch_size=7, generator=torch.Generator().manual_seed(0)
    )
    x1, x2, y = next(iter(loader))
    np.testing.assert_array_equal(x1.numpy(), dataset.train.x1[:7])
    np.testing.assert_array_equal(x2.numpy(), dataset.train.x2[:7])
    np.testing.assert_array_equal(y.numpy(), dataset.train.y[:7])


def test_a_split_becomes_a_torch_dataset_of_its_own(dataset):
    taken = dataset.test.torch_dataset()
    assert isinstance(taken, torch.utils.data.Dataset)
    taken.tensors[0].zero_()
    assert dataset.test.x1.any()
    assert int(taken[3][2]) == dataset.test.y[3]


def test_importing_worlds_does_not_import_torch():
    code = (
        "import sys, fctestbed.synthesis as s; w = s.WorldSpec(n_train=4, n_test=4); "
        "s.make_dataset(w, 0); s.world_truth(w); "
        "s.augmentation_information_bits(w, s.OptimalAugmentation()); "
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("latents", [BitLatents(), GaussianLatents()])
def test_a_saved_dataset_comes_back_whole(tmp_path, latents):
    made = make_dataset(SPEC.model_copy(update={"latents": latents}), 3)
    path = tmp_path / "data.npz"
    made.save(path)
    back = load_dataset(path)
    assert (back.spec, back.seed, back.truth) == (made.spec, 3, made.truth)
    for mine, theirs in ((back.train, made.train), (back.test, made.test)):
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
    np.testing.assert_array_equal(back.world.maps[1].A, made.world.maps[1].A)
    assert [entry.name for entry in tmp_path.iterdir()] == ["data.npz"]


def test_a_saved_dataset_holds_the_inputs_of_every_pattern(tmp_path, dataset):
    dataset.save(tmp_path / "data.npz")
    with np.load(tmp_path / "data.npz", allow_pickle=False) as file:
        for m in (1, 2):
            expected = modality_codewords(dataset.world, m)
            np.testing.assert_array_equal(file[f"codewords_x{m}"], expected)
        assert str(file["world_digest"]) == dataset.digest
    assert make_dataset(SPEC, 4).digest != dataset.digest


@pytest.mark.parametrize(
    "part",
    [
        {"observation": MlpObservation(noise=0.1)},
        {"latents": GaussianLatents()},
        {"latents": BitLatents(n_shared=16, n_unique1=1)},
        {"observation": LinearObservation(dim1=20_000), "latents": BitLatents(n_shared=8)},
    ],
)
def test_worlds_without_codewords_or_with_too_many_are_saved_without(tmp_path, part):
    spec = SPEC.model_copy(update={"n_train": 3, "n_test": 2, **part})
    make_dataset(spec, 0).save(tmp_path / "data.npz")
    with np.load(tmp_path / "data.npz", allow_pickle=False) as file:
        assert not [name for name in file if name.startswith("codewords")]


def test_files_of_earlier_versions_are_read_and_changed_inputs_are_refused(tmp_path, dataset):
    dataset.save(tmp_path / "data.npz")
    with np.load(tmp_path / "data.npz", allow_pickle=False) as file:
        arrays = dict(file)
    later = ("codewords_x1", "codewords_x2", "world_digest")
    np.savez(tmp_path / "old.npz", **{n: array for n, array in arrays.items() if n not in later})
    assert load_dataset(tmp_path / "old.npz").digest == dataset.digest
    for change, said in (
        ({"train_x1": arrays["train_x1"] + 1}, "world_digest: expected that of the file's inputs,"),
        ({"world_digest": np.arange(2)}, "world_digest: expected one text, got int64"),
    ):
        np.savez(tmp_path / "new.npz", **{**arrays, **change})
        with pytest.raises(ValueError, match=f"new.npz: {said}"):
            load_dataset(tmp_path / "new.npz")


def test_a_saved_dataset_holds_its_truth_as_json(tmp_path, dataset):
    dataset.save(tmp_path / "data.npz")
    with np.load(tmp_path / "data.npz", allow_pickle=False) as file:
        truth = json.loads(str(file["truth_json"]))
    assert truth["total_bits"] == 2.0
    assert truth["pid"]["synergy_bits"] == 0.0


def test_a_failed_save_leaves_the_old_file(tmp_path, dataset, monkeypatch):
    path = tmp_path / "data.npz"
    path.write_bytes(b"old")

    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        dataset.save(path)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def saved_with(path, dataset, **changes):
    dataset.save(path)
    with np.load(path) as file:
        content = dict(file)
    content.update(changes)
    np.savez(path, **{name: array for name, array in content.items() if array is not None})
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_y": None}, r"data\.npz: expected the arrays of a dataset, got missing train_y"),
        ({"extra": np.zeros(2)}, "got unknown extra"),
        (
            {"train_x1": np.zeros((60, 99), "f4")},
            r"train_x1: expected float32 of shape \(60, 100\)",
        ),
        ({"test_w_s": np.zeros((40, 6))}, r"test_w_s: expected uint8 .* got float64"),
        ({"test_y": np.full(40, 16)}, r"test_y: expected classes in \[0, 16\), got 16 to 16"),
        ({"spec_json": np.array('{"n_train": -1}')}, "spec_json: n_train: expected greater than 0"),
        ({"spec_json": np.zeros(3)}, r"spec_json: expected one text, got float64 of shape \(3,\)"),
    ],
)
def test_a_file_that_is_no_dataset_is_refused(tmp_path, dataset, changes, message):
    path = saved_with(tmp_path / "data.npz", dataset, **changes)
    with pytest.raises(ValueError, match=message):
        load_dataset(path)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "data.npz"
    path.write_text("no archive")
    with pytest.raises(ValueError, match=r"data\.npz: expected a dataset \(\.npz\), got"):
        load_dataset(path)


def test_an_archive_of_other_things_is_refused(tmp_path):
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("seed.npy", "no array")
    with pytest.raises(ValueError, match=r"data\.npz: seed\.npy: expected an array, got"):
        load_dataset(path)


def test_pickled_arrays_are_refused(tmp_path, dataset):
    path = saved_with(tmp_path / "data.npz", dataset, train_y=np.array([{}] * 60, dtype=object))
    with pytest.raises(ValueError, match="train_y: expected int64"):
        load_dataset(path)


def test_data_do_not_depend_on_the_threads_of_the_linear_algebra():
    code = """
import hashlib
from fctestbed.synthesis import LinearObservation, MlpObservation, WorldSpec, make_dataset
for observation in (MlpObservation(), LinearObservation()):
    # Sizes at which threads are worth the library's while, and pieces that end unevenly.
    data = make_dataset(WorldSpec(n_train=16384, n_test=501, observation=observation), 0)
    print(hashlib.sha256(data.train.x1.tobytes() + data.test.x2.tobytes()).hexdigest())
"""
    said = set()
    for threads in ("1", "2", "3"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        done = subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | dict.fromkeys(names, threads),
        )
        said.add(done.stdout)
    assert len(said) == 1
