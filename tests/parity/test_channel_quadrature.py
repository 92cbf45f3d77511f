"""The oracle against numerical integration, and against plain enumeration."""

import math

import numpy as np
import pytest
import torch

from fctestbed.measurement.channel import (
    channel_information,
    codebook,
    decompose,
    label_channel,
    metric,
    noise_of_rate,
)
from fctestbed.synthesis import Latents, WorldSpec, bit_patterns

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(160)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
# BPSK of amplitude 1 in noise of 1 and 1/2: 30-digit quadrature.
BPSK_BITS = {1.0: 0.485944, 0.5: 0.912822}


def grid(points, sigma):
    """Posterior of each codeword at the nodes around each, and the weights: [M * nodes, M]."""
    dim = points.shape[1]
    axes = np.meshgrid(*[NODES] * dim, indexing="ij")
    noise = sigma * np.stack([axis.ravel() for axis in axes], 1)
    weight = np.prod(np.stack(np.meshgrid(*[WEIGHTS] * dim, indexing="ij")), 0).ravel()
    z = (points[:, None] + noise).reshape(-1, dim)
    logits = -((z[:, None] - points) ** 2).sum(2) / (2 * sigma**2)
    p = np.exp(logits - logits.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True), np.tile(weight, len(points)) / len(points)


def entropy_bits(p, weight):
    safe = np.where(p > 0, p, 1.0)
    return float(weight @ -(p * np.log2(safe)).sum(1))


def quadrature_bits(points, sigma, n_bits, group):
    """I(Z; group of bits) of codewords in a row or a plane."""
    p, weight = grid(np.asarray(points, dtype=float), sigma)
    value = bit_patterns(n_bits)[:, list(group)] @ (1 << np.arange(len(group)))
    marginal = np.stack([p[:, value == v].sum(1) for v in range(2 ** len(group))], 1)
    return len(group) - entropy_bits(marginal, weight)


def agree(found, expected, width=0.005):
    """Within 3 standard errors and within 0.005 bit."""
    assert found.value_bits == pytest.approx(expected, abs=3 * found.standard_error_bits)
    assert found.value_bits == pytest.approx(expected, abs=width)


def scaled(points):
    """The points as codebooks have them, and the divisor."""
    centred = points - points.mean(0)
    power = np.square(centred).mean()
    return centred / power**0.5, power**0.5


@pytest.mark.parametrize("sigma", BPSK_BITS)
def test_one_bit_through_plus_minus_one_has_the_bpsk_curve(sigma):
    points = np.array([[-1.0], [1.0]])
    assert quadrature_bits(points, sigma, 1, (0,)) == pytest.approx(BPSK_BITS[sigma], abs=1e-6)
    book = codebook(torch.from_numpy(points), (0,))
    found = channel_information(book, {"bit": (0,)}, tau=sigma, target_bits=0.0015)
    agree(found.information("bit"), BPSK_BITS[sigma])


@pytest.mark.parametrize("tau", [0.3, 0.6, 1.2])
def test_four_levels_have_the_pam_curve(tau):
    points, _ = scaled(np.array([[-3.0], [-1.0], [1.0], [3.0]]))
    book = codebook(torch.from_numpy(points), (0, 1))
    groups = {"word": (0, 1), "high": (0,), "low": (1,)}
    found = channel_information(book, groups, tau=tau, target_bits=0.0015)
    for name, group in groups.items():
        agree(found.information(name), quadrature_bits(points, tau, 2, group))


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.5])
def test_one_bit_and_four_levels_at_a_rate_agree_with_quadrature(rate):
    """One direction of power 1 lets R bits through at tau^2 = 1 / (4^R - 1)."""
    tau = (4**rate - 1) ** -0.5
    for points, n_bits in ((np.array([[-1.0], [1.0]]), 1), (np.array([[-3.0], [-1], [1], [3]]), 2)):
        own = tuple(range(n_bits))
        # Columns of another scale, a constant one and zeros.
        wide = torch.from_numpy(
            np.hstack([5 * points, points - 2, np.ones_like(points), 0 * points])
        )
        book = metric(codebook(wide, own))
        assert noise_of_rate(book, rate) == pytest.approx(tau)
        found = channel_information(
            book, {"word": own}, tau=noise_of_rate(book, rate), target_bits=0.003
        )
        expected = quadrature_bits(scaled(points)[0], tau, n_bits, own)
        assert expected <= min(rate, n_bits)
        value = found.information("word")
        # Where nearly every draw has a posterior of 1, the few others may not be among the draws.
        spread = 3 * value.standard_error_bits + 5e-4
        assert value.value_bits == pytest.approx(expected, abs=spread)


def test_eight_points_in_the_plane_agree_for_every_group():
    rng = np.random.default_rng(0)
    points, _ = scaled(rng.standard_normal((8, 2)))
    book = codebook(torch.from_numpy(points), (0, 1, 2))
    groups = {"word": (0, 1, 2), "pair": (0, 2), "a": (0,), "b": (1,), "c": (2,)}
    found = channel_information(book, groups, tau=0.6, target_bits=0.0015)
    for name, group in groups.items():
        agree(found.information(name), quadrature_bits(points, 0.6, 3, group))
    both, known = (quadrature_bits(points, 0.6, 3, group) for group in ((0, 2), (2,)))
    # The chain rule on the exact side.
    agree(found.information("a", given="c"), both - known)


def test_bits_on_orthogonal_axes_of_a_wide_code_are_bpsk_each():
    points = (2.0 * bit_patterns(4) - 1) @ np.linalg.qr(np.random.default_rng(1).random((64, 4)))[
        0
    ].T
    # Unit power over 64 dimensions: an amplitude of 4 for each of 4 bits.
    book = codebook(torch.from_numpy(points), range(4))
    assert (book.rank, book.dim) == (4, 64)
    for sigma, bits in BPSK_BITS.items():
        groups = {"two": (0, 2), "one": (3,)}
        found = channel_information(book, groups, tau=4 * sigma, target_bits=0.0015)
        agree(found.information("two"), 2 * bits)
        agree(found.information("one"), bits)
        assert found.information(range(4)).value_bits == pytest.approx(
            4 * bits, abs=3 * found.information(range(4)).standard_error_bits
        )


def test_superposed_bits_agree_with_enumeration():
    """z = w_s + 0.6 w_1 on one axis each: a linear encoder in closed form by quadrature."""
    axis = np.array([[-1.6], [-0.4], [0.4], [1.6]])
    sigma, amplitude = 0.5, np.sqrt(np.square(axis).mean())
    # Two axes: words (s0, s1, u0, u1), axis k has s_k + 0.6 u_k.
    sign = 2.0 * bit_patterns(4) - 1
    points = sign[:, :2] + 0.6 * sign[:, 2:]
    book = codebook(torch.from_numpy(points), range(4))
    groups = {"shared": (0, 1), "unique": (2, 3)}
    found = channel_information(book, groups, tau=sigma / amplitude, target_bits=0.002)
    shared, unique, word = (
        2 * quadrature_bits(axis, sigma, 2, group) for group in ((0,), (1,), (0, 1))
    )
    agree(found.information("shared"), shared, 0.007)
    agree(found.information("unique"), unique, 0.007)
    agree(found.information("unique", given="shared"), word - shared, 0.007)


SIGMA = 0.8
FIRST = np.array([[-1.9], [-0.3], [0.5], [1.7]])
SECOND = np.array([[-1.2], [-1.0], [0.2], [2.0]])


def test_two_encoders_nine_quantities_agree_with_quadrature():
    """Words (s, u): two modalities of one shared and one unique bit each, one dimension each."""
    points = [scaled(values)[0] for values in (FIRST, SECOND)]
    sides = [grid(values, SIGMA) for values in points]
    # Posteriors at nodes given the true word, to be combined over pairs that share s.
    shared = [p.reshape(-1, 2, 2).sum(2) for p, _ in sides]
    n = len(NODES)
    joint_shared, joint_unique, weights = [], [], []
    for s in (0, 1):
        rows = slice(2 * s * n, 2 * (s + 1) * n)
        left, right = shared[0][rows], shared[1][rows]
        product = left[:, None] * right[None]
        ratio = product / product.sum(2, keepdims=True)
        own = sides[0][0].reshape(-1, 2, 2)[rows] / left[:, :, None]
        joint_shared.append(ratio.reshape(-1, 2))
        joint_unique.append(np.einsum("abs,asu->abu", ratio, own).reshape(-1, 2))
        weight = np.outer(sides[0][1][rows], sides[1][1][rows])
        weights.append(weight.ravel() / weight.sum() / 2)
    weight = np.concatenate(weights)
    i_s = [1 - entropy_bits(p, w) for p, (_, w) in zip(shared, sides, strict=True)]
    i_w = [2 - entropy_bits(p, w) for p, w in sides]
    i12_s = 1 - entropy_bits(np.concatenate(joint_shared), weight)
    i12_u = 1 - entropy_bits(np.concatenate(joint_unique), weight)

    books = [
        codebook(torch.from_numpy(values), columns)
        for values, columns in zip(points, ((0, 1), (0, 2)), strict=True)
    ]
    groups = {"shared": (0,), "unique1": (1,), "unique2": (2,)}
    found = channel_information(books, groups, tau=SIGMA, target_bits=0.0015, max_draws=1 << 19)
    agree(found.information("shared", of=(1,)), i_s[0])
    agree(found.information("shared", of=(2,)), i_s[1])
    agree(found.information("shared"), i12_s)
    agree(found.information("unique1", of=(1,), given="shared"), i_w[0] - i_s[0])
    agree(found.information("unique2", given="shared"), i_w[1] - i_s[1])
    agree(found.information("unique1"), i12_u)
    agree(found.between(), i_s[0] + i_s[1] - i12_s)
    agree(found.information("shared", of=(1,), known=(2,)), i12_s - i_s[1])
    agree(found.information((0, 1, 2)), i12_s + sum(i_w) - sum(i_s), 0.008)


def posterior_of_all(books, of, tau, generator, n):
    """p(w_s, w_1, w_2 | z_of) of draws, by plain enumeration of all words: [n, 8, 4, 4]."""
    index = torch.randint(8, (n,), generator=generator)
    logits = []
    for place, book in enumerate(books, 1):
        word = index * 4 + torch.randint(4, (n,), generator=generator)
        noise = torch.randn(n, book.rank, generator=generator, dtype=torch.float64)
        distance = (book.points[word] + tau * noise).unsqueeze(1) - book.points
        seen = -distance.square().sum(2) / (2 * tau**2) if place in of else torch.zeros(n, 32)
        logits.append(seen.view(n, 8, 4))
    total = logits[0].unsqueeze(3) + logits[1].unsqueeze(2)
    return total.flatten(1).softmax(1).view(total.shape).double()


@pytest.mark.parametrize(
    "label",
    [
        {"kind": "bits", "label_bits": 2, "synergy_ratio": 0.25, "unique_ratio": 0.5},
        {"kind": "noiseless", "label_bits": 4, "synergy_ratio": 0.25, "unique_ratio": 0.5},
        {"kind": "threshold", "n_relevant": 5, "unique_ratio": 0.4},
        {"kind": "planar", "n_relevant": 5, "unique_ratio": 0.4, "n_classes": 5},
    ],
    ids=lambda label: label["kind"],
)
def test_label_information_agrees_with_the_table_of_all_words(label):
    latents = {"n_shared": 3, "n_unique1": 2, "n_unique2": 2}
    spec = WorldSpec.model_validate({"latents": latents, "label": label, "n_train": 1, "n_test": 1})
    words = bit_patterns(7)
    rule = spec.label
    blocks = Latents(words[:, :3], words[:, 3:5], words[:, 5:])
    if rule.slots is None:
        given = np.eye(spec.n_classes)[rule.draw(blocks, np.random.default_rng(0))]
    else:
        slots, flips = rule.slot_inputs(blocks), rule.layout.flip_probabilities
        classes = bit_patterns(len(flips))
        given = np.where(slots[:, None] == classes, 1 - flips, flips).prod(2)
    given = torch.from_numpy(given)
    rng = np.random.default_rng(0)
    books = [
        codebook(torch.from_numpy(rng.standard_normal((32, 3))), columns)
        for columns in ((0, 1, 2, 3, 4), (0, 1, 2, 5, 6))
    ]
    groups = {"label": label_channel(spec)}
    found = channel_information(books, groups, tau=0.7, target_bits=0.004)

    prior = float(torch.special.entr(given.mean(0)).sum()) / math.log(2)
    for of in ((1, 2), (1,), (2,)):
        rows = posterior_of_all(books, of, 0.7, torch.Generator().manual_seed(5), 20_000)
        y = rows.flatten(1) @ given
        entropies = torch.special.entr(y).sum(1) / math.log(2)
        expected = prior - float(entropies.mean())
        error = float(entropies.std()) / len(entropies) ** 0.5
        value = found.information("label", of=of)
        spread = 3 * math.hypot(error, value.standard_error_bits)
        assert value.value_bits == pytest.approx(expected, abs=spread)
        assert value.ceiling_bits == pytest.approx(prior)
    parts = decompose(found)
    total = parts.shared.value_bits + parts.unique1.value_bits + parts.unique2.value_bits
    assert total == pytest.approx(parts.total.value_bits)
