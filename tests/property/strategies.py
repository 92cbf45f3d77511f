"""Hypothesis strategies of small worlds."""

import numpy as np
from hypothesis import strategies as st

from fctestbed.synthesis import (
    BitLatents,
    BitsLabel,
    FunctionLabel,
    NoiselessLabel,
    ParityLabel,
    PlanarLabel,
    ThresholdLabel,
    WorldSpec,
)

SMALL = BitLatents(n_shared=2, n_unique1=2, n_unique2=2)


def _per_mille(most=1000):
    """Ratios in steps of 1/1000, the ends among them."""
    return st.integers(0, most).map(lambda count: count / 1000)


@st.composite
def bits_labels(draw):
    """Labels of four or five slots at any ratio, balance and (one slot's) synergy."""
    synergy_ratio = draw(st.one_of(st.just(0.0), _per_mille(500)))
    balance = draw(_per_mille())
    top = min(1 - synergy_ratio, 0.5 / max(balance, 1 - balance))
    unique_ratio = draw(_per_mille(int(1000 * top + 1e-9)))
    return BitsLabel(unique_ratio=unique_ratio, balance=balance, synergy_ratio=synergy_ratio)


@st.composite
def splits(draw, most=2):
    """Counts (shared, unique 1, unique 2, xor) that fit the small world, not all zero."""
    xor = draw(st.integers(0, 1))
    unique1, unique2 = (draw(st.integers(0, most - xor)) for _ in range(2))
    shared = draw(st.integers(0 if unique1 + unique2 + xor else 1, most))
    return shared, unique1, unique2, xor


def _ratios(shared, unique1, unique2, xor):
    total, unique = shared + unique1 + unique2 + xor, unique1 + unique2
    return {"unique_ratio": unique / total, "balance": unique1 / unique if unique else 0.5}


@st.composite
def noiseless_labels(draw):
    """Words of whole bits, XOR bits among them."""
    counts = draw(splits())
    total = sum(counts)
    return NoiselessLabel(label_bits=total, synergy_ratio=counts[3] / total, **_ratios(*counts))


@st.composite
def threshold_labels(draw):
    """Threshold labels that read up to six bits."""
    shared, unique1, unique2, _ = draw(splits().filter(lambda counts: sum(counts[:3])))
    total = shared + unique1 + unique2
    return ThresholdLabel(n_relevant=total, **_ratios(shared, unique1, unique2, 0))


@st.composite
def planar_labels(draw):
    """Planar labels that read up to six bits."""
    label = draw(threshold_labels())
    return PlanarLabel(
        n_relevant=label.n_relevant,
        unique_ratio=label.unique_ratio,
        balance=label.balance,
        n_classes=draw(st.integers(2, 9)),
        flow_seed=draw(st.integers(0, 1000)),
    )


@st.composite
def parity_labels(draw):
    """Parities of up to six bits."""
    shared, unique1, unique2, _ = draw(splits().filter(lambda counts: sum(counts[:3])))
    total = shared + unique1 + unique2
    return ParityLabel(n_relevant=total, **_ratios(shared, unique1, unique2, 0))


@st.composite
def function_labels(draw):
    """``count_ones`` or ``first_and_last`` of up to six bits."""
    label = draw(parity_labels())
    name, n_classes = draw(st.sampled_from([("count_ones", 7), ("first_and_last", 3)]))
    return FunctionLabel(
        path=f"{__name__}:{name}",
        n_relevant=label.n_relevant,
        unique_ratio=label.unique_ratio,
        balance=label.balance,
        n_classes=n_classes,
    )


def count_ones(signs):
    """A label of a user's own: the number of relevant bits that are 1."""
    return (signs > 0).sum(axis=1)


def first_and_last(signs):
    """Another: 2 where the first and the last bit agree, else the last bit."""
    return np.where(signs[:, 0] == signs[:, -1], 2, (signs[:, -1] > 0).astype(int))


def worlds(labels=None):
    """Specifications of worlds of two bits per block, with any label or one of ``labels``."""
    if labels is None:
        labels = st.one_of(
            bits_labels(),
            noiseless_labels(),
            threshold_labels(),
            planar_labels(),
            parity_labels(),
            function_labels(),
        )
    return labels.map(lambda label: WorldSpec(latents=SMALL, label=label, n_train=64, n_test=32))
