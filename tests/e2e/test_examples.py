"""The examples of judging representations, run on a small world."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from fctestbed import Dataset, Measurement, WorldSpec, make_dataset

EXAMPLES = Path(__file__).parents[2] / "examples"
# Lightning advises on loaders and devices, and its libraries use each other's old names.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    with torch.random.fork_rng(devices=[]):
        yield


@pytest.fixture(scope="module")
def data() -> Dataset:
    world = {
        "latents": {"n_shared": 3, "n_unique1": 2, "n_unique2": 2},
        "observation": {"kind": "mlp", "dim1": 20, "dim2": 20},
        "label": {"kind": "bits", "unique_ratio": 0.5},
        "n_train": 1024,
        "n_test": 512,
    }
    return make_dataset(WorldSpec.model_validate(world), 0)


def bits(found: Measurement, quantity: str, rate: float = 32.0) -> float:
    rows = found.own().query("readout == 'joint' and estimator == 'rate' and quantity == @quantity")
    (value,) = rows.loc[rows["rate_bits"] == rate, "value_bits"]
    return float(value)


def test_there_is_a_test_of_every_example() -> None:
    named = {path.stem for path in EXAMPLES.glob("*.py")}
    assert named == {"plain_pytorch", "scikit_learn", "lightning_module", "hugging_face_style"}


def test_plain_pytorch_learns_the_shared_bits(data: Dataset) -> None:
    example = importlib.import_module("plain_pytorch")
    found = example.measured(data, steps=60, methods=())
    assert bits(found, "shared") > 1.5 * bits(found, "unique1")
    assert found.captured["method"].unique().tolist() == ["yours"]


@pytest.mark.parametrize("kind", ["CCA", "PLS"])
def test_scikit_learn_finds_shared_directions(data: Dataset, kind: str) -> None:
    example = importlib.import_module("scikit_learn")
    found = example.measured(data, kind, n_components=3, methods=())
    assert bits(found, "shared", 4.0) > bits(found, "unique1", 4.0)


def test_a_lightning_module_is_measured(data: Dataset) -> None:
    example = importlib.import_module("lightning_module")
    found = example.measured(data, steps=40, methods=())
    assert bits(found, "shared") > bits(found, "unique1")


def test_a_model_in_the_style_of_hugging_face_is_measured(data: Dataset) -> None:
    example = importlib.import_module("hugging_face_style")
    found = example.measured(data, methods=())
    assert 0 < bits(found, "label") < 2.001
