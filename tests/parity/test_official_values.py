"""Losses, bounds and gradients equal what the published code gives, to 1e-9 in float64."""

import math
from functools import partial
from typing import Any

import pytest
import torch
from golden import cases, set_linear, stack_of_one, tensor

from fctestbed.bounds import (
    OFFICIAL_CLAMP,
    clamped_logits,
    classifier_objective_nats,
    comm_terms_nats,
    dv_estimate_nats,
    infonce_lower_bound_nats,
    js_objective_nats,
    nce_club_estimate_nats,
    nwj_lower_bound_nats,
)
from fctestbed.estimators.variational import pseudo_values
from fctestbed.nets import ConcatCritic, CosineCritic
from fctestbed.objectives import Batch, DataShape, NetSpec, Views
from fctestbed.objectives.critics import nt_xent_of_critic_nats
from fctestbed.objectives.factorcl import FactorCLSsl, FactorCLSup
from fctestbed.objectives.factorcl_networks import FactorCLModule
from fctestbed.objectives.factorcl_settings import FactorCLSslSettings, FactorCLSupSettings

TOLERANCE = 1e-9


def close(value: Any, expected: float) -> None:
    assert float(torch.as_tensor(value, dtype=torch.float64).detach()) == pytest.approx(
        expected, abs=TOLERANCE, rel=TOLERANCE
    )


def contrastive(
    view1: torch.Tensor,
    view2: torch.Tensor,
    *,
    temperature: float,
    labels: torch.Tensor | None = None,
) -> torch.Tensor:
    """The methods' own loss, of inner products over a temperature."""
    dim = view1.shape[-1]
    critic = CosineCritic(stack_of_one(), dim, dim, temperature=temperature, normalize=False)
    return nt_xent_of_critic_nats(critic, view1, view2, labels=labels)


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_simclr_loss_is_the_published_one(temperature: float) -> None:
    case = cases()[f"simclr_t{temperature}"]
    features = tensor(case["inputs"]["features"])
    loss = contrastive(features[:, :, 0], features[:, :, 1], temperature=temperature)
    close(loss, case["expected"]["loss"])


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_supcon_loss_is_the_published_one(temperature: float) -> None:
    case = cases()[f"supcon_t{temperature}"]
    features = tensor(case["inputs"]["features"])
    labels = tensor(case["inputs"]["labels"]).long()
    loss = contrastive(features[:, :, 0], features[:, :, 1], temperature=temperature, labels=labels)
    close(loss, case["expected"]["loss"])


def test_infonce_and_club_of_a_score_matrix_are_the_published_ones() -> None:
    case = cases()["score_bounds"]
    scores = tensor(case["inputs"]["scores"])
    # The published functional adds log(8) rounded to float32; with the exact constant the values
    # agree.
    single_precision = float(torch.tensor(8.0).log()) - math.log(8.0)
    close(infonce_lower_bound_nats(scores), case["expected"]["infonce"] - single_precision)
    close(nce_club_estimate_nats(scores, keep_diagonal=True), case["expected"]["club"])


def test_comm_loss_is_the_published_one() -> None:
    case = cases()["comm"]
    inputs = case["inputs"]
    first, second = (
        [torch.nn.functional.normalize(tensor(one), dim=-1) for one in inputs[view]]
        for view in ("aug1", "aug2")
    )
    fused = inputs["prototype"]
    assert fused == 2
    terms = comm_terms_nats(
        (first[fused], second[fused]),
        [(second[m], first[m]) for m in range(fused)],
        pair_loss=partial(contrastive, temperature=inputs["temperature"]),
    )
    close(torch.stack(terms).mean(), case["expected"]["loss"])


def test_variational_functionals_of_a_score_matrix_are_the_published_ones() -> None:
    case = cases()["score_bounds"]
    scores, expected = tensor(case["inputs"]["scores"]), case["expected"]
    close(nwj_lower_bound_nats(scores), expected["nwj"])
    close(dv_estimate_nats(scores), expected["dv"])
    close(js_objective_nats(scores), expected["js_fgan"])
    close(classifier_objective_nats(scores), expected["probabilistic_classifier_objective"])
    # The published code reads a JS critic by NWJ without adding 1, though NWJ's optimum is 1 + the
    # log ratio.
    close(nwj_lower_bound_nats(scores), expected["nwj_js"])
    assert float(nwj_lower_bound_nats(scores + 1)) != pytest.approx(expected["nwj_js"], abs=0.01)


def test_values_that_estimators_read_from_a_score_matrix_are_the_published_ones() -> None:
    case = cases()["score_bounds"]
    (scores,), expected = tensor(case["inputs"]["scores"]), case["expected"]
    positives, tau = scores.diagonal(), case["inputs"]["tau"]
    smile = pseudo_values.log_mean_difference(positives, scores.clamp(-tau, tau))
    close(smile.mean(), expected["smile"])
    log_odds = clamped_logits(positives, OFFICIAL_CLAMP).mean()
    close(log_odds + math.log(len(scores) - 1), expected["probabilistic_classifier_mi"])


def two_layers(state: dict[str, Any], name: str, x: torch.Tensor) -> torch.Tensor:
    first, second = (
        [tensor(state[f"{name}.{k}.{part}"]).squeeze(0) for part in ("weight", "bias")]
        for k in (0, 2)
    )
    return (x @ first[0].T + first[1]).relu() @ second[0].T + second[1]


def test_club_of_a_gaussian_conditional_is_the_published_one() -> None:
    case = cases()["club_gaussian"]
    x, y = (tensor(case["inputs"][name]).squeeze(0) for name in ("x", "y"))
    mean = two_layers(case["inputs"]["state"], "p_mu", x)
    log_variance = two_layers(case["inputs"]["state"], "p_logvar", x).tanh()
    squares = (y - mean.unsqueeze(1)).square() / log_variance.exp().unsqueeze(1)
    # All pairs stay in the second term; constants in y and terms in x cancel.
    log_q = -0.5 * (squares + log_variance.unsqueeze(1)).sum(2)
    close(nce_club_estimate_nats(log_q, keep_diagonal=True), case["expected"]["mi_upper"])
    # The published learning loss is twice the negative log-likelihood.
    close(-2 * log_q.diagonal().mean(), case["expected"]["learning_loss"])


def test_club_of_a_categorical_conditional_is_the_published_one() -> None:
    case = cases()["club_categorical"]
    x = tensor(case["inputs"]["x"]).squeeze(0)
    y = torch.tensor(case["inputs"]["y"])
    log_q = two_layers(case["inputs"]["state"], "variational_net", x).log_softmax(1)[:, y]
    close(nce_club_estimate_nats(log_q, keep_diagonal=True), case["expected"]["mi_upper"])
    close(-log_q.diagonal().mean(), case["expected"]["learning_loss"])


def concat_critic(state: dict[str, Any], dim: int, *, first_is_second: bool) -> ConcatCritic:
    critic = ConcatCritic(stack_of_one(), dim, dim, (8, 8))
    set_critic(critic, state, "", dims=(dim, dim), first_is_second=first_is_second)
    return critic


def set_critic(
    critic: ConcatCritic,
    state: dict[str, Any],
    prefix: str,
    *,
    dims: tuple[int, int],
    first_is_second: bool,
) -> None:
    """Published CLUB critics take [second, first]: swap the columns of their first layer."""
    weight = torch.tensor(state[f"{prefix}_f.0.weight"], dtype=torch.float64)
    if first_is_second:
        weight = torch.cat([weight[:, dims[1] :], weight[:, : dims[1]]], 1)
    layers = [critic.first, *critic.rest]
    for layer, entry in zip(layers, (0, 2, 4), strict=True):
        values = weight.tolist() if entry == 0 else state[f"{prefix}_f.{entry}.weight"]
        set_linear(layer, values, state[f"{prefix}_f.{entry}.bias"])


def test_infonce_of_the_concat_critic_is_the_published_one() -> None:
    case = cases()["infonce_concat_critic"]
    critic = concat_critic(case["inputs"]["state"], 6, first_is_second=False)
    scores = critic(tensor(case["inputs"]["x"]), tensor(case["inputs"]["y"]))
    close(-infonce_lower_bound_nats(scores, contrast="first"), case["expected"]["loss"])


def test_nce_club_of_the_concat_critic_is_the_published_one() -> None:
    case = cases()["nce_club_concat_critic"]
    critic = concat_critic(case["inputs"]["state"], 6, first_is_second=True)
    scores = critic(tensor(case["inputs"]["x"]), tensor(case["inputs"]["y"]))
    close(nce_club_estimate_nats(scores, keep_diagonal=True), case["expected"]["upper"])
    close(-infonce_lower_bound_nats(scores, contrast="first"), case["expected"]["learning_loss"])


# Our name of a head or critic, and the published one.
TERMS = {
    "nce_x1x2": "infonce_x1x2",
    "club_x1x2_cond": "club_x1x2_cond",
    "club_x1x2": "club_x1x2",
    "nce_x1x2_cond": "infonce_x1x2_cond",
}
NETS = NetSpec(
    encoder_hidden=(8, 8, 8), embed_dim=4, head_hidden=(4, 4), head_dim=4, critic_hidden=(16, 16)
)


def load(module: FactorCLModule, state: dict[str, Any], condition: tuple[int, int]) -> None:
    """Put the published parameters into ours."""
    for m, encoder in enumerate((module.encoders.modality1, module.encoders.modality2)):
        for position, layer in enumerate(encoder.layers):
            prefix = f"backbones.{m}.{2 * position}"
            set_linear(layer, state[f"{prefix}.weight"], state[f"{prefix}.bias"])
    for m, bank in enumerate((module.heads1, module.heads2)):
        for member, name in enumerate(bank.names):
            published = (
                f"linears_infonce_x{m + 1}y" if name == "unimodal" else f"linears_{TERMS[name]}.{m}"
            )
            for position, layer in enumerate(bank.heads.layers):
                prefix = f"{published}.{2 * position}"
                set_linear(layer, state[f"{prefix}.weight"], state[f"{prefix}.bias"], member)
    conditional = (4 + condition[0], 4 + condition[1])
    critics = {
        "infonce_x1x2": (module.nce_x1x2, (4, 4)),
        "infonce_x1x2_cond": (module.nce_x1x2_cond, conditional),
        "club_x1x2": (module.inner["club_x1x2"], (4, 4)),
        "club_x1x2_cond": (module.inner["club_x1x2_cond"], conditional),
        "infonce_x1y": (module.unimodal1, (4, 1)),
        "infonce_x2y": (module.unimodal2, (4, 1)),
    }
    for name, (critic, dims) in critics.items():
        set_critic(critic, state, f"{name}.", dims=dims, first_is_second=name.startswith("club"))


def backbone_gradient_norm(module: FactorCLModule, total: torch.Tensor) -> float:
    parameters = list(module.encoders.parameters())
    gradients = torch.autograd.grad(total.sum(), parameters, retain_graph=True)
    return float(torch.cat([gradient.flatten() for gradient in gradients]).norm())


def test_official_factorcl_sup_is_the_published_one() -> None:
    case = cases()["factorcl_sup_official"]
    inputs, expected = case["inputs"], case["expected"]
    method = FactorCLSup(
        FactorCLSupSettings(
            conditioning="batch",
            condition_on="first",
            label_input="scalar",
            club_diagonal="kept",
            contrast="first",
            inner_batch="same",
        )
    )
    shape = DataShape(dim1=6, dim2=6, n_classes=3)
    module = method.build(stack_of_one(), shape, NETS)
    assert isinstance(module, FactorCLModule)
    load(module, inputs["state"], (3, 0))
    batch = Batch(
        x1=tensor(inputs["x1"]),
        x2=tensor(inputs["x2"]),
        y=tensor(inputs["y"]).long().squeeze(2),
    )
    terms = method.loss(module, batch)
    close(terms["nce_x1x2"], expected["nce_x1x2"])
    close(terms["club_x1x2"], expected["club_x1x2"])
    close(terms["unimodal1"], expected["nce_x1y"])
    close(terms["unimodal2"], expected["nce_x2y"])
    close(terms["nce_x1x2_cond"], expected["nce_x1x2_given_y"])
    close(terms["club_x1x2_cond"], expected["club_x1x2_given_y"])
    total = torch.stack(list(terms.values())).sum(0)
    close(total, expected["total"])
    close(backbone_gradient_norm(module, total), expected["backbone_grad_norm"])
    close(method.inner_loss(module, batch), expected["learning_loss"])


def test_official_factorcl_ssl_is_the_published_one() -> None:
    case = cases()["factorcl_ssl_official"]
    inputs, expected = case["inputs"], case["expected"]
    method = FactorCLSsl(
        FactorCLSslSettings(
            conditioning="batch",
            conditional_club_views="repeated",
            club_diagonal="kept",
            contrast="first",
            inner_batch="same",
        )
    )
    shape = DataShape(dim1=6, dim2=6, n_classes=2)
    module = method.build(stack_of_one(), shape, NETS)
    assert isinstance(module, FactorCLModule)
    load_ssl(module, inputs["state"])
    batch = Batch(
        x1=tensor(inputs["x1"]),
        x2=tensor(inputs["x2"]),
        y=torch.zeros(1, 8, dtype=torch.long),
        views=(Views(x1=tensor(inputs["x1_aug"]), x2=tensor(inputs["x2_aug"])),),
    )
    total = torch.stack(list(method.loss(module, batch).values())).sum(0)
    close(total, expected["total"])
    close(backbone_gradient_norm(module, total), expected["backbone_grad_norm"])
    close(method.inner_loss(module, batch), expected["learning_loss"])


def load_ssl(module: FactorCLModule, state: dict[str, Any]) -> None:
    load(module, state, (4, 4))
    for name, critic in (("infonce_x1y", module.unimodal1), ("infonce_x2y", module.unimodal2)):
        set_critic(critic, state, f"{name}.", dims=(4, 4), first_is_second=False)
