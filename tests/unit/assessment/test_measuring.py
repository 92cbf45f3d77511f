"""Representations from anywhere: encoders, arrays, guards, controls, the page, the figure."""

import json

import numpy as np
import pytest
import torch
from raw_stacks import measured
from torch import nn

import fctestbed
from fctestbed.assessment import measure
from fctestbed.measurement import MeasureSpec
from fctestbed.results import CAPTURED_COLUMNS, load_results
from fctestbed.synthesis import CODEWORDS, DIGEST, WorldSpec, make_dataset, modality_codewords

WORLD = WorldSpec.model_validate(
    {
        "n_train": 300,
        "n_test": 200,
        "observation": {"kind": "mlp", "dim1": 6, "dim2": 5},
        "latents": {"n_shared": 2, "n_unique1": 1, "n_unique2": 1},
        "label": {"kind": "bits", "unique_ratio": 0.5},
    }
)
QUICK = MeasureSpec.model_validate({"rate": {"rates": [2, 8]}})


@pytest.fixture(scope="module")
def dataset():
    return make_dataset(WORLD, 0)


def same(x):
    return x


def arrays(dataset):
    found = {}
    for m in (1, 2):
        found |= {
            f"{split}_z{m}": getattr(getattr(dataset, split), f"x{m}")
            for split in ("train", "test")
        }
        found[f"{CODEWORDS}_z{m}"] = modality_codewords(dataset.world, m)
    return found


def test_encoders_have_the_rows_of_the_method_that_returns_the_same(dataset):
    found = measure(dataset, same, same, methods=())
    assert tuple(found.captured.columns) == CAPTURED_COLUMNS
    (expected,) = measured(dataset)
    values = [row.value_bits for row in expected.captured]
    np.testing.assert_allclose(found.captured["value_bits"], values, atol=1e-6)
    assert set(found.captured["method"]) == {"yours"}
    assert fctestbed.measure is measure


def test_encoders_arrays_and_a_file_give_the_same_rows(dataset, tmp_path):
    content = arrays(dataset)
    dataset.save(tmp_path / "world.npz")
    np.savez(tmp_path / "reps.npz", **content, **{DIGEST: dataset.digest})
    expected = measure(dataset, same, same, QUICK, methods=())
    for world, given in (
        (dataset, content),
        (WORLD, content),
        (dataset.world, content),
        (tmp_path / "world.npz", tmp_path / "reps.npz"),
    ):
        found = measure(world, given, spec=QUICK, methods=())
        np.testing.assert_array_equal(found.captured["value_bits"], expected.captured["value_bits"])


class Protocol:
    """An array of some other framework, which DLPack can read."""

    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **how):
        return self._array.__dlpack__(**how)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


def test_any_kind_of_array_may_come_back_in_any_batches(dataset):
    expected = measure(dataset, same, same, QUICK, methods=()).captured["value_bits"]
    kinds = (lambda x: torch.from_numpy(x).requires_grad_(), np.ndarray.tolist, Protocol)
    for kind in kinds:
        found = measure(dataset, kind, kind, QUICK, methods=(), batch_size=70)
        np.testing.assert_array_equal(found.captured["value_bits"], expected)


def test_a_module_gets_tensors_of_its_type_and_is_left_as_it_was(dataset):
    seen = []

    class Net(nn.Linear):
        def forward(self, x):
            seen.append((x.dtype, torch.is_grad_enabled()))
            return super().forward(x)

    nets = []
    for m, dim in enumerate((6, 5)):
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            net = Net(dim, 3).double()
            net.weight.copy_(torch.eye(3, dim, dtype=torch.float64) + m)
        nets.append(net)
    assert measure(dataset, *nets, QUICK, methods=()).own()["value_bits"].notna().all()
    assert set(seen) == {(torch.float64, False)}
    assert all(net.training for net in nets)


def normed(dim):
    return nn.Sequential(nn.Linear(dim, 4), nn.BatchNorm1d(4))


ALONE = "encode1: expected outputs that depend on their own sample alone, got others "
SHAPE = r"encode1: expected outputs of shape \[64, width\] of 64 samples, got "
GENERATOR = np.random.default_rng(0)
BAD = [
    (3, "encode1: expected an encoder, arrays by name or their file"),
    (lambda x: x[:-1], SHAPE + r"\[63, 6\]"),
    (lambda x: x[:, 0], SHAPE + r"\[64\]"),
    (lambda x: x[:, :0], SHAPE + r"\[64, 0\]"),
    (lambda x: x * np.nan, "encode1: expected finite outputs, got NaN or infinity"),
    (lambda x: x / 0.0, "encode1: expected finite outputs, got NaN or infinity"),
    (lambda x: x.astype(str), "encode1: expected an array of numbers, got <U32"),
    (lambda x: None, "encode1: expected an array of numbers, got NoneType"),
    (lambda x: {"pooled": x}, "encode1: expected an array of numbers, got dict"),
    (lambda x: x @ np.ones((7, 2)), r"encode1: expected an encoder of arrays \[64, 6\], got Value"),
    (lambda x: x - x.mean(0), ALONE + "in another batch: they depend on it"),
    (lambda x: x + GENERATOR.normal(size=x.shape), ALONE + "for the same batch: they depend on"),
    (lambda x: x[:, : 1 + len(x) % 2], "encode1: expected outputs of one width, got"),
]  # fmt: skip


@pytest.mark.parametrize(("encode", "message"), BAD, ids=[message for _, message in BAD])
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_an_encoder_that_is_none_is_refused_in_one_line(dataset, encode, message):
    with pytest.raises(ValueError, match=f"^{message}") as refused:
        measure(dataset, encode, same, QUICK, methods=(), batch_size=67)
    assert "\n" not in str(refused.value)


def test_batch_normalisation_in_training_mode_is_refused_and_its_means_are_kept(dataset):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        nets = [normed(6), normed(5)]
    before = [buffer.clone() for buffer in nets[0].buffers()]
    with pytest.raises(ValueError, match=r"^encode1: .*call \.eval\(\)"):
        measure(dataset, *nets, QUICK, methods=())
    assert all(torch.equal(a, b) for a, b in zip(before, nets[0].buffers(), strict=True))
    assert measure(dataset, *(net.eval() for net in nets), QUICK, methods=()).warnings == ()


def test_rows_in_another_order_than_their_codewords_are_refused(dataset):
    content = arrays(dataset)
    content["test_z2"] = content["test_z2"][::-1]
    message = r"^representations: test_z2: expected rows equal to those of the samples' codewords"
    with pytest.raises(ValueError, match=message):
        measure(dataset, content, spec=QUICK, methods=())
    content = arrays(dataset)
    content |= {f"{kind}_z1": content[f"{kind}_z2"] for kind in ("train", "test")}
    with pytest.raises(ValueError, match=r"z1: expected one width in all its arrays"):
        measure(dataset, content, spec=QUICK, methods=())


def test_representations_of_another_data_set_are_refused(dataset):
    other = make_dataset(WORLD, 1)
    for digest, got in ((other.digest, other.digest[:12]), (np.arange(3), "int64 of sha")):
        with pytest.raises(ValueError, match=f"world_digest: expected .* got {got}"):
            measure(dataset, arrays(dataset) | {DIGEST: np.array(digest)}, spec=QUICK, methods=())


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"world": "x"}, "world: expected a Dataset, its file"),
        ({"encode2": None}, "encode2: expected an encoder of modality 2, got none"),
        ({"encode2": 3}, "encode2: expected an encoder to call, got int"),
        ({"encode1": {}}, "encode2: expected none with arrays or a file, got function"),
        ({"methods": "raw"}, "methods: expected a list of names, got 'raw'"),
        ({"methods": ["foo"]}, "methods: expected one of simclr"),
        ({"methods": ["raw", "no_such:Mine"]}, "methods: no_such:Mine: expected a method"),
        ({"name": "raw"}, "name: expected a name that no method of fctestbed has, got 'raw'"),
        ({"name": "a:b", "methods": ["a:b"]}, "name: expected another name than those of methods"),
        ({"name": " "}, "name: expected a printable name"),
        ({"batch_size": 0}, "batch_size: expected a whole number above 0, got 0"),
        ({"spec": 3}, "spec: expected a MeasureSpec, got int"),
        ({"device": "tpu"}, "device: expected a torch device, got 'tpu'"),
    ],
)
def test_arguments_that_cannot_be_are_refused_in_one_line(dataset, how, message):
    given = {"world": dataset, "encode1": same, "encode2": same, "spec": QUICK, **how}
    with pytest.raises(ValueError, match=f"^{message}") as refused:
        measure(**given)
    assert "\n" not in str(refused.value)


@pytest.fixture(scope="module")
def compared(dataset):
    with torch.random.fork_rng(devices=[]):
        return measure(dataset, same, same, QUICK, name="copies")


def test_the_controls_are_beside_and_raw_inputs_are_themselves(compared):
    label = compared.captured.query("quantity == 'label' and readout == 'joint' and rate_bits == 8")
    values = label.set_index("method")["value_bits"]
    assert set(values.index) == {"copies", "raw", "untrained", "supervised"}
    assert values["copies"] == pytest.approx(values["raw"], abs=1e-6)
    assert set(compared.results.runs["status"]) == {"ok"}
    assert compared.warnings == ()
    assert "copies" in compared._repr_html_()


def test_the_page_says_the_numbers_of_the_rows(compared):
    page = compared.page(rate=8)
    own = compared.own().query("quantity == 'label' and readout == 'joint' and rate_bits == 8")
    assert f"`copies` gives {own['value_bits'].iloc[0]:.2f} ± " in page
    sentence = page.partition("not clearly other than ")[2].partition(".\n")[0]
    assert "Raw inputs (" in sentence
    assert "unique to modality 1" in page
    assert "| Bayes, the most possible |" in page
    with pytest.raises(ValueError, match="rate: expected one of 2, 8, got 3"):
        compared.page(rate=3)


def test_the_figure_has_the_curves_and_a_row_for_each_block(compared):
    left, right = compared.plot().axes
    labels = {line.get_label(): line for line in left.get_lines()}
    own = compared.own().query("quantity == 'label' and readout == 'joint'")
    points = own[own["estimator"] == "rate"].sort_values("rate_bits")
    np.testing.assert_allclose(labels["copies"].get_ydata(), points["value_bits"])
    assert left.get_xlabel() == "rate R (bits)"
    assert right.get_yticklabels()[0].get_text() == "label"


def test_what_is_saved_is_read_as_a_sweep_s_results(compared, tmp_path):
    written = {path.name for path in compared.save(tmp_path / "out")}
    assert {"captured.csv", "runs.csv", "measured.png", "measured.pdf", "report.md"} <= written
    back = load_results(tmp_path / "out")
    np.testing.assert_array_equal(
        back.captured["value_bits"], compared.results.captured["value_bits"]
    )
    (spec,) = back.runs.loc[back.runs["method"] == "copies", "spec"]
    assert json.loads(spec)["world_digest"] == make_dataset(WORLD, 0).digest
    with pytest.raises(ValueError, match="rate: expected one of"):
        compared.save(tmp_path / "none", rate=5)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="out: expected a directory that can be written"):
        compared.save(tmp_path / "file" / "x")
    assert not (tmp_path / "none").exists()


def test_without_codewords_one_panel_has_what_a_probe_reads(dataset):
    content = {name: x for name, x in arrays(dataset).items() if CODEWORDS not in name}
    found = measure(dataset, content, spec=QUICK, methods=())
    (panel,) = found.plot().axes
    assert "read by a linear probe" in panel.get_xlabel()
    assert found.warnings


def test_a_readout_of_one_modality_is_compared_with_the_same_of_controls(dataset):
    content = {name: x for name, x in arrays(dataset).items() if name.endswith("1")}
    page = measure(dataset, content, spec=QUICK, methods=["raw"]).page()
    assert "readout `z1`" in page


def test_a_control_that_this_world_cannot_have_is_left_out_with_a_line():
    world = WORLD.model_dump() | {
        "latents": {"n_shared": 13, "n_unique1": 1, "n_unique2": 1},
        "label": {"kind": "noiseless", "label_bits": 13, "unique_ratio": 0.0},
    }
    spec = MeasureSpec.model_validate({"rate": False, "scores": False})
    found = measure(WorldSpec.model_validate(world), same, same, spec, methods=["supervised"])
    (line,) = found.warnings
    assert line.startswith("supervised is left out: world.label.")
