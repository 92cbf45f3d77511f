"""Level 1 against closed forms, and against the table of a prototype."""

import math
from typing import Any

import pytest
import torch

from fctestbed import NetSpec, TrainingSpec, TrainSpec, WorldSpec
from fctestbed.estimators import local_minima
from fctestbed.faults.free import free_module, pattern_inputs
from fctestbed.faults.law import exact_law
from fctestbed.faults.losses import exact_loss
from fctestbed.faults.optimum import check_optimum, objective_optimum
from fctestbed.faults.population import optimal_club_nats, population_infonce_nats
from fctestbed.faults.searches import club_warning, flat_objective
from fctestbed.nets import Stack
from fctestbed.synthesis import AugmentationSpec, UniqueAugmentation

TAU = 0.5
LEAST_CLUB = -0.05


def training(
    method: str,
    ratio: float = 0.5,
    *,
    width: int = 8,
    size: int = 2,
    nets: NetSpec | None = None,
    augmentation: AugmentationSpec | None = None,
    **settings: object,
) -> TrainingSpec:
    world = {
        "latents": {"n_shared": max(size, 2), "n_unique1": size, "n_unique2": size},
        "label": {"label_bits": 2, "unique_ratio": ratio},
        "observation": {"kind": "bits"},
    }
    return TrainingSpec(
        method=method,
        settings=settings,
        nets=nets or NetSpec(embed_dim=width, head_dim=4, critic_hidden=(8,)),
        train=TrainSpec(batch_size=128),
        augmentation=augmentation,
        world=WorldSpec.model_validate(world),
    )


def test_simclr_attains_the_shared_information_where_temperature_and_width_allow_it() -> None:
    found = objective_optimum(training("simclr", temperature=0.05), n_starts=4, tau=TAU)
    assert all(found.converged)
    assert min(found.losses_nats) == pytest.approx(-2 * math.log(2), abs=1e-6)


# Channel bits of 2 of a prototype in NumPy; SimCLR at temperature 0.5, SupCon at 0.1.
@pytest.mark.parametrize(
    ("method", "width", "temperature", "expected"),
    [
        ("simclr", 8, 0.5, {0.4: 1.20, 0.5: 1.00, 1.0: 0.00}),
        ("supcon", 8, 0.1, {0.4: 1.99, 0.5: 2.00, 1.0: 2.00}),
        ("supcon", 4, 0.1, {0.4: 1.81, 0.5: 1.86, 1.0: 2.00}),
        ("supcon", 2, 0.1, {0.4: 1.00, 0.5: 0.82}),
    ],
)
def test_label_bits_at_the_optimum_are_those_of_the_prototype(
    method: str, width: int, temperature: float, expected: dict[float, float]
) -> None:
    for ratio, bits in expected.items():
        found = objective_optimum(
            training(method, ratio, width=width, temperature=temperature), n_starts=4, tau=TAU
        )
        assert found.converged[0]
        assert found.bits.label == pytest.approx(bits, abs=0.03)


def test_a_quadratic_loss_ends_at_its_eigenvectors() -> None:
    law = exact_law(training("simclr").world)
    joint = law.joint
    p, q = joint.sum(1), joint.sum(0)
    matrix = joint / (p.sqrt().unsqueeze(1) * q.sqrt())
    rank, starts = 3, 3
    # The best rank-3 approximation leaves the other squared singular values.
    expected = float(torch.linalg.svdvals(matrix)[rank:].square().sum())
    generator = torch.Generator().manual_seed(0)
    parts = [
        torch.nn.Parameter(
            torch.randn(starts, n, rank, dtype=torch.float64, generator=generator) / 4
        )
        for n in matrix.shape
    ]

    def loss() -> torch.Tensor:
        return (matrix - parts[0] @ parts[1].transpose(1, 2)).square().sum((1, 2))

    start = torch.cat([part.detach().reshape(starts, -1) for part in parts], 1)
    found = local_minima(flat_objective(loss, parts), start, tolerance=1e-14, max_iterations=2000)
    assert found.converged.all()
    assert found.values.tolist() == pytest.approx([expected] * starts, abs=1e-9)


def test_infonce_of_a_free_critic_is_the_mutual_information_at_the_log_ratio() -> None:
    joint = exact_law(training("unimodal-sup", 0.4).world).with_label.sum(1)
    product = joint.sum(1, keepdim=True) * joint.sum(0)
    ratio = (joint / product).log()
    nats = float((joint * ratio).sum())
    assert float(population_infonce_nats(ratio, joint)) == pytest.approx(nats, abs=1e-12)
    jeffreys = float(((joint - product) * ratio).sum())
    assert float(optimal_club_nats(joint)) == pytest.approx(jeffreys, abs=1e-12)


def test_an_optimal_club_critic_is_infinite_where_pairs_are_excluded() -> None:
    law = exact_law(training("simclr").world)
    assert float(optimal_club_nats(law.joint)) == math.inf
    independent = law.joint.sum(1, keepdim=True) * law.joint.sum(0)
    assert float(optimal_club_nats(independent)) == pytest.approx(0.0, abs=1e-12)


def test_optima_of_equal_loss_say_what_the_objective_is_indifferent_to() -> None:
    found = objective_optimum(training("supcon", 1.0, temperature=0.1), n_starts=3, tau=TAU)
    assert found.n_equal == len(found.codes) == 3
    assert found.lowest.label <= found.bits.label <= found.highest.label
    assert found.highest.label - found.lowest.label < 0.02


@pytest.mark.parametrize("method", ["cross-self", "cross-self-fact", "unimodal-sup", "supervised"])
def test_methods_start_lower_than_constants_and_converge_or_say_not(method: str) -> None:
    found = objective_optimum(training(method, size=1), n_starts=2, rate=4.0, max_iterations=60)
    assert len(found.converged) == 2
    assert max(found.losses_nats) < math.log(16)
    assert found.criterion.startswith("L-BFGS")
    assert found.bits.label > 0


@pytest.mark.slow
@pytest.mark.parametrize("method", ["comm", "focal", "disentangled-ssl", "unimodal-ssl"])
def test_methods_with_views_have_an_optimum(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # For the losses that are not smooth.
    monkeypatch.setattr("fctestbed.faults.searches._ADAM_STEPS", 150)
    found = objective_optimum(training(method, size=1), n_starts=1, rate=4.0, max_iterations=20)
    assert found.bits.label > 0


def test_a_club_term_below_that_of_an_optimal_critic_is_called_unbounded() -> None:
    above = {"club_x1x2": torch.tensor([0.2, 0.0]), "nce_x1x2": torch.tensor([-3.0, -2.0])}
    assert not club_warning(above)
    below = {**above, "club_x1x2_cond": torch.tensor([0.1, -4.0])}
    assert club_warning(below).endswith("it ended at -4 nats, below the 0 of an optimal critic")


def _with_scaled_heads(scale: float) -> tuple[float, float]:
    """NCE-CLUB of heads that lower it at a fixed bilinear critic, and of those heads scaled."""
    made = training("factorcl-sup", size=1, critic="bilinear")
    method, nets = made.build_method(), made.nets or NetSpec()
    stack = Stack(generators=(torch.Generator().manual_seed(0),), dtype=torch.float64)
    module: Any = free_module(made.method, method, made.world, stack, nets)
    inputs = pattern_inputs(made.world, 1)
    exact = exact_loss(made.method, method, exact_law(made.world), *inputs, batch_size=128)
    heads = [bank.tables[bank.names.index("club_x1x2")] for bank in (module.heads1, module.heads2)]
    vectors = [table.vectors for table in heads]
    for _ in range(60):
        term = exact.terms(module)["club_x1x2"].sum()
        steps = torch.autograd.grad(term, vectors)
        with torch.no_grad():
            for part, step in zip(vectors, steps, strict=True):
                part.sub_(0.5 * step)
    before = float(exact.terms(module)["club_x1x2"].detach())
    with torch.no_grad():
        for part in vectors:
            part.mul_(scale)
    return before, float(exact.terms(module)["club_x1x2"].detach())


def test_club_at_a_fixed_critic_whose_scale_is_free_falls_without_end() -> None:
    before, after = _with_scaled_heads(10.0)
    assert before < LEAST_CLUB
    # Both arguments are scaled, and a bilinear score is their product.
    assert after == pytest.approx(100 * before, rel=1e-9)


@pytest.mark.slow
def test_a_game_whose_critics_stand_still_is_marked_as_unbounded_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fctestbed.faults.searches._ADAM_STEPS", 300)
    made = training("factorcl-sup", size=1, critic="bilinear", inner_rate=1e-9)
    found = objective_optimum(made, n_starts=2, rate=4.0)
    assert found.note.startswith("NCE-CLUB is unbounded below where its critic lags")
    assert not any(found.converged)


def test_optima_of_a_loss_that_does_not_ask_for_unique_bits_differ_in_the_whitened_reading() -> (
    None
):
    found = objective_optimum(training("simclr", 1.0, temperature=0.1), n_starts=4, rate=4.0)
    assert found.n_equal == 4
    assert found.lowest_whitened is not None
    assert found.highest_whitened is not None
    # In the metric form these bits are too small to be read.
    assert found.highest.label < 0.05
    assert found.highest_whitened.label > found.highest.label + 0.1


@pytest.mark.parametrize("method", ["focal", "disentangled-ssl"])
def test_losses_that_are_not_smooth_are_searched_by_adam(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fctestbed.faults.searches._ADAM_STEPS", 20)
    found = objective_optimum(training(method, size=1), n_starts=2, rate=4.0)
    assert found.criterion.startswith("Adam: means of the loss over the last two tenths of 20")
    assert all(math.isfinite(loss) for loss in found.losses_nats)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["factorcl-sup", "factorcl-ssl"])
def test_a_game_says_its_criterion_and_whether_club_fell_below_zero(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fctestbed.faults.searches._ADAM_STEPS", 40)
    found = objective_optimum(training(method, size=1), n_starts=2, rate=4.0)
    assert found.criterion.startswith("alternating Adam")
    assert found.bits.label >= -0.05


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (training("simclr", size=6), r"at most 16777216 cells, got 268435456 .* from 2 on, serve"),
        (training("ourcl-sup"), "a method whose heads alone are scored .levels from 2 on serve"),
        (
            training("factorcl-ssl", augmentation=UniqueAugmentation()),
            "augmentation: expected optimal for the exact loss .* got unique",
        ),
        (training("raw"), "got raw, a control"),
        (training("comm", size=3), r"at most 2097152 scores .* got 16777216 .level 2"),
    ],
)
def test_objectives_without_an_exact_level_are_refused(made: TrainingSpec, line: str) -> None:
    with pytest.raises(ValueError, match=line):
        check_optimum(made)


def test_a_reading_needs_a_rate_or_a_noise() -> None:
    with pytest.raises(ValueError, match="rate: expected a rate or a tau"):
        objective_optimum(training("simclr", size=1), n_starts=1, max_iterations=1)


@pytest.mark.slow
def test_factorcl_s_game_ends_where_its_bounds_are_tight() -> None:
    nets = NetSpec(embed_dim=4, head_dim=8, critic_hidden=(32,))
    found = objective_optimum(
        training("factorcl-sup", size=1, nets=nets, inner_rate=30.0), n_starts=1, rate=4.0
    )
    # I(X1;X2) + I(X1;Y) + I(X2;Y) + I(X1;X2|Y) = 2 + 1.5 + 1.5 + 1 bits, and no CLUB term.
    assert found.losses_nats[0] == pytest.approx(-6 * math.log(2), abs=0.05)
    assert found.note == ""
