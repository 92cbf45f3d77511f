"""Further probes: what MLPs, neighbours and few labels read, and on which samples."""

import numpy as np
import pytest
import torch
from raw_stacks import measured, readouts_of

from fctestbed.measurement import MeasureSpec, measure_readouts
from fctestbed.measurement.meters.few_shot import first_of_each_class
from fctestbed.synthesis import WorldSpec, make_dataset
from fctestbed.training import Readout, Readouts

WORLD = WorldSpec.model_validate(
    {
        "n_train": 600,
        "n_test": 300,
        "observation": {"kind": "linear", "dim1": 6, "dim2": 6},
        "latents": {"n_shared": 2, "n_unique1": 1, "n_unique2": 1},
    }
)
QUICK_MLP = {"hidden": [16], "steps": 150}


def spec(**meters):
    return MeasureSpec(rate=None, scores=None, equal_width=None, **meters)


def estimators(found):
    return list(dict.fromkeys(row.estimator for row in found.captured))


def row_of(found, estimator, readout="joint", quantity="label"):
    key = estimator, readout, quantity
    (row,) = [r for r in found.captured if (r.estimator, r.readout, r.quantity) == key]
    return row


@pytest.fixture(scope="module")
def dataset():
    return make_dataset(WORLD.with_ratio(0.5), 0)


@pytest.fixture(scope="module")
def found(dataset):
    few = {"labels": [4, 1000]}
    (rows,) = measured(dataset, spec=spec(mlp_probe=QUICK_MLP, knn_probe=True, few_shot=few))
    return rows


def test_each_probe_has_the_rows_of_the_linear_probe_in_the_order_of_its_field(found):
    expected = ["linear_probe", "mlp_probe", "knn_probe", "few_shot@4", "few_shot@1000"]
    assert estimators(found) == expected
    rows = {
        name: [
            (row.readout, row.quantity, row.true_bits, row.ceiling_bits, row.bound, row.n_eval)
            for row in found.captured
            if row.estimator == name
        ]
        for name in expected
    }
    assert all(own == rows["linear_probe"] for own in rows.values())
    probes = ["linear", "mlp", "knn", "few_shot@4", "few_shot@1000"]
    assert list(dict.fromkeys(row.probe for row in found.accuracy)) == probes
    bayes = {(row.readout, row.bayes_accuracy) for row in found.accuracy}
    assert len(bayes) == 3
    assert len(found.accuracy) == 3 * len(probes)


def test_every_probe_reads_bits_that_are_linear_in_the_inputs(found):
    for name in estimators(found):
        assert row_of(found, name, quantity="w_s[0]").value_bits > 0.6, name
        other = row_of(found, name, "z1", "unique2")
        assert other.true_bits == 0
        assert other.value_bits < 0.1, name


def test_every_value_is_below_its_ceiling_with_its_interval_around_it(found):
    for row in found.captured:
        assert row.low_bits <= row.value_bits <= row.high_bits
        assert row.value_bits <= row.ceiling_bits


def test_accuracies_of_all_probes_are_near_the_bayes_accuracy(found):
    for row in found.accuracy:
        if row.readout == "joint":
            assert row.accuracy == pytest.approx(row.bayes_accuracy, abs=0.17), row.probe


def parity_readouts(dataset):
    """A readout of two columns whose product has the sign of the first latent bit."""
    noise = np.random.default_rng(0)
    arrays = {}
    for name in ("train", "test"):
        bit = getattr(dataset, name).latents[0][:, 0].astype(float)
        other = noise.integers(0, 2, len(bit))
        columns = np.column_stack([other, bit == other]).astype(float)
        arrays[name] = torch.tensor(columns + 0.05 * noise.standard_normal(columns.shape))
    return Readouts({"z": Readout(modalities=(1, 2), **arrays)})


def test_mlps_and_neighbours_read_a_parity_that_linear_probes_do_not(dataset):
    settings = spec(mlp_probe={"hidden": [32], "steps": 400}, knn_probe=True)
    (found,) = measure_readouts(parity_readouts(dataset), [dataset], settings)
    assert row_of(found, "linear_probe", "z", "w_s[0]").value_bits < 0.05
    assert row_of(found, "mlp_probe", "z", "w_s[0]").value_bits > 0.9
    assert row_of(found, "knn_probe", "z", "w_s[0]").value_bits > 0.9


@pytest.mark.parametrize("kind", ["threshold", "planar"])
def test_labels_of_classes_are_read_by_probes_of_classes(kind):
    label = {"kind": kind, "n_relevant": 3, "unique_ratio": 2 / 3}
    label |= {"n_classes": 3} if kind == "planar" else {}
    dataset = make_dataset(WorldSpec.model_validate({**WORLD.model_dump(), "label": label}), 0)
    settings = spec(mlp_probe=QUICK_MLP, knn_probe=True, few_shot={"labels": [30]})
    (found,) = measured(dataset, spec=settings)
    for name in estimators(found):
        row = row_of(found, name)
        assert row.true_bits == pytest.approx(dataset.truth.label_entropy_bits)
        assert 0.5 * row.true_bits < row.value_bits <= row.ceiling_bits, name
    assert all(row.accuracy > 0.8 for row in found.accuracy if row.readout == "joint")


def test_numbers_are_those_of_the_data_set_s_seed_and_of_no_other_label(dataset, found):
    few = {"labels": [4, 1000]}
    settings = spec(mlp_probe=QUICK_MLP, knn_probe=True, few_shot=few)
    other = dataset.with_label(dataset.spec.label.with_ratio(1.0))
    (readouts,) = readouts_of([dataset])
    again, _ = measure_readouts(readouts, [dataset, other], settings)
    _, last = measure_readouts(readouts, [other, dataset], settings)
    assert again == last == found


def test_a_probe_of_more_labels_than_there_are_is_fitted_on_all_samples(found):
    # Only the ridge differs: 1e-4 for each of 600 samples and 1 for all of them together.
    few, linear = (row_of(found, name) for name in ("few_shot@1000", "linear_probe"))
    assert few.value_bits == pytest.approx(linear.value_bits, abs=0.05)


def test_few_shot_probes_read_the_first_samples_of_each_class(dataset):
    label = dataset.train.y.copy()
    rows = first_of_each_class(label, 3)
    assert list(rows) == sorted(rows)
    for value in np.unique(label):
        assert list(rows[label[rows] == value]) == list(np.flatnonzero(label == value)[:3])


def test_a_class_with_fewer_samples_gives_all_that_it_has():
    y = np.array([2, 0, 2, 2, 0, 7, 2])
    assert list(first_of_each_class(y, 2)) == [0, 1, 2, 4, 5]
    assert list(first_of_each_class(y, 100)) == list(range(7))


def test_few_shot_rows_depend_on_no_other_label_than_those_of_the_chosen_samples(dataset):
    (readouts,) = readouts_of([dataset])
    settings = spec(few_shot={"labels": [2]})
    (before,) = measure_readouts(readouts, [dataset], settings)
    chosen = set(first_of_each_class(dataset.train.y, 2))
    moved = [place for place in range(600) if place not in chosen]
    # Samples that were not chosen change places: their labels are not read.
    joint = readouts.by_name["joint"]
    shuffled = joint.train.clone()
    shuffled[moved] = joint.train[moved[::-1]]
    other = Readouts({"joint": Readout(modalities=(1, 2), train=shuffled, test=joint.test)})
    (after,) = measure_readouts(other, [dataset], settings)
    for quantity in ("label", "shared"):
        value = row_of(before, "few_shot@2", quantity=quantity).value_bits
        assert row_of(after, "few_shot@2", quantity=quantity).value_bits == pytest.approx(
            value, abs=1e-4
        )


@pytest.mark.parametrize("name", ["mlp_probe", "knn_probe", "few_shot", "channel", "scores"])
def test_true_switches_a_meter_on_with_its_defaults_and_false_off(name):
    kind = type(getattr(MeasureSpec(**{name: True}), name))
    assert getattr(MeasureSpec(**{name: True}), name) == kind()
    assert getattr(MeasureSpec(**{name: False}), name) is None


@pytest.mark.parametrize("name", ["n_fit", "ridge", "equal_width"])
def test_true_is_no_number(name):
    with pytest.raises(ValueError, match="expected a number, got True"):
        MeasureSpec(**{name: True})


def test_optional_probes_leave_the_digest_of_a_measurement_without_them():
    assert not {"mlp_probe", "knn_probe", "few_shot"} & set(MeasureSpec().model_dump())
    digests = {MeasureSpec(**{name: True}).digest() for name in ("mlp_probe", "knn_probe")}
    assert len(digests | {MeasureSpec().digest()}) == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"few_shot": {"labels": [16, 16]}}, r"labels: expected different numbers, got \[16, 16\]"),
        ({"few_shot": {"labels": []}}, "few_shot.labels"),
        ({"few_shot": {"labels": [0]}}, "few_shot.labels.0"),
        ({"few_shot": {"penalty": 0}}, "few_shot.penalty"),
        ({"few_shot": {"penalty": float("inf")}}, "few_shot.penalty"),
        ({"mlp_probe": {"hidden": []}}, "mlp_probe.hidden"),
        ({"mlp_probe": {"hidden": [0]}}, "mlp_probe.hidden.0"),
        ({"mlp_probe": {"dropout": 1}}, "mlp_probe.dropout"),
        ({"mlp_probe": {"dropout": -0.1}}, "mlp_probe.dropout"),
        ({"mlp_probe": {"steps": 0}}, "mlp_probe.steps"),
        ({"knn_probe": {"k": 3}}, "knn_probe.k"),
        ({"scores": {"n_uniformity": 1}}, "scores.n_uniformity"),
        ({"scores": {"n_samples": 0}}, "scores.n_samples"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        MeasureSpec.model_validate(settings)
