"""From arrays and readouts to rows: the public function, and further meters."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from raw_stacks import measured, readouts_of

from fctestbed.measurement import (
    Measured,
    MeasureSpec,
    Meter,
    measure_arrays,
    measure_readouts,
)
from fctestbed.results import AccuracyRow
from fctestbed.synthesis import WorldSpec, make_dataset, modality_codewords

WORLD = WorldSpec.model_validate(
    {
        "n_train": 300,
        "n_test": 200,
        "observation": {"kind": "mlp", "dim1": 6, "dim2": 5},
        "latents": {"n_shared": 2, "n_unique1": 1, "n_unique2": 1},
    }
)


@pytest.fixture(scope="module")
def dataset():
    return make_dataset(WORLD.with_ratio(0.5), 0)


def raw_arrays(dataset):
    return {
        **{f"train_z{m}": getattr(dataset.train, f"x{m}") for m in (1, 2)},
        **{f"test_z{m}": getattr(dataset.test, f"x{m}") for m in (1, 2)},
        **{f"codewords_z{m}": modality_codewords(dataset.world, m) for m in (1, 2)},
    }


def test_arrays_have_the_rows_that_a_training_with_these_readouts_has(dataset):
    assert measure_arrays(dataset, raw_arrays(dataset)) == measured(dataset)[0]


def test_tensors_lists_and_a_file_are_measured_like_arrays(dataset, tmp_path):
    spec = MeasureSpec(channel=None)
    arrays = {name: x for name, x in raw_arrays(dataset).items() if "codewords" not in name}
    expected = measure_arrays(dataset, arrays, spec)
    np.savez(tmp_path / "mine.npz", **arrays)
    tensors = {name: torch.tensor(x) for name, x in arrays.items()}
    lists = {name: x.tolist() for name, x in arrays.items()}
    for given in (tmp_path / "mine.npz", str(tmp_path / "mine.npz"), tensors, lists):
        assert measure_arrays(dataset, given, spec) == expected


def test_arrays_that_do_not_match_the_data_set_are_refused(dataset):
    arrays = raw_arrays(dataset)
    arrays["test_z2"] = arrays["test_z2"][1:]
    expected = "representations: test_z2: expected 200 rows to match the data set, got 199"
    with pytest.raises(ValueError, match=expected):
        measure_arrays(dataset, arrays)


def test_codewords_of_gaussian_latents_are_refused():
    latents = {"kind": "gaussian", "n_shared": 2, "n_unique1": 1, "n_unique2": 1}
    observation = {"kind": "linear", "dim1": 6, "dim2": 6}
    spec = WorldSpec.model_validate(
        {**WORLD.model_dump(), "latents": latents, "observation": observation}
    )
    gaussian = make_dataset(spec, 0)
    arrays = {"train_z1": gaussian.train.x1, "test_z1": gaussian.test.x1}
    with pytest.raises(ValueError, match="codewords_z1: expected none of gaussian latents, which"):
        measure_arrays(gaussian, {**arrays, "codewords_z1": gaussian.test.x1})


def test_a_measurement_of_no_data_set_is_refused(dataset):
    (readouts,) = readouts_of([dataset])
    with pytest.raises(ValueError, match="labelled: expected one data set or more, got none"):
        measure_readouts(readouts, [])


class Widths(Meter):
    """Says how wide a readout is, as if that were an accuracy."""

    share: float = 1.0

    def measure(self, readouts, labelled):
        rows = tuple(
            AccuracyRow(
                readout=name,
                probe="width",
                accuracy=self.share * readout.width,
                low=None,
                high=None,
                bayes_accuracy=None,
                n_eval=len(readout.train),
            )
            for name, readout in readouts.by_name.items()
        )
        return [Measured(accuracy=rows, warnings=("only widths",)) for _ in labelled]


class WithWidths(MeasureSpec):
    """What a further field of ``MeasureSpec`` is."""

    widths: Widths | None = None


def test_a_further_meter_adds_its_rows_after_those_of_the_others(dataset):
    plain = MeasureSpec(equal_width=4, n_fit=100)
    spec = WithWidths(widths=Widths(share=2), equal_width=4, n_fit=100)
    (found,), (expected,) = (measured(dataset, spec=own) for own in (spec, plain))
    assert found.captured == expected.captured
    assert found.accuracy[: len(expected.accuracy)] == expected.accuracy
    further = found.accuracy[len(expected.accuracy) :]
    assert [(row.readout, row.accuracy, row.n_eval) for row in further] == [
        ("z1", 12, 100),
        ("z2", 10, 100),
        ("joint", 22, 100),
        ("joint@4", 8, 100),
    ]
    assert found.warnings == ("only widths",)


def test_a_meter_that_is_not_asked_for_leaves_the_digest_as_it_is():
    assert WithWidths().digest() == MeasureSpec().digest()
    assert WithWidths(widths=Widths()).digest() != MeasureSpec().digest()
    assert WithWidths(widths=False) == WithWidths()
    assert WithWidths.model_validate_json(WithWidths().model_dump_json()) == WithWidths()


def test_the_settings_that_digests_are_made_of_stay_as_they_are():
    limits = {"max_draws": 32768, "max_codewords": 262144}
    rates = {"rates": [2, 4, 8, 16, 32], "forms": ["metric"], "target_bits": 0.03}
    plain = {"n_fit": 16384, "ridge": 1e-4, "equal_width": 16, "rate": {**rates, **limits}}
    plain["scores"] = {"n_samples": 4096, "n_uniformity": 512}
    assert json.loads(MeasureSpec().model_dump_json()) == plain
    nothing = MeasureSpec(equal_width=None, rate=False)
    assert nothing.model_dump(mode="json") == {**plain, "equal_width": None, "rate": None}
    channel = {"taus": [0.5], "target_bits": 0.02, **limits}
    assert json.loads(MeasureSpec(channel=True).model_dump_json()) == {**plain, "channel": channel}


def test_a_switch_is_no_number():
    with pytest.raises(ValueError, match="n_fit"):
        MeasureSpec(n_fit=False)


def test_measurements_add_up_in_order(dataset):
    (found,) = measured(dataset)
    empty = Measured()
    assert found + empty == empty + found == found
    assert asdict(found + Measured(warnings=("b",)))["warnings"] == ("b",)
