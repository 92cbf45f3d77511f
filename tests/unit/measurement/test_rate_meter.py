"""Information at stated rates, as rows of a run."""

import math
from dataclasses import astuple, replace

import pytest
import torch
from raw_stacks import measured as measured_with, readouts_of

from fctestbed.measurement import ChannelSpec, MeasureSpec, RateSpec, measure_readouts
from fctestbed.objectives.controls import Raw
from fctestbed.synthesis import WorldSpec, make_dataset
from fctestbed.training import Readouts

WORLD = WorldSpec.model_validate(
    {
        "n_train": 200,
        "n_test": 100,
        "observation": {"kind": "mlp", "dim1": 4, "dim2": 5},
        "latents": {"n_shared": 3, "n_unique1": 2, "n_unique2": 1},
    }
)
RATES = (2.0, 4.0, 8.0, 16.0, 32.0)


@pytest.fixture(scope="module")
def dataset():
    return make_dataset(WORLD.with_ratio(0.5), 0)


def measured(*datasets, method=None, **rate):
    spec = MeasureSpec(rate=RateSpec(**rate))
    return measured_with(*datasets, method=method, spec=spec)


def rate_rows(found, estimator="rate"):
    return {
        (row.readout, row.quantity, row.rate_bits): row
        for row in found.captured
        if row.estimator == estimator
    }


@pytest.fixture(scope="module")
def rows(dataset):
    return rate_rows(measured(dataset)[0])


def test_every_quantity_of_every_readout_has_an_exact_row_at_each_rate(dataset, rows):
    channel = MeasureSpec(rate=None, channel=ChannelSpec())
    fixed = {(r.readout, r.quantity): r for r in measured_with(dataset, spec=channel)[0].captured
             if r.estimator == "channel"}  # fmt: skip
    assert rows.keys() == {(*key, rate) for key in fixed for rate in RATES}
    for (readout, quantity, rate), row in rows.items():
        other = fixed[readout, quantity]
        assert row.bound == "exact"
        assert row.n_eval >= 512
        assert row.true_bits == other.true_bits
        assert row.ceiling_bits == min(rate, other.ceiling_bits)
        half = row.high_bits - row.value_bits
        assert 0 <= half <= 1.96 * 0.045
        assert row.value_bits <= row.ceiling_bits + 2 * half + 1e-5


def test_readings_rise_with_the_rate_to_what_the_inputs_hold(rows):
    for readout, quantity, rate in rows:
        # What one part holds alone may fall when the other comes to hold it too.
        if rate < 32 and not quantity.startswith("label_"):
            low, high = rows[readout, quantity, rate], rows[readout, quantity, 2 * rate]
            error = math.hypot(low.high_bits - low.value_bits, high.high_bits - high.value_bits)
            assert low.value_bits <= high.value_bits + 2 * error + 1e-5
    for quantity in ("shared", "unique1", "label"):
        row = rows["joint", quantity, 32.0]
        assert row.value_bits == pytest.approx(row.true_bits, abs=0.02)


def test_the_parts_of_the_label_add_up(rows):
    for rate in RATES:
        parts = [rows["joint", f"label_{part}", rate] for part in ("shared", "unique1", "unique2")]
        total = rows["joint", "label", rate].value_bits
        assert sum(row.value_bits for row in parts) == pytest.approx(total)


def test_rows_of_other_rates_forms_and_labels_change_no_number(dataset, rows):
    one = rate_rows(measured(dataset, rates=(8.0,))[0])
    for key, row in one.items():
        assert row.value_bits == pytest.approx(rows[key].value_bits, abs=1e-5)
        assert row.n_eval == rows[key].n_eval
    both = measured(dataset, forms=("whitened", "metric"))[0]
    assert rate_rows(both) == rows
    white = rate_rows(both, "rate_whitened")
    assert white.keys() == rows.keys()
    assert white["joint", "shared", 4.0].value_bits != rows["joint", "shared", 4.0].value_bits
    labelled = [dataset.with_label(WORLD.label.with_ratio(ratio)) for ratio in (0.5, 0.0, 0.3)]
    together = rate_rows(measured(*labelled)[0])
    assert together.keys() == rows.keys()
    for key, row in together.items():
        assert astuple(row)[:3] == astuple(rows[key])[:3]
        assert astuple(row)[4:] == pytest.approx(astuple(rows[key])[4:], abs=1e-9)


class _Wide(Raw):
    """An encoder whose outputs are written twice, and padded, in one modality alone."""

    def readouts(self, module, x1, x2):
        shape = (*x1.shape[:-1], 120)
        z1 = torch.cat([x1, x1, torch.zeros(shape), torch.ones(shape)], -1)
        return {"z1": z1, "z2": x2}


class _Parts(Raw):
    """Two parts of each modality; the first is padded where ``width`` is above 0."""

    def __init__(self, width):
        super().__init__()
        self.width = width

    def readouts(self, module, x1, x2):
        first = torch.cat([x1[..., :2], torch.zeros(*x1.shape[:-1], self.width)], -1)
        return {"z_s1": first, "z_u1": x1[..., 2:], "z_s2": x2[..., :3], "z_u2": x2[..., 3:]}


@pytest.mark.parametrize("forms", [("metric",), ("whitened",)])
@pytest.mark.parametrize(
    ("plain", "wide"), [(Raw(), _Wide()), (_Parts(0), _Parts(120))], ids=["pair", "parts"]
)
def test_outputs_written_twice_or_padded_give_the_same_rows(dataset, forms, plain, wide):
    estimator = "rate" if forms == ("metric",) else "rate_whitened"
    one, other = (
        rate_rows(measured(dataset, method=method, forms=forms)[0], estimator)
        for method in (plain, wide)
    )
    assert one.keys() == other.keys()
    for key, row in one.items():
        assert other[key].value_bits == pytest.approx(row.value_bits, abs=1e-3)
        assert abs(other[key].n_eval - row.n_eval) <= 2


def test_a_part_that_is_constant_holds_nothing(dataset):
    class Silent(Raw):
        def readouts(self, module, x1, x2):
            return {"z1": x1, "z2": torch.full_like(x2, 0.3)}

    rows = rate_rows(measured(dataset, method=Silent())[0])
    for rate in RATES:
        assert rows["z2", "shared", rate].value_bits == pytest.approx(0, abs=1e-6)
        alone, joint = rows["z1", "shared", rate], rows["joint", "shared", rate]
        assert joint.value_bits == pytest.approx(alone.value_bits, abs=0.15)


def test_a_fused_readout_has_one_codebook(dataset):
    class Fused(Raw):
        fused = frozenset({"joint"})

        def readouts(self, module, x1, x2):
            return {"joint": torch.cat([x1, x2], -1)}

    rows = rate_rows(measured(dataset, method=Fused())[0])
    assert ("joint", "label", 2.0) in rows
    assert ("joint", "label_shared", 2.0) not in rows
    assert all(row.value_bits <= row.ceiling_bits + 0.1 for row in rows.values())


def test_both_meters_say_once_why_they_have_no_rows(dataset):
    (readouts,) = readouts_of([dataset])
    bare = Readouts(
        {
            name: replace(own, codewords=None, no_codewords="expected their codewords, got none")
            for name, own in readouts.by_name.items()
        }
    )
    (found,) = measure_readouts(bare, [dataset], MeasureSpec(channel=True))
    assert found.warnings == (
        "no channel information of z1, z2, joint: expected their codewords, got none",
    )
    assert {row.estimator for row in found.captured} == {"linear_probe"}


@pytest.mark.parametrize(
    "rates", [(), (0.0,), (-2.0,), (math.inf,), (math.nan,), (2.0, 2.0), ("many",), (True,), 4.0]
)
def test_rates_that_are_none_or_there_twice_are_refused(rates):
    with pytest.raises(ValueError, match="rates"):
        RateSpec(rates=rates)


@pytest.mark.parametrize("forms", [(), ("metric", "metric"), ("plain",), "metric"])
def test_forms_that_are_none_or_there_twice_are_refused(forms):
    with pytest.raises(ValueError, match="forms"):
        RateSpec(forms=forms)
