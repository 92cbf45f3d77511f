"""Readouts of a trained stack: samples, codewords, and the joint one."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from raw_stacks import readouts_of, stack

import fctestbed.training.encoding as encoding_module
from fctestbed.objectives import METHODS
from fctestbed.objectives.controls import Raw
from fctestbed.synthesis import WorldSpec, bit_patterns, make_dataset, modality_codewords
from fctestbed.training import (
    Readout,
    Readouts,
    TrainingSpec,
    head_spreads,
    pattern_columns,
    readouts_from_arrays,
    stack_readouts,
    train_stack,
    why_no_codewords,
)
from fctestbed.training.kept import stack_members

WORLD = WorldSpec.model_validate(
    {
        "n_train": 60,
        "n_test": 30,
        "observation": {"kind": "mlp", "dim1": 4, "dim2": 5},
        "latents": {"n_shared": 3, "n_unique1": 2, "n_unique2": 1},
    }
)


@pytest.fixture(scope="module")
def datasets():
    return [make_dataset(WORLD, seed) for seed in range(6)]


def test_readouts_are_those_of_the_first_samples_of_each_member(datasets):
    found = list(stack_readouts(stack(datasets), datasets, n_fit=50))
    assert len(found) == 6
    for readouts, dataset in zip(found, datasets, strict=True):
        z1, z2, joint = readouts.by_name.values()
        np.testing.assert_array_equal(z1.train, dataset.train.x1[:50])
        np.testing.assert_array_equal(z2.test, dataset.test.x2)
        assert (z1.modalities, z2.modalities, joint.modalities) == ((1,), (2,), (1, 2))
        assert joint.parts == ("z1", "z2")
        assert torch.equal(joint.test, torch.cat([z1.test, z2.test], 1))
        assert torch.equal(joint.train, torch.cat([z1.train, z2.train], 1))
        assert joint.width == 9


def test_chunks_do_not_show(datasets, monkeypatch):
    whole = readouts_of(datasets[:1])[0].by_name
    monkeypatch.setattr(encoding_module, "CHUNK", 7)
    for name, readout in readouts_of(datasets[:1])[0].by_name.items():
        for field in ("train", "test", "codewords"):
            array, expected = getattr(readout, field), getattr(whole[name], field)
            assert expected is None or torch.equal(array, expected)


def test_codewords_are_the_inputs_of_every_pattern(datasets):
    for readouts, dataset in zip(readouts_of(datasets), datasets, strict=True):
        for m in (1, 2):
            codewords = readouts.by_name[f"z{m}"].codewords
            np.testing.assert_array_equal(codewords, modality_codewords(dataset.world, m))
        joint = readouts.by_name["joint"]
        assert (joint.codewords, joint.no_codewords) == (None, "")


class _Fused(Raw):
    """A fused readout from which both inputs can be told."""

    fused = frozenset({"joint"})

    def readouts(self, module, x1, x2):
        return {"joint": torch.cat([x1 + x2[..., :4], x1 - x2[..., :4]], -1)}


def test_patterns_of_both_modalities_are_all_of_them_once(datasets):
    dataset = datasets[0]
    (readouts,) = readouts_of([dataset], _Fused())
    codewords = readouts.by_name["joint"].codewords
    patterns, columns = bit_patterns(6), pattern_columns(WORLD)
    for m, x in (
        (1, codewords[:, :4] + codewords[:, 4:]),
        (2, codewords[:, :4] - codewords[:, 4:]),
    ):
        bits = patterns[:, columns[m,]]
        row = bits @ (1 << np.arange(bits.shape[1])[::-1])
        expected = modality_codewords(dataset.world, m)[row, :4]
        np.testing.assert_allclose(x.numpy() / 2, expected, atol=1e-5)


def test_a_joint_readout_that_a_method_returns_unfused_is_its_parts(datasets):
    class Returns(Raw):
        def readouts(self, module, x1, x2):
            return {"joint": torch.cat((x1, x2), -1), "z1": x1, "z2": x2}

    (found,), (expected,) = (readouts_of(datasets[:1], method) for method in (Returns(), Raw()))
    assert list(found.by_name) == ["z1", "z2", "joint"]
    assert found.by_name["joint"].parts == ("z1", "z2")
    assert torch.equal(found.by_name["joint"].test, expected.by_name["joint"].test)


def test_readouts_of_one_modality_make_up_no_joint_one(datasets):
    class One(Raw):
        def readouts(self, module, x1, x2):
            return {"z1": x1, "z_u1": x1[..., :2]}

    (found,) = readouts_of(datasets[:1], One())
    assert list(found.by_name) == ["z1", "z_u1"]


@pytest.mark.parametrize(
    ("changes", "modalities", "most", "reason"),
    [
        ({}, (1, 2), 64, ""),
        ({}, (1,), 32, ""),
        ({}, (1, 2), 63, "expected at most 63 codewords of both modalities, got 2^6 = 64"),
        ({}, (2,), 16, "expected at most 16 codewords of a modality, got 2^5 = 32"),
        ({}, (1, 2), 16, "expected at most 16 codewords of a modality, got 2^5 = 32"),
        (
            {"observation": {"noise": 0.1}},
            (1,),
            64,
            "expected noise-free observations, of which a readout is a function, got noise 0.1",
        ),
        (
            {"latents": {"kind": "gaussian"}, "observation": {}},
            (1,),
            64,
            "expected bits to enumerate, got gaussian latents",
        ),
    ],
)
def test_codewords_that_there_are_not_have_a_reason(changes, modalities, most, reason):
    spec = WorldSpec.model_validate({**WORLD.model_dump(), **changes})
    assert why_no_codewords(spec, modalities, most) == reason


def test_the_reason_is_in_the_record(datasets):
    (one,) = stack_readouts(stack(datasets[:1], _Fused()), datasets[:1], n_fit=9, max_codewords=32)
    joint = one.by_name["joint"]
    assert joint.codewords is None
    assert joint.no_codewords.endswith("got 2^6 = 64")
    (two,) = stack_readouts(stack(datasets[:1]), datasets[:1], n_fit=9)
    assert len({readout.no_codewords for readout in two.by_name.values()}) == 1
    assert two.by_name["joint"].no_codewords.startswith("expected at most 0 codewords")


def test_other_members_do_not_change_a_readout_s_composition(datasets):
    """Even where a member's numbers are NaN, which equal nothing."""
    healthy = readouts_of(datasets[:1])[0]
    broken = SimpleNamespace(x1=datasets[1].test.x1 * np.nan, x2=datasets[1].test.x2)
    pair = [datasets[0], SimpleNamespace(**{**vars(datasets[1]), "test": broken})]
    found = list(stack_readouts(stack(datasets[:2]), pair, n_fit=60, max_codewords=64))
    assert found[0].by_name["joint"].parts == healthy.by_name["joint"].parts == ("z1", "z2")
    assert (found[0].finite, found[1].finite) == (True, False)


def test_another_number_of_data_sets_than_trainings_is_refused(datasets):
    with pytest.raises(ValueError, match="datasets: expected 2, one per training, got 1"):
        stack_readouts(stack(datasets[:2]), datasets[:1], n_fit=10)


def test_every_member_has_the_spreads_of_its_own_heads(datasets):
    specs = [
        TrainingSpec(method="simclr", world=WORLD, seed=d.seed, train={"steps": 1, "batch_size": 8})
        for d in datasets
    ]
    trained = train_stack(specs, datasets)
    found = head_spreads(trained, datasets, n_samples=20)
    assert {name: len(spreads) for name, spreads in found.items()} == {
        "projection1": 6,
        "projection2": 6,
    }
    x1, x2 = (
        torch.from_numpy(np.stack([getattr(d.test, x)[:20] for d in datasets]))
        for x in ("x1", "x2")
    )
    for name, outputs in trained.heads(x1, x2).items():
        assert found[name] == pytest.approx([float(out.std(0).max()) for out in outputs], rel=1e-4)
    # Each head of each member differs.
    assert len({spread for spreads in found.values() for spread in spreads}) == 12


def test_each_member_of_a_stack_is_encoded_once_and_as_alone(datasets, monkeypatch):
    assert len(datasets) > encoding_module._MEMBERS_AT_ONCE
    specs = [
        TrainingSpec(
            method="cross-self-fact",
            world=WORLD,
            seed=dataset.seed,
            train={"steps": 2, "batch_size": 48},
            nets={"head_dim": 4, "encoder_hidden": [8]},
        )
        for dataset in datasets
    ]
    trained = train_stack(specs, datasets)
    encoded = []
    forward = type(trained.module).forward

    def counted(self, x1, x2):
        encoded.append(x1.shape[0] * x1.shape[1])
        return forward(self, x1, x2)

    monkeypatch.setattr(type(trained.module), "forward", counted)
    found = list(stack_readouts(trained, datasets, n_fit=60, max_codewords=64))
    # Samples of both splits, and the 32 patterns of the wider modality.
    assert sum(encoded) == 6 * (60 + 30 + 32)
    for place in (0, 5):
        alone = stack_members(trained, range(place, place + 1))
        (expected,) = stack_readouts(alone, datasets[place : place + 1], n_fit=60, max_codewords=64)
        for name, own in found[place].by_name.items():
            for field in ("train", "test", "codewords"):
                values = getattr(own, field)
                if values is not None:
                    other = getattr(expected.by_name[name], field)
                    torch.testing.assert_close(values, other)
                    assert values.std() > 0


def test_a_record_can_be_cut_and_moved():
    readout = Readout(modalities=(1,), train=torch.ones(5, 2), test=torch.ones(3, 2))
    coded = Readout(
        modalities=(1,), train=torch.ones(5, 2), test=torch.ones(3, 2), codewords=torch.ones(4, 2)
    )
    readouts = Readouts({"z1": readout, "y1": coded})
    assert [len(own.train) for own in readouts.first(4).by_name.values()] == [4, 4]
    assert len(readouts.first(9).by_name["z1"].train) == 5
    moved = readouts.to("meta")
    assert moved.device.type == "meta"
    assert moved.by_name["z1"].codewords is None
    assert moved.by_name["y1"].codewords.device.type == "meta"


def test_every_method_composes_or_fuses_its_joint_readout():
    assert [name for name, method in METHODS.items() if method.fused] == ["comm"]


def test_given_columns_far_from_zero_keep_their_spread(datasets):
    rng = np.random.default_rng(0)
    arrays = {"train_z1": rng.normal(size=(60, 2)), "test_z1": rng.normal(size=(30, 2))}
    far = {
        name: np.column_stack([array + 1e9, np.full(len(array), 0.1)])
        for name, array in arrays.items()
    }
    near = readouts_from_arrays(arrays, datasets[0]).by_name["z1"]
    found = readouts_from_arrays(far, datasets[0]).by_name["z1"]
    shift = near.train[:, 0].mean() - found.train[:, 0].mean()
    for kind in ("train", "test"):
        moved = getattr(found, kind)[:, :2] + shift
        torch.testing.assert_close(moved[:, 0], getattr(near, kind)[:, 0], atol=1e-5, rtol=0)
        # A constant that float64 rounds has no spread.
        assert getattr(found, kind)[:, 2].std() == 0


def test_given_float32_numbers_stay_as_they_are(datasets):
    rng = np.random.default_rng(0)
    arrays = {
        f"{split}_z1": (rng.normal(size=(n, 3)) + 7).astype(np.float32)
        for split, n in (("train", 60), ("test", 30))
    }
    found = readouts_from_arrays(arrays, datasets[0]).by_name["z1"]
    np.testing.assert_array_equal(found.train, arrays["train_z1"])
