"""The command ``measure``, and the words that ``generate`` writes for it."""

import json
import shutil

import numpy as np
import pytest
import torch
from raw_stacks import measured
from tiny_sweeps import tiny_sweep

from fctestbed.cli.main import run
from fctestbed.results import ENCODERS, load_results
from fctestbed.sweep import run_sweep
from fctestbed.synthesis import load_dataset

WORLD = ["--shared=2", "--unique=2", "--n-train=400", "--n-test=300", "--unique-ratio=0.5"]


@pytest.fixture(autouse=True)
def _denormals_stay():
    """A sweep's process treats denormals as zero."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    path = tmp_path_factory.mktemp("measure")
    command = ["generate", "--out", str(path / "data.npz"), *WORLD]
    assert run([*command, "--codewords", str(path / "words.npz")]) == 0
    return path


def encode(x):
    """Somebody's encoder."""
    return np.tanh(x[:, :6])


def arrays(place, codewords=True):
    data, words = np.load(place / "data.npz"), np.load(place / "words.npz")
    found = {
        f"{split}_z{m}": encode(data[f"{split}_x{m}"])
        for split in ("train", "test")
        for m in (1, 2)
    }
    if codewords:
        found |= {f"codewords_z{m}": encode(words[f"x{m}"]) for m in (1, 2)}
    return found


def measure(capsys, place, name, content, *options):
    np.savez(place / f"{name}.npz", **content)
    capsys.readouterr()
    command = ["measure", str(place / "data.npz"), str(place / f"{name}.npz"), "--no-controls"]
    code = run([*command, *options])
    out, err = capsys.readouterr()
    return code, out, err


def rows(text, estimator, rate=None):
    return {
        (row["readout"], row["quantity"]): row
        for row in json.loads(text)["captured"]
        if (row["estimator"], row["rate_bits"]) == (estimator, rate)
    }


def test_words_are_the_inputs_of_every_pattern(place):
    data, words = load_dataset(place / "data.npz"), np.load(place / "words.npz")
    assert words["x1"].shape == (16, 100)
    row = np.concatenate([data.train.w_s, data.train.w_1], 1) @ (1 << np.arange(4)[::-1])
    np.testing.assert_allclose(words["x1"][row], data.train.x1, atol=1e-5)


def test_a_representation_from_anywhere_is_measured(place, capsys):
    code, out, err = measure(capsys, place, "mine", arrays(place), "--json")
    assert (code, err) == (0, "")
    exact, probes = rows(out, "rate", 8.0), rows(out, "linear_probe")
    assert {readout for readout, _ in exact} == {"z1", "z2", "joint"}
    assert exact.keys() - probes.keys() == {
        ("joint", f"label_{part}") for part in ("shared", "unique1", "unique2")
    }
    assert exact["z1", "unique2"]["value_bits"] == 0
    assert exact["joint", "shared"]["true_bits"] == 2
    assert 0.5 < exact["joint", "shared"]["value_bits"] <= 2
    assert {row["readout"] for row in json.loads(out)["accuracy"]} == {"z1", "z2", "joint"}


def test_raw_inputs_in_a_file_have_the_rows_of_the_raw_method(place, capsys):
    data, words = np.load(place / "data.npz"), np.load(place / "words.npz")
    content = {f"{s}_z{m}": data[f"{s}_x{m}"] for s in ("train", "test") for m in (1, 2)}
    content |= {f"codewords_z{m}": words[f"x{m}"] for m in (1, 2)}
    _, out, _ = measure(capsys, place, "raw", content, "--json")
    dataset = load_dataset(place / "data.npz")
    (expected,) = measured(dataset)
    for estimator, rate in (("rate", 2.0), ("rate", 32.0), ("linear_probe", None)):
        found = rows(out, estimator, rate)
        for row in expected.captured:
            if (row.estimator, row.rate_bits) == (estimator, rate):
                value = found[row.readout, row.quantity]["value_bits"]
                assert value == pytest.approx(row.value_bits, abs=1e-6)


def test_without_codewords_the_probes_serve_and_a_line_says_so(place, capsys):
    code, out, err = measure(capsys, place, "plain", arrays(place, codewords=False), "--json")
    assert (code, err) == (0, "")
    assert not rows(out, "channel")
    assert json.loads(out)["warnings"] == [
        "no channel information of z1, z2, joint: expected their codewords, got none"
    ]
    _, out, err = measure(capsys, place, "plain", arrays(place, codewords=False), f"--out={place}")
    assert err == ""
    assert "- no channel information of z1, z2, joint: " in out
    assert "read by a linear probe" in out


def test_several_rates_make_a_curve(place, capsys):
    options = ("--json", "--rate", "1", "--rate", "3", "--target", "0.01")
    _, out, _ = measure(capsys, place, "mine", arrays(place), *options)
    one, three = (rows(out, "rate", rate)["joint", "shared"] for rate in (1.0, 3.0))
    assert one["value_bits"] < three["value_bits"]
    assert (one["ceiling_bits"], three["ceiling_bits"]) == (1, 2)
    assert one["high_bits"] - one["low_bits"] < 2 * 1.97 * 0.01
    assert not rows(out, "channel")


def test_several_noises_make_a_curve(place, capsys):
    options = ("--json", "--tau", "0.5", "--tau", "2", "--target", "0.01")
    _, out, _ = measure(capsys, place, "mine", arrays(place), *options)
    key = "joint", "shared"
    half, two = rows(out, "channel")[key], rows(out, "channel@2")[key]
    assert two["value_bits"] < half["value_bits"]
    assert half["high_bits"] - half["low_bits"] < 2 * 1.97 * 0.01


def test_a_fused_readout_takes_the_words_of_both(place, capsys):
    data = np.load(place / "data.npz")
    words = np.load(place / "words.npz")
    every = np.arange(64)
    whole = encode(words["x1"][every // 4]) + encode(words["x2"][every // 16 * 4 + every % 4])
    content = {
        f"{split}_code": encode(data[f"{split}_x1"]) + encode(data[f"{split}_x2"])
        for split in ("train", "test")
    }
    code, out, _ = measure(capsys, place, "fused", {**content, "codewords_code": whole}, "--json")
    assert code == 0
    found = rows(out, "rate", 8.0)
    # A sum of both modalities' codes: each of its blocks shows, and none wholly.
    for quantity in ("shared", "unique1", "unique2"):
        assert 0.3 < found["code", quantity]["value_bits"] < 1.99


def changed(name, change):
    def content(place):
        found = arrays(place)
        found[name] = change(found[name])
        return found

    return content


def without(name):
    def content(place):
        found = arrays(place)
        del found[name]
        return found

    return content


BAD = [
    (changed("test_z1", lambda z: z[:-1]),
     "test_z1: expected 300 rows to match the data set, got 299"),
    (changed("train_z2", lambda z: z[:300]),
     "train_z2: expected 400 rows to match the data set, got 300"),
    (changed("codewords_z1", lambda z: z[:-1]),
     "codewords_z1: expected 16 rows to match the data set, got 15"),
    (changed("test_z1", lambda z: z[:, :3]),
     "z1: expected one width in all its arrays, got [3, 6]"),
    (changed("test_z1", lambda z: z * np.nan), "test_z1: expected finite numbers, got NaN or "),
    (changed("test_z1", lambda z: z.astype("float64") * 1e300),
     "test_z1: expected finite numbers, got NaN or "),
    (changed("test_z1", lambda z: z[:, 0]),
     "test_z1: expected numbers of shape (rows, width), got float32 of shape (300,)"),
    (changed("test_z1", lambda z: z.astype(str)),
     "test_z1: expected numbers of shape (rows, width), got <U"),
    (without("test_z1"), "test_z1: expected it with the readout's other arrays, got none"),
    (without("train_z1"), "train_z1: expected it with the readout's other arrays, got none"),
    (lambda place: {"z1": np.zeros((3, 3))}, "z1: expected names such as train_z1, test_z1 and"),
    (lambda place: {}, "expected names such as train_z1 and test_z1, got no array"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "message"), BAD, ids=[message for _, message in BAD])
def test_files_that_do_not_match_the_data_set_are_refused(place, capsys, content, message):
    code, out, err = measure(capsys, place, "bad", content(place))
    assert (code, out) == (2, "")
    assert err.startswith(f"fctestbed: {place / 'bad.npz'}: {message}")
    assert err.count("\n") == 1


def test_files_that_are_none_are_refused(place, capsys, tmp_path):
    np.save(tmp_path / "one.npy", np.zeros((3, 3)))
    np.savez(tmp_path / "mine.npz", train_z1=np.zeros((3, 3)))
    data, mine = str(place / "data.npz"), str(tmp_path / "mine.npz")
    for arguments, message in (
        ([data, str(tmp_path / "none.npz")], "none.npz: expected a file that can be read (No "),
        ([data, str(tmp_path / "one.npy")], "one.npy: expected representations (.npz), got "),
        ([mine, mine], "mine.npz: expected the arrays of a dataset, got missing "),
        ([data, mine, "--tau", "0"], "--tau: expected greater than 0, got 0"),
        ([data, mine, "--tau", "1", "--tau", "1"], "--tau: expected different values, got [1.0"),
        ([data, mine, "--rate", "0"], "--rate: expected greater than 0, got 0"),
        ([data, mine, "--rate", "nan"], "--rate: expected "),
        ([data, mine, "--rate", "4", "--rate", "4"], "--rate: expected different values, got [4.0"),
        ([data, mine, "--target", "-1"], "--target: expected greater than 0, got -1"),
        ([data, mine, "--device", "tpu"], "--device: expected auto, cpu, cuda or cuda:N, got"),
    ):
        assert run(["measure", *arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert message in err
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--codewords", "w.txt"], "--codewords: expected a file name that ends in .npz, got "),
        (["--codewords", "d.npz"], "--codewords: expected another file than --out, got d.npz"),
        (["--codewords", "w.npz", "--latents", "gaussian"], "--codewords: latents: expected bits,"),
        (["--codewords", "none/w.npz"], "--codewords: expected a place to write, got none/w.npz"),
        (
            ["--codewords", "w.npz", "--shared", "11", "--unique", "10"],
            "--codewords: expected at most 2^20 patterns of a modality's bits, got 2^21",
        ),
    ],
)
def test_words_that_cannot_be_written_are_refused_and_nothing_is(
    tmp_path, monkeypatch, capsys, options, message
):
    monkeypatch.chdir(tmp_path)
    assert run(["generate", "--out", "d.npz", "--n-train=10", "--n-test=10", *options]) == 2
    assert capsys.readouterr().err.startswith(f"fctestbed: {message}")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    out = tmp_path_factory.mktemp("swept") / "rows"
    run_sweep(tiny_sweep(methods=["simclr", "supcon"]), out, device="cpu", workers=1)
    return out


AGAIN = ["--device=cpu", "--workers=1"]


def test_a_sweep_s_directory_is_measured_again(swept, tmp_path, capsys):
    settings = ["--set=measurement.n_fit=100", "--set=measurement.ridge=0.01"]
    assert run(["measure", str(swept), *settings, f"--out={tmp_path / 'new'}", *AGAIN]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Label bits read at R = 4 bits ")
    new = tmp_path / "new"
    assert out.endswith(f"results in {new}, figure in {new / 'label_bits.png'}\n")
    assert "4 runs: 3 trainings in 2 stacks" in err
    spec = json.loads(load_results(tmp_path / "new").runs["spec"][0])["measurement"]
    assert (spec["n_fit"], spec["ridge"]) == (100, 0.01)
    command = ["measure", str(swept), *settings, f"--out={tmp_path / 'new'}", *AGAIN, "--json"]
    assert run(command) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["n_runs"], done["n_new"], done["n_left_out"]) == (4, 0, 0)


def test_runs_that_are_left_out_are_named_and_the_exit_code_is_3(swept, tmp_path, capsys):
    copied = shutil.copytree(swept, tmp_path / "copied")
    next((copied / ENCODERS).iterdir()).unlink()
    assert run(["measure", str(copied), f"--out={tmp_path / 'new'}", *AGAIN]) == 3
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    assert len(notes) == 1
    assert " runs left out, whose encoders are not in " in notes[0]


@pytest.mark.parametrize(
    ("damage", "code", "said"),
    [
        ("remove", 2, "expected kept encoders in "),
        ("cut", 4, "expected "),
        ("swap", 4, "expected the encoders of training "),
    ],
)
def test_encoders_that_cannot_be_used_are_one_line_and_nothing_is_written(
    swept, tmp_path, capsys, *, damage, code, said
):
    copied = shutil.copytree(swept, tmp_path / "copied")
    first, second, *_ = sorted((copied / ENCODERS).iterdir())
    if damage == "remove":
        shutil.rmtree(copied / ENCODERS)
    else:
        first.write_bytes(second.read_bytes() if damage == "swap" else first.read_bytes()[:-9])
    assert run(["measure", str(copied), f"--out={tmp_path / 'new'}", *AGAIN]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("fctestbed: ")
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "new").exists()
