import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from fctestbed.estimators import LinearProbe, mean_interval
from fctestbed.information import bsc_flip_probability

N_FIT, N_EVAL = 2000, 2000
PROBE = LinearProbe()


def bits(n, n_bits, seed):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 2, (n, n_bits)))


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def halves(array):
    return array[:N_FIT], array[N_FIT:]


def probed(z, w, probe=PROBE):
    """Held-out cross-entropies with the first samples fitted on, in bits."""
    (z_fit, z_eval), (w_fit, w_eval) = halves(z), halves(w)
    return probe.bits(z_fit, w_fit, z_eval, w_eval)


def scaled_features(z_fit, z_eval):
    """Principal components of unit variance and a constant, by a singular value decomposition."""
    mean = z_fit.mean(0)
    _, spread, axes = np.linalg.svd(z_fit - mean, full_matrices=False)
    scale = axes.T / spread * np.sqrt(len(z_fit))
    return [np.column_stack([(z - mean) @ scale, np.ones(len(z))]) for z in (z_fit, z_eval)]


def test_a_noise_free_linear_code_gives_up_every_bit():
    w = bits(N_FIT + N_EVAL, 5, seed=0)
    z = (2.0 * w.float() - 1) @ normal(5, 8)
    captured = 1.0 - probed(z, w).mean(0)
    # The ridge costs some ten times its value of 1e-4 nats for each bit.
    assert captured == pytest.approx(np.ones(5), abs=2e-3)
    assert (captured <= 1.0).all()


def test_a_bit_behind_a_channel_is_worth_the_channel_s_capacity():
    capacities = np.array([0.1, 0.5, 0.9])
    w = bits(N_FIT + N_EVAL, 3, seed=1)
    flips = np.random.default_rng(2).random(w.shape) < bsc_flip_probability(capacities)
    z = (w ^ torch.from_numpy(flips)).float()
    losses = probed(z, w)
    standard_errors = losses.std(0, ddof=1) / np.sqrt(N_EVAL)
    # Fitting 4 weights to 2000 samples costs about 4 / (2 * 2000 * ln 2) = 1.4e-3 bits on top.
    assert (np.abs(1 - losses.mean(0) - capacities) < 3 * standard_errors + 3e-3).all()


def test_an_independent_representation_says_nothing():
    z, w = normal(N_FIT + N_EVAL, 10, seed=3), bits(N_FIT + N_EVAL, 40, seed=4)
    losses = probed(z, w)
    values = [mean_interval(1 - losses[:, bit]) for bit in range(40)]
    # Its probes were fitted to noise: a little under 0, 11 / (2 * 2000 * ln 2) = 0.004 bits.
    assert np.mean([mean for mean, _, _ in values]) == pytest.approx(-0.004, abs=0.003)
    # One in 40 ends of 95 % intervals would be above 0 by chance, were the mean 0.
    assert sum(low > 0 for _, low, _ in values) <= 3


def test_the_logistic_fit_is_that_of_a_plain_minimisation_in_float64():
    ridge = 0.01
    z = normal(N_FIT + N_EVAL, 4, seed=5) @ normal(4, 4, seed=6)
    w = (z[:, :1] + 2 * normal(N_FIT + N_EVAL, 1, seed=7) > 0.3).long()
    (z_fit, z_eval), (w_fit, w_eval) = halves(z.double().numpy()), halves(w.numpy()[:, 0])
    features, held_out = scaled_features(z_fit, z_eval)
    sign = 1 - 2.0 * w_fit

    def loss(weights):
        margins = sign * (features @ weights)
        return np.logaddexp(0, margins).mean() + 0.5 * ridge * (weights[:-1] ** 2).sum()

    weights = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-8}).x
    expected = np.logaddexp(0, (1 - 2.0 * w_eval) * (held_out @ weights)) / np.log(2)
    found = probed(z, w, LinearProbe(ridge=ridge))[:, 0]
    assert np.exp2(-found) == pytest.approx(np.exp2(-expected), abs=2e-3)
    assert found.mean() == pytest.approx(expected.mean(), abs=1e-3)


@pytest.mark.parametrize("n_patterns", [300, None])
def test_each_probe_s_loss_is_within_a_millionth_of_a_nat_of_its_optimum(n_patterns):
    """Of bits that are read nearly, partly and not, on samples that repeat and that do not."""
    n, dim = 3000, 20
    z = normal(n, dim, seed=20)
    if n_patterns is not None:
        z = z[torch.from_numpy(np.random.default_rng(21).integers(0, n_patterns, n))]
    noise = normal(n, 4, seed=22) * torch.tensor([0.1, 0.7, 3.0, 1e3])
    w = (z[:, :4] + noise > 0).long()
    reader = PROBE.reader(z, z)
    losses = [reader.bits(w, torch.full_like(w, value)) for value in (0, 1)]
    # The probes' log-odds of 1, which give their weights back.
    log_odds = (losses[0] - losses[1]) * np.log(2)
    features = reader._fit.by_sample(reader._fit.values).double().numpy()
    ridge = np.full(dim + 1, PROBE.ridge)
    ridge[-1] = 0.0
    for place in range(4):
        sign = 1 - 2.0 * w[:, place].numpy()

        def loss(weights, sign=sign):
            margins = sign * (features @ weights)
            penalty = 0.5 * (ridge * weights**2).sum()
            gradient = features.T @ (0.5 * sign * (1 + np.tanh(margins / 2))) / n + ridge * weights
            return np.logaddexp(0, margins).mean() + penalty, gradient

        weights = np.linalg.lstsq(features, log_odds[:, place], rcond=None)[0]
        best = minimize(
            loss, weights, jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9}
        )
        excess = loss(weights)[0] - best.fun
        assert excess < 1e-6


def test_the_multinomial_fit_is_that_of_a_plain_minimisation_in_float64():
    ridge = 0.01
    z = normal(N_FIT + N_EVAL, 3, seed=8)
    y = (z @ normal(3, 4, seed=9) + normal(N_FIT + N_EVAL, 4, seed=10)).argmax(1)
    (z_fit, z_eval), (y_fit, _) = halves(z.double().numpy()), halves(y.numpy())
    features, held_out = scaled_features(z_fit, z_eval)

    def log_softmax(logits):
        return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)

    def loss(flat):
        weights = flat.reshape(4, 4)
        logs = log_softmax(features @ weights)
        gradient = features.T @ (np.exp(logs) - np.eye(4)[y_fit]) / N_FIT
        gradient[:-1] += ridge * weights[:-1]
        value = -logs[np.arange(N_FIT), y_fit].mean() + 0.5 * ridge * (weights[:-1] ** 2).sum()
        return value, gradient.ravel()

    weights = minimize(loss, np.zeros(16), jac=True, method="BFGS", options={"gtol": 1e-8}).x
    expected = log_softmax(held_out @ weights.reshape(4, 4)) / np.log(2)
    probe = LinearProbe(ridge=ridge)
    found = probe.classes(z[:N_FIT], y[:N_FIT], z[N_FIT:], 4)
    assert np.exp2(found) == pytest.approx(np.exp2(expected), abs=2e-3)
    assert np.exp2(found).sum(1) == pytest.approx(np.ones(N_EVAL))


def test_a_class_that_was_never_seen_has_a_small_probability_and_no_infinity():
    z = normal(300, 2)
    logs = PROBE.classes(z[:200], torch.zeros(200, dtype=torch.long), z[200:], 3)
    assert np.isfinite(logs).all()
    assert (logs[:, 0] > -0.01).all()


def test_dead_constant_and_doubled_columns_change_nothing():
    z, w = normal(N_FIT + N_EVAL, 3, seed=11), bits(N_FIT + N_EVAL, 1, seed=12)
    z[:, :1] += w
    ones = torch.ones(len(z), 1)
    more = torch.cat([z, 0 * ones, 0.1 * ones, 1e6 * ones, z[:, :1], z @ normal(3, 2)], 1)
    assert probed(more, w) == pytest.approx(probed(z, w), abs=2e-3)


def test_a_representation_that_is_constant_altogether_says_nothing():
    w = bits(N_FIT + N_EVAL, 2, seed=13)
    losses = probed(torch.full((N_FIT + N_EVAL, 3), 0.7), w)
    share = w[:N_FIT].double().mean(0).numpy()
    expected = np.where(w[N_FIT:].numpy() == 1, -np.log2(share), -np.log2(1 - share))
    assert losses == pytest.approx(expected, abs=1e-3)


def test_rescaling_and_rotating_a_representation_change_nothing():
    z, w = normal(N_FIT + N_EVAL, 4, seed=14), bits(N_FIT + N_EVAL, 2, seed=15)
    z[:, 2:] += w
    rotation = torch.linalg.qr(normal(4, 4, seed=16)).Q
    by_column = torch.tensor([1e-5, 1.0, 1e4, 30.0])
    expected = np.exp2(-probed(z, w))
    for other in (1e-6 * z, 1e6 * z, z @ rotation, z * by_column, z + 5.0, (z * 30) @ rotation):
        assert np.exp2(-probed(other, w)) == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_arrays_given_are_left_as_they_were(dtype):
    z, w = normal(300, 3).to(dtype), bits(300, 2, seed=0)
    y = w[:, 0]
    copies = z.clone(), w.clone()
    PROBE.bits(z[:200], w[:200], z[200:], w[200:])
    PROBE.classes(z[:200], y[:200], z[200:], 2)
    assert torch.equal(z, copies[0])
    assert torch.equal(w, copies[1])


def test_the_same_arrays_give_the_same_numbers():
    z, w = normal(300, 3), bits(300, 2, seed=0)
    first = PROBE.bits(z[:200], w[:200], z[200:], w[200:])
    assert (PROBE.bits(z[:200], w[:200], z[200:], w[200:]) == first).all()


GOOD = {
    "z_fit": normal(6, 2),
    "w_fit": torch.tensor([[0], [1]] * 3),
    "z_eval": normal(4, 2),
    "w_eval": torch.tensor([[0], [1]] * 2),
}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("z_fit", torch.full((6, 2), torch.nan), "z_fit: expected finite numbers, got NaN"),
        ("z_eval", torch.full((4, 2), torch.inf), "z_eval: expected finite numbers, got NaN"),
        ("z_fit", normal(6), r"z_fit: expected shape \(samples, dim\), got \(6,\)"),
        ("z_fit", normal(0, 2), r"z_fit: expected shape \(samples, dim\), got \(0, 2\)"),
        ("z_eval", normal(4, 3), "z_eval: expected 2 columns as in z_fit, got 3"),
        ("w_fit", torch.zeros(5, 1), r"w_fit: expected shape \(6, n_bits\), got \(5, 1\)"),
        ("w_eval", torch.zeros(4, 2), r"w_eval: expected shape \(4, 1\), got \(4, 2\)"),
        ("w_fit", torch.full((6, 1), 2), "w_fit: expected zeros and ones, got other numbers"),
    ],
)
def test_bad_arrays_are_refused(name, value, message):
    with pytest.raises(ValueError, match=message):
        PROBE.bits(**{**GOOD, name: value})


def test_bad_classes_are_refused():
    z = normal(6, 2)
    with pytest.raises(ValueError, match=r"y_fit: expected classes in \[0, 3\), got 0 to 3"):
        PROBE.classes(z, torch.tensor([0, 1, 2, 3, 0, 1]), z, 3)
    with pytest.raises(ValueError, match=r"y_fit: expected shape \(6,\), got \(5,\)"):
        PROBE.classes(z, torch.zeros(5, dtype=torch.long), z, 3)


@pytest.mark.parametrize("ridge", [0.0, -1.0, float("nan"), float("inf")])
def test_a_ridge_that_is_not_above_zero_is_refused(ridge):
    with pytest.raises(ValueError, match="ridge: expected a number above 0"):
        LinearProbe(ridge=ridge)


def test_a_feature_far_from_zero_is_read_and_a_rounded_constant_is_not():
    generator = torch.Generator().manual_seed(0)
    bit = torch.randint(0, 2, (400, 1), generator=generator)
    wide = 1e9 + bit.double()
    losses = LinearProbe().bits(wide, bit, wide, bit)
    assert losses.mean() < 0.05
    rounding = (3.0 * (1 + bit.double() * 1e-7)).float()
    losses = LinearProbe().bits(rounding, bit, rounding, bit)
    assert losses.mean() > 0.9
