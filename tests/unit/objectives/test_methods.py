"""Every method of the registry keeps the contract of a method."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from fctestbed._records import InvalidSpec
from fctestbed.nets import Stack
from fctestbed.objectives import (
    METHODS,
    TERMS,
    Batch,
    DataShape,
    Method,
    NetSpec,
    Views,
    group_by_condition,
)

N, RUNS, N_CLASSES = 12, 2, 4
SHAPE = DataShape(dim1=5, dim2=3, n_classes=N_CLASSES)
NETS = NetSpec(encoder_hidden=(9,), embed_dim=6, head_hidden=(8,), head_dim=4, critic_hidden=(7,))
EVERY = list(METHODS)
TRAINED = [name for name, method in METHODS.items() if method.trained]
INNER = [name for name, method in METHODS.items() if method.has_inner_loop]
HEADS = ("nce_x1x2", "club_x1x2_cond", "unimodal", "club_x1x2", "nce_x1x2_cond")


def stack_of(*seeds: int, dtype: torch.dtype = torch.float32) -> Stack:
    generators = tuple(torch.Generator().manual_seed(seed) for seed in seeds)
    return Stack(generators=generators, dtype=dtype)


def built(name: str, nets: NetSpec = NETS, **settings: Any) -> tuple[Method, nn.Module]:
    method = METHODS[name](METHODS[name].Settings.model_validate(settings))
    module = method.build(stack_of(0, 1), SHAPE, nets)
    # Initial critics are nearly additive, f(u) + g(v), and bounds of additive critics have no
    # gradient.
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(2.5)
    return method, module


def inputs(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def batch_of(method: Method, labels: Tensor | None = None, said: Tensor | None = None) -> Batch:
    y = torch.arange(RUNS * N).view(RUNS, N) % N_CLASSES if labels is None else labels
    said = y if said is None else said
    condition = {"label": y, "views": said, None: None}[method.conditions_on]
    views = [
        Views(x1=inputs(RUNS, N, 5, seed=3 + 2 * place), x2=inputs(RUNS, N, 3, seed=4 + 2 * place))
        for place in range(method.n_views)
    ]
    return Batch(
        x1=inputs(RUNS, N, 5, seed=1),
        x2=inputs(RUNS, N, 3, seed=2),
        y=y,
        views=tuple(views),
        groups=None if condition is None else group_by_condition(condition),
    )


def gradients(module: nn.Module, losses: Tensor) -> dict[str, Tensor | None]:
    names, parameters = zip(*module.named_parameters(), strict=True)
    found = torch.autograd.grad(losses.sum(), parameters, allow_unused=True)
    return dict(zip(names, found, strict=True))


@pytest.mark.parametrize("name", TRAINED)
def test_marks_of_a_loss_are_its_values_at_constant_features_and_at_its_limit(name: str) -> None:
    method, module = built(name)
    batch = batch_of(method)
    marks = method.loss_marks(N)
    terms = method.loss(module, batch)
    assert set(marks) <= set(terms)
    for term, mark in marks.items():
        if mark.limit is not None:
            assert (terms[term] >= mark.limit).all(), term
        if mark.constant is not None:
            assert (terms[term] - mark.constant).abs().max() > 1e-3, (
                f"{term} is at its mark already"
            )
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    for term, values in method.loss(module, batch).items():
        constant = marks[term].constant if term in marks else None
        if constant is not None:
            assert values.tolist() == pytest.approx([constant] * RUNS, abs=1e-5), term


@pytest.mark.parametrize("name", [name for name in EVERY if not METHODS[name].trained])
def test_an_untrained_method_has_no_loss(name: str) -> None:
    method, module = built(name)
    with pytest.raises(TypeError, match="has no loss: it is not trained"):
        method.loss(module, batch_of(method))


@pytest.mark.parametrize("name", [name for name in EVERY if name not in INNER])
def test_a_method_without_an_inner_loop_says_so(name: str) -> None:
    method, module = built(name)
    with pytest.raises(TypeError, match="has no inner loop"):
        method.inner_loss(module, batch_of(method))


WIDTHS: dict[str, dict[str, int]] = {
    **{name: {"z1": 6, "z2": 6} for name in EVERY},
    "raw": {"z1": 5, "z2": 3},
    **{name: {"z1": 4, "z2": 4} for name in ("unimodal-sup", "unimodal-ssl")},
    **{
        name: {"z_s1": 8, "z_s2": 8, "z_u1": 12, "z_u2": 12}
        for name in ("factorcl-sup", "factorcl-ssl")
    },
    "cross-self-fact": {"z_s1": 4, "z_s2": 4, "z_u1": 4, "z_u2": 4},
    "focal": {"z_s1": 4, "z_s2": 4, "z_u1": 4, "z_u2": 4},
    "disentangled-ssl": {"z_s1": 6, "z_s2": 6, "z_u1": 6, "z_u2": 6},
    "comm": {"z1": 12, "z2": 12, "joint": 12},
}


@pytest.mark.parametrize("name", EVERY)
def test_readouts_have_their_names_shapes_and_modalities(name: str) -> None:
    method, module = built(name)
    x1, x2 = inputs(RUNS, N, 5, seed=1), inputs(RUNS, N, 3, seed=2)
    readouts = method.readouts(module, x1, x2)
    assert {key: tuple(value.shape) for key, value in readouts.items()} == {
        key: (RUNS, N, width) for key, width in WIDTHS[name].items()
    }
    assert method.fused <= set(readouts)
    assert method.joint_parts(readouts) == (() if "joint" in readouts else tuple(WIDTHS[name]))
    for other in (1, 2):
        changed = (
            [inputs(RUNS, N, 5, seed=8), x2] if other == 1 else [x1, inputs(RUNS, N, 3, seed=8)]
        )
        again = method.readouts(module, *changed)
        moved = {key for key in readouts if not torch.equal(readouts[key], again[key])}
        assert moved == {key for key in readouts if other in method.reads(key)}
    assert method.reads("joint") == (1, 2)


def test_without_readouts_of_each_modality_nothing_makes_up_the_joint_one() -> None:
    method, _ = built("raw")
    assert method.joint_parts(("z_s1", "z_u1")) == ()
    assert method.joint_parts(("z_s1", "code", "z2")) == ("z_s1", "z2")


@pytest.mark.parametrize("name", [name for name in INNER if METHODS[name].trains_as is None])
def test_factorised_readouts_are_the_heads_side_by_side(name: str) -> None:
    method, module = built(name)
    x1, x2 = inputs(RUNS, N, 5, seed=1), inputs(RUNS, N, 3, seed=2)
    readouts, heads = method.readouts(module, x1, x2), method.heads(module, x1, x2)
    assert set(heads) == {f"{term}.{m}" for term in HEADS for m in (1, 2)}
    factors = {"s": ("nce_x1x2", "club_x1x2_cond"), "u": ("unimodal", "club_x1x2", "nce_x1x2_cond")}
    for factor, terms in factors.items():
        for m in (1, 2):
            side_by_side = torch.cat([heads[f"{term}.{m}"] for term in terms], 2)
            assert torch.equal(readouts[f"z_{factor}{m}"], side_by_side)


@pytest.mark.parametrize("name", EVERY)
def test_terms_are_columns_of_the_paper_s_table_2_in_its_order(name: str) -> None:
    terms = METHODS[name].terms
    assert list(terms) == [term for term in TERMS if term in terms]


@pytest.mark.parametrize("name", ["unimodal-sup", "unimodal-ssl"])
def test_unimodal_readouts_are_the_heads(name: str) -> None:
    method, module = built(name)
    x1, x2 = inputs(RUNS, N, 5, seed=1), inputs(RUNS, N, 3, seed=2)
    readouts, heads = method.readouts(module, x1, x2), method.heads(module, x1, x2)
    assert torch.equal(readouts["z1"], heads["unimodal0.1"])
    assert torch.equal(readouts["z2"], heads["unimodal0.2"])


def test_cross_self_shares_a_head_and_its_factorised_form_reads_two() -> None:
    x1, x2 = inputs(RUNS, N, 5, seed=1), inputs(RUNS, N, 3, seed=2)
    shared, shared_module = built("cross-self")
    assert set(shared.heads(shared_module, x1, x2)) == {"projection1", "projection2"}
    method, module = built("cross-self-fact")
    readouts, heads = method.readouts(module, x1, x2), method.heads(module, x1, x2)
    assert set(heads) == {"cross1", "self1", "cross2", "self2"}
    for factor, job in (("s", "cross"), ("u", "self")):
        for m in (1, 2):
            assert torch.equal(readouts[f"z_{factor}{m}"], heads[f"{job}{m}"])


@pytest.mark.parametrize("name", ["ourcl-sup", "ourcl-ssl"])
def test_ourcl_is_factorcl_with_encoder_outputs_as_readouts(name: str) -> None:
    original = METHODS[name].trains_as
    assert original == name.replace("ourcl", "factorcl")
    (method, module), (factorised, _) = built(name), built(original)
    assert set(method.terms) == set(factorised.terms) - {"Fact"}
    batch = batch_of(method)
    for term, values in factorised.loss(module, batch).items():
        assert torch.equal(method.loss(module, batch)[term], values)
    assert torch.equal(method.inner_loss(module, batch), factorised.inner_loss(module, batch))
    readouts = method.readouts(module, batch.x1, batch.x2)
    assert torch.equal(readouts["z2"], module.get_submodule("encoders.modality2")(batch.x2))
    heads = method.heads(module, batch.x1, batch.x2)
    expected = factorised.heads(module, batch.x1, batch.x2)
    assert all(torch.equal(heads[key], value) for key, value in expected.items())


@pytest.mark.parametrize("fusion", ["mlp", "transformer"])
def test_comm_s_joint_code_is_not_the_sum_of_single_codes(fusion: str) -> None:
    method, module = built("comm", fusion=fusion)
    x1, x2 = inputs(RUNS, N, 5, seed=1), inputs(RUNS, N, 3, seed=2)
    readouts = method.readouts(module, x1, x2)
    assert method.fused == {"joint"}
    assert (readouts["joint"] - readouts["z1"] - readouts["z2"]).abs().max() > 1e-2
    heads = method.heads(module, x1, x2)
    assert {key: value.shape for key, value in heads.items()} == dict.fromkeys(
        ("single1", "single2", "fused"), (RUNS, N, 4)
    )


def test_the_two_steps_of_disentangled_ssl_share_no_parameter() -> None:
    method, module = built("disentangled-ssl")
    first_step = {"cross", "divergence"}
    terms = method.loss(module, batch_of(method))
    for term in terms:
        losses = method.loss(module, batch_of(method))[term]
        reached = {
            parameter.split(".")[0]
            for parameter, gradient in gradients(module, losses).items()
            if gradient is not None
        }
        assert reached
        assert (reached <= {"shared", "cross"}) == (term in first_step), term
        assert term in first_step or not reached & {"shared", "cross"}, term


def test_factors_of_focal_and_disentangled_ssl_are_their_heads() -> None:
    x1, x2 = inputs(RUNS, N, 5, seed=1), inputs(RUNS, N, 3, seed=2)
    for name, parts in (("focal", "private"), ("disentangled-ssl", "specific")):
        method, module = built(name)
        readouts, heads = method.readouts(module, x1, x2), method.heads(module, x1, x2)
        for m in (1, 2):
            assert torch.equal(readouts[f"z_s{m}"], heads[f"shared{m}"])
            assert torch.equal(readouts[f"z_u{m}"], heads[f"{parts}{m}"])


@pytest.mark.parametrize("name", ["simclr", "supcon"])
def test_contrastive_projections_are_heads_of_the_encoder_outputs(name: str) -> None:
    method, module = built(name)
    x1, x2 = inputs(RUNS, N, 5, seed=1), inputs(RUNS, N, 3, seed=2)
    readouts, heads = method.readouts(module, x1, x2), method.heads(module, x1, x2)
    assert {key: value.shape for key, value in heads.items()} == {
        "projection1": (RUNS, N, 4),
        "projection2": (RUNS, N, 4),
    }
    for m in (1, 2):
        projection = module.get_submodule(f"head{m}")(readouts[f"z{m}"])["projection"]
        assert torch.equal(heads[f"projection{m}"], projection)


@pytest.mark.parametrize("name", ["raw", "untrained", "supervised"])
def test_methods_without_heads_report_none(name: str) -> None:
    method, module = built(name)
    assert method.heads(module, inputs(RUNS, N, 5, seed=1), inputs(RUNS, N, 3, seed=2)) == {}


def test_raw_is_the_inputs_themselves() -> None:
    method, module = built("raw")
    x1, x2 = inputs(RUNS, N, 5, seed=1), inputs(RUNS, N, 3, seed=2)
    readouts = method.readouts(module, x1, x2)
    assert torch.equal(readouts["z1"], x1)
    assert torch.equal(readouts["z2"], x2)
    assert not list(module.parameters())


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("simclr", "temperature", 0.0),
        ("simclr", "temperature", float("nan")),
        ("factorcl-sup", "conditioning", "exact"),
        ("factorcl-sup", "conditional_club_views", "repeated"),
        ("factorcl-ssl", "label_input", "scalar"),
        ("factorcl-ssl", "n_negatives", 0),
        ("simclr", "critic", "euclidean"),
        ("factorcl-ssl", "counting", "twice"),
        ("factorcl-ssl", "inner_steps", 0),
        ("factorcl-ssl", "inner_rate", 0.0),
        ("unimodal-sup", "contrast", "third"),
        ("cross-self", "cross_view", "both"),
        ("comm", "fusion", "sum"),
        ("comm", "single_view", "mutated"),
        ("comm", "reduction", "max"),
        ("focal", "private_weight", -1.0),
        ("disentangled-ssl", "kappa", 0.0),
        ("disentangled-ssl", "beta", -0.1),
    ],
)
def test_settings_outside_their_range_are_refused(name: str, key: str, value: object) -> None:
    with pytest.raises(InvalidSpec, match=key):
        METHODS[name].Settings.model_validate({key: value})


@pytest.mark.parametrize(
    ("setting", "value"), [("contrast", "first"), ("conditional_club_views", "repeated")]
)
def test_exact_conditioning_refuses_settings_that_it_cannot_keep(setting: str, value: str) -> None:
    with pytest.raises(InvalidSpec, match=f"{setting}: expected .* with conditioning exact"):
        METHODS["factorcl-ssl"].Settings.model_validate({"conditioning": "exact", setting: value})


def test_a_critic_needs_a_hidden_layer() -> None:
    with pytest.raises(InvalidSpec, match=r"^critic_hidden: expected "):
        NetSpec(critic_hidden=())


def test_settings_are_frozen_and_default_to_the_papers() -> None:
    method = METHODS["factorcl-sup"]()
    assert method.settings == METHODS["factorcl-sup"].Settings()
    assert method.settings.model_dump() == {
        "critic": "concat",
        "temperature": 0.1,
        "conditioning": "within",
        "counting": "once",
        "club_diagonal": "dropped",
        "contrast": "second",
        "inner_batch": "fresh",
        "inner_steps": 1,
        "inner_rate": 1.0,
        "condition_on": "both",
        "label_input": "onehot",
    }
    with pytest.raises(ValidationError, match="frozen"):
        method.settings.counting = "sum"


def test_factorcl_ssl_with_every_sample_alone_has_conditional_terms_of_exactly_zero() -> None:
    method, module = built("factorcl-ssl")
    batch = batch_of(method, said=torch.arange(N).repeat(RUNS, 1))
    terms = method.loss(module, batch)
    for name in ("club_x1x2_cond", "nce_x1x2_cond"):
        assert (terms[name] == 0).all()
        assert all(
            gradient is None or (gradient == 0).all()
            for gradient in gradients(module, method.loss(module, batch)[name]).values()
        )
    for name in ("nce_x1x2", "unimodal1", "unimodal2", "club_x1x2"):
        assert (terms[name] != 0).all()


@pytest.mark.parametrize(
    ("name", "conditioning", "expected"),
    [
        ("factorcl-sup", "within", "label"),
        ("factorcl-ssl", "within", "views"),
        ("factorcl-sup", "batch", None),
        ("factorcl-ssl", "batch", None),
    ],
)
def test_negatives_share_the_condition_only_within_it(
    name: str, conditioning: str, expected: str | None
) -> None:
    assert built(name, conditioning=conditioning)[0].conditions_on == expected


@pytest.mark.parametrize("name", TRAINED)
def test_a_label_matters_to_the_methods_that_read_it(name: str) -> None:
    # This batch is grouped by its labels, also for a method that conditions on the views.
    by_views = METHODS[name]().conditions_on == "views"
    settings: dict[str, Any] = {"conditioning": "batch"} if by_views else {}
    method, module = built(name, **settings)
    straight = batch_of(method)
    turned = batch_of(method, torch.arange(RUNS * N).view(RUNS, N) // 3 % N_CLASSES)
    totals = [
        torch.stack(list(method.loss(module, batch).values())).sum(0)
        for batch in (straight, turned)
    ]
    assert torch.equal(*totals) != method.uses_label
