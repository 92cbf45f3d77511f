import pytest
import torch

from fctestbed.bounds.normalisers import (
    masked_row_normalisers,
    other_row_normalisers,
    row_normalisers,
)


def scores(*shape, scale=3.0, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(*shape, generator=generator, dtype=torch.float64)).to(dtype)


def some(shape, seed=1):
    kept = torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < 0.3
    return kept | torch.eye(shape[-2], shape[-1], dtype=torch.bool)


def forms(values):
    kept = some(values.shape)
    found = {
        "all": (row_normalisers(values), torch.ones_like(kept)),
        "masked": (masked_row_normalisers(values, kept), kept),
    }
    if values.shape[-1] == values.shape[-2]:
        others = ~torch.eye(values.shape[-1], dtype=torch.bool).expand_as(kept)
        found["others"] = other_row_normalisers(values), others
    return found


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (3, 4, 7), (2, 3, 16, 16), (2, 33, 33)])
@pytest.mark.parametrize("scale", [0.1, 3.0, 300.0])
def test_values_and_gradients_are_those_of_float64(shape, scale):
    values = scores(*shape, scale=scale).requires_grad_()
    for name, (found, kept) in forms(values).items():
        if name == "others" and shape[-1] == 1:
            continue
        wide = values.detach().double().requires_grad_()
        expected = wide.masked_fill(~kept, -torch.inf).logsumexp(-1)
        weight = scores(*expected.shape, scale=1.0, seed=2)
        (gradient,) = torch.autograd.grad((found * weight).sum(), values)
        (of_wide,) = torch.autograd.grad((expected * weight.double()).sum(), wide)
        torch.testing.assert_close(found.double(), expected, rtol=2e-6, atol=2e-6)
        torch.testing.assert_close(gradient.double(), of_wide, rtol=2e-5, atol=2e-6)


def test_the_gradients_of_float64_pass_a_numerical_check():
    values = scores(2, 5, 5, dtype=torch.float64).requires_grad_()
    kept = some(values.shape)
    for function in (
        row_normalisers,
        other_row_normalisers,
        lambda own: masked_row_normalisers(own, kept),
    ):
        assert torch.autograd.gradcheck(function, (values,))


def test_transposed_and_broadcast_arguments_give_the_same_as_copies():
    values, kept = scores(3, 6, 6), some((6, 6))
    turned = values.transpose(-1, -2)
    assert torch.equal(row_normalisers(turned), row_normalisers(turned.contiguous()))
    spread = kept.expand(3, 6, 6)
    copied = masked_row_normalisers(values, spread.clone())
    assert torch.equal(masked_row_normalisers(values, spread), copied)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_number_that_is_none_spoils_its_own_row_and_no_other(bad):
    values = scores(2, 6, 6)
    values[1, 2, 4] = bad
    for found, kept in forms(values).values():
        well = torch.ones(2, 6, dtype=torch.bool)
        well[1, 2] = not kept[1, 2, 4]
        assert torch.equal(found.isfinite(), well)


def test_a_score_of_minus_infinity_has_no_share():
    values = scores(1, 4, 4)
    values[0, :, 3] = -torch.inf
    values.requires_grad_()
    found = row_normalisers(values)
    torch.testing.assert_close(found, values[..., :3].logsumexp(-1))
    (gradient,) = torch.autograd.grad(found.sum(), values)
    assert (gradient[..., 3] < 1e-27).all()


def test_scores_that_are_not_kept_may_be_anything():
    values, kept = scores(1, 4, 4), torch.eye(4, dtype=torch.bool).unsqueeze(0)
    values[~kept] = torch.nan
    values.requires_grad_()
    found = masked_row_normalisers(values, kept)
    assert torch.equal(found, values.diagonal(dim1=-2, dim2=-1))
    (gradient,) = torch.autograd.grad(found.sum(), values)
    assert torch.equal(gradient, kept.float())


def test_runs_of_a_stack_do_not_mix():
    values = scores(3, 20, 20)
    alone, stacked = forms(values[1:2]), forms(values)
    for name in ("all", "others"):
        assert torch.equal(alone[name][0][0], stacked[name][0][1])
