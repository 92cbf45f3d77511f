"""The linear probe's rows: what raw inputs hold of every quantity, and task accuracy."""

import numpy as np
import pytest
from raw_stacks import measured, readouts_of

from fctestbed.estimators import LinearProbe
from fctestbed.measurement import MeasureSpec, measure_readouts
from fctestbed.synthesis import NoiselessLabel, WorldSpec, make_dataset, slots_of

SIZES = {"n_train": 3000, "n_test": 3000}
LINEAR = {"kind": "linear", "dim1": 12, "dim2": 12}
LATENTS = {"n_shared": 3, "n_unique1": 2, "n_unique2": 2}
WORLD = WorldSpec.model_validate({**SIZES, "observation": LINEAR, "latents": LATENTS})


def captured(found, readout, quantity, estimator="linear_probe"):
    key = readout, quantity, estimator
    (row,) = [r for r in found.captured if (r.readout, r.quantity, r.estimator) == key]
    return row


def probe_rows(found):
    return [row for row in found.captured if row.estimator == "linear_probe"]


def accuracy(found, readout):
    (row,) = [row for row in found.accuracy if row.readout == readout]
    return row


@pytest.fixture(scope="module")
def half():
    dataset = make_dataset(WORLD.with_ratio(0.5), 0)
    return dataset, measured(dataset)[0]


def test_raw_inputs_of_a_linear_world_hold_the_truth(half):
    _, found = half
    # Each probe has 8 weights: 8 / (2 * 3000 * ln 2) = 0.002 bits a bit, and the ridge's part.
    for readout, expected in {
        "joint": {"shared": 3.0, "unique1": 2.0, "unique2": 2.0, "w_s[0]": 1.0, "w_2[1]": 1.0},
        "z1": {"shared": 3.0, "unique1": 2.0, "unique2": 0.0, "unique2_relevant": 0.0},
        "z2": {"shared_irrelevant": 1.0, "unique1": 0.0, "w_1[0]": 0.0, "unique2": 2.0},
    }.items():
        for quantity, true_bits in expected.items():
            row = captured(found, readout, quantity)
            assert row.true_bits == true_bits
            assert row.value_bits == pytest.approx(true_bits, abs=0.03), (readout, quantity)


def test_label_bits_are_the_truth_of_the_modalities_that_the_readout_reads(half):
    dataset, found = half
    truth = dataset.truth
    for readout, true_bits in {
        "z1": truth.x1_label_bits,
        "z2": truth.x2_label_bits,
        "joint": truth.total_bits,
    }.items():
        row = captured(found, readout, "label")
        assert row.true_bits == true_bits
        half_width = (row.high_bits - row.low_bits) / 2
        # Three standard errors, and four slots' probes of 8 weights.
        assert row.value_bits == pytest.approx(true_bits, abs=3 / 1.96 * half_width + 0.02)
        assert row.ceiling_bits == truth.label_entropy_bits


def test_accuracies_stand_beside_the_bayes_accuracy(half):
    dataset, found = half
    truth = dataset.truth
    for readout, bayes in {
        "z1": truth.bayes_accuracy_x1,
        "z2": truth.bayes_accuracy_x2,
        "joint": truth.bayes_accuracy,
    }.items():
        row = accuracy(found, readout)
        assert row.bayes_accuracy == bayes
        assert 0 <= row.low < row.accuracy < row.high <= 1


def test_a_probe_that_reads_every_bit_errs_where_the_label_s_channels_do(half):
    dataset, found = half
    label, test = dataset.spec.label, dataset.test
    unflipped = label.slot_inputs(test.latents) == slots_of(test.y, 4)
    assert accuracy(found, "joint").accuracy == pytest.approx(unflipped.all(1).mean(), abs=1e-12)
    # Of its last slot the first modality knows nothing: a guess, right half of the time.
    expected = unflipped[:, :3].all(1).mean() / 2
    standard_error = np.sqrt(expected * (1 - expected) / 3000)
    assert accuracy(found, "z1").accuracy == pytest.approx(expected, abs=3 * standard_error)


def test_every_value_is_below_its_ceiling_with_its_interval_around_it(half):
    for row in probe_rows(half[1]):
        assert row.low_bits <= row.value_bits <= row.high_bits
        assert row.value_bits <= row.ceiling_bits
        assert (row.estimator, row.bound, row.n_eval) == ("linear_probe", "lower", 3000)


def test_every_readout_has_every_quantity_once(half):
    rows = [(row.readout, row.quantity) for row in probe_rows(half[1])]
    assert len(rows) == len(set(rows)) == 4 * 17
    assert [row.readout for row in half[1].accuracy] == ["z1", "z2", "joint", "joint@16"]


def test_a_block_is_the_sum_of_its_bits(half):
    bits = sum(captured(half[1], "joint", f"w_s[{place}]").value_bits for place in range(3))
    assert captured(half[1], "joint", "shared").value_bits == pytest.approx(bits)


def test_several_labels_at_once_are_measured_as_each_alone(half):
    base = half[0]
    labelled = [base.with_label(base.spec.label.with_ratio(r)) for r in (0.0, 0.5, 1.0)]
    together = measured(*labelled)
    assert len(together) == 3
    for dataset, found in zip(labelled, together, strict=True):
        (alone,) = measured(dataset)
        for row, expected in zip(found.captured, alone.captured, strict=True):
            assert (row.readout, row.quantity) == (expected.readout, expected.quantity)
            assert (row.true_bits, row.ceiling_bits) == (expected.true_bits, expected.ceiling_bits)
            assert row.value_bits == pytest.approx(expected.value_bits, abs=1e-9)
        for row, expected in zip(found.accuracy, alone.accuracy, strict=True):
            assert row.accuracy == expected.accuracy
            assert row.bayes_accuracy == expected.bayes_accuracy


def test_relevant_parts_are_those_of_each_label(half):
    base = half[0]
    labels = [NoiselessLabel(label_bits=2, unique_ratio=ratio) for ratio in (0.0, 1.0)]
    labelled = [base.with_label(label) for label in labels]
    for dataset, found in zip(labelled, measured(*labelled), strict=True):
        (alone,) = measured(dataset)
        assert [(row.quantity, row.ceiling_bits) for row in found.captured] == [
            (row.quantity, row.ceiling_bits) for row in alone.captured
        ]


def test_each_member_of_a_stack_is_measured_as_it_is_alone(half):
    datasets = [half[0], make_dataset(half[0].spec, 1)]
    for readouts, dataset in zip(readouts_of(datasets), datasets, strict=True):
        assert measure_readouts(readouts, [dataset]) == measured(dataset)


def test_a_threshold_label_is_read_by_one_probe_of_two_classes():
    spec = {"label": {"kind": "threshold", "n_relevant": 3, "unique_ratio": 2 / 3}}
    dataset = make_dataset(WorldSpec.model_validate({**WORLD.model_dump(), **spec}), 0)
    (found,) = measured(dataset)
    row, right = captured(found, "joint", "label"), accuracy(found, "joint")
    # A majority of three bits is linear in them: the probe can say all of it.
    assert row.true_bits == row.ceiling_bits == pytest.approx(1.0)
    assert row.value_bits == pytest.approx(1.0, abs=0.03)
    assert (right.accuracy, right.bayes_accuracy) == (1.0, 1.0)
    alone = accuracy(found, "z1")
    assert alone.bayes_accuracy == pytest.approx(0.75)
    assert alone.accuracy == pytest.approx(0.75, abs=3 * np.sqrt(0.75 * 0.25 / 3000))


def test_a_planar_label_is_read_by_one_probe_of_all_its_classes():
    spec = {"label": {"kind": "planar", "n_relevant": 3, "unique_ratio": 2 / 3, "n_classes": 5}}
    dataset = make_dataset(WorldSpec.model_validate({**WORLD.model_dump(), **spec}), 0)
    (found,) = measured(dataset)
    row = captured(found, "joint", "label")
    assert row.true_bits == dataset.truth.total_bits
    assert 0 < row.value_bits <= row.ceiling_bits == dataset.truth.label_entropy_bits
    assert accuracy(found, "joint").accuracy <= accuracy(found, "joint").bayes_accuracy == 1.0


def test_a_world_of_gaussian_latents_is_measured_by_their_signs():
    spec = {**SIZES, "observation": {**LINEAR}, "latents": {"kind": "gaussian", **LATENTS}}
    dataset = make_dataset(WorldSpec.model_validate(spec), 0)
    (found,) = measured(dataset)
    row = captured(found, "joint", "shared")
    # A sign is linear in its latent: with a ridge of 1e-4 all but a few hundredths of each.
    assert (row.true_bits, row.ceiling_bits) == (3.0, 3.0)
    assert 2.5 < row.value_bits <= 3.0
    assert captured(found, "z1", "unique2").value_bits == pytest.approx(0.0, abs=0.03)


def test_probes_are_fitted_on_as_many_training_samples_as_asked(half, monkeypatch):
    seen = []
    plain = LinearProbe.reader

    def spy(self, z_fit, z_eval):
        seen.append((len(z_fit), len(z_eval), self.ridge))
        return plain(self, z_fit, z_eval)

    monkeypatch.setattr(LinearProbe, "reader", spy)
    measured(half[0], spec=MeasureSpec(n_fit=100, ridge=0.5))
    measured(half[0], spec=MeasureSpec(n_fit=10**9))
    assert set(seen[:4]) == {(100, 3000, 0.5)}
    assert set(seen[4:]) == {(3000, 3000, 1e-4)}
