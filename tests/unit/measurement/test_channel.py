"""The oracle's parts: codebooks, draws, labels, limits, errors."""

import itertools
import math

import numpy as np
import pytest
import torch
from codes import random_code, signs

from fctestbed.measurement.channel import (
    channel_curve,
    channel_information,
    codebook,
    decompose,
    distinct_points,
    gaussian_bounds,
    label_channel,
    linear_gaussian_bits,
    noiseless_information,
    separation,
    unit_power,
)
from fctestbed.measurement.channel.draws import CodewordDraws
from fctestbed.measurement.channel.marginals import MarginalEntropies, marginal, plan_marginals
from fctestbed.measurement.channel.posteriors import PosteriorReader, SumLayout, product_dtype
from fctestbed.synthesis import WorldSpec, bit_patterns, world_truth

GROUPS = {"shared": (0, 1), "unique1": (2, 3, 4), "bit": (1,)}


@pytest.fixture(scope="module")
def book():
    return codebook(random_code(5, 6), range(5))


def test_a_codebook_is_centred_and_of_unit_power_per_dimension():
    book = codebook(random_code(5, 6) * 7 + 3, range(5))
    assert book.points.mean(0).abs().max() < 1e-12
    assert float(book.points.square().mean()) == pytest.approx(1)
    assert book.power == pytest.approx(49 * float(codebook(random_code(5, 6), range(5)).power))


def test_a_codebook_of_low_rank_is_projected_without_changing_distances():
    wide = signs(3) @ torch.randn(3, 40, generator=torch.Generator().manual_seed(0)).double()
    book = codebook(wide, range(3))
    assert (book.rank, book.dim) == (3, 40)
    expected = torch.cdist(wide, wide) / book.power**0.5
    torch.testing.assert_close(torch.cdist(book.points, book.points), expected)


def test_shift_and_scale_change_nothing(book):
    other = codebook(random_code(5, 6) * 1e-3 - 5, range(5))
    for one, two in zip(*[_values(b) for b in (book, other)], strict=True):
        assert one == pytest.approx(two, abs=1e-5)


def _values(book, **how):
    found = channel_information(book, GROUPS, tau=0.7, **how)
    return [found.information(name).value_bits for name in GROUPS]


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(book):
    assert _values(book) == _values(book)
    assert _values(book) != _values(book, seed=1)


def test_more_is_drawn_until_the_asked_for_error_is_met(book):
    rough, fine = (
        channel_information(book, GROUPS, tau=0.7, target_bits=target) for target in (0.05, 0.005)
    )
    assert rough.largest_error_bits() <= 0.05
    assert fine.largest_error_bits() <= 0.005
    assert fine.n_draws > 4 * rough.n_draws
    capped = channel_information(book, GROUPS, tau=0.7, target_bits=1e-6, max_draws=2000)
    assert capped.n_draws == 2000


def test_standard_errors_are_those_of_repeated_runs(book):
    runs = [
        channel_information(book, GROUPS, tau=1.0, max_draws=256, seed=seed).information("unique1")
        for seed in range(60)
    ]
    spread = float(np.std([run.value_bits for run in runs], ddof=1))
    # Of 60 runs the spread is known to 9 %; draws that go evenly over the words make it smaller.
    assert 0.5 * runs[0].standard_error_bits < spread < 1.3 * runs[0].standard_error_bits


def test_in_much_noise_nothing_is_left(book):
    found = channel_information(book, GROUPS, tau=1e3)
    for name in GROUPS:
        assert found.information(name).value_bits == pytest.approx(0, abs=1e-4)


def test_in_little_noise_every_bit_is_read(book):
    found = channel_information(book, GROUPS, tau=1e-3)
    assert product_dtype(book, 1e-3) is torch.float64
    for name, columns in GROUPS.items():
        assert found.information(name).value_bits == pytest.approx(len(columns), abs=1e-9)


def test_little_noise_leaves_what_the_noiseless_limit_counts():
    code = random_code(5, 6)
    merged = code.view(8, 4, 6)[:, :1].expand(8, 4, 6).reshape(32, 6)
    book = codebook(merged, range(5))
    exact = noiseless_information(book, GROUPS)
    found = channel_information(book, GROUPS, tau=1e-3)
    assert [exact[name].value_bits for name in GROUPS] == pytest.approx([2.0, 1.0, 1.0])
    for name in GROUPS:
        assert found.information(name).value_bits == pytest.approx(exact[name].value_bits)
        assert exact[name].standard_error_bits == 0


def test_distinct_points_forgive_rounding_and_nothing_else():
    code = random_code(4, 5)
    twice = torch.cat([code, code + 1e-9])
    assert len(distinct_points(codebook(twice, range(5))).unique()) == 16
    moved = torch.cat([code, code + 1e-3])
    assert len(distinct_points(codebook(moved, range(5))).unique()) == 32


@pytest.mark.parametrize("ratio", [0.0, 0.4, 0.99, 1.0])
def test_noiseless_label_information_is_the_world_s_own(ratio):
    latents = {"n_shared": 2, "n_unique1": 1, "n_unique2": 1}
    spec = WorldSpec.model_validate({"latents": latents, "label": {"unique_ratio": ratio}})
    book = codebook(random_code(3, 4), (0, 1, 2))
    found = noiseless_information(book, {"label": label_channel(spec)})["label"]
    truth = world_truth(spec)
    assert found.value_bits == pytest.approx(truth.x1_label_bits, abs=1e-12)
    assert found.ceiling_bits == truth.label_entropy_bits


def test_bits_that_a_representation_never_saw_are_no_information(book):
    groups = {"own": (0, 1), "foreign": (7, 8), "mixed": (0, 1, 8)}
    found = channel_information(book, groups, tau=0.7)
    assert found.information("foreign").value_bits == 0
    assert found.information("foreign").standard_error_bits == 0
    assert found.information("mixed").value_bits == pytest.approx(
        found.information("own").value_bits, abs=1e-12
    )
    assert found.information("mixed").ceiling_bits == 3


def test_draws_go_evenly_over_words_for_both_modalities():
    books = [
        codebook(random_code(4, 2), (0, 1, 2, 3)),
        codebook(random_code(3, 2), (0, 1, 4)),
    ]
    draws = CodewordDraws(books, torch.Generator().manual_seed(0))
    (one, noise1), (two, noise2) = draws.next(16)
    assert (noise1.shape, noise2.shape) == ((16, 2), (16, 2))
    assert torch.equal(one.sort().values, torch.arange(16))
    assert torch.equal(two.bincount(minlength=8), torch.full((8,), 2))
    assert torch.equal(one // 4, two // 2)


NOISES = [(0.7,), (2.0, 0.7, 0.05, 1e-3)]


def mixture(book, index, noise, tau):
    """Posteriors of all codewords by the densities of a mixture, float64."""
    z = book.points[index] + tau * noise.double()
    return (-(torch.cdist(z, book.points) ** 2) / (2 * tau**2)).softmax(1)


def read(books, layouts, draws, taus, dtype):
    reader = PosteriorReader(
        books, layouts, device=torch.device("cpu"), dtype=dtype, products=torch.float64
    )
    return reader(draws, taus)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("taus", NOISES)
@pytest.mark.parametrize("n_lead", [0, 2, 5])
def test_sums_of_posteriors_are_those_of_a_plain_mixture(book, dtype, taus, n_lead):
    """float32 is the compiled kernel, float64 is torch."""
    index, noise = torch.arange(8), torch.randn(8, 6, generator=torch.Generator().manual_seed(1))
    n_own = 5 - n_lead
    layout = SumLayout(book.columns[:n_lead], book.columns[n_lead:], tuple(range(n_own + 1)))
    (sums,) = read([book], [layout], [(index, noise)], taus, dtype)
    near = {"rtol": 1e-5, "atol": 4e-7} if dtype is torch.float32 else {}
    assert sums.given_both is None
    assert sums.entropies.dtype == dtype
    for place, tau in enumerate(taus):
        expected = mixture(book, index, noise, tau)
        for columns, found in sums.marginals.items():
            kept = marginal(expected, book.columns, columns)
            torch.testing.assert_close(found[place].double(), kept.view(8, -1), **near)
        found = torch.special.entr(expected).sum(1)
        torch.testing.assert_close(sums.entropies[place].double(), found, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("taus", NOISES)
def test_own_columns_given_both_representations_are_those_of_a_plain_mixture(dtype, taus):
    books = [
        codebook(random_code(4, 3, 1), (0, 1, 2, 3)),
        codebook(random_code(5, 2, 2), (0, 1, 4, 5, 6)),
    ]
    layouts = [SumLayout(own.columns[:2], own.columns[2:]) for own in books]
    generator = torch.Generator().manual_seed(3)
    draws = [
        (torch.arange(8) * n, torch.randn(8, own.rank, generator=generator))
        for n, own in zip((1, 2), books, strict=True)
    ]
    sums = read(books, layouts, draws, taus, dtype)
    near = {"rtol": 1e-4, "atol": 1e-6} if dtype is torch.float32 else {}
    for place, tau in enumerate(taus):
        one, two = (
            mixture(own, *drawn, tau).view(8, 4, -1)
            for own, drawn in zip(books, draws, strict=True)
        )
        both = torch.einsum("nsa,nsb->nsab", one, two)
        both = both / both.sum((1, 2, 3), keepdim=True)
        for found, expected in zip(sums, (both.sum((1, 3)), both.sum((1, 2))), strict=True):
            torch.testing.assert_close(found.given_both[place].double(), expected, **near)


def test_the_posteriors_of_several_noises_are_those_of_each_alone(book):
    groups = {**GROUPS, "word": tuple(range(5))}
    taus = (0.3, 6.0, 1.0)
    curve = channel_curve(book, groups, taus=taus, target_bits=0.01)
    assert len({found.n_draws for found in curve}) > 1
    for found, tau in zip(curve, taus, strict=True):
        alone = channel_information(book, groups, tau=tau, target_bits=0.01)
        assert (found.tau, found.n_draws) == (tau, alone.n_draws)
        for name in groups:
            one, other = found.information(name), alone.information(name)
            assert one.value_bits == pytest.approx(other.value_bits, abs=1e-6)
            assert one.standard_error_bits == pytest.approx(other.standard_error_bits, rel=1e-4)


def test_entropies_of_marginals_are_those_of_their_posteriors():
    p = torch.rand(3, 32, generator=torch.Generator().manual_seed(0)).softmax(1)
    columns, groups = (7, 3, 5, 1, 2), [(7, 3), (5,), (3, 1, 2), (7,), (2,)]
    for kind in (torch.float32, torch.float64):
        q = p.to(kind)
        found = MarginalEntropies(columns, groups, q)(q)
        for place, group in enumerate([columns, *groups]):
            expected = torch.special.entr(marginal(q, columns, group)).sum(1)
            torch.testing.assert_close(found[:, place], expected)
    alone = MarginalEntropies(columns, [(5,)], p)(p)
    assert torch.equal(alone[:, 1], MarginalEntropies(columns, groups, p)(p)[:, 2])


def test_marginals_sum_the_other_bits_out():
    p = torch.rand(3, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    columns = (7, 3, 5, 1)
    cube = p.view(3, 2, 2, 2, 2)
    torch.testing.assert_close(marginal(p, columns, {3, 1}), cube.sum((1, 3)).reshape(3, 4))
    torch.testing.assert_close(marginal(p, columns, (7, 3)), cube.sum((3, 4)).reshape(3, 4))
    assert marginal(p, columns, columns) is p


def test_small_groups_are_summed_from_the_smallest_that_holds_them():
    plan = plan_marginals([(0,), (0, 1), (2, 3, 4), (3,), (3, 4)], [(1,), (0, 2)])
    # No marginal of the leaves, nor of a group that is itself summed from another.
    assert plan == {(2, 3, 4): [(3, 4), (3,)], (0, 1): [(0,), (1,)], (0, 2): []}


def test_the_derivative_over_snr_is_half_the_minimum_mean_square_error():
    """Guo, Shamai and Verdu 2005, Theorem 2, in nats; common draws make the difference sharp."""
    code = random_code(5, 4)
    book = codebook(code, range(5))
    n, snr, step = 40_000, 1.5, 0.05
    generator = torch.Generator().manual_seed(0)
    index = torch.arange(n) % 32
    noise = torch.randn(n, book.rank, generator=generator, dtype=torch.float64)

    def nats(at):
        found = channel_information(
            book, {"word": tuple(range(5))}, tau=at**-0.5, max_draws=n, target_bits=1e-9
        )
        assert found.n_draws == n
        return found.information("word").value_bits * math.log(2)

    slope = (nats(snr + step) - nats(snr - step)) / (2 * step)
    z = book.points[index] + noise * snr**-0.5
    p = (-(torch.cdist(z, book.points) ** 2) * snr / 2).softmax(1)
    left = (book.points[index] - p @ book.points).square().sum(1)
    error = float(left.std()) / n**0.5
    # The slope's own error: some 0.5 % by its common draws.
    assert slope == pytest.approx(float(left.mean()) / 2, abs=2 * error + 0.01 * slope)


def test_label_information_of_one_modality_takes_the_other_s_bits_for_coins():
    spec = WorldSpec.model_validate(
        {
            "latents": {"n_shared": 2, "n_unique1": 2, "n_unique2": 2},
            "label": {"kind": "noiseless", "label_bits": 4, "synergy_ratio": 0.25,
                      "unique_ratio": 0.5},
        }
    )  # fmt: skip
    books = [codebook(random_code(4, 3, m), (0, 1, *own)) for m, own in ((1, (2, 3)), (2, (4, 5)))]
    found = channel_information(books, {"label": label_channel(spec)}, tau=1e-3)
    # One shared bit, one unique bit each, and an XOR that only both can read.
    for of, bits in {(1,): 2.0, (2,): 2.0, (1, 2): 4.0}.items():
        assert found.information("label", of=of).value_bits == pytest.approx(bits, abs=1e-9)
    parts = decompose(found)
    assert parts.shared.value_bits == pytest.approx(0.0, abs=1e-9)
    assert parts.unique1.value_bits == pytest.approx(2.0, abs=1e-9)
    assert parts.total.value_bits == pytest.approx(4.0, abs=1e-9)


def test_a_fused_codebook_of_all_words_agrees_with_two_that_meet_in_the_shared_bits():
    first, second = random_code(4, 3, 1), random_code(4, 2, 2)
    words = torch.arange(64)
    # Words (s, u1, u2) of two bits each; side by side in one codebook, each scaled alone.
    sides = [codebook(first, (0, 1, 2, 3)), codebook(second, (0, 1, 4, 5))]
    one = sides[0].points[words // 4]
    two = sides[1].points[words // 16 * 4 + words % 4]
    fused = codebook(torch.cat([one, two], 1), range(6))
    assert fused.power == pytest.approx(1)
    groups = {"shared": (0, 1), "unique1": (2, 3), "unique2": (4, 5), "cross": (1, 2, 5)}
    apart = channel_information(sides, groups, tau=0.8, target_bits=0.006, seed=1)
    whole = channel_information(fused, groups, tau=0.8, target_bits=0.006, seed=2)
    for name in groups:
        a, b = apart.information(name), whole.information(name)
        error = math.hypot(a.standard_error_bits, b.standard_error_bits)
        assert a.value_bits == pytest.approx(b.value_bits, abs=3 * error)


def test_separation_is_the_share_of_bits_in_their_own_part():
    values = {
        ("z_s1", "shared"): 3.0, ("z_u1", "shared"): 1.0,
        ("z_s1", "unique1"): 0.5, ("z_u1", "unique1"): 1.5,
    }  # fmt: skip
    found = separation(values, 1)
    assert (found.shared_share, found.unique_share, found.leak_bits) == (0.75, 0.75, 1.5)
    nothing = separation(dict.fromkeys(values, 0.0), 1)
    assert nothing.shared_share is nothing.unique_share is None
    with pytest.raises(ValueError, match="value_bits: expected z_s2 / shared among them, got none"):
        separation(values, 2)


def test_a_linear_gaussian_channel_on_separate_axes_is_a_sum_of_logarithms():
    maps = np.diag([2.0, 1.0, 0.5])
    bits = [0.5 * math.log2(1 + 4 * gain**2) for gain in (2.0, 1.0, 0.5)]
    for block in ((0,), (1, 2), (0, 1, 2), ()):
        found = linear_gaussian_bits(maps, block, tau=0.5)
        assert found == pytest.approx(sum(bits[place] for place in block))


def test_a_linear_gaussian_block_is_the_covariance_formula():
    rng = np.random.default_rng(0)
    maps = rng.standard_normal((4, 3))
    noisy = 0.7 * maps.T @ maps + 0.09 * np.eye(3)
    cross = 0.7 * maps[:2]
    left = 0.7 * np.eye(2) - cross @ np.linalg.inv(noisy) @ cross.T
    expected = 0.5 * math.log2(0.7**2 / np.linalg.det(left))
    assert linear_gaussian_bits(maps, (0, 1), tau=0.3, variance=0.7) == pytest.approx(expected)


def test_gaussian_bounds_meet_for_a_linear_encoder_and_hold_for_a_crooked_one():
    rng = np.random.default_rng(0)
    w = rng.standard_normal((40_000, 2)) * 0.5**0.5
    maps = unit_power(rng.standard_normal((2, 3)), variance=0.5)
    exact = linear_gaussian_bits(maps, (0, 1), tau=0.5, variance=0.5)
    linear = gaussian_bounds(w @ maps, w, tau=0.5, variance=0.5)
    # Covariances of 40,000 samples: some 0.5 % each.
    assert linear.lower_bits == pytest.approx(exact, abs=0.02)
    assert linear.upper_bits == pytest.approx(exact, abs=0.02)
    # A sign of one latent: at most one bit, and at most what its power lets through.
    crooked = gaussian_bounds(np.sign(w[:, :1]), w, tau=0.5, variance=0.5)
    book = codebook(torch.tensor([[-1.0], [1.0]]), (0,))
    held = channel_information(book, {"sign": (0,)}, tau=0.5).information("sign").value_bits
    assert crooked.lower_bits < held < crooked.upper_bits
    assert crooked.upper_bits == pytest.approx(0.5 * math.log2(5), abs=0.01)


@pytest.mark.parametrize(
    ("codewords", "columns", "message"),
    [
        (torch.zeros(4, 3), (0, 1), "codewords: expected points that differ, got one point for "),
        (torch.full((4, 3), 2.0), (0, 1), "codewords: expected points that differ, got one point"),
        (torch.full((4, 3), math.nan), (0, 1), "codewords: expected finite numbers, got NaN or "),
        (torch.rand(3, 3), (0, 1), "codewords: expected shape (4, dim) for 2 bits, got (3, 3)"),
        (torch.rand(4), (0, 1), "codewords: expected shape (4, dim) for 2 bits, got (4,)"),
        (torch.rand(4, 0), (0, 1), "codewords: expected shape (4, dim) for 2 bits, got (4, 0)"),
        (torch.rand(4, 3), (1, 1), "columns: expected different bits, got [1, 1]"),
        (torch.rand(4, 3), range(25), "columns: expected at most 24 bits to enumerate, got 25"),
    ],
)  # fmt: skip
def test_codewords_that_are_no_code_are_refused(codewords, columns, message):
    with pytest.raises(ValueError, match=r".") as refused:
        codebook(codewords, columns)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"tau": 0.0}, "tau: expected a number above 0, got 0.0"),
        ({"tau": math.nan}, "tau: expected a number above 0, got nan"),
        ({"tau": -1.0}, "tau: expected a number above 0, got -1.0"),
        ({"tau": 1.0, "target_bits": -1}, "target_bits: expected a number above 0, got -1"),
        ({"tau": 1.0, "max_draws": 0}, "max_draws: expected a number above 0, got 0"),
    ],
)
def test_settings_without_a_meaning_are_refused(book, how, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        channel_information(book, GROUPS, **how)


def test_three_codebooks_or_common_bits_that_do_not_lead_are_refused(book):
    with pytest.raises(ValueError, match="books: expected one codebook or two, got 3"):
        channel_information([book] * 3, GROUPS, tau=1.0)
    other = codebook(random_code(3, 2), (7, 0, 1))
    with pytest.raises(ValueError, match=r"books: expected the common bits \[0, 1\] to lead in "):
        channel_information([book, other], GROUPS, tau=1.0)


def test_questions_that_were_not_asked_are_refused(book):
    found = channel_information(book, {**GROUPS, "label": label_channel(WorldSpec())}, tau=1.0)
    for how, message in (
        ({"group": "foo"}, "group: expected one of shared, unique1, bit, label, got 'foo'"),
        ({"group": (0, 3)}, "group: expected one whose posterior was taken"),
        ({"group": "shared", "of": (2,)}, r"of: expected representations among \(1,\), got "),
        ({"group": "label", "given": "bit"}, "given: expected groups of bits, got a label"),
    ):
        with pytest.raises(ValueError, match=message):
            found.information(**how)
    with pytest.raises(ValueError, match="between: expected two representations, got 1"):
        found.between()
    with pytest.raises(ValueError, match="found: expected two representations, got 1"):
        decompose(found)


def test_a_label_of_too_many_bits_is_refused():
    latents = {"n_shared": 20, "n_unique1": 10, "n_unique2": 10}
    spec = WorldSpec.model_validate({"label": {"label_bits": 20}, "latents": latents})
    with pytest.raises(ValueError, match="label: expected at most 20 relevant bits to enumerate, "):
        label_channel(spec)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: linear_gaussian_bits([1.0], (0,), tau=1.0), "maps: expected a matrix, got shape "),
        (lambda: linear_gaussian_bits([[1.0]], (1,), tau=1.0), "block: expected places from 0 to "),
        (lambda: linear_gaussian_bits([[1.0]], (0,), tau=0.0), "tau: expected a number above 0"),
        (lambda: linear_gaussian_bits([[math.inf]], (0,), tau=1.0), "maps: expected finite "),
        (lambda: unit_power([[0.0]]), "maps: expected a map of some power, got zeros"),
        (lambda: gaussian_bounds([[1.0]] * 9, [[1.0]] * 8, tau=1.0), "w: expected 9 rows as in z"),
        (lambda: gaussian_bounds([[1.0]] * 3, [[1.0]] * 3, tau=1.0), "z: expected at least 4 rows"),
        (lambda: gaussian_bounds([[1.0]] * 9, [[1.0]] * 9, tau=1.0), "z: expected points that "),
        (
            lambda: gaussian_bounds([[1.0]] * 9, [[1.0]] * 9, tau=1.0, variance=-1.0),
            "variance: expected a number above 0, got -1.0",
        ),
    ],
)  # fmt: skip
def test_gaussian_channels_without_a_meaning_are_refused(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_memory_does_not_grow_with_codewords_times_draws(monkeypatch):
    from fctestbed.measurement.channel import posteriors

    monkeypatch.setattr(posteriors, "_CPU_CELLS", 64)
    seen = []
    plain = torch.mm

    def spy(a, b, *, out):
        seen.append(out.numel())
        return plain(a, b, out=out)

    monkeypatch.setattr(posteriors.torch, "mm", spy)
    book = codebook(random_code(8, 3), range(8))
    channel_information(book, {"bit": (0,)}, tau=1.0, max_draws=4096, target_bits=1e-6)
    # One product a tile, of codewords and of noise.
    assert len(seen) == 4096 // 32
    assert max(seen) == 2 * 32 * 256


def test_patterns_have_their_first_bit_slowest():
    expected = list(itertools.product((0, 1), repeat=3))
    assert bit_patterns(3).tolist() == [list(word) for word in expected]
