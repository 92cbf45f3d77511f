"""Networks from the best known code, other initial weights, and trainings that ratios share."""

from typing import Any

import pytest
import torch

from fctestbed import NetSpec, TrainingSpec, TrainSpec, WorldSpec
from fctestbed.faults.distilled import distilled, join_states
from fctestbed.faults.levels import Reading
from fctestbed.faults.networks import _draw_weights, _with_verdict
from fctestbed.faults.optimum import objective_optimum
from fctestbed.faults.reached import all_inputs, exact_losses, shared_trainings
from fctestbed.faults.reading import Bits, module_codes, read_bits
from fctestbed.training.stack import initial_stack


def _training(method: str = "simclr", *, ratio: float = 0.5, seed: int = 0) -> TrainingSpec:
    world = {
        "latents": {"n_shared": 2, "n_unique1": 1, "n_unique2": 1},
        "label": {"label_bits": 2, "unique_ratio": ratio},
        "observation": {"kind": "mlp", "dim1": 6, "dim2": 6, "hidden_dim": 8},
        "n_train": 64,
        "n_test": 8,
    }
    return TrainingSpec(
        method=method,
        nets=NetSpec(
            encoder_hidden=(32,), embed_dim=4, head_hidden=(16,), head_dim=4, critic_hidden=(8,)
        ),
        # FactorCL needs four samples of each of the 16 classes.
        train=TrainSpec(steps=2, batch_size=64),
        world=WorldSpec.model_validate(world),
        seed=seed,
    )


@pytest.mark.slow
@pytest.mark.parametrize("method", ["simclr", "unimodal-sup"])
def test_networks_reproduce_the_code_of_an_optimum_and_its_loss(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fctestbed.faults.distilled._REGRESSION_STEPS", 600)
    trainings = [_training(method, seed=seed) for seed in (0, 1)]
    shared = shared_trainings(trainings)
    optimum = objective_optimum(trainings[0], n_starts=2, rate=4.0)
    made = distilled(trainings, shared.datasets, optimum)
    assert max(made.error) < 0.1
    x1, x2 = (x.double() for x in all_inputs(shared.datasets))
    stack = made.stack
    codes = module_codes(
        stack.method, stack.module, trainings[0].world, (x1, x2), runs=[0, 1], as_scored=False
    )
    for code in codes:
        found = read_bits(code, trainings[0].world, rate=4.0)
        assert found.label == pytest.approx(optimum.bits.label, abs=0.05)
    for loss in exact_losses(shared, stack.method, stack.module):
        assert min(optimum.losses_nats) - 1e-6 <= loss < min(optimum.losses_nats) + 0.05


@pytest.mark.parametrize("method", ["simclr", "factorcl-sup"])
def test_stacks_are_joined_member_by_member(method: str) -> None:
    trainings = [_training(method, seed=seed) for seed in (0, 1, 2)]
    cpu = torch.device("cpu")
    parts = [initial_stack(own, device=cpu) for own in (trainings[:1], trainings[1:])]
    for number, part in enumerate(parts):
        for parameter in part.module.parameters():
            parameter.data.fill_(number)
    whole = initial_stack(trainings, device=cpu)
    join_states(whole, parts)
    for parameter in whole.module.parameters():
        first, *others = parameter.detach().view(3, -1).unbind(0)
        assert not first.any()
        assert all(bool((other == 1).all()) for other in others)


def test_restarts_have_other_weights_and_the_first_has_the_training_s_own() -> None:
    own = [_training(seed=seed) for seed in (0, 1)]
    cpu = torch.device("cpu")
    trained = initial_stack([*own, *own], device=cpu)
    expected = [parameter.detach().clone() for parameter in trained.module.parameters()]
    _draw_weights(trained, count=2)
    for before, parameter in zip(expected, trained.module.parameters(), strict=True):
        drawn = parameter.detach().view(4, -1)
        assert torch.equal(drawn[:2], before.view(4, -1)[:2])
        assert not torch.equal(drawn[2:], drawn[:2])


def test_ratios_share_a_training_that_the_label_does_not_reach() -> None:
    ratios = (0.0, 0.5, 1.0)
    shared = shared_trainings([_training("simclr", ratio=ratio) for ratio in ratios])
    assert (len(shared.own), shared.places) == (1, [0, 0, 0])
    alone = shared_trainings([_training("supcon", ratio=ratio) for ratio in ratios])
    assert (len(alone.own), alone.places) == (3, [0, 1, 2])


def _reading(label: float, loss: float) -> Reading:
    bits: Any = Bits(label=label, shared=0.0, unique=0.0)
    return Reading(bits=bits, loss_nats=loss)


@pytest.mark.parametrize(
    ("label", "loss", "verdict"),
    [
        (1.95, -1.5, "stays"),
        (1.0, -1.5, "leaves for a lower loss"),
        (1.0, -1.01, "leaves at an equal loss"),
        (1.0, -0.5, "leaves for a higher loss"),
    ],
)
def test_a_code_stays_or_leaves(label: float, loss: float, verdict: str) -> None:
    assert _with_verdict(_reading(2.0, -1.0), _reading(label, loss)).note == verdict
