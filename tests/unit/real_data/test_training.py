"""Encoders, copies and trainings on real data."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from real_files import FAST, N_STEPS, N_TEXT, N_VISION, affect_pickle, mimic_tree
from torch import nn

from fctestbed.nets import Stack
from fctestbed.objectives import METHODS
from fctestbed.real_data import (
    CopySpec,
    EncoderSpec,
    ModalityShape,
    Multimodal,
    RealSpec,
    SequenceGru,
    SequenceTransformer,
    copy_of,
    encoder_maker,
    load_multimodal,
    real_spec,
)
from fctestbed.real_data.training import data_shape, read_all, train_method
from fctestbed.training import torch_stream

SHAPE = ModalityShape(4, 3)
SMALL = EncoderSpec(layers=2, heads=2, feedforward=8, hidden=5)
SEQUENCE_ENCODERS = [SequenceTransformer, SequenceGru]


@pytest.fixture
def _forked() -> Iterator[None]:
    """Modules draw their initial values from torch's global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        yield


class MeanOfSteps(nn.Module):
    """An encoder of a user's own: rows in, representations out."""

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.out = nn.Linear(dim, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.out(x)
        return out


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Multimodal:
    return load_multimodal(affect_pickle(tmp_path_factory.mktemp("data") / "mosi.pkl"))


@pytest.mark.usefixtures("_forked")
@pytest.mark.parametrize("kind", SEQUENCE_ENCODERS)
def test_a_sequence_encoder_maps_each_sample_alone(kind: Any) -> None:
    encoder = kind(12, 6, shape=SHAPE, spec=SMALL).double()
    x = torch.randn(5, 12, dtype=torch.float64)
    out = encoder(x)
    assert out.shape == (5, 6)
    alone = torch.cat([encoder(row[None]) for row in x])
    torch.testing.assert_close(alone, out)


@pytest.mark.usefixtures("_forked")
def test_the_transformer_does_not_attend_to_steps_of_zeros() -> None:
    encoder = SequenceTransformer(12, 6, shape=SHAPE, spec=SMALL).double()
    x = torch.randn(2, 12, dtype=torch.float64)
    x[:, :6] = 0
    longer = SequenceTransformer(18, 6, shape=ModalityShape(6, 3), spec=SMALL).double()
    longer.load_state_dict(encoder.state_dict())
    padded = torch.cat([torch.zeros(2, 6, dtype=torch.float64), x], 1)
    torch.testing.assert_close(longer(padded), encoder(x))
    # A sample of zeros alone has a representation too.
    assert encoder(torch.zeros(1, 12, dtype=torch.float64)).isfinite().all()


@pytest.mark.usefixtures("_forked")
def test_the_transformer_is_torch_s_layers_on_a_linear_map_of_each_step() -> None:
    encoder = SequenceTransformer(12, 6, shape=SHAPE, spec=SMALL).double()
    x = torch.randn(3, 4, 3, dtype=torch.float64)
    states = x @ encoder.step.weight.T
    for layer in encoder.layers.layers:
        states = layer(states)
    expected = encoder.out(states[:, -1])
    torch.testing.assert_close(encoder(x.flatten(1)), expected)


@pytest.mark.usefixtures("_forked")
@pytest.mark.parametrize("kind", SEQUENCE_ENCODERS)
def test_context_behind_a_sequence_reaches_the_representation(kind: Any) -> None:
    encoder = kind(14, 6, shape=SHAPE, spec=SMALL)
    x = torch.randn(3, 14)
    changed = x.clone()
    changed[:, 12:] += 1
    assert not torch.allclose(encoder(x), encoder(changed))


def test_vectors_have_no_sequence_encoder() -> None:
    vector = ModalityShape(None, 5)
    assert encoder_maker("encoder1", EncoderSpec(kind="mlp"), vector, 4) is None
    with pytest.raises(ValueError, match=r"encoder1\.kind: expected mlp for vectors of 5"):
        encoder_maker("encoder1", EncoderSpec(kind="gru"), vector, 4)


def test_copies_of_sequences_are_of_the_four_kinds_and_leave_the_batch_alone() -> None:
    x = torch.randn(400, 10 * 3, generator=torch.Generator().manual_seed(0))
    x.view(400, 10, 3)[:, :4] = 0
    before = x.clone()
    shape = ModalityShape(10, 3)
    copies = copy_of(x, shape, CopySpec(), torch.Generator().manual_seed(1))
    assert torch.equal(x, before)
    old, new = x.view(400, 10, 3), copies.view(400, 10, 3)
    # Steps of zeros before a sequence stay there, whatever is done.
    assert (new[:, :4] == 0).all()
    same = (old == new).flatten(1).all(1)
    kept_steps = (old == new).all(2)
    sums_kept = torch.isclose(old.sum((1, 2)), new.sum((1, 2)), atol=1e-5)
    permuted = sums_kept & ~same
    dropped = (~same) & ~permuted & (kept_steps | (new == 0).all(2)).all(1)
    disturbed = ~(same | permuted | dropped)
    # A quarter each; a drop may fall on zeros alone.
    for found in (same, permuted, dropped, disturbed):
        assert 60 < int(found.sum()) < 140
    assert float((new - old)[disturbed].std()) == pytest.approx(0.1 * np.sqrt(0.6), rel=0.1)
    assert int((new[dropped] == 0).all(2).sum(1).max()) == 6


def test_copies_of_vectors_are_noise_a_mixture_or_the_batch_itself() -> None:
    x = torch.randn(50, 6, generator=torch.Generator().manual_seed(0))
    kinds = set()
    for seed in range(20):
        copy = copy_of(
            x, ModalityShape(None, 6), CopySpec(noise=1e-3), torch.Generator().manual_seed(seed)
        )
        change = float((copy - x).abs().max())
        kinds.add("same" if change == 0 else "noise" if change < 0.01 else "mixture")
        if change > 0.01:
            # Means of samples stay the batch's.
            torch.testing.assert_close(copy.mean(0), x.mean(0))
    assert kinds == {"same", "noise", "mixture"}


@pytest.mark.parametrize("name", METHODS)
def test_every_method_trains_on_sequences_and_has_readouts(name: str, data: Multimodal) -> None:
    spec = real_spec(data, {**FAST, "methods": [name]})
    trained = train_method(name, 0, data, spec)
    assert trained.diverged is None
    readouts = read_all(trained, trained.method, data)
    for split, own in readouts.items():
        assert {"joint"} < set(own)
        for codes in own.values():
            assert codes.shape[0] == len(getattr(data, split))
            assert codes.isfinite().all()


def test_a_training_depends_on_its_seed_alone(data: Multimodal) -> None:
    spec = real_spec(data, {**FAST, "methods": ["factorcl-ssl"]})
    first, again, other = (train_method("factorcl-ssl", seed, data, spec) for seed in (0, 0, 1))
    one, two, three = (
        read_all(own, own.method, data)["test"]["joint"] for own in (first, again, other)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, three)


def test_training_lowers_the_loss_and_reads_test_samples_never(data: Multimodal) -> None:
    values = {**FAST, "methods": ["supervised"], "train": {"steps": 60, "learning_rate": 0.02}}
    spec = real_spec(data, values)
    trained = train_method("supervised", 0, data, spec)
    losses = trained.losses_nats["cross_entropy"]
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.1
    altered = Multimodal(
        **{
            **vars(data),
            "test": type(data.test)(data.test.x1 * np.nan, data.test.x2 * 0, 1 - data.test.y),
        }
    )
    blind = train_method("supervised", 0, altered, spec)
    assert blind.losses_nats == trained.losses_nats


def test_a_loss_that_explodes_is_said(data: Multimodal) -> None:
    values = {**FAST, "methods": ["simclr"], "train": {"steps": 8, "learning_rate": 1e30}}
    trained = train_method("simclr", 0, data, real_spec(data, values))
    assert trained.diverged is not None
    assert "loss was not finite" in trained.diverged


def test_raw_sequences_are_read_as_the_mean_of_their_steps(data: Multimodal) -> None:
    spec = real_spec(data, {**FAST, "methods": ["raw"]})
    trained = train_method("raw", 0, data, spec)
    own = read_all(trained, trained.method, data)["test"]
    steps = data.test.x2.reshape(-1, N_STEPS, N_TEXT)
    np.testing.assert_allclose(own["z2"][0], steps[0, 2:].mean(0), rtol=1e-5)
    assert own["joint"].shape[1] == N_VISION + N_TEXT


def test_a_user_s_encoder_takes_rows(data: Multimodal) -> None:
    path = f"{__name__}:MeanOfSteps"
    spec = real_spec(data, {**FAST, "methods": ["simclr"], "encoder1": {"kind": path}})
    assert train_method("simclr", 0, data, spec).diverged is None
    with pytest.raises(ValueError, match=r"encoder1\.kind: .*no_such"):
        real_spec(data, {**FAST, "encoder1": {"kind": "no_such.module:Net"}})


def test_the_paper_s_settings_are_the_defaults(data: Multimodal, tmp_path: Path) -> None:
    spec = real_spec(data)
    assert spec.encoder1 == EncoderSpec(kind="transformer", layers=5, heads=5)
    assert (spec.nets.embed_dim, spec.nets.critic_hidden) == (40, (512,))
    assert (spec.train.epochs, spec.train.learning_rate, spec.train.batch_size) == (100, 1e-4, 32)
    assert spec.train.n_steps(1283) == 4000
    path = tmp_path / "im.pk"
    path.write_bytes(pickle.dumps(mimic_tree()))
    mimic = real_spec(load_multimodal(path))
    assert (mimic.encoder1.kind, mimic.encoder2.kind, mimic.encoder2.hidden) == ("mlp", "gru", 30)


def test_official_settings_are_those_in_which_the_code_departs() -> None:
    spec = RealSpec(methods=("factorcl-sup", "supcon"), variant="official")
    assert spec.build_method("factorcl-sup").settings.conditioning == "batch"
    assert spec.build_method("supcon").settings.normalize is False
    assert RealSpec().build_method("factorcl-ssl").settings.conditioning == "batch"
    assert RealSpec().build_method("factorcl-sup").settings.conditioning == "within"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"methods": ["simclr", "simclr"]}, "methods: expected each once"),
        ({"methods": ["simclrr"]}, "methods: expected one of .*simclr"),
        ({"methods": []}, "methods"),
        ({"seeds": [-1]}, "seeds"),
        ({"settings": {"supcn": {}}}, "settings: expected settings of .* 'supcn'"),
        ({"settings": {"supcon": {"tau": 1}}}, "settings.supcon: expected one of .* 'tau'"),
        ({"settings": {"supcon": {"temperature": -1}}}, "settings.supcon.temperature"),
        ({"settings": {"factorcl-ssl": {"conditioning": "exact"}}}, "no law is known"),
        ({"encoder1": {"kind": "transfrmer"}}, "encoder1.kind: expected transformer, gru, mlp"),
        ({"encoder1": {"heads": 3}}, "encoder1.heads: expected a divisor of nets.embed_dim = 40"),
        ({"train": {"batch_size": 65}}, "train.batch_size: expected at most the 64 training"),
        ({"train": {"epoch": 1}}, "train.epoch"),
        ({"augmentation": {"noise": -1}}, "augmentation.noise"),
        ({"ridges": []}, "ridges"),
    ],
)
def test_impossible_settings_are_refused_in_one_line(
    values: dict[str, Any], message: str, data: Multimodal
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        real_spec(data, values)
    assert "\n" not in str(caught.value)


def test_a_training_is_that_of_a_plain_loop(data: Multimodal) -> None:
    values = {
        **FAST,
        "methods": ["supervised"],
        "train": {"epochs": 2, "batch_size": 16, "learning_rate": 0.01},
        "encoder1": {"kind": "mlp"},
        "encoder2": {"kind": "mlp"},
    }
    spec = real_spec(data, values)
    assert spec.train.n_steps(len(data.train)) == 8
    trained = train_method("supervised", 3, data, spec, key="a", dtype=torch.float64)
    assert len(trained.losses_nats["cross_entropy"]) == 8
    # The same in plain torch, from the same initial values and batches.
    module = trained.method.build(
        Stack(generators=(torch_stream("initialisation", "a", 3),), dtype=torch.float64),
        data_shape(data, spec),
        spec.nets,
    )
    adam = torch.optim.Adam(module.parameters(), lr=0.01)
    order = torch_stream("batches", "a", 3)
    x1, x2 = (torch.from_numpy(x).double() for x in (data.train.x1, data.train.x2))
    y, losses = torch.from_numpy(data.train.y), []
    for _ in range(2):
        for rows in torch.randperm(64, generator=order).split(16):
            logits = plain_logits(module, x1[rows], x2[rows])
            loss = nn.functional.cross_entropy(logits, y[rows])
            losses.append(float(loss.detach()))
            adam.zero_grad()
            loss.backward()
            adam.step()
    np.testing.assert_allclose(trained.losses_nats["cross_entropy"], losses, rtol=1e-9)


def plain_logits(module: nn.Module, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
    """Outputs of the classifier of one run, without the stack's axis."""
    state = {name: value[0] for name, value in module.named_parameters()}

    def mlp(name: str, x: torch.Tensor) -> torch.Tensor:
        for layer in range(2):
            x = x @ state[f"{name}.layers.{layer}.weight"] + state[f"{name}.layers.{layer}.bias"]
            x = x.relu() if layer == 0 else x
        return x

    z = torch.cat([mlp("encoders.modality1", x1), mlp("encoders.modality2", x2)], 1)
    return z @ state["classifier.weight"] + state["classifier.bias"]
