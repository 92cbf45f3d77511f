"""The benchmark's plain forms compute what the package computes: losses with equal weights, scores,
probes, neighbour estimates, entropies, and laws of samples and copies."""

import math

import numpy as np
import pytest
import torch
from plain_information import bit_probes, block_entropies_nats, ksg
from plain_methods import PLAIN, PlainBatch
from plain_training import PlainTraining
from plain_world import OptimalCopies, official_copy, plain_samples
from references import REFERENCES, all_rows, factored_pairs

from fctestbed.estimators import LinearProbe, estimate
from fctestbed.experiments.bench.critic_cases import drawn_critic
from fctestbed.experiments.bench.information_cases import gaussian_pairs
from fctestbed.experiments.bench.registry import bench_cases
from fctestbed.information import nats_to_bits
from fctestbed.measurement.channel import channel_information, codebook
from fctestbed.nets import Stack
from fctestbed.objectives import Batch, NetSpec, Views, group_by_condition
from fctestbed.synthesis import (
    OfficialAugmentation,
    WorldSpec,
    augmentation_plan,
    bit_patterns,
    make_dataset,
    world_truth,
)
from fctestbed.training import TrainingSpec, TrainSpec

NETS = NetSpec(
    encoder_hidden=(8, 7), embed_dim=4, head_hidden=(6,), head_dim=3, critic_hidden=(9, 8)
)
N = 72
WORLD = WorldSpec(
    n_train=256, n_test=64, observation={"kind": "mlp", "dim1": 6, "dim2": 5, "hidden_dim": 7}
)


def training(method: str, **settings) -> TrainingSpec:
    train = TrainSpec(steps=3, batch_size=N)
    return TrainingSpec(method=method, settings=settings, nets=NETS, train=train, world=WORLD)


def copied(linear: torch.nn.Linear, layer: torch.nn.Module, member: int) -> None:
    with torch.no_grad():
        linear.weight.copy_(layer.get_parameter("weight")[member].T)
        linear.bias.copy_(layer.get_parameter("bias")[member, 0])


def copy_weights(networks: torch.nn.Module, module: torch.nn.Module) -> None:
    """The weights of the package's only run as those of the plain networks."""

    def of_mlp(plain: torch.nn.Module, layers, member: int = 0) -> None:
        linears = [part for part in plain if isinstance(part, torch.nn.Linear)]
        for linear, layer in zip(linears, layers, strict=True):
            copied(linear, layer, member)

    contrastive = hasattr(module, "head1")
    for m in (1, 2):
        encoder = module.get_submodule(f"encoders.modality{m}")
        of_mlp(networks.encoders[m - 1], encoder.layers)
        bank = module.get_submodule(f"head{m}" if contrastive else f"heads{m}")
        for name, head in networks.heads[m - 1].items():
            of_mlp(head, bank.heads.layers, bank.names.index(name))
    for name, plain in networks.critics.items():
        if name.startswith("critics"):
            critic = module.get_submodule(f"{name}.0")
        else:
            critic = module.critic(name)
        of_mlp(plain, [critic.first, *critic.rest])


def same_batch(method) -> tuple[Batch, PlainBatch]:
    generator = torch.Generator().manual_seed(0)
    x1, x2, v1, v2 = (
        torch.randn(1, N, dim, generator=generator, dtype=torch.float64) for dim in (6, 5, 6, 5)
    )
    y = torch.randint(16, (1, N), generator=generator)
    condition = torch.randint(9, (1, N), generator=generator)
    grouped = {"label": y, "views": condition, None: None}[method.conditions_on]
    batch = Batch(
        x1=x1,
        x2=x2,
        y=y,
        views=(Views(x1=v1, x2=v2),) * method.n_views,
        groups=None if grouped is None else group_by_condition(grouped),
    )
    return batch, PlainBatch(x1[0], x2[0], y[0], (v1[0], v2[0]), condition[0])


CASES = [
    *((name, {}) for name in PLAIN),
    ("factorcl-sup", {"conditioning": "batch"}),
    ("factorcl-ssl", {"conditioning": "batch"}),
]


@pytest.mark.parametrize(("name", "settings"), CASES, ids=str)
def test_a_plain_loss_is_the_packages_for_the_same_weights(name: str, settings: dict) -> None:
    spec = training(name, **settings)
    method = spec.build_method()
    stack = Stack(generators=(torch.Generator().manual_seed(0),), dtype=torch.float64)
    module = method.build(stack, spec.data_shape, NETS)
    plain = PLAIN[name](spec)
    plain.networks.double()
    copy_weights(plain.networks, module)
    batch, plain_batch = same_batch(method)
    loss = torch.stack(list(method.loss(module, batch).values())).sum(0)
    torch.testing.assert_close(plain.loss(plain_batch), loss[0], rtol=1e-9, atol=1e-11)
    if method.has_inner_loop:
        inner = plain.inner_loss(plain_batch)
        expected = method.inner_loss(module, batch)[0]
        torch.testing.assert_close(inner, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_training_lowers_its_loss_on_a_batch(name: str) -> None:
    # Layers that are wide enough not to be dead, from weights that are always the same.
    nets = NetSpec(
        encoder_hidden=(32,), embed_dim=8, head_hidden=(32,), head_dim=8, critic_hidden=(32,)
    )
    train = TrainSpec(steps=3, batch_size=N, learning_rate=1e-2)
    spec = TrainingSpec(method=name, nets=nets, train=train, world=WORLD)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        plain = PlainTraining(spec, make_dataset(WORLD, 0), "cpu")
    fixed = plain.batch()
    plain.batch = lambda: fixed
    losses = [plain.step() for _ in range(60)]
    assert losses[-1] < losses[0] - 0.01
    assert plain.step_seconds(1) > 0


@pytest.mark.parametrize("hidden", [(6,), (6, 5)])
def test_both_plain_critics_give_the_packages_scores(hidden: tuple[int, ...]) -> None:
    inputs = drawn_critic(7, 4, hidden, "cpu")
    expected = inputs.critic(inputs.u, inputs.v)
    for plain in (all_rows, factored_pairs):
        torch.testing.assert_close(plain(inputs.critic, inputs.u, inputs.v), expected)


def test_plain_probes_have_the_packages_cross_entropies() -> None:
    dataset = make_dataset(WorldSpec(n_train=600, n_test=300), 0)
    z_fit, z_eval = dataset.train.x1, dataset.test.x1
    w_fit, w_eval = dataset.train.w_s[:, :2], dataset.test.w_s[:, :2]
    arrays = (array.astype(float) for array in (z_fit, w_fit, z_eval, w_eval))
    plain = bit_probes(*arrays, 1e-2)
    probe = LinearProbe(ridge=1e-2)
    found = probe.bits(*map(torch.tensor, (z_fit, w_fit, z_eval, w_eval)))
    assert found.mean(0) == pytest.approx(plain.mean(0), abs=2e-3)


def test_the_plain_neighbour_estimate_is_the_packages() -> None:
    pairs = gaussian_pairs(500)
    own = estimate(pairs.x, pairs.y, estimator="ksg1", k=3)
    assert own.value_bits == pytest.approx(nats_to_bits(ksg(pairs.x, pairs.y, 3)), abs=1e-9)


def test_plain_posterior_entropies_are_those_of_the_oracle() -> None:
    generator = torch.Generator().manual_seed(0)
    patterns = 2.0 * torch.from_numpy(bit_patterns(6).astype("float32")) - 1
    book = codebook(patterns @ torch.randn(6, 4, generator=generator), range(6))
    groups = {"first": (0, 1, 2), "second": (3, 4, 5)}
    found = channel_information(book, groups, tau=1.5)
    n_draws = 4096
    _, *halves = block_entropies_nats(book, 1.5, n_draws, "cpu")
    # Entropies lie between 0 and 3 bits: a mean of n draws is within 4 standard errors.
    error = 4 * 1.5 / math.sqrt(n_draws) + 0.03
    information = {name: found.information(name).value_bits for name in groups}
    plain = sorted(3 - nats_to_bits(entropy) for entropy in halves)
    assert plain == pytest.approx(sorted(information.values()), abs=error)


@pytest.mark.parametrize(
    "world",
    [
        WorldSpec(n_train=30000, n_test=100),
        WorldSpec(
            n_train=30000,
            n_test=100,
            latents={"kind": "gaussian", "n_shared": 4, "n_unique1": 3, "n_unique2": 3},
            observation={"kind": "linear", "entries": "uniform"},
            label={"kind": "threshold", "n_relevant": 6, "unique_ratio": 1.0},
        ),
    ],
    ids=lambda world: world.label.kind,
)
def test_plain_samples_have_the_worlds_shapes_and_label_entropy(world: WorldSpec) -> None:
    x1, x2, y = plain_samples(world, 0)
    assert x1.shape == (30100, world.observation.dim1)
    assert x2.shape == (30100, world.observation.dim2)
    shares = np.bincount(y, minlength=world.n_classes) / len(y)
    entropy = -(shares * np.log2(shares)).sum()
    # The plug-in entropy is low by (classes - 1) / 2n nats.
    assert entropy == pytest.approx(world_truth(world).label_entropy_bits, abs=2e-3)


def test_optimal_plain_copies_flip_each_slot_as_often_as_its_channel() -> None:
    dataset = make_dataset(WorldSpec(n_train=20000, n_test=100), 0)
    split = dataset.train
    latents = torch.tensor(np.concatenate([split.w_s, split.w_1, split.w_2], 1))
    copies = OptimalCopies(dataset)
    x1, x2, word = copies(latents, torch.Generator().manual_seed(0))
    assert x1.shape == split.x1.shape
    assert x2.shape == split.x2.shape
    plan = augmentation_plan(dataset.spec, copies.spec)
    assert plan.reads is not None
    for slot, (read, _) in enumerate(plan.reads):
        flipped = ((word >> slot & 1) != latents[:, read]).double().mean()
        error = 4 * math.sqrt(0.25 / len(latents))
        assert float(flipped) == pytest.approx(plan.flips[slot], abs=error)


def test_official_plain_copies_are_one_of_four_changes() -> None:
    x = torch.randn(4000, 6, generator=torch.Generator().manual_seed(0))
    spec = OfficialAugmentation(noise=0.5, drop=0.5)
    copies = official_copy(x, spec, torch.Generator().manual_seed(1))
    swapped = (copies == torch.cat([x[:, 3:], x[:, :3]], 1)).all(1)
    unchanged = (copies == x).all(1)
    error = 4 * math.sqrt(0.25 / 4000)
    assert float(swapped.double().mean()) == pytest.approx(0.25, abs=error)
    # Of 6 coordinates none is dropped in 1 of 64 samples.
    assert float(unchanged.double().mean()) == pytest.approx(0.25 * (1 + 1 / 64), abs=error)


def test_every_plain_form_belongs_to_a_case() -> None:
    named = {case.plain for case in bench_cases("cpu", 1) if hasattr(case, "plain")}
    assert named - {""} == set(REFERENCES)
