"""Encoders as a choice: tables, and modules of a user's own."""

from pathlib import Path

import pytest
import torch
from torch import nn

from fctestbed import NetSpec, TrainingSpec, TrainSpec, WorldSpec
from fctestbed._plugins import only_plugins
from fctestbed.nets import Stack
from fctestbed.objectives import (
    METHODS,
    DataShape,
    Encoders,
    check_user_encoder,
    encoder_source,
    find_method,
)
from fctestbed.synthesis import make_dataset
from fctestbed.training import train_stack

MODULE = """
import torch
from torch import nn


class Plain(nn.Module):
    def __init__(self, dim, width):
        super().__init__()
        self.first = nn.Linear(dim, 7)
        self.norm = nn.LayerNorm(7)
        self.last = nn.Linear(7, width)

    def forward(self, x):
        return self.last(torch.relu(self.norm(self.first(x))))


class Branching(Plain):
    def forward(self, x):
        return super().forward(x) * (1.0 if float(x.detach().sum()) < 1e9 else 2.0)


class Tied(nn.Module):
    def __init__(self, dim, width):
        super().__init__()
        self.a = nn.Linear(dim, dim)
        self.b = nn.Linear(dim, dim)
        self.b.weight = self.a.weight
        self.last = nn.Linear(dim, width)

    def forward(self, x):
        return self.last(self.b(torch.relu(self.a(x))))


class Narrow(Plain):
    def forward(self, x):
        return super().forward(x)[:, :1]


class Missing(Plain):
    def forward(self, x):
        return super().forward(x) * float("nan")


class Normed(nn.Module):
    def __init__(self, dim, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(dim, width), nn.BatchNorm1d(width))

    def forward(self, x):
        return self.layers(x)


class Dropped(Plain):
    def forward(self, x):
        return nn.functional.dropout(super().forward(x), 0.5)


class Odd(nn.Module):
    def __init__(self, dim):
        super().__init__()


class Failing(Plain):
    def forward(self, x):
        raise RuntimeError("no")


not_a_class = 3
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    place: Path = tmp_path_factory.mktemp("encoders")
    (place / "users_encoders.py").write_text(MODULE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(place))
        __import__("users_encoders")
    return "users_encoders"


def _stack(*seeds: int) -> Stack:
    return Stack(generators=tuple(torch.Generator().manual_seed(seed) for seed in seeds))


def _inputs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    return torch.randn(2, 4, 5, generator=generator), torch.randn(2, 4, 6, generator=generator)


SHAPE = DataShape(dim1=5, dim2=6, n_classes=2)
BITS = {
    "latents": {"n_shared": 2, "n_unique1": 1, "n_unique2": 1},
    "observation": {"kind": "bits"},
    "label": {"label_bits": 2},
    "n_train": 256,
    "n_test": 64,
}


def test_the_default_encoder_is_not_written_out() -> None:
    assert "encoder" not in NetSpec().model_dump(mode="json")
    assert NetSpec(encoder="table").model_dump(mode="json")["encoder"] == "table"


def test_an_unknown_encoder_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^encoder: expected mlp, table or an import path"):
        NetSpec(encoder="cnn")


@pytest.mark.parametrize("name", ["Plain", "Branching", "Tied"])
def test_a_users_module_gives_each_run_what_its_own_copy_gives(path: str, name: str) -> None:
    nets = NetSpec(encoder=f"{path}:{name}", embed_dim=3)
    x1, x2 = _inputs()
    both = Encoders(_stack(0, 1), SHAPE, nets)
    for run in range(2):
        alone = Encoders(_stack(run), SHAPE, nets)
        expected = alone(x1[run : run + 1], x2[run : run + 1])
        found = both(x1, x2)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one[run], other[0])


def test_a_module_that_vmap_refuses_runs_one_by_one(path: str) -> None:
    encoders = Encoders(_stack(0, 1), SHAPE, NetSpec(encoder=f"{path}:Branching", embed_dim=3))
    plain = Encoders(_stack(0, 1), SHAPE, NetSpec(encoder=f"{path}:Plain", embed_dim=3))
    assert plain.modality1.vectorised
    assert not encoders.modality1.vectorised
    x1, x2 = _inputs()
    torch.testing.assert_close(encoders(x1, x2), plain(x1, x2))


def test_a_shared_parameter_stays_shared(path: str) -> None:
    encoders = Encoders(_stack(0, 1), SHAPE, NetSpec(encoder=f"{path}:Tied", embed_dim=3))
    names = [name for name, _ in encoders.modality1.named_parameters()]
    assert not any("b.weight" in name for name in names)
    assert all(part.shape[0] == 2 for part in encoders.parameters())


def test_initialisation_leaves_the_global_generator_as_it_was(path: str) -> None:
    before = torch.get_rng_state()
    Encoders(_stack(0), SHAPE, NetSpec(encoder=f"{path}:Plain", embed_dim=3))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Narrow", r"expected outputs of shape \[4, 3\], got \[4, 1\]"),
        ("Missing", "expected finite outputs, got NaN or infinity"),
        ("Normed", "depend on the batch's other samples or on chance"),
        ("Dropped", "depend on the batch's other samples or on chance"),
        ("Odd", "expected an nn.Module, got TypeError"),
        ("Failing", r"expected an output of inputs \[n, 5\], got RuntimeError: no"),
        ("not_a_class", "expected a subclass of torch.nn.Module, got int"),
        ("Absent", "expected an nn.Module, got none"),
    ],
)
def test_modules_that_are_no_encoder_are_refused(path: str, name: str, line: str) -> None:
    with pytest.raises(ValueError, match=line) as caught:
        check_user_encoder(f"{path}:{name}", 5, 3)
    assert "\n" not in str(caught.value)


def test_a_text_that_is_no_path_is_refused() -> None:
    with pytest.raises(ValueError, match="expected mlp, table or an import path"):
        check_user_encoder("cnn", 5, 3)


def test_an_encoder_that_a_file_names_is_not_imported_unasked(path: str) -> None:
    with only_plugins(()), pytest.raises(ValueError, match="--allow-plugins"):
        TrainingSpec(method="simclr", nets=NetSpec(encoder=f"{path}:Plain"))


def test_a_wrong_module_is_refused_with_the_training(path: str) -> None:
    with pytest.raises(ValueError, match=r"nets.encoder: users_encoders:Narrow\(100, 8\)"):
        TrainingSpec(method="simclr", nets=NetSpec(encoder=f"{path}:Narrow"))


def test_the_source_of_a_users_encoder_is_part_of_the_training(path: str) -> None:
    training = TrainingSpec(method="simclr", nets=NetSpec(encoder=f"{path}:Plain"))
    assert {encoder_source("mlp"), encoder_source("table")} == {None}
    assert training.source == encoder_source(f"{path}:Plain") is not None
    assert TrainingSpec(method="simclr").source is None


@pytest.mark.parametrize(
    ("world", "line"),
    [
        ({}, r"nets.encoder: expected bit latents and observation bits .* observation mlp"),
        (
            {"latents": {"kind": "gaussian"}, "observation": {"kind": "bits"}},
            "expected bit latents and observation bits .* got gaussian latents",
        ),
        ({**BITS, "observation": {"kind": "bits", "noise": 0.1}}, "expected no observation noise"),
        (
            {"latents": {"n_shared": 12, "n_unique1": 6}, "observation": {"kind": "bits"}},
            r"at most 2\^16 = 65536 input patterns for a table, got 2\^18 = 262144",
        ),
    ],
)
def test_worlds_without_patterns_are_refused_for_a_table(
    world: dict[str, object], line: str
) -> None:
    with pytest.raises(ValueError, match=line):
        TrainingSpec(
            method="simclr", nets=NetSpec(encoder="table"), world=WorldSpec.model_validate(world)
        )


def test_views_that_are_no_patterns_are_refused_for_a_table() -> None:
    with pytest.raises(ValueError, match="expected views that are patterns too"):
        TrainingSpec.model_validate(
            {
                "method": "comm",
                "nets": {"encoder": "table"},
                "world": BITS,
                "augmentation": {"kind": "official"},
            }
        )


@pytest.mark.parametrize("method", [name for name in METHODS if find_method(name).trained])
def test_every_method_trains_with_a_table(method: str) -> None:
    training = TrainingSpec(
        method=method,
        nets=NetSpec(encoder="table", head_dim=4, critic_hidden=(8,)),
        train=TrainSpec(steps=2, batch_size=64),
        world=WorldSpec.model_validate(BITS),
    )
    trained = train_stack([training], [make_dataset(training.world, 0)])
    assert trained.diverged == [None]


@pytest.mark.parametrize("method", ["simclr", "disentangled-ssl", "comm"])
def test_methods_train_with_a_users_module(path: str, method: str) -> None:
    training = TrainingSpec(
        method=method,
        nets=NetSpec(encoder=f"{path}:Plain", head_dim=4),
        train=TrainSpec(steps=2, batch_size=64),
        world=WorldSpec.model_validate(BITS),
    )
    trained = train_stack([training], [make_dataset(training.world, 0)])
    assert trained.diverged == [None]
    assert isinstance(trained.module, nn.Module)
