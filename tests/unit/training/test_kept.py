"""What is kept of a training: encoders and heads, not critics; and encoders of stored runs."""

import numpy as np
import pytest
import torch
from torch import nn

from fctestbed.nets import BilinearCritic, Stack, StackedLinear
from fctestbed.objectives import METHODS, DataShape, Method, NetSpec
from fctestbed.synthesis import BitLatents, LinearObservation, WorldSpec, make_dataset
from fctestbed.training import (
    TrainedStack,
    TrainingSpec,
    TrainSpec,
    kept_arrays,
    load_stack,
    train_stack,
)
from fctestbed.training.encoder import Encoder
from fctestbed.training.encoding import CHUNK
from fctestbed.training.kept import stack_members

SHAPE = DataShape(dim1=6, dim2=5, n_classes=4)
WORLD = WorldSpec(
    latents=BitLatents(n_shared=2, n_unique1=1, n_unique2=1),
    observation=LinearObservation(dim1=6, dim2=5),
    n_train=64,
    n_test=32,
)
NETS = NetSpec(encoder_hidden=(4,), embed_dim=3, head_hidden=(4,), head_dim=2, critic_hidden=(4,))


def stack_of(size):
    return Stack(generators=tuple(torch.Generator().manual_seed(run) for run in range(size)))


def specs_of(method, size=3, **values):
    train = TrainSpec(steps=3, batch_size=64) if METHODS[method].trained else None
    given = {"nets": NETS, "train": train, "world": WORLD, **values}
    return [TrainingSpec(method=method, seed=seed, **given) for seed in range(size)]


def trained(method, size=3, **values):
    specs = specs_of(method, size, **values)
    return train_stack(specs, [make_dataset(spec.world, spec.seed) for spec in specs])


@pytest.fixture(scope="module")
def factorcl():
    return trained("factorcl-sup")


@pytest.mark.parametrize("name", METHODS)
def test_no_method_keeps_a_critic_or_its_inner_loop(name):
    method = METHODS[name]()
    module = method.build(stack_of(2), SHAPE, NETS)
    kept = method.kept_parameters(module)
    left_out = {n.partition(".")[0] for n in module.state_dict()} - {
        n.partition(".")[0] for n in kept
    }
    critics = {"inner", "critic", "critics1", "critics2", "cross", "self1", "self2", "nce_x1x2"}
    assert left_out <= critics | {"unimodal1", "unimodal2", "nce_x1x2_cond"}
    encoders = [n for n in module.state_dict() if n.startswith(("encoders.", "heads", "head"))]
    assert set(encoders) <= set(kept)


class _Tied(nn.Module):
    """A layer that the encoder and a critic share, a critic inside a part, and buffers."""

    def __init__(self, stack):
        super().__init__()
        self.first = StackedLinear(stack, SHAPE.dim1, 2)
        self.second = StackedLinear(stack, SHAPE.dim2, 2)
        self.scores = BilinearCritic(stack, 2, 2)
        self.scores.shared = self.first
        self.unknown = nn.ModuleDict({"critic": BilinearCritic(stack, 2, 2), "more": nn.Identity()})
        self.register_buffer("mean", torch.zeros(stack.size, 2))
        self.register_buffer("rate", torch.tensor(0.5))


class Tied(Method):
    """As a plug-in might be."""

    trained = False

    def build(self, stack, shape, nets):
        return _Tied(stack)

    def readouts(self, module, x1, x2):
        z1 = (module.first(x1) - module.mean.unsqueeze(1)) * module.rate
        return {"z1": z1, "z2": module.second(x2)}


def test_a_shared_layer_and_buffers_are_kept_and_every_critic_is_left_out():
    method = Tied()
    assert method.kept_parameters(method.build(stack_of(2), SHAPE, NETS)) == (
        "mean",
        "rate",
        "first.weight",
        "first.bias",
        "second.weight",
        "second.bias",
    )


@pytest.fixture
def tied(monkeypatch):
    monkeypatch.setitem(METHODS, "tied", Tied)
    stack = train_stack(
        specs_of("tied"), [make_dataset(WORLD, seed) for seed in range(3)], device="cpu"
    )
    stack.module.mean[:] = torch.arange(6.0).view(3, 2)
    stack.module.rate.fill_(2.0)
    return stack


def test_buffers_of_runs_are_taken_apart_and_a_shared_one_is_whole(tied):
    arrays = kept_arrays(tied)
    assert [own["mean"].tolist() for own in arrays] == [[[0, 1]], [[2, 3]], [[4, 5]]]
    assert [own["rate"].tolist() for own in arrays] == [2.0] * 3
    x = torch.ones(1, 4, 6), torch.ones(1, 4, 5)
    for run, spec in enumerate(tied.specs):
        alone = load_stack([spec], [arrays[run]])
        whole = tied.readouts(x[0].expand(3, 4, 6), x[1].expand(3, 4, 5))
        for name, values in alone.readouts(*x).items():
            torch.testing.assert_close(values[0], whole[name][run])


@pytest.mark.parametrize("name", ["simclr", "comm", "factorcl-ssl", "unimodal-sup", "raw"])
def test_a_loaded_stack_has_the_readouts_and_heads_of_the_trained_one(name):
    before = trained(name)
    after = load_stack(before.specs, kept_arrays(before))
    data = make_dataset(WORLD, 9).test
    x1, x2 = (torch.from_numpy(x.copy()).expand(3, -1, -1) for x in (data.x1, data.x2))
    for outputs in ("readouts", "heads"):
        expected = getattr(before, outputs)(x1, x2)
        found = getattr(after, outputs)(x1, x2)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[key], values) for key, values in expected.items())
    assert not any(parameter.requires_grad for parameter in after.module.parameters())


def test_a_member_of_which_nothing_was_kept_is_at_its_initial_values(factorcl):
    arrays = kept_arrays(factorcl)
    loaded = load_stack(factorcl.specs, [arrays[0], None, arrays[2]])
    found = kept_arrays(loaded)
    for run in (0, 2):
        assert all((found[run][name] == values).all() for name, values in arrays[run].items())
    weight = "encoders.modality1.layers.0.weight"
    assert not np.array_equal(found[1][weight], arrays[1][weight])


def test_kept_arrays_are_copies(factorcl):
    arrays = kept_arrays(factorcl)
    weight = "encoders.modality1.layers.0.weight"
    arrays[0][weight][:] = 9
    assert not bool((factorcl.module.get_parameter(weight) == 9).any())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda a: a.pop("encoders.modality1.layers.0.bias"),
            "got some without encoders.modality1",
        ),
        (lambda a: a.update(more=np.zeros(1)), "got some with more"),
        (
            lambda a: a.update({"heads1.heads.layers.0.bias": np.zeros((5, 1, 3), np.float32)}),
            r"heads1.heads.layers.0.bias: expected shape \(5, 1, 3\), .* got \(15, 1, 4\)",
        ),
        (
            lambda a: a.update({"heads1.heads.layers.0.bias": np.zeros((5, 1, 4))}),
            "heads1.heads.layers.0.bias: expected torch.float32, got torch.float64",
        ),
    ],
)
def test_arrays_of_another_method_are_refused_in_one_line(factorcl, change, message):
    arrays = kept_arrays(factorcl)
    change(arrays[0])
    with pytest.raises(ValueError, match=message):
        load_stack(factorcl.specs, arrays)


@pytest.fixture(scope="module")
def encoder():
    return Encoder(trained("factorcl-sup", 1))


def inputs(n=10, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(n, 6)), random.normal(size=(n, 5))


def test_an_encoder_returns_every_readout_and_the_joint_one(encoder):
    found = encoder(*inputs())
    assert {name: values.shape for name, values in found.items()} == {
        "z_s1": (10, 4),
        "z_u1": (10, 6),
        "z_s2": (10, 4),
        "z_u2": (10, 6),
        "joint": (10, 20),
    }
    assert all(values.dtype == np.float32 for values in found.values())
    # Torch in, torch out; the caller's arrays stay.
    x1, x2 = (torch.from_numpy(x) for x in inputs())
    before = x1.clone()
    for name, values in encoder(x1, x2).items():
        assert isinstance(values, torch.Tensor)
        np.testing.assert_array_equal(values.numpy(), found[name])
    assert torch.equal(x1, before)


def test_an_encoder_takes_more_rows_than_one_chunk(encoder):
    x1, x2 = inputs(CHUNK + 3)
    whole, end = encoder(x1, x2), encoder(x1[-3:], x2[-3:])
    np.testing.assert_allclose(whole["joint"][-3:], end["joint"], rtol=1e-5, atol=1e-6)


def test_a_fused_joint_readout_is_the_method_s_own():
    found = Encoder(trained("comm", 1))(*inputs())
    assert {name: values.shape for name, values in found.items()} == dict.fromkeys(
        ("z1", "z2", "joint"), (10, 6)
    )


X1, X2 = inputs()
BAD = {
    "one row alone": (X1[0], X2, r"x1: expected one or more rows of 6 numbers, got shape \(6,\)"),
    "another width": (X1, X1, r"x2: expected one or more rows of 5 numbers, got shape \(10, 6\)"),
    "no rows": (X1[:0], X2[:0], r"x1: expected one or more rows of 6 numbers, got shape \(0, 6\)"),
    "other lengths": (X1, X2[:4], "x2: expected 10 rows, as x1 has, got 4"),
    "NaN": (X1 * np.nan, X2, "x1: expected finite numbers, got NaN or infinity"),
    "too large": (X1, X2 + 1e300, "x2: expected finite numbers, got NaN or infinity"),
    "text": (X1.astype(str), X2, "x1: expected numbers, got <U32"),
    "a list of lists of other lengths": (
        [[1], [1, 2]],
        X2,
        "x1: expected an array of numbers, got",
    ),
    "truth values": (torch.from_numpy(X1 > 0), X2, "x1: expected numbers, got torch.bool"),
    "complex": (torch.from_numpy(X1 + 1j), X2, "x1: expected numbers, got torch.complex128"),
}


@pytest.mark.parametrize("kind", BAD)
def test_arrays_that_cannot_be_encoded_are_refused_in_one_line(encoder, kind):
    x1, x2, message = BAD[kind]
    with pytest.raises(ValueError, match=message) as refused:
        encoder(x1, x2)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["factorcl-sup", "comm", "raw"])
def test_members_of_a_stack_are_a_stack_with_its_readouts_and_heads(name):
    whole = trained(name, 4)
    whole.diverged[2] = "loss was not finite"
    part = stack_members(whole, range(1, 3))
    assert part.specs == whole.specs[1:3]
    assert part.diverged == whole.diverged[1:3]
    x1, x2 = (torch.randn(4, 5, dim, generator=torch.Generator().manual_seed(0)) for dim in (6, 5))
    for network in ("readouts", "heads"):
        expected = getattr(whole, network)(x1, x2)
        for key, values in getattr(part, network)(x1[1:3], x2[1:3]).items():
            torch.testing.assert_close(values, expected[key][1:3])
    assert stack_members(whole, range(4)) is whole


def test_what_runs_of_a_stack_share_is_whole_in_each_part():
    method = Tied()
    spec = specs_of("untrained", 3)
    whole = TrainedStack(
        specs=spec,
        method=method,
        module=method.build(stack_of(3), SHAPE, NETS),
        device=torch.device("cpu"),
        dtype=torch.float32,
        diverged=[None] * 3,
    )
    state = whole.module.state_dict()
    state["mean"].copy_(torch.arange(6.0).view(3, 2))
    state["rate"].fill_(0.25)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingSpec, "build_method", lambda self: method)
        part = stack_members(whole, range(2, 3)).module.state_dict()
    assert part["mean"].tolist() == [[4.0, 5.0]]
    assert part["rate"] == 0.25
    assert torch.equal(part["first.weight"], state["first.weight"][2:])
