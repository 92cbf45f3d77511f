"""The law of the latents: what it says of itself, and that truth asks it."""

from itertools import product
from typing import ClassVar

import numpy as np
import pytest

from fctestbed.information import conditional_mutual_information_bits, mutual_information_bits
from fctestbed.synthesis import (
    BitLatents,
    BitsLabel,
    GaussianLatents,
    ParityLabel,
    PlanarLabel,
    ThresholdLabel,
)


class BiasedBits(BitLatents):
    """Independent bits that are 1 with probability 0.3: a law that the package does not have."""

    has_fair_signs: ClassVar[bool] = False

    def pattern_probabilities(self, counts):
        table = np.ones([2**count for count in counts])
        for place in np.ndindex(*table.shape):
            ones = sum(index.bit_count() for index in place)
            table[place] = 0.3**ones * 0.7 ** (sum(counts) - ones)
        return table


def test_patterns_of_fair_bits_are_equally_likely():
    table = BitLatents().pattern_probabilities((2, 0, 1))
    assert table.shape == (4, 1, 2)
    assert (table == 1 / 8).all()


def test_patterns_of_gaussian_latents_have_no_table():
    with pytest.raises(ValueError, match=r"^latents: expected bits, whose patterns have a table"):
        GaussianLatents().pattern_probabilities((1, 1, 1))


def test_negative_zero_is_the_ratio_zero():
    label = BitsLabel(unique_ratio=-0.0)
    assert str(label.unique_ratio) == "0.0"
    assert label.digest() == BitsLabel(unique_ratio=0.0).digest()


def test_words_ask_for_fair_signs():
    assert BitsLabel.admits(GaussianLatents())
    assert not BitsLabel.admits(BiasedBits())


@pytest.mark.parametrize(
    "label",
    [
        ThresholdLabel(n_relevant=5, unique_ratio=0.6, balance=1 / 3),
        ParityLabel(n_relevant=4, unique_ratio=0.75, balance=2 / 3),
        PlanarLabel(n_relevant=4, unique_ratio=0.75, balance=2 / 3, n_classes=3),
    ],
    ids=lambda label: label.kind,
)
def test_the_truth_of_biased_bits_is_that_of_their_table(label):
    law = BiasedBits()
    assert type(label).admits(law)
    sizes = label.relevant
    p = np.zeros((2 ** (sizes[0] + sizes[1]), 2 ** (sizes[0] + sizes[2]), label.n_classes))
    for bits in product((0, 1), repeat=sum(sizes)):
        signs = 2.0 * np.array([bits]) - 1
        shared, own1, own2 = np.split(np.array(bits), np.cumsum(sizes)[:-1])
        x1, x2 = (int("".join(map(str, (*own, *shared))) or "0", 2) for own in (own1, own2))
        p[x1, x2, label.classify(signs)[0]] += 0.3 ** sum(bits) * 0.7 ** (len(bits) - sum(bits))
    found = label.information(law)
    expected = {
        "unique1_bits": conditional_mutual_information_bits(p.transpose(0, 2, 1)),
        "unique2_bits": conditional_mutual_information_bits(p.transpose(1, 2, 0)),
        "total_bits": mutual_information_bits(p.reshape(-1, p.shape[2])),
        "x1_label_bits": mutual_information_bits(p.sum(axis=1)),
        "bayes_accuracy_x1": p.sum(axis=1).max(axis=1).sum(),
        "bayes_accuracy_x2": p.sum(axis=0).max(axis=1).sum(),
        "majority_accuracy": p.sum(axis=(0, 1)).max(),
    }
    assert {name: getattr(found, name) for name in expected} == pytest.approx(expected, abs=1e-11)
    atoms = found.pid.redundancy_bits + found.pid.unique1_bits
    assert atoms == pytest.approx(found.x1_label_bits, abs=1e-9)
