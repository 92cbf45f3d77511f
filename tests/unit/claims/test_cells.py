"""The cells of claims, against differences taken by hand from the same rows."""

import numpy as np
import pandas as pd
import pytest
from synthetic_results import RATES, as_results, records

from fctestbed.claims import Claim
from fctestbed.claims.cells import claim_cells
from fctestbed.results import AxisCells

RATIOS, SEEDS = (0.0, 0.5, 1.0), (0, 1, 2)


@pytest.fixture(scope="module")
def results():
    return as_results(records(RATIOS, ("simclr", "supcon", "raw"), SEEDS, rates=RATES))


def claim(*predictions, **fields):
    return Claim.model_validate(
        {
            "id": "a",
            "source": "b",
            "statement": "c",
            "smallest_effect_bits": 0.1,
            "predictions": list(predictions),
            **fields,
        }
    )


def bits(results, method, ratio, quantity="label", *, estimator="rate", rate=4.0):
    rows = results.captured
    rows = rows[
        (rows["method"] == method)
        & (rows["unique_ratio"] == ratio)
        & (rows["quantity"] == quantity)
        & (rows["estimator"] == estimator)
        & (rows["readout"] == "joint")
    ]
    rows = rows[rows["rate_bits"].isna() if rate is None else rows["rate_bits"] == rate]
    return rows.sort_values("seed")["value_bits"].to_numpy()


def test_two_methods_have_a_cell_at_each_ratio_paired_by_seed(results):
    cells = claim_cells(claim({"left": "supcon", "relation": ">", "right": "raw"}), results)
    assert cells.table["unique_ratio"].tolist() == list(RATIOS)
    for place, ratio in enumerate(RATIOS):
        left, right = bits(results, "supcon", ratio), bits(results, "raw", ratio)
        assert cells.differences[place] == pytest.approx(left - right)
        assert cells.table["left_bits"][place] == pytest.approx(left.mean())
    assert cells.region.low.tolist() == [0.1] * 3


def test_a_number_and_a_truth_are_taken_at_the_ratio_of_the_left_side(results):
    one = {"left": "supcon", "relation": "=", "right": {"truth": "shared_bits"}}
    two = {"left": {"method": "supcon", "unique_ratio": 0.5}, "relation": ">", "right": 0.5}
    cells = claim_cells(claim(one, two), results)
    assert cells.table["unique_ratio"].tolist() == [0.0, 0.5, 1.0, 0.5]
    assert cells.table["right_bits"].tolist() == pytest.approx([2.0, 1.0, 0.0, 0.5])
    assert cells.differences[3] == pytest.approx(bits(results, "supcon", 0.5) - 0.5)


def test_fixed_ratios_are_compared_within_a_seed(results):
    ends = [{"method": "simclr", "unique_ratio": ratio} for ratio in (1.0, 0.0)]
    fixed = {"left": ends[0], "relation": "<", "right": ends[1]}
    one_fixed = {"left": "simclr", "relation": "<=", "right": ends[1]}
    cells = claim_cells(claim(fixed, one_fixed), results)
    assert np.isnan(cells.table["unique_ratio"][0])
    assert cells.table["unique_ratio"][1:].tolist() == list(RATIOS)
    first = bits(results, "simclr", 0.0)
    assert cells.differences[0] == pytest.approx(bits(results, "simclr", 1.0) - first)
    assert cells.differences[1] == pytest.approx(np.zeros(3))
    assert cells.differences[2] == pytest.approx(bits(results, "simclr", 0.5) - first)


def test_a_mean_over_ratios_is_one_cell(results):
    prediction = {"left": "supcon", "relation": ">", "right": "raw", "average": True}
    some = {**prediction, "unique_ratio": [0.0, 0.5]}
    cells = claim_cells(claim(prediction, some), results)
    each = [bits(results, "supcon", ratio) - bits(results, "raw", ratio) for ratio in RATIOS]
    assert cells.differences[0] == pytest.approx(np.mean(each, axis=0))
    assert cells.differences[1] == pytest.approx(np.mean(each[:2], axis=0))


def test_readings_and_sums_of_quantities_are_those_that_are_named(results):
    left = {"method": "supcon", "quantity": ["shared", "unique1"], "rate_bits": 8}
    right = {"method": "raw", "estimator": "linear_probe", "quantity": "shared"}
    cells = claim_cells(claim({"left": left, "relation": "<=", "right": right}), results)
    expected = (
        bits(results, "supcon", 0.5, "shared", rate=8.0)
        + bits(results, "supcon", 0.5, "unique1", rate=8.0)
        - bits(results, "raw", 0.5, "shared", estimator="linear_probe", rate=None)
    )
    assert cells.differences[1] == pytest.approx(expected)


def test_seeds_that_a_side_lacks_are_missing(results):
    rows = results.captured
    gone = (rows["method"] == "raw") & (rows["seed"] == 1) & (rows["unique_ratio"] == 0.5)
    fewer = as_results(records(RATIOS, ("supcon", "raw"), SEEDS, rates=RATES))
    object.__setattr__(fewer, "captured", rows[~gone])
    each = {"left": "supcon", "relation": ">", "right": "raw"}
    cells = claim_cells(claim(each, {**each, "average": True}), fewer)
    assert np.isfinite(cells.differences).sum(axis=1).tolist() == [3, 2, 3, 2]


def test_a_side_without_rows_is_refused(results):
    right = {"method": "raw", "readout": "z9"}
    prediction = {"left": "supcon", "relation": ">", "right": right}
    with pytest.raises(ValueError, match=r"claims.a.predictions.0.right: expected rows of label o"):
        claim_cells(claim(prediction), results)


def test_a_cell_whose_runs_are_unfinished_stays_without_seeds():
    unfinished = {("supcon", 0.5, seed) for seed in SEEDS}
    runs = records(RATIOS, ("supcon", "raw"), SEEDS, unfinished=unfinished, rates=RATES)
    each = {"left": "supcon", "relation": ">", "right": "raw"}
    number = {"left": "supcon", "relation": ">", "right": 0.5}
    cells = claim_cells(claim(each, number, {**each, "average": True}), as_results(runs))
    assert np.isfinite(cells.differences).sum(axis=1).tolist() == [3, 0, 3, 3, 0, 3, 0]


def test_a_step_of_the_training_is_read_from_the_rows_along_it(results):
    own = results.captured
    early = own[own["method"] == "supcon"].assign(step=3)
    early["value_bits"] -= 0.25
    along = as_results(records(RATIOS, ("supcon",), SEEDS, rates=RATES))
    object.__setattr__(along, "along", pd.concat([early, early.assign(step=9, value_bits=7.0)]))
    prediction = {"left": {"method": "supcon", "step": 3}, "relation": "<", "right": "supcon"}
    cells = claim_cells(claim(prediction), along)
    assert cells.differences == pytest.approx(np.full((3, 3), -0.25))
    assert cells.table["prediction"][0].startswith("supcon [label of joint at R = 4 after step 3]")


def test_every_value_of_a_further_axis_has_its_own_cells():
    runs = records((0.0, 1.0), ("supcon", "raw"), (0, 1), rates=RATES)
    axes = AxisCells(("train.steps",), tuple((run.run_id, (n,)) for n in (5, 9) for run in runs))
    each = {"left": "supcon", "relation": ">", "right": "raw"}
    fixed = {
        "left": {"method": "supcon", "unique_ratio": 1.0},
        "relation": "<",
        "right": {"method": "supcon", "unique_ratio": 0.0},
    }
    cells = claim_cells(claim(each, {**each, "average": True}, fixed), as_results(runs, axes=axes))
    assert cells.table["train.steps"].tolist() == [5, 9, 5, 9, 5, 9, 5, 9]
    assert cells.table["place"].tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
    assert cells.differences.shape == (8, 2)
    assert cells.differences[4] == pytest.approx(cells.differences[[0, 2]].mean(axis=0))
