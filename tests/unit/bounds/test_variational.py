"""Variational functionals on distributions that are known exactly: optimal critics and limits."""

import math

import numpy as np
import pytest
import torch

from fctestbed.bounds import (
    clamped_logits,
    classifier_objective_nats,
    dv_estimate_nats,
    js_objective_nats,
    mine_objective_nats,
    nce_club_estimate_nats,
    nwj_lower_bound_nats,
)

N = 1200
CORRELATION = 0.8
TRUE_NATS = -0.5 * math.log(1 - CORRELATION**2)
JEFFREYS_NATS = CORRELATION**2 / (1 - CORRELATION**2)


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(N)
    y = CORRELATION * x + math.sqrt(1 - CORRELATION**2) * rng.standard_normal(N)
    return torch.from_numpy(x), torch.from_numpy(y)


def log_normal(value, mean, variance):
    return -0.5 * ((value - mean) ** 2 / variance + math.log(2 * math.pi * variance))


@pytest.fixture(scope="module")
def log_conditional(pairs):
    x, y = pairs
    return log_normal(y, CORRELATION * x.unsqueeze(1), 1 - CORRELATION**2)


@pytest.fixture(scope="module")
def log_ratio(pairs, log_conditional):
    return log_conditional - log_normal(pairs[1], 0.0, 1.0)


# The log ratio of one pair has standard deviation about CORRELATION, so a mean of 1200 of them has
# a standard error of 0.023; the partition's is about as large.
SEVERAL_ERRORS = 4 * 0.035


def test_nwj_and_dv_of_the_optimal_critic_are_the_information(log_ratio):
    nwj, dv = nwj_lower_bound_nats(log_ratio + 1), dv_estimate_nats(log_ratio + 7)
    assert float(nwj) == pytest.approx(TRUE_NATS, abs=SEVERAL_ERRORS)
    assert float(dv) == pytest.approx(TRUE_NATS, abs=SEVERAL_ERRORS)


def test_nwj_of_the_log_ratio_itself_is_one_over_e_too_low(log_ratio):
    gap = nwj_lower_bound_nats(log_ratio + 1) - nwj_lower_bound_nats(log_ratio)
    assert float(gap) == pytest.approx(1 / math.e, abs=SEVERAL_ERRORS)


def test_nce_club_of_the_true_conditional_is_the_jeffreys_divergence(log_conditional):
    value = float(nce_club_estimate_nats(log_conditional))
    # A pair's term spreads by about 2.5 nats: a standard error of 0.08.
    assert value == pytest.approx(JEFFREYS_NATS, abs=0.32)
    assert value > TRUE_NATS + 0.6
    kept = float(nce_club_estimate_nats(log_conditional, keep_diagonal=True))
    assert kept == pytest.approx(value * (1 - 1 / N))


@pytest.mark.parametrize(
    ("objective", "best_shift"),
    [
        (nwj_lower_bound_nats, 1.0),
        (js_objective_nats, 0.0),
        (lambda scores: classifier_objective_nats(scores, negatives=9), -math.log(9)),
    ],
)
def test_objectives_are_highest_at_the_log_ratio_and_their_own_shift(
    log_ratio, objective, best_shift
):
    best = objective(log_ratio + best_shift)
    for worse in (0.7 * log_ratio, 1.3 * log_ratio, log_ratio + 0.5, log_ratio - 0.5):
        assert objective(worse + best_shift) < best


def test_the_classifier_s_objective_is_cross_entropy_over_all_pairs(log_ratio):
    scores = log_ratio[:20, :20]
    labels = torch.eye(20, dtype=torch.float64)
    expected = -torch.nn.functional.binary_cross_entropy_with_logits(scores, labels)
    torch.testing.assert_close(classifier_objective_nats(scores), expected)


def test_mine_s_gradient_is_dv_s_with_the_running_partition_below(log_ratio):
    scores = log_ratio[:30, :30].clone().requires_grad_()
    partition = (scores.diagonal().mean() - dv_estimate_nats(scores)).detach()
    (of_dv,) = torch.autograd.grad(dv_estimate_nats(scores), scores)
    (same,) = torch.autograd.grad(mine_objective_nats(scores, partition), scores)
    torch.testing.assert_close(same, of_dv)
    (halved,) = torch.autograd.grad(mine_objective_nats(scores, partition + math.log(2)), scores)
    off = ~torch.eye(30, dtype=torch.bool)
    torch.testing.assert_close(halved[off], of_dv[off] / 2)


def test_clamping_limits_logits_to_those_of_the_clamped_probability():
    logits = torch.tensor([-50.0, -1.0, 0.0, 1.0, 50.0], dtype=torch.float64)
    expected = logits.sigmoid().clamp(1e-6, 1 - 1e-6)
    torch.testing.assert_close(clamped_logits(logits, 1e-6).sigmoid(), expected)
    assert torch.equal(clamped_logits(logits, 0.0), logits)


def test_a_single_sample_has_no_product_of_marginals():
    alone = torch.zeros(1, 1)
    for functional in (nwj_lower_bound_nats, dv_estimate_nats, js_objective_nats):
        with pytest.raises(ValueError, match="scores: expected at least 2 samples, got 1"):
            functional(alone)


def test_a_deterministic_link_makes_nce_club_infinite():
    excluded = torch.full((4, 4), -torch.inf).fill_diagonal_(0.0)
    assert float(nce_club_estimate_nats(excluded)) == math.inf
