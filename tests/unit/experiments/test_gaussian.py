"""The Gaussian staircase and the conditional check: laws, rows, files."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
import unordered

from fctestbed.bounds import nce_club_estimate_nats
from fctestbed.experiments import (
    ConditionalSpec,
    StaircaseSpec,
    conditional_rows,
    run as run_module,
    run_conditional,
    run_gaussian,
    staircase,
)
from fctestbed.experiments.conditional_check import LinearChannel
from fctestbed.experiments.staircase import _Club, exact_gaussian_club_nats, units
from fctestbed.laws import gaussian_correlation
from fctestbed.nets import Stack

SMALL = StaircaseSpec(
    dims=(3, 5),
    levels_nats=(1.0, 2.0),
    steps=60,
    batch_size=16,
    hidden=32,
    club_hidden=16,
    window=20,
)
CELL = ConditionalSpec(cells=((400, 2),), steps=100, hidden=16, n_negatives=15, strengths=(1.0,))


def test_correlated_pairs_hold_the_information_and_its_exact_club_is_over_twice_that():
    for dim in (1, 20, 200):
        for nats in (0.5, 2.0, 10.0):
            correlation = gaussian_correlation(nats, dim)
            assert -0.5 * dim * math.log(1 - correlation**2) == pytest.approx(nats)
            jeffreys = dim * correlation**2 / (1 - correlation**2)
            assert exact_gaussian_club_nats(nats, dim) == pytest.approx(jeffreys)
            assert jeffreys >= 2 * nats
    # The paper's corners: d = 20 and 200, 10 nats.
    assert exact_gaussian_club_nats(10, 20) == pytest.approx(34.37, abs=0.01)
    assert exact_gaussian_club_nats(10, 200) == pytest.approx(21.03, abs=0.01)


def test_a_staircase_has_a_row_for_each_window_of_each_estimator():
    rows = pd.DataFrame([row for what, dim in units(SMALL) for row in staircase(SMALL, what, dim)])
    assert set(rows["estimator"]) == {"infonce", "nce-club", "vclub"}
    assert len(rows) == 3 * 2 * 6
    own = rows[(rows["estimator"] == "infonce") & (rows["dim"] == 3)]
    assert list(own["step"]) == [20, 40, 60, 80, 100, 120]
    assert list(own["level_step"]) == [20, 40, 60] * 2
    np.testing.assert_allclose(own["true_bits"].unique(), np.array([1, 2]) / math.log(2))
    assert (own["value_bits"] <= own["ceiling_bits"]).all()
    assert own["ceiling_bits"].unique() == [4.0]
    assert set(zip(rows["estimator"], rows["bound"], strict=True)) == {
        ("infonce", "lower"),
        ("nce-club", "none"),
        ("vclub", "none"),
    }


def test_values_are_read_before_the_step_on_their_batch():
    spec = SMALL.model_copy(
        update={"window": 1, "steps": 2, "levels_nats": (1.0,), "learning_rate": 1e-9}
    )
    moved = spec.model_copy(update={"learning_rate": 0.1})
    still, jumped = (staircase(each, "nce", 3) for each in (spec, moved))
    assert still[0].value_bits == jumped[0].value_bits
    assert still[1].value_bits != jumped[1].value_bits


def test_training_lifts_the_values_and_nce_club_reads_above_nce():
    spec = SMALL.model_copy(update={"steps": 300, "levels_nats": (2.0,), "window": 100})
    rows = pd.DataFrame(staircase(spec, "nce", 3))
    by_step = rows.pivot(index="step", columns="estimator", values="value_bits")
    assert by_step["infonce"].iloc[-1] > by_step["infonce"].iloc[0] + 0.3
    assert by_step["nce-club"].iloc[-1] > by_step["infonce"].iloc[-1]


def test_a_seed_s_rows_do_not_depend_on_the_seeds_beside_it():
    alone = pd.DataFrame(staircase(SMALL, "club", 3))
    both = pd.DataFrame(staircase(SMALL.model_copy(update={"seeds": (1, 0)}), "club", 3))
    first = both[both["seed"] == 0]
    np.testing.assert_allclose(first["value_bits"], alone["value_bits"], rtol=1e-4)
    second = both[both["seed"] == 1]
    assert not np.allclose(second["value_bits"], alone["value_bits"])


@pytest.mark.parametrize("keep_diagonal", [True, False])
def test_the_learned_club_is_club_of_its_gaussian(keep_diagonal):
    spec = SMALL.model_copy(update={"keep_diagonal": keep_diagonal})
    generator = torch.Generator().manual_seed(0)
    club = _Club(Stack(generators=(generator,)), 3, spec)
    x, y = torch.randn(2, 1, 16, 3, generator=generator)
    mean, log_variance = club.mean(x), club.log_variance(x).tanh()
    squares = (y.unsqueeze(1) - mean.unsqueeze(2)).square() / log_variance.exp().unsqueeze(2)
    log_q = -0.5 * (squares + log_variance.unsqueeze(2)).sum(3)
    value, loss = club.step(x, y)
    torch.testing.assert_close(value[0], nce_club_estimate_nats(log_q, keep_diagonal=keep_diagonal))
    torch.testing.assert_close(loss, -2 * log_q.diagonal(dim1=1, dim2=2).mean(1))


def test_the_channel_holds_its_information_whatever_the_condition_does():
    for strength, dim in ((0.0, 3), (1.0, 20), (10.0, 1)):
        channel = LinearChannel(2.32, strength, dim)
        assert 0.5 * math.log(1 + channel.sigma**-2) == pytest.approx(2.32)
        generator = torch.Generator().manual_seed(0)
        x, y, z = channel.sample(20000, generator)
        rest = y - x - channel.shift(z)
        # A standard deviation of 20000 samples has a relative error of 0.005.
        assert float(rest.std()) == pytest.approx(channel.sigma, rel=0.02)
        others = channel.conditional(z[:1], 20000, generator)[0]
        assert float(others.mean()) == pytest.approx(float(channel.shift(z[:1])), abs=0.03)
        assert float(others.std()) == pytest.approx(math.sqrt(1 + channel.sigma**2), rel=0.02)


def test_what_concatenation_estimates_is_the_entropy_of_y_less_that_of_its_noise():
    assert LinearChannel(2.32, 0.0, 5).unconditional_nats() == pytest.approx(2.32, abs=1e-9)
    channel = LinearChannel(2.32, 10.0, 1)
    # One uniform and a Gaussian: the density is a difference of two error functions.
    spread = math.sqrt(1 + channel.sigma**2)
    grid, cell = np.linspace(-15, 15, 6001, retstep=True)
    erf = np.array([math.erf(value) for value in (grid + 5) / (spread * math.sqrt(2))])
    density = np.maximum((erf + erf[::-1]) / 2 / 10.0, 1e-300)
    entropy = -cell * (density * np.log(density)).sum()
    noise = 0.5 * math.log(2 * math.pi * math.e * channel.sigma**2)
    assert channel.unconditional_nats() == pytest.approx(entropy - noise, abs=1e-4)


@pytest.mark.parametrize("negatives", ["exact", "batch"])
def test_a_cell_of_the_check_is_read_twice_held_out(negatives):
    bound, club = conditional_rows(CELL, (400, 2), 1.0, negatives, 0)
    assert (bound.estimator, bound.bound) == ("infonce", "lower")
    assert (club.estimator, club.bound) == ("nce-club", "none")
    assert bound.n_eval == club.n_eval == 80
    assert bound.ceiling_bits == 4.0
    assert bound.low_bits < bound.value_bits < bound.high_bits <= 4.5
    assert 0.1 < bound.value_bits < bound.true_bits
    assert conditional_rows(CELL, (400, 2), 1.0, negatives, 0) == [bound, club]


def test_negatives_of_the_whole_batch_read_what_the_condition_says_as_well():
    # I(X; Y | Z) is 0.5 nat; Z tells another 0.9 nat of Y, which exact negatives do not see.
    settings = {"information_nats": 0.5, "steps": 300, "hidden": 32, "learning_rate": 0.01}
    spec = CELL.model_copy(update=settings)
    exact, batch = (
        conditional_rows(spec, (2000, 1), 10.0, kind, 0)[0] for kind in ("exact", "batch")
    )
    error = (exact.high_bits - exact.value_bits) / 1.96
    assert exact.value_bits < exact.true_bits + 3 * error
    assert batch.value_bits > exact.true_bits + 0.5
    assert batch.value_bits < batch.unconditional_bits + 3 * error


def test_rows_do_not_depend_on_the_number_of_workers(tmp_path, monkeypatch):
    # Processes are those of sweeps, and are tested there.
    spec = SMALL.model_copy(update={"steps": 10, "window": 5, "dims": (3,)})
    seen = []
    run_gaussian(spec, tmp_path / "one", workers=1)
    monkeypatch.setattr(run_module, "results_as_completed", unordered.results_as_completed)
    run_gaussian(spec, tmp_path / "two", workers=2, report=lambda *done: seen.append(done))
    assert sorted(seen) == [(1, 2), (2, 2)]
    one, two = (pd.read_csv(tmp_path / name / "gaussian.csv") for name in ("one", "two"))
    pd.testing.assert_frame_equal(one, two, rtol=1e-5)
    settings = json.loads((tmp_path / "one" / "gaussian.json").read_text())["settings"]
    assert StaircaseSpec.model_validate(settings) == spec


def test_the_conditional_check_writes_its_rows(tmp_path):
    spec = CELL.model_copy(update={"steps": 5})
    paths = run_conditional(spec, tmp_path, workers=1)
    assert [path.name for path in paths] == ["conditional.csv", "conditional.json"]
    rows = pd.read_csv(paths[0])
    assert len(rows) == 4
    assert set(rows["negatives"]) == {"exact", "batch"}


def test_a_number_of_workers_below_zero_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"workers: expected 0 .* or more, got -1"):
        run_gaussian(SMALL, tmp_path, workers=-1)
