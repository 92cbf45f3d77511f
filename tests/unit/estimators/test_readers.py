"""Readers: their losses are those of the usable-information probes, variable by variable."""

import numpy as np
import pytest
import torch

from fctestbed.estimators import KnnReader, MlpReader
from fctestbed.estimators.probes import Alphabet, ProbeSettings, Sample, knn_bits, mlp_bits

N_FIT, N_EVAL = 500, 200
CUT = 400
QUICK = ProbeSettings(steps=100, hidden=(16,))
FAMILIES = {
    "mlp": (lambda fit, held_out: MlpReader(fit, held_out, QUICK), mlp_bits),
    "knn": (KnnReader, knn_bits),
}


@pytest.fixture(scope="module")
def sample():
    """Three classes and two bits seen through noise."""
    rng = np.random.default_rng(0)
    n = N_FIT + N_EVAL
    y = rng.integers(0, 3, n)
    w = rng.integers(0, 2, (n, 2))
    z = np.column_stack([np.eye(3)[y], w]) + 0.3 * rng.standard_normal((n, 5))
    return (torch.tensor(array) for array in (z, w, y))


@pytest.fixture(scope="module")
def parts(sample):
    z, w, y = sample
    return {name: (own[:N_FIT], own[N_FIT:]) for name, own in (("z", z), ("w", w), ("y", y))}


def usable_losses(family, parts, codes, alphabet):
    """Losses of the family's estimator, fitted on all but the last fifth, which stops it."""
    z, w = (
        [own.numpy() for own in (fit[:CUT], fit[CUT:], held_out)]
        for fit, held_out in (parts["z"], codes)
    )
    samples = [
        Sample(a, b.reshape(len(b), -1), np.zeros(len(a), dtype=np.int64))
        for a, b in zip(z, w, strict=True)
    ]
    return FAMILIES[family][1](*samples, Alphabet(alphabet, 1), QUICK)


@pytest.mark.parametrize("family", FAMILIES)
def test_losses_of_classes_are_those_of_the_estimator(parts, family):
    made = FAMILIES[family][0]
    y_fit, y = parts["y"]
    logs = made(*parts["z"]).classes(y_fit, 3)
    assert logs.shape == (N_EVAL, 3)
    np.testing.assert_allclose((2**logs).sum(1), 1.0, rtol=1e-6)
    expected = usable_losses(family, parts, parts["y"], (3,))
    np.testing.assert_allclose(-logs[np.arange(N_EVAL), y], expected, rtol=1e-5, atol=1e-6)


def test_losses_of_bits_of_one_mlp_sum_to_those_of_the_estimator(parts):
    losses = MlpReader(*parts["z"], QUICK).bits(*parts["w"])
    expected = usable_losses("mlp", parts, parts["w"], (2, 2))
    np.testing.assert_allclose(losses.sum(1), expected, rtol=1e-5, atol=1e-6)


def test_neighbours_of_each_bit_are_chosen_as_for_it_alone(parts):
    w_fit, w = parts["w"]
    losses = KnnReader(*parts["z"]).bits(w_fit, w)
    for bit in range(2):
        alone = usable_losses("knn", parts, (w_fit[:, bit], w[:, bit]), (2,))
        np.testing.assert_array_equal(losses[:, bit], alone)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_column_that_varies_by_rounding_alone_is_not_read(parts, family):
    made = FAMILIES[family][0]
    w_fit, w = parts["w"]
    fit, held_out = (z.float() for z in parts["z"])
    noise = torch.arange(N_FIT + N_EVAL).reshape(-1, 1) % 2 * 1e-7
    wide = [
        torch.cat([z, own + 1.0], 1) for z, own in ((fit, noise[:N_FIT]), (held_out, noise[N_FIT:]))
    ]
    zeros = [torch.cat([z, torch.zeros(len(z), 1)], 1) for z in (fit, held_out)]
    np.testing.assert_array_equal(made(*wide).bits(w_fit, w), made(*zeros).bits(w_fit, w))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_constant_representation_says_nothing(parts, family):
    made = FAMILIES[family][0]
    constant = torch.full((N_FIT, 2), 0.1), torch.full((N_EVAL, 2), 0.1)
    losses = made(*constant).bits(*parts["w"])
    assert losses.mean() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("family", FAMILIES)
def test_malformed_arrays_are_refused(parts, family):
    made = FAMILIES[family][0]
    z_fit, z_eval = parts["z"]
    w_fit, w = parts["w"]
    reader = made(z_fit, z_eval)
    with pytest.raises(ValueError, match="z_eval: expected 5 columns as in z_fit, got 4"):
        made(z_fit, z_eval[:, :4])
    with pytest.raises(ValueError, match="z_fit: expected finite numbers"):
        made(z_fit * float("nan"), z_eval)
    with pytest.raises(ValueError, match="z_fit: expected at least 2 samples, got 1"):
        made(z_fit[:1], z_eval)
    with pytest.raises(ValueError, match="w_fit: expected"):
        reader.bits(w_fit[:3], w)
    with pytest.raises(ValueError, match="w_eval: expected"):
        reader.bits(w_fit, w + 1)
    with pytest.raises(ValueError, match=r"y_fit: expected shape \(500,\), got \(3,\)"):
        reader.classes(parts["y"][0][:3], 3)
    with pytest.raises(ValueError, match=r"y_fit: expected classes in \[0, 2\), got 0 to 2"):
        reader.classes(parts["y"][0], 2)
