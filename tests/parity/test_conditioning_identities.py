"""What conditional InfoNCE estimates when its negatives come from the whole batch.

The worlds are small and have a random distribution. With Y appended to the first argument the
estimate is I((X1, Y); X2) = I(X2; Y) + I(X1; X2 | Y), too high by I(X2; Y). With Y appended to both
it is I((X1, Y); (X2, Y)) = H(Y) + I(X1; X2 | Y), too high by H(Y). With negatives that share the
label it is I(X1; X2 | Y). With augmented copies X1' of X1 alone and X2' of X2 alone appended it is
I(X1; X2): the copies add nothing.

Each identity is tested twice: exactly, by the optimal critic on a batch whose frequencies are the
distribution; and by critics trained on fresh batches.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.bounds import conditional_infonce_lower_bound_nats, infonce_lower_bound_nats
from fctestbed.information import (
    conditional_mutual_information_bits,
    entropy_bits,
    mutual_information_bits,
)
from fctestbed.nets import ConcatCritic, Stack

K, CLASSES = 3, 2
# Counts of (x1, x2, y), all positive; the distribution is their shares.
COUNTS = np.random.default_rng(45).choice([1, 1, 1, 10], (K, K, CLASSES))
LAW = COUNTS / COUNTS.sum()
# Probabilities, in thirds, of a copy's values 0, 1 and 2 for each value of its original.
COPIES = np.array([[2, 1, 0], [0, 2, 1], [1, 0, 2]])

I_X2_Y = mutual_information_bits(LAW.sum(0))
I_X1_X2 = mutual_information_bits(LAW.sum(2))
I_X1_X2_GIVEN_Y = conditional_mutual_information_bits(LAW)
H_Y = entropy_bits(LAW, 2)

Samples = NDArray[np.int64]
Pairing = Callable[[Samples], tuple[Samples, Samples, Samples]]
"""From samples (x1, x2, y, x1', x2'): the codes of the critic's first and second argument, and the
condition that negatives share."""


def on_one_side(s: Samples) -> tuple[Samples, Samples, Samples]:
    return s[0] * CLASSES + s[2], s[1], np.zeros_like(s[0])


def on_both_sides(s: Samples) -> tuple[Samples, Samples, Samples]:
    return s[0] * CLASSES + s[2], s[1] * CLASSES + s[2], np.zeros_like(s[0])


def within_the_label(s: Samples) -> tuple[Samples, Samples, Samples]:
    return s[0] * CLASSES + s[2], s[1] * CLASSES + s[2], s[2]


def with_copies(s: Samples) -> tuple[Samples, Samples, Samples]:
    return s[0] * K + s[3], s[1] * K + s[4], np.zeros_like(s[0])


CASES: list[Any] = [
    pytest.param(on_one_side, I_X2_Y + I_X1_X2_GIVEN_Y, id="one side"),
    pytest.param(on_both_sides, H_Y + I_X1_X2_GIVEN_Y, id="both sides"),
    pytest.param(within_the_label, I_X1_X2_GIVEN_Y, id="within the label"),
    pytest.param(with_copies, I_X1_X2, id="independent copies"),
]


def exact_batch() -> Samples:
    """A batch whose frequencies are the probabilities."""
    rows = [
        (x1, x2, y, copy1, copy2)
        for (x1, x2, y), count in np.ndenumerate(COUNTS)
        for copy1 in np.repeat(range(K), COPIES[x1])
        for copy2 in np.repeat(range(K), COPIES[x2])
        for _ in range(count)
    ]
    return np.array(rows).T


def fresh(n: int, rng: np.random.Generator) -> Samples:
    """n independent samples."""
    cell = rng.choice(LAW.size, n, p=LAW.ravel())
    x1, x2, y = np.unravel_index(cell, LAW.shape)
    copies = [(rng.random(n)[:, None] > np.cumsum(COPIES[x] / 3, 1)).sum(1) for x in (x1, x2)]
    return np.stack([x1, x2, y, *copies])


def bound_bits(table: Tensor, u: Samples, v: Samples, condition: Samples) -> Tensor:
    """The bound of one batch by the objectives' functionals, from scores of all pairs of codes."""
    scores = table[torch.from_numpy(u)][:, torch.from_numpy(v)]
    if not condition.any():
        return infonce_lower_bound_nats(scores) / math.log(2)
    same = torch.from_numpy(condition[:, None] == condition)
    return conditional_infonce_lower_bound_nats(scores, same) / math.log(2)


def joint_and_product(
    u: Samples, v: Samples, condition: Samples
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact tables of the exact batch: how often a pair of codes is a positive, and how often it
    would be if u and v were independent given the condition."""
    joint = np.zeros((condition.max() + 1, u.max() + 1, v.max() + 1))
    np.add.at(joint, (condition, u, v), 1 / len(u))
    share = joint.sum((1, 2), keepdims=True)
    return joint.sum(0), (joint.sum(2, keepdims=True) * joint.sum(1, keepdims=True) / share).sum(0)


def test_the_identities_have_different_values_in_this_world() -> None:
    values = [I_X1_X2_GIVEN_Y, I_X1_X2, I_X2_Y + I_X1_X2_GIVEN_Y, H_Y + I_X1_X2_GIVEN_Y]
    apart = [abs(a - b) for i, a in enumerate(values) for b in values[:i]]
    assert min(apart) > 0.1


@pytest.mark.parametrize(("pairing", "expected"), CASES)
def test_the_optimal_critic_gives_exactly_the_identity(pairing: Pairing, expected: float) -> None:
    u, v, condition = pairing(exact_batch())
    joint, product = joint_and_product(u, v, condition)
    with np.errstate(divide="ignore", invalid="ignore"):
        optimal = np.log(joint) - np.log(product)
    value = bound_bits(torch.from_numpy(optimal), u, v, condition)
    assert float(value) == pytest.approx(expected, abs=1e-10)


def test_conditional_negatives_of_copies_would_have_given_less() -> None:
    """The equation asks for I(X1; X2 | X1', X2'); whole-batch negatives give I(X1; X2)."""
    s = exact_batch()
    law = np.zeros((K, K, K * K))
    np.add.at(law, (s[0], s[1], s[3] * K + s[4]), 1 / s.shape[1])
    assert conditional_mutual_information_bits(law) < 0.6 * I_X1_X2


TRAIN_N, TEST_N, TEST_BATCHES, STEPS = 256, 1024, 40, 400


def trained_table(pairing: Pairing, rng: np.random.Generator) -> Tensor:
    """Scores of all pairs of codes by a concat critic trained on fresh batches."""
    u, v, _ = pairing(exact_batch())
    one_hot_u, one_hot_v = (torch.eye(int(codes.max()) + 1).unsqueeze(0) for codes in (u, v))
    stack = Stack(generators=(torch.Generator().manual_seed(0),))
    critic = ConcatCritic(stack, one_hot_u.shape[1], one_hot_v.shape[1], (32,))
    adam = torch.optim.Adam(critic.parameters())
    for step in range(STEPS):
        adam.param_groups[0]["lr"] = 0.03 * (1 + math.cos(math.pi * step / STEPS)) / 2
        # A batch holds few different pairs: each is scored once.
        table = critic(one_hot_u, one_hot_v)[0]
        loss = -bound_bits(table, *pairing(fresh(TRAIN_N, rng)))
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        return critic(one_hot_u, one_hot_v)[0]


@pytest.mark.slow
@pytest.mark.parametrize(("pairing", "expected"), CASES)
def test_a_trained_critic_gives_the_identity(pairing: Pairing, expected: float) -> None:
    rng = np.random.default_rng(3)
    table = trained_table(pairing, rng)
    values = np.array(
        [float(bound_bits(table, *pairing(fresh(TEST_N, rng)))) for _ in range(TEST_BATCHES)]
    )
    standard_error = values.std(ddof=1) / math.sqrt(TEST_BATCHES)
    # InfoNCE is below the information by chi^2 / 2N nats, where an anchor has N negatives: the
    # whole batch, or those of its class (the less frequent class at worst). Its limit, log2 N = 10
    # bits, is far above.
    u, v, condition = pairing(exact_batch())
    joint, product = joint_and_product(u, v, condition)
    chi_squared = (
        np.divide(joint**2, product, out=np.zeros_like(joint), where=product > 0).sum() - 1
    )
    negatives = TEST_N * (LAW.sum((0, 1)).min() if condition.any() else 1.0)
    shortfall = chi_squared / (2 * negatives) / math.log(2)
    assert 4 * standard_error + shortfall < 0.05
    assert values.mean() == pytest.approx(expected, abs=0.05)
