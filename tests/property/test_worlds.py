"""The truth of every world against the full table p(x1, x2, y), built here from the definitions."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import brentq
from strategies import (
    bits_labels,
    count_ones,
    first_and_last,
    function_labels,
    parity_labels,
    planar_labels,
    threshold_labels,
    worlds,
)

from fctestbed.information import (
    co_information_bits,
    conditional_mutual_information_bits,
    entropy_bits,
    mutual_information_bits,
)
from fctestbed.synthesis import (
    BitLatents,
    BitsLabel,
    OptimalAugmentation,
    WorldSpec,
    make_dataset,
    world_truth,
)
from fctestbed.synthesis.augmentation.information import (
    augmentation_information_bits,
    enumerated_augmentation_information_bits,
)

FEW = settings(max_examples=30, deadline=None)


def flip_of(capacity):
    """Inverse of 1 - h2 by bracketing: another way than the package's."""
    if capacity <= 0:
        return 0.5
    if capacity >= 1 - 1e-15:
        return 0.0
    return brentq(
        lambda e: 1 + e * np.log2(e) + (1 - e) * np.log2(1 - e) - capacity, 1e-20, 0.5, xtol=1e-16
    )


def word_channels(label):
    """(latents read, flip probability) of every slot, from the rule's description."""
    rho, beta, kappa, c = label.unique_ratio, label.balance, label.synergy_ratio, label.label_bits
    if label.kind == "bits":
        counts = (c, c // 2, c // 2, int(np.ceil(kappa * c - 1e-9)))
        capacities = [1 - rho - kappa, 2 * beta * rho, 2 * (1 - beta) * rho]
        capacities.append(kappa * c / counts[3] if counts[3] else 1)
    else:
        parts = ((1 - rho - kappa) * c, beta * rho * c, (1 - beta) * rho * c, kappa * c)
        counts, capacities = tuple(round(part) for part in parts), [1, 1, 1, 1]
    flips = [flip_of(capacity) for capacity in capacities]
    channels = [((("s", k),), flips[0]) for k in range(counts[0])]
    channels += [((("1", k),), flips[1]) for k in range(counts[1])]
    channels += [((("2", k),), flips[2]) for k in range(counts[2])]
    channels += [((("1", counts[1] + k), ("2", counts[2] + k)), flips[3]) for k in range(counts[3])]
    return channels


def label_law(spec, w):
    """p(y | latents) of one sample, shape (n_classes,)."""
    label = spec.label
    law = np.zeros(spec.n_classes)
    if label.kind in ("bits", "noiseless"):
        channels = word_channels(label)
        inputs = [sum(w[block][k] for block, k in read) % 2 for read, _ in channels]
        for y in range(spec.n_classes):
            law[y] = np.prod(
                [
                    flip if (y >> k & 1) != value else 1 - flip
                    for k, (value, (_, flip)) in enumerate(zip(inputs, channels, strict=True))
                ]
            )
        return law
    z = np.array(
        [
            2.0 * bit - 1
            for block, n in zip("s12", spec.relevant, strict=True)
            for bit in w[block][:n]
        ]
    )
    if label.kind == "threshold":
        law[int(z.mean() >= 0)] = 1
    elif label.kind == "parity":
        law[np.bitwise_xor.reduce((z > 0).astype(int))] = 1
    elif label.kind == "function":
        by = {"count_ones": count_ones, "first_and_last": first_and_last}
        law[by[label.path.partition(":")[2]](z[None])[0]] = 1
    else:
        flow = label.flow
        law[np.argmax((z + np.tanh(z @ flow.W + flow.b) @ flow.U) @ flow.H)] = 1
    return law


def full_table(spec):
    """p(x1, x2, y): x_m stands for the latents (w_m, w_s)."""
    sizes = spec.block_sizes
    p = np.zeros((2 ** (sizes[0] + sizes[1]), 2 ** (sizes[0] + sizes[2]), spec.n_classes))
    states = list(itertools.product(*[itertools.product((0, 1), repeat=n) for n in sizes]))
    for w_s, w_1, w_2 in states:
        x1, x2 = (int("".join(map(str, w_m + w_s)), 2) for w_m in (w_1, w_2))
        p[x1, x2] += label_law(spec, {"s": w_s, "1": w_1, "2": w_2}) / len(states)
    return p


@FEW
@given(worlds())
def test_the_truth_is_that_of_the_full_table(spec):
    truth, p = world_truth(spec), full_table(spec)
    expected = {
        "shared_bits": co_information_bits(p),
        "unique1_bits": conditional_mutual_information_bits(p.transpose(0, 2, 1)),
        "unique2_bits": conditional_mutual_information_bits(p.transpose(1, 2, 0)),
        "total_bits": mutual_information_bits(p.reshape(-1, p.shape[2])),
        "label_entropy_bits": entropy_bits(p, 2),
        "x1_label_bits": mutual_information_bits(p.sum(axis=1)),
        "x2_label_bits": mutual_information_bits(p.sum(axis=0)),
        "x1_x2_bits": mutual_information_bits(p.sum(axis=2)),
        "bayes_accuracy": p.max(axis=2).sum(),
        "bayes_accuracy_x1": p.sum(axis=1).max(axis=1).sum(),
        "bayes_accuracy_x2": p.sum(axis=0).max(axis=1).sum(),
        "majority_accuracy": p.sum(axis=(0, 1)).max(),
        "n_classes": p.shape[2],
    }
    given_truth = {name: getattr(truth, name) for name in expected}
    assert given_truth == pytest.approx(expected, abs=1e-11)


@FEW
@given(worlds())
def test_parts_sum_to_the_whole(spec):
    truth = world_truth(spec)
    parts = truth.shared_bits + truth.unique1_bits + truth.unique2_bits
    assert parts == pytest.approx(truth.total_bits, abs=1e-12)
    assert truth.total_bits <= truth.label_entropy_bits + 1e-12
    assert truth.x1_label_bits == pytest.approx(truth.shared_bits + truth.unique1_bits, abs=1e-12)
    assert truth.x2_label_bits == pytest.approx(truth.shared_bits + truth.unique2_bits, abs=1e-12)


@FEW
@given(worlds(st.one_of(bits_labels(), threshold_labels())))
def test_swapping_the_balance_swaps_the_modalities(spec):
    label = spec.label.model_copy(update={"balance": 1 - spec.label.balance})
    here, there = world_truth(spec), world_truth(spec.with_label(label))
    assert here.unique1_bits == pytest.approx(there.unique2_bits, abs=1e-12)
    assert here.x1_label_bits == pytest.approx(there.x2_label_bits, abs=1e-12)
    assert here.bayes_accuracy_x1 == pytest.approx(there.bayes_accuracy_x2, abs=1e-12)
    assert here.shared_bits == pytest.approx(there.shared_bits, abs=1e-12)


@FEW
@given(st.floats(0, 1), st.sampled_from([2, 4, 6]))
def test_nothing_but_the_ratio_changes_over_a_sweep(unique_ratio, label_bits):
    truth = world_truth(
        WorldSpec(label=BitsLabel(unique_ratio=unique_ratio, label_bits=label_bits))
    )
    assert truth.total_bits == pytest.approx(label_bits, abs=1e-12)
    assert truth.label_entropy_bits == 2 * label_bits
    assert truth.n_classes == 4**label_bits
    assert truth.information_unique_ratio == pytest.approx(unique_ratio, abs=1e-12)


@FEW
@given(worlds())
def test_atoms_make_up_the_parts_where_they_are_known(spec):
    truth = world_truth(spec)
    if truth.pid is None:
        assert truth.pid_note
        return
    pid = truth.pid
    assert truth.shared_bits == pytest.approx(pid.redundancy_bits - pid.synergy_bits, abs=1e-12)
    assert truth.unique1_bits == pytest.approx(pid.unique1_bits + pid.synergy_bits, abs=1e-12)
    assert truth.unique2_bits == pytest.approx(pid.unique2_bits + pid.synergy_bits, abs=1e-12)
    assert 0 <= pid.gap_bits <= 1e-7


@FEW
@given(worlds(), st.integers(0, 2**31))
def test_the_same_seed_gives_the_same_bytes(spec, seed):
    first, second = make_dataset(spec, seed), make_dataset(spec, seed)
    for name in ("x1", "x2", "y", "w_s", "w_1", "w_2"):
        assert getattr(first.train, name).tobytes() == getattr(second.train, name).tobytes()
        assert getattr(first.test, name).tobytes() == getattr(second.test, name).tobytes()


@FEW
@given(worlds(), worlds())
def test_another_label_gives_what_a_new_dataset_would(spec, other):
    relabelled = make_dataset(spec, 5).with_label(other.label)
    fresh = make_dataset(other, 5)
    assert relabelled.spec == fresh.spec
    assert relabelled.truth == fresh.truth
    for mine, theirs in ((relabelled.train, fresh.train), (relabelled.test, fresh.test)):
        for name in ("x1", "x2", "y", "w_s", "w_1", "w_2"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))


@FEW
@given(worlds(bits_labels()))
def test_optimal_augmentation_keeps_exactly_what_the_label_says(spec):
    truth = world_truth(spec)
    kept = enumerated_augmentation_information_bits(spec, OptimalAugmentation())
    assert kept.x1_bits == pytest.approx(truth.x1_label_bits, abs=1e-9)
    assert kept.x2_bits == pytest.approx(truth.x2_label_bits, abs=1e-9)
    assert kept.joint_bits == pytest.approx(truth.total_bits, abs=1e-9)


@FEW
@given(worlds(st.one_of(threshold_labels(), planar_labels(), parity_labels(), function_labels())))
def test_optimal_augmentation_keeps_the_class_or_is_refused(spec):
    truth = world_truth(spec)
    needed = (spec.n_classes - 1).bit_length()
    relevant = [spec.relevant[0] + n for n in spec.relevant[1:]]
    if any(0 < n < needed for n in relevant):
        with pytest.raises(ValueError, match=f"expected at least {needed} relevant latents"):
            augmentation_information_bits(spec, OptimalAugmentation())
        return
    kept = augmentation_information_bits(spec, OptimalAugmentation())
    assert kept.x1_bits == pytest.approx(truth.x1_label_bits, abs=1e-9)
    assert kept.x2_bits == pytest.approx(truth.x2_label_bits, abs=1e-9)
    assert kept.joint_bits == pytest.approx(truth.total_bits, abs=1e-9)


@FEW
@given(st.integers(0, 12), st.integers(0, 6), st.integers(0, 6).filter(lambda n: n > 0))
def test_thresholds_of_many_bits_agree_with_their_enumeration(n_shared, n_unique1, n_unique2):
    total, unique = n_shared + n_unique1 + n_unique2, n_unique1 + n_unique2
    latents = BitLatents(n_shared=13, n_unique1=7, n_unique2=7)
    truth = world_truth(
        WorldSpec.model_validate(
            {
                "latents": latents,
                "label": {
                    "kind": "threshold",
                    "n_relevant": total,
                    "unique_ratio": unique / total,
                    "balance": n_unique1 / unique,
                },
            }
        )
    )
    hidden = np.arange(2**n_unique2)[:, None] >> np.arange(n_unique2) & 1
    seen_count = n_shared + n_unique1
    seen = (np.arange(2**seen_count)[:, None] >> np.arange(seen_count) & 1).sum(axis=1)
    positive = (2 * (seen[:, None] + hidden.sum(axis=1)) >= total).mean(axis=1)
    p = np.stack([positive, 1 - positive], axis=1) / 2**seen_count
    assert truth.x1_label_bits == pytest.approx(mutual_information_bits(p), abs=1e-12)
    assert truth.bayes_accuracy_x1 == pytest.approx(p.max(axis=1).sum(), abs=1e-12)
