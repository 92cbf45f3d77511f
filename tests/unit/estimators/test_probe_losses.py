"""Losses of linear probes: the compiled form against the plain one, rows against samples."""

import pytest
import torch

from fctestbed.estimators.probe_losses import LogisticLoss, SoftmaxLoss


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def counted(n_outputs, n_rows):
    generator = torch.Generator().manual_seed(1)
    of_outputs = torch.randint(0, 4, (n_outputs, n_rows), generator=generator).double()
    return of_outputs.amax(0) + 1, of_outputs


def test_the_compiled_logistic_loss_is_the_plain_one():
    counts, ones = counted(3, 1300)
    # Logits from certainty of one value to certainty of the other.
    logits = normal(3, 1300) * torch.logspace(-3, 2, 1300)
    plain, compiled = (LogisticLoss(counts.to(t), ones.to(t)) for t in (logits.dtype, torch.float))
    for rows in (slice(0, 1300), slice(700, 1300), slice(5, 6)):
        expected, gradient = plain.value(logits[:, rows].clone(), rows)
        found, of_logits = compiled.value(logits[:, rows].float(), rows)
        torch.testing.assert_close(found, expected, rtol=2e-6, atol=1e-6)
        torch.testing.assert_close(of_logits.double(), gradient, rtol=0, atol=2e-6)


@pytest.mark.parametrize("kind", [LogisticLoss, SoftmaxLoss])
def test_gradients_and_derivatives_along_a_direction_are_those_of_the_loss(kind):
    counts, of_outputs = counted(3, 40)
    if kind is SoftmaxLoss:
        counts = of_outputs.sum(0)
    loss, every = kind(counts, of_outputs), slice(0, 40)

    def total(logits):
        return loss.value(logits.clone(), every)[0].sum()

    step = 1e-5
    logits = normal(3, 40, seed=2)
    _, gradient = loss.value(logits.clone(), every)
    away = normal(3, 40, seed=3)
    slope = (total(logits + step * away) - total(logits - step * away)) / (2 * step)
    torch.testing.assert_close((gradient * away).sum(), slope, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(loss.at_zero(), loss.value(torch.zeros(3, 40).double(), every)[1])
    lengths = torch.full((loss.n_problems,), 0.7, dtype=torch.float64)
    first, second = loss.along(away, lengths)
    before, after = (loss.along(away, lengths + by)[0] for by in (-step, step))
    torch.testing.assert_close((after - before) / (2 * step), second, rtol=1e-5, atol=1e-6)
    slope = (total((0.7 + step) * away) - total((0.7 - step) * away)) / (2 * step) / counts.sum()
    torch.testing.assert_close(first.sum(), slope, rtol=1e-6, atol=1e-6)


def test_curvatures_are_derivatives_of_the_gradients():
    counts, ones = counted(2, 30)
    loss, logits, step = LogisticLoss(counts, ones), normal(2, 30), 1e-6
    before, after = (loss.value(logits + by, slice(0, 30))[1] for by in (-step, step))
    expected = (after - before) / (2 * step) / counts.sum()
    torch.testing.assert_close(loss.curvatures(logits), expected, rtol=1e-5, atol=1e-8)
