"""Channel information of trained readouts, as rows of a run."""

import numpy as np
import pytest
import torch
from codes import rotation
from raw_stacks import measured as measured_with, readouts_of

from fctestbed.measurement import (
    ChannelSpec,
    MeasureSpec,
    measure_readouts,
    readout_codes,
    why_no_channel,
)
from fctestbed.measurement.channel import channel_information, codebook
from fctestbed.objectives.controls import Raw
from fctestbed.synthesis import WorldSpec, make_dataset, modality_codewords

SMALL = {
    "n_train": 200,
    "n_test": 100,
    "observation": {"kind": "mlp", "dim1": 4, "dim2": 5},
    "latents": {"n_shared": 3, "n_unique1": 2, "n_unique2": 1},
}
WORLD = WorldSpec.model_validate(SMALL)


def world(**changes):
    return WorldSpec.model_validate({**WORLD.model_dump(), **changes})


def measured(*datasets, method=None, **channel):
    spec = MeasureSpec(rate=None, channel=ChannelSpec(**channel))
    return measured_with(*datasets, method=method, spec=spec)


def channel(found, estimator="channel"):
    return {(r.readout, r.quantity): r for r in found.captured if r.estimator == estimator}


@pytest.fixture(scope="module")
def dataset():
    return make_dataset(WORLD.with_ratio(0.5), 0)


@pytest.fixture(scope="module")
def rows(dataset):
    return channel(measured(dataset)[0])


def test_a_modality_s_words_are_the_observations_of_its_samples(dataset):
    split = dataset.test
    for modality, own, x in ((1, split.w_1, split.x1), (2, split.w_2, split.x2)):
        words = np.concatenate([split.w_s, own], axis=1)
        row = words @ (1 << np.arange(words.shape[1])[::-1])
        codewords = modality_codewords(dataset.world, modality)
        assert len(codewords) == 2 ** words.shape[1]
        np.testing.assert_allclose(codewords[row], x, atol=1e-5)


def test_every_quantity_of_every_readout_has_an_exact_row(dataset, rows):
    probes = channel(measured(dataset)[0], "linear_probe")
    split = {("joint", f"label_{part}") for part in ("shared", "unique1", "unique2")}
    assert rows.keys() == probes.keys() | split
    for key, row in rows.items():
        assert row.bound == "exact"
        assert row.n_eval >= 1024
        assert row.low_bits <= row.value_bits <= row.high_bits
        assert row.high_bits - row.low_bits <= 2 * 1.96 * 0.03
        assert row.value_bits <= row.ceiling_bits + 2 * (row.high_bits - row.value_bits) + 1e-5
        if key in probes:
            other = probes[key]
            assert (row.true_bits, row.ceiling_bits) == (other.true_bits, other.ceiling_bits)


def test_rows_are_the_oracle_s_answers(dataset, rows):
    book = codebook(torch.from_numpy(modality_codewords(dataset.world, 1)), range(5))
    found = channel_information(book, {"shared": (0, 1, 2), "own": (3, 4)}, tau=0.5, seed=9)
    for quantity, group in (("shared", "shared"), ("unique1", "own")):
        expected, row = found.information(group), rows["z1", quantity]
        error = np.hypot(expected.standard_error_bits, (row.high_bits - row.low_bits) / 3.92)
        assert row.value_bits == pytest.approx(expected.value_bits, abs=3 * error)


def test_a_modality_holds_nothing_of_the_other_s_block_and_both_hold_no_less(rows):
    assert rows["z1", "unique2"].value_bits == rows["z2", "w_1[0]"].value_bits == 0
    for quantity in ("shared", "unique1", "unique2", "label", "w_s[1]"):
        for readout in ("z1", "z2"):
            row, joint = rows[readout, quantity], rows["joint", quantity]
            # The same draws serve all three readouts.
            assert joint.value_bits >= row.value_bits - 0.02


def test_the_decomposition_stands_beside_the_world_s_own(dataset, rows):
    parts = [rows["joint", f"label_{part}"] for part in ("shared", "unique1", "unique2")]
    assert sum(row.value_bits for row in parts) == pytest.approx(rows["joint", "label"].value_bits)
    truth = dataset.truth
    assert [row.true_bits for row in parts] == [
        truth.shared_bits,
        truth.unique1_bits,
        truth.unique2_bits,
    ]


def test_without_noise_to_speak_of_raw_inputs_hold_the_truth(dataset):
    for row in channel(measured(dataset, taus=(1e-3,))[0]).values():
        assert row.value_bits == pytest.approx(row.true_bits, abs=1e-6)


def test_labels_that_are_measured_together_change_no_number(dataset):
    labelled = [dataset.with_label(WORLD.label.with_ratio(ratio)) for ratio in (0.0, 0.3, 1.0)]
    noiseless = world(label={"kind": "noiseless", "label_bits": 2, "unique_ratio": 1.0}).label
    labelled.append(dataset.with_label(noiseless))
    together = measured(*labelled)
    for one, found in zip(labelled, together, strict=True):
        assert channel(measured(one)[0]) == channel(found)


def test_members_of_a_stack_are_measured_as_alone(dataset):
    datasets = [dataset, make_dataset(dataset.spec, 1)]
    for one, readouts in zip(datasets, readouts_of(datasets), strict=True):
        (found,) = measure_readouts(readouts, [one], MeasureSpec(channel=ChannelSpec()))
        assert channel(found) == channel(measured(one)[0])


def test_each_noise_has_an_estimator_of_its_own(dataset):
    found = measured(dataset, taus=(0.5, 2.0, 0.1))[0]
    loud, quiet = (channel(found, f"channel@{tau}") for tau in ("2", "0.1"))
    plain = channel(found)
    assert plain == channel(measured(dataset)[0])
    key = "joint", "shared"
    assert loud[key].value_bits < plain[key].value_bits < quiet[key].value_bits


class _Factors(Raw):
    """Two parts of each modality, of unequal power, all of them together, and a dead one."""

    def readouts(self, module, x1, x2):
        return {
            "z_s1": x1[..., :2] * 5,
            "z_u1": x1[..., 2:],
            "z_s2": x2,
            "z_u2": torch.full_like(x2, 0.1),
        }


def test_a_factorised_readout_holds_no_less_than_its_parts(dataset):
    rows = channel(measured(dataset, method=_Factors())[0])
    for quantity in ("shared", "unique1", "unique2", "label"):
        joint = rows["joint", quantity]
        for part in ("z_s1", "z_u1", "z_s2"):
            row = rows[part, quantity]
            slack = 2 * (row.high_bits - row.low_bits)
            assert joint.value_bits >= row.value_bits - slack
        assert rows["z_u2", quantity].value_bits == pytest.approx(0, abs=1e-6)
        assert rows["z_u2", quantity].high_bits == pytest.approx(0, abs=1e-6)
    # Its strong part does not drown the weak one.
    assert rows["joint", "shared"].value_bits > rows["z_s1", "shared"].value_bits


class _Fused(Raw):
    """Both modalities at unit power, turned together: no column is of one of them alone."""

    fused = frozenset({"joint"})

    def __init__(self, dataset):
        super().__init__()
        self._scale = [
            float(codebook(torch.from_numpy(modality_codewords(dataset.world, m)), c).power) ** 0.5
            for m, c in ((1, range(5)), (2, range(4)))
        ]
        self._turn = rotation(9).float()

    def readouts(self, module, x1, x2):
        joint = torch.cat([x1 / self._scale[0], x2 / self._scale[1]], -1)
        return {"z1": x1, "z2": x2, "joint": joint @ self._turn}


def test_a_fused_readout_is_enumerated_over_all_words(dataset, rows):
    fused = channel(measured(dataset, method=_Fused(dataset))[0])
    # A turn changes nothing, so both ways of counting must agree.
    for quantity in ("shared", "unique1", "unique2", "label", "shared_relevant"):
        row, other = fused["joint", quantity], rows["joint", quantity]
        error = np.hypot(row.high_bits - row.low_bits, other.high_bits - other.low_bits) / 3.92
        assert row.value_bits == pytest.approx(other.value_bits, abs=3 * error)
        assert row.true_bits == other.true_bits
    assert ("joint", "label_shared") not in fused
    assert fused["z1", "shared"].value_bits == pytest.approx(
        rows["z1", "shared"].value_bits, abs=0.06
    )


def test_a_fused_readout_of_too_many_words_is_left_out_with_a_line(dataset):
    (found,) = measured(dataset, method=_Fused(dataset), max_codewords=32)
    assert {readout for readout, _ in channel(found)} == {"z1", "z2"}
    assert found.warnings == (
        "no channel information of joint: expected at most 32 codewords of both modalities, "
        "got 2^6 = 64",
    )


@pytest.mark.parametrize(
    ("changes", "max_codewords", "message"),
    [
        (
            {"observation": {"noise": 0.1}},
            1 << 16,
            "no channel information: expected noise-free observations, of which a readout is a "
            "function, got noise 0.1 (the linear probe still serves)",
        ),
        (
            {"latents": {"kind": "gaussian", "n_shared": 3, "n_unique1": 2, "n_unique2": 1},
             "observation": {"kind": "linear"}},
            1 << 16,
            "no channel information: expected bits to enumerate, got gaussian latents "
            "(the linear probe still serves)",
        ),
        (
            {},
            16,
            "no channel information: expected at most 16 codewords of a modality, got 2^5 = 32 "
            "(the linear probe still serves)",
        ),
    ],
)  # fmt: skip
def test_a_world_that_cannot_be_enumerated_says_why(changes, max_codewords, message):
    dataset = make_dataset(world(**changes), 0)
    assert why_no_channel(dataset.spec, max_codewords) == message
    (found,) = measured(dataset, max_codewords=max_codewords)
    assert found.warnings == (message,)
    assert not channel(found)
    assert channel(found, "linear_probe")


def test_codewords_of_gaussian_latents_are_refused():
    dataset = make_dataset(world(latents={"kind": "gaussian"}, observation={}), 0)
    with pytest.raises(ValueError, match="latents: expected bits, whose patterns can be enumera"):
        modality_codewords(dataset.world, 1)
    with pytest.raises(ValueError, match="modality: expected 1 or 2, got 3"):
        modality_codewords(make_dataset(WORLD, 0).world, 3)


def test_it_can_be_left_out(dataset):
    (found,) = measured_with(dataset, spec=MeasureSpec(rate=False, channel=False))
    assert {row.estimator for row in found.captured} == {"linear_probe"}
    assert found.warnings == ()


def test_a_label_of_too_many_relevant_bits_is_left_out_with_a_line(dataset, monkeypatch):
    monkeypatch.setattr("fctestbed.measurement.meters.oracle_rows.MAX_RELEVANT_BITS", 3)
    (found,) = measured(dataset)
    assert "label" not in {quantity for _, quantity in channel(found)}
    assert ("joint", "shared") in channel(found)
    assert found.warnings == (
        "no channel information of the label: expected at most 3 relevant bits, got 4 "
        "(the linear probe still serves)",
    )


@pytest.mark.parametrize("taus", [(), (0.0,), (0.5, 0.5), (1.0, 2.0, 2.0)])
def test_noise_that_is_none_or_there_twice_is_refused(taus):
    with pytest.raises(ValueError, match="taus"):
        ChannelSpec(taus=taus)


def test_the_code_of_a_composed_readout_has_a_part_for_each_modality(dataset):
    (readouts,) = readouts_of([dataset], _Factors())
    codes = readout_codes(readouts)
    assert list(codes) == ["z_s1", "z_u1", "z_s2", "z_u2", "joint"]
    joint = codes["joint"]
    assert joint.modalities == ((1,), (2,))
    assert [list(pieces) for pieces in joint.pieces] == [["z_s1", "z_u1"], ["z_s2", "z_u2"]]
    assert joint.pieces[0]["z_u1"] is codes["z_u1"].pieces[0]["z_u1"]


def test_parts_with_equal_numbers_keep_their_modality(dataset):
    class Equal(Raw):
        """Two silent parts that no comparison of numbers can tell apart."""

        def readouts(self, module, x1, x2):
            silent = torch.zeros_like(x1[..., :2])
            return {"z_s1": silent, "z_u2": silent.clone(), "z_s2": x2, "z_u1": x1}

    (readouts,) = readouts_of([dataset], Equal())
    pieces = readout_codes(readouts)["joint"].pieces
    assert [list(own) for own in pieces] == [["z_s1", "z_u1"], ["z_u2", "z_s2"]]
