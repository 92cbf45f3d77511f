"""Plain losses of a user's own as methods."""

import pickle
from importlib import invalidate_caches

import pytest
import torch

from fctestbed._plugins import plugins_tried
from fctestbed.nets import Stack
from fctestbed.objectives import Batch, DataShape, NetSpec, find_method, how_computed, method_source

LOSSES = """
import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize


def clip(z1, z2, temperature=0.1):
    scores = normalize(z1, dim=1) @ normalize(z2, dim=1).T / temperature
    return cross_entropy(scores, torch.arange(len(z1)))


def pulled(z1, z2, y):
    same = y[:, None] == y
    return torch.where(same, (z1[:, None] - z2).square().sum(2), -z1.square().sum(1)).mean()


def branching(z1, z2, y):
    if z1.sum().item() > 1e9:
        return z1.sum()
    return (z1 - z2).square().mean() + (z1[y == 0] * z2[y == 0]).sum()


class Distance(nn.Module):
    def forward(self, z1, z2):
        return (z1 - z2).square().mean()


distance = Distance()
bilinear = nn.Bilinear(8, 8, 1)


def short(z1):
    return z1.sum()


def needs_more(z1, z2, *, margin):
    return (z1 - z2).sum() + margin


def each(z1, z2):
    return (z1 - z2).square().mean(1)


def number(z1, z2):
    return 3.0


def infinite(z1, z2):
    return (z1 - z2).sum() / 0


def constant(z1, z2):
    return torch.tensor(1.0)


def failing(z1, z2):
    raise RuntimeError("no")


def ending(z1, z2):
    import os

    os._exit(7)


def chance(z1, z2):
    return ((z1 - z2) * torch.rand_like(z1)).square().mean()
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    place = tmp_path_factory.mktemp("losses")
    (place / "users_losses.py").write_text(LOSSES)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(place))
        invalidate_caches()
        module = __import__("users_losses")
        with torch.random.fork_rng(devices=[]):
            yield module


SHAPE = DataShape(dim1=6, dim2=5, n_classes=3)


def built(kind, **settings):
    method = kind(kind.Settings(**settings))
    stack = Stack(generators=tuple(torch.Generator().manual_seed(run) for run in range(3)))
    generator = torch.Generator().manual_seed(9)
    x1, x2 = (torch.randn(3, 20, dim, generator=generator) for dim in (6, 5))
    batch = Batch(x1=x1, x2=x2, y=torch.arange(60).reshape(3, 20) % 3)
    return method, method.build(stack, SHAPE, NetSpec()), batch


@pytest.mark.parametrize(
    ("name", "vectorised", "label"),
    [
        ("clip", True, False),
        ("pulled", True, True),
        ("branching", False, True),
        ("distance", True, False),
    ],
)
def test_each_run_of_a_stack_has_its_own_value_and_gradient(path, name, vectorised, label):
    kind = find_method(f"users_losses:{name}")
    assert (kind.vectorised, kind.uses_label) == (vectorised, label)
    assert ("one call" in how_computed(kind)) == vectorised
    method, module, batch = built(kind)
    (found,) = method.loss(module, batch).values()
    z1, z2 = module(batch.x1, batch.x2)
    plain = getattr(path, name)
    for run in range(3):
        given = (z1[run], z2[run], batch.y[run]) if label else (z1[run], z2[run])
        expected = plain(*given)
        assert found[run].item() == pytest.approx(expected.item(), rel=1e-5)
        mine, theirs = (
            torch.autograd.grad(value, list(module.parameters()), retain_graph=True)
            for value in (found[run], expected)
        )
        for one, other in zip(mine, theirs, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_loss_may_see_projection_heads_and_encoder_outputs_are_measured(path):
    method, module, batch = built(find_method("users_losses:clip"), head=True)
    assert module(batch.x1, batch.x2)[0].shape == (3, 20, NetSpec().head_dim)
    readouts = method.readouts(module, batch.x1, batch.x2)
    assert {name: value.shape[2] for name, value in readouts.items()} == {"z1": 8, "z2": 8}


def test_the_class_of_a_loss_is_pickled_by_its_name_and_known_by_its_file(path):
    kind = find_method("users_losses:clip")
    assert pickle.loads(pickle.dumps(kind)) is kind
    assert find_method("users_losses:clip") is kind
    assert len(method_source("users_losses:clip")) == 64
    assert method_source("users_losses:clip") == method_source("users_losses:distance")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("short", r"expected a loss of \(z1, z2, y\) or \(z1, z2\), got \(z1\)"),
        ("needs_more", r"expected a loss of \(z1, z2, y\) or \(z1, z2\), got \(z1, z2, margin\)"),
        ("each", r"expected a scalar tensor, got \[128\]"),
        ("number", "expected a scalar tensor, got float"),
        ("infinite", "expected a finite loss, got "),
        ("constant", "expected a loss with a gradient at z1 and z2, got one without"),
        ("failing", r"expected a loss of outputs \[128, 8\], got RuntimeError: no"),
        ("bilinear", "expected a loss without parameters, got a module with some"),
        ("Distance", "expected a subclass of fctestbed.Method or a function, got the class"),
    ],
)
def test_what_is_no_loss_is_refused_in_one_line(path, name, message):
    with pytest.raises(ValueError, match=f"users_losses:{name}: {message}") as refused:
        find_method(f"users_losses:{name}")
    assert "\n" not in str(refused.value)


def test_a_loss_that_ends_its_process_is_refused_in_one_line(path):
    with plugins_tried(60), pytest.raises(ValueError, match="ended with exit code 7") as refused:
        find_method("users_losses:ending")
    assert str(refused.value).startswith("users_losses:ending: expected a process that goes on")


def test_a_loss_of_chance_is_called_run_by_run(path):
    assert not find_method("users_losses:chance").vectorised
