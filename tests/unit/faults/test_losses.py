"""Exact losses against the mean of the stochastic losses on large batches."""

import math
from dataclasses import replace

import pytest
import torch

from fctestbed import NetSpec, TrainingSpec, TrainSpec, WorldSpec
from fctestbed.faults.law import exact_law
from fctestbed.faults.losses import EXACT_LOSSES, affordable_starts, exact_loss
from fctestbed.objectives import Method, find_method
from fctestbed.synthesis import make_dataset, modality_codewords
from fctestbed.training.batches import DrawnBatches
from fctestbed.training.stack import initial_stack

N_BATCHES = 12
DEPARTURES = [
    ("factorcl-sup", {"conditioning": "batch", "condition_on": "first", "label_input": "scalar"}),
    ("factorcl-sup", {"conditioning": "batch", "contrast": "first", "counting": "sum"}),
    ("factorcl-sup", {"condition_on": "first"}),
    ("factorcl-ssl", {"conditioning": "batch", "contrast": "first"}),
    (
        "factorcl-ssl",
        {"conditional_club_views": "repeated", "critic": "cosine", "temperature": 1.0},
    ),
    ("cross-self", {"cross_view": "mutated", "normalize": False}),
    ("comm", {"single_view": "augmented", "reduction": "mean"}),
    ("unimodal-sup", {"contrast": "first", "n_heads": 2}),
]
CASES = [*((name, {}) for name in EXACT_LOSSES), *DEPARTURES]


def _training(name: str, settings: dict[str, object], batch_size: int) -> TrainingSpec:
    return TrainingSpec(
        method=name,
        settings=settings,
        nets=NetSpec(
            encoder_hidden=(16,), embed_dim=4, head_hidden=(8,), head_dim=4, critic_hidden=(8,)
        ),
        train=TrainSpec(steps=N_BATCHES, batch_size=batch_size),
        world=WorldSpec.model_validate(
            {
                "latents": {"n_shared": 2, "n_unique1": 2, "n_unique2": 1},
                "observation": {"kind": "mlp", "dim1": 9, "dim2": 8, "hidden_dim": 12},
                "label": {"label_bits": 2, "unique_ratio": 0.5},
                "n_train": N_BATCHES * batch_size,
                "n_test": 4,
            }
        ),
    )


def _losses(training: TrainingSpec) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The exact terms with offsets, and those of each batch; ``inner`` among them."""
    data = make_dataset(training.world, 0)
    trained = initial_stack([training], device=torch.device("cpu"), dtype=torch.float64)
    # Larger weights, so that terms differ clearly from those of constant scores.
    with torch.no_grad():
        for parameter in trained.module.parameters():
            parameter.mul_(2.5)
    method, module = trained.method, trained.module
    assert training.train is not None
    n = training.train.batch_size
    law = exact_law(training.world, training.augmentation)
    x1, x2 = (
        torch.from_numpy(modality_codewords(data.world, m)).double().unsqueeze(0) for m in (1, 2)
    )
    exact = exact_loss(training.method, method, law, x1, x2, batch_size=n)
    found: dict[str, list[torch.Tensor]] = {}
    with torch.no_grad():
        expected = dict(exact.terms(module))
        for key, offset in exact.offsets_nats(n).items():
            expected[key] = expected[key] + offset
        if method.has_inner_loop:
            expected["inner"] = exact.inner(module)
        drawn = DrawnBatches(
            [training],
            method,
            training.train,
            [data],
            per_step=1,
            device=torch.device("cpu"),
            dtype=torch.float64,
        )
        for batch in (own.batch() for own in drawn):
            terms = dict(method.loss(module, batch))
            if method.has_inner_loop:
                terms["inner"] = method.inner_loss(module, batch)
            for key, value in terms.items():
                found.setdefault(key, []).append(value)
    return expected, {key: torch.cat(values) for key, values in found.items()}


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_the_exact_loss_is_the_mean_of_the_stochastic_one(
    name: str, settings: dict[str, object]
) -> None:
    expected, small = _losses(_training(name, settings, 256))
    larger, large = _losses(_training(name, settings, 512))
    assert set(expected) == set(large)
    total = 0.0
    for key, values in large.items():
        # Batches of twice the size have half the bias, whose first order is taken out.
        mean = 2 * (values - larger[key]).mean() - (small[key] - expected[key]).mean()
        if key == "orthogonality" and name == "disentangled-ssl":
            # A norm of a sum has a bias that is the same for every size.
            mean = (values - larger[key]).mean() - (small[key] - expected[key]).mean()
        error = math.sqrt((4 * float(values.var()) + float(small[key].var())) / N_BATCHES)
        assert abs(float(mean)) < 4 * error + 1e-9, key
        total += abs(float(values.mean()))
    assert total > 0.01


@pytest.mark.parametrize(
    ("name", "settings", "line"),
    [
        ("raw", {}, "got raw, a control, which has no loss"),
        ("mine", {}, "got mine, a method of a user's own .levels from 2 on serve"),
        ("factorcl-ssl", {"conditioning": "exact"}, "settings.conditioning: expected within"),
        ("comm", {}, "augmentation: expected optimal, unique or quality for .* views, got none"),
        ("factorcl-ssl", {}, "augmentation: expected optimal for .* views, got none"),
    ],
)
def test_methods_without_an_exact_loss_are_refused(
    name: str, settings: dict[str, object], line: str
) -> None:
    kind: type[Method] = find_method("simclr" if name == "mine" else name)
    method = kind(kind.Settings.model_validate(settings))
    law = exact_law(_training("simclr", {}, 64).world)
    nowhere = torch.zeros(1, 1, 1)
    with pytest.raises(ValueError, match=line):
        exact_loss(name, method, replace(law), nowhere, nowhere, batch_size=8)


@pytest.mark.parametrize(
    ("name", "asked", "made"),
    # 24 patterns of two modalities, or 128 pairs of patterns.
    [("simclr", 8, 8), ("factorcl-ssl", 8, 8), ("factorcl-ssl", 32, 16), ("comm", 1, 1)],
)
def test_losses_of_many_pairs_are_searched_from_fewer_starts(
    name: str, asked: int, made: int
) -> None:
    assert affordable_starts(_training(name, {}, 64), asked) == made
