"""Bad input: one line that names the option, the right exit code, nothing written."""

import pytest
import torch
from synthetic_results import as_results, records
from tiny_sweeps import TINY_OPTIONS

from fctestbed._messages import MOST_CHARACTERS, one_line
from fctestbed.cli.main import run
from fctestbed.results import export_results

CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is there")
GRID = "a number or start:stop:step (stop included)"
METHODS = "one of simclr, supcon, "

BAD_SWEEPS = [
    ("--unique-ratio 0:1", f"--unique-ratio: expected {GRID}, got '0:1'"),
    ("--unique-ratio foo", f"--unique-ratio: expected {GRID}, got 'foo'"),
    ("--unique-ratio=", f"--unique-ratio: expected {GRID}, got ''"),
    ("--unique-ratio nan", f"--unique-ratio: expected {GRID}, got 'nan'"),
    ("--unique-ratio 1:0:0.1", "--unique-ratio: expected start <= stop, got 1 > 0 in '1:0:0.1'"),
    ("--unique-ratio 0:1:0", "--unique-ratio: expected a step above 0, got 0 in '0:1:0'"),
    ("--unique-ratio 1.1", "--unique-ratio: expected values from 0 to 1, got 1.1 in '1.1'"),
    ("--unique-ratio 0:1:1e-9", "--unique-ratio: expected at most 10000 points, got more in "),
    ("--balance 0.9", "--unique-ratio: expected at most 0.5555555556 (at balance 0.9 and "),
    ("--label noiseless --unique-ratio 0.3", "--unique-ratio: expected a ratio that splits 4 "),
    ("--methods foo", f"--methods: expected {METHODS}"),
    ("--methods raw,,raw", f"--methods: expected {METHODS}"),
    ("--methods raw,raw", "--methods: expected one or more different values, got ['raw', 'raw']"),
    ("--variant offical", "--variant: expected some of paper, official, or a table of variants"),
    (
        "--methods raw --variant official",
        "--variant: expected one that raw has, got official: leave the method out or add",
    ),
    ("--critic foo", "--critic: expected 'concat', 'separable', 'bilinear' or 'cosine', got 'foo'"),
    ("--preset foo", "--preset: expected one of quick, official, got 'foo'"),
    ("--seeds -1", "--seeds: expected whole numbers from 0 to 2^63 - 1, got -1 in '-1'"),
    ("--seeds 2:0", "--seeds: expected start <= stop, got 2 > 0 in '2:0'"),
    ("--seeds 0:9999 --unique-ratio 0:1:0.01", "--unique-ratio: expected a grid of at most "),
    ("--device tpu", "--device: expected auto, cpu, cuda or cuda:N, got 'tpu'"),
    ("--workers 0", "--workers: expected at least 1, got 0"),
    ("--workers -2", "--workers: expected at least 1, got -2"),
    ("--max-stack 0", "--max-stack: expected at least 1, got 0"),
    (
        "--augmentation foo",
        "--augmentation: expected one of official, optimal, unique, quality, got 'foo'",
    ),
    (
        "--methods unimodal-ssl --augmentation quality --label threshold --unique-ratio 0",
        "--augmentation: expected a bits or noiseless label for quality, which keeps or loses each "
        "slot of the label on its own, got threshold",
    ),
    (
        "--methods unimodal-ssl --augmentation unique --label planar --unique-ratio 1",
        "--augmentation: expected at least 5 relevant latents in modality 1 to write 20 classes",
    ),
    (
        "--methods factorcl-ssl --set settings.factorcl-ssl.conditioning=exact --latents gaussian",
        "--latents: expected bits to draw originals exactly given their copies (conditioning "
        "exact), got gaussian",
    ),
    ("--latents foo", "--latents: expected one of bits, gaussian, got 'foo'"),
    ("--observation foo", "--observation: expected one of linear, mlp, bits, got 'foo'"),
    (
        "--label foo",
        "--label: expected one of bits, noiseless, threshold, planar, parity, function, got 'foo'",
    ),
    ("--n-train 0", "--n-train: expected greater than 0, got 0"),
    ("--n-test -3", "--n-test: expected greater than 0, got -3"),
    ("--shared 0", "--shared: expected greater than 0, got 0"),
    ("--shared 1", "--shared: expected at least 2, because the bits label at unique_ratio 0 "),
    ("--unique -1", "--unique: expected greater than 0, got -1"),
    ("--label-bits 0", "--label-bits: expected greater than or equal to 2, got 0"),
    ("--label-bits 3", "--label-bits: expected "),
    ("--label-bits 99999999998", "--label-bits: expected less than or equal to 20, got "),
    ("--label-bits 14 --unique 7", "--shared: expected at least 14, because the bits label at "),
    ("--label threshold --relevant 0", "--relevant: expected greater than 0, got 0"),
    ("--label threshold --label-bits 2", "--label-bits: expected one of unique_ratio, "),
    ("--balance 2", "--balance: expected less than or equal to 1, got 2.0"),
    ("--synergy nan", "--synergy: expected "),
    ("--noise -1", "--noise: expected greater than or equal to 0, got -1.0"),
    ("--noise nan", "--noise: expected a finite number, got nan"),
    ("--set foo", "--set: expected KEY=VALUE such as train.steps=500, got 'foo'"),
    ("--set foo=3", "--set foo: expected one of unique_ratio, methods, seeds, "),
    ("--set train.steps=0", "--set train.steps: expected greater than 0, got 0"),
    ("--set train.steps=-5", "--set train.steps: expected greater than 0, got -5"),
    ("--set train.batch_size=1", "--set train.batch_size: expected greater than or equal to 2, "),
    ("--set train.learning_rate=0", "--set train.learning_rate: expected greater than 0, got 0"),
    ("--set nets.embed_dim=0", "--set nets.embed_dim: expected greater than 0, got 0"),
    ("--set seeds=-1", "--set seeds"),
    ("--set settings.simclr.foo=1", "--set settings.simclr: expected one of "),
    ("--n-train 64", "train.batch_size: expected at most the 64 training samples, got 128"),
    (
        "--methods factorcl-sup --label-bits 4",
        "train.batch_size: expected at least 1024 for factorcl-sup, whose negatives share the "
        "label (4 samples for each of its 256 classes), got 128: enlarge the batch or ask for "
        "fewer label bits",
    ),
    (
        "--methods supervised --label-bits 20 --shared 20 --unique 10",
        "--label-bits: expected at most 4096 classes for supervised, which learns from the label, "
        "got 1099511627776: ask for fewer label bits or leave the method out",
    ),
    ("--config none.toml", "none.toml: expected a sweep file, got none that can be read ("),
    ("--foo", "No such option: --foo"),
    ("--workers x", "Invalid value for '--workers': "),
    ("extra", "extra: expected a sweep file, got none that can be read"),
    ("--figures FILE", "--figures: expected a directory that can be written, got FILE"),
    ("--figures FILE/x", "--figures: expected a directory that can be written, got FILE/x"),
]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty working directory but for one file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").write_text("mine")
    yield tmp_path
    assert [path.name for path in tmp_path.rglob("*")] == ["FILE"]
    assert (tmp_path / "FILE").read_text() == "mine"


def refusal(capsys, arguments, code):
    assert run(arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("fctestbed: ")
    return err.removeprefix("fctestbed: ").rstrip("\n")


@pytest.mark.parametrize(("options", "message"), BAD_SWEEPS, ids=[o for o, _ in BAD_SWEEPS])
def test_a_sweep_that_cannot_be_is_refused(place, capsys, options, message):
    assert refusal(capsys, ["sweep", *options.split()], 2).startswith(message)


@pytest.mark.parametrize("options", ["--workers 0", "--max-stack 0", "--device tpu", "--seeds x"])
def test_a_dry_run_refuses_the_same(place, capsys, options):
    line = refusal(capsys, ["sweep", "--dry-run", *options.split()], 2)
    assert line.startswith(options.split()[0])


@CUDA
@pytest.mark.parametrize("command", ["sweep", "bench"])
def test_cuda_that_is_not_there_is_refused(place, capsys, command):
    line = refusal(capsys, [command, "--device", "cuda"], 2)
    assert line == "--device: expected a CUDA device that is there (0 found), got 'cuda'"


@pytest.mark.parametrize("out", ["FILE", "FILE/x", "FILE/x/y"])
def test_an_out_that_cannot_be_a_directory_is_refused(place, capsys, out):
    line = refusal(capsys, ["sweep", "--out", out, "--methods", "raw"], 4)
    assert line.startswith(f"--out: {out}: cannot be made a directory (")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("truth --unique-ratio 1.5", "--unique-ratio: expected a number from 0 to 1, got 1.5"),
        ("truth --unique-ratio nan", "--unique-ratio: expected a number from 0 to 1, got nan"),
        ("truth --unique-ratio x", "Invalid value for '--unique-ratio': "),
        ("truth --shared 0", "--shared: expected greater than 0, got 0"),
        ("truth --label-bits 8", "--shared: expected at least 8, because the bits label at "),
        ("truth --label-bits 22", "--label-bits: expected less than or equal to 20, got 22"),
        ("truth --balance 0 --unique-ratio 0.6", "--unique-ratio: expected at most 0.5 (at "),
        ("truth --label foo", "--label: expected one of bits, noiseless, threshold, planar, "),
        ("truth --label planar --relevant 24 --shared 24 --unique 24 --unique-ratio 0",
         "--relevant: expected at most 22 for a planar label"),
        ("truth --augmentation official", "--augmentation: expected optimal, unique or quality, "),
        ("truth --augmentation quality --label threshold", "--augmentation: expected a bits or "),
        ("truth --augmentation unique --latents gaussian", "--latents: expected bits to enumerate"),
        ("truth --augmentation unique --augmentation-quality 1,1",
         "--augmentation-quality: expected --augmentation quality, got unique"),
        ("truth --augmentation-quality 2,1", "--augmentation-quality: expected two numbers from "),
        ("truth --augmentation-quality 1", "--augmentation-quality: expected two numbers from 0 "),
        ("truth --label planar --latents gaussian", "--label: expected bits, noiseless, thresh"),
        ("generate", "Missing option '--out'"),
        ("generate --out FILE", "--out: expected a file name that ends in .npz, got 'FILE'"),
        ("generate --out none/x.npz", "--out: expected a place to write, got none/x.npz (No such"),
        ("generate --out x.npz --seed -1", "--seed: expected a whole number from 0 to 2^63 - 1, "),
        (f"generate --out x.npz --seed {2**63}", "--seed: expected a whole number from 0 to "),
        ("generate --out x.npz --n-train 0", "--n-train: expected greater than 0, got 0"),
        ("generate --out x.npz --n-train 1000000000000000",
         "--n-train: expected samples that fit into memory, at most 1099511627776 bytes, got "),
        ("figures none", "results: expected results.sqlite or captured.csv[.gz] in none, got "),
        ("figures . --heatmap-ratio 2", "--heatmap-ratio: expected a number from 0 to 1, got 2"),
        ("figures . --table-ratio -1", "--table-ratio: expected a number from 0 to 1, got -1"),
        ("export none --out x", "results: expected results.sqlite or captured.csv[.gz] in none"),
        ("sweep --device cpu --out x --set train.precision=bf16",
         "train.precision: expected float32 on cpu, got 'bf16'"),
        ("bench --threads 0", "--threads: expected at least 1, got 0"),
        ("bench --steps 0", "--steps: expected greater than 0, got 0"),
        ("bench --device foo", "--device: expected auto, cpu, cuda or cuda:N, got 'foo'"),
        ("foo", "No such command 'foo'."),
    ],
    ids=lambda value: value if " " in value and ":" not in value else "",
)  # fmt: skip
def test_other_commands_refuse_what_cannot_be(place, capsys, arguments, message):
    line = refusal(capsys, arguments.split(), 2)
    assert line.startswith(message)


def test_a_file_that_is_no_store_is_refused(place, capsys):
    assert "not a results store" in refusal(capsys, ["figures", "FILE"], 4)


def test_an_estimator_without_rows_is_refused(tmp_path, capsys):
    export_results(as_results(records((0.5,), ("raw",), (0,))), tmp_path / "rows")
    arguments = ["figures", str(tmp_path / "rows"), "--estimator", "mine"]
    line = refusal(capsys, [*arguments, "--out", str(tmp_path / "out")], 2)
    assert line == "--estimator: expected one of linear_probe, got 'mine'"
    assert not (tmp_path / "out").exists()


def test_a_directory_that_holds_another_sweep_is_refused(tmp_path, capsys):
    out = ["--out", str(tmp_path / "a"), "--figures", str(tmp_path / "f")]
    sweep = ["sweep", "--methods=raw", "--seeds=0", "--unique-ratio=0", *TINY_OPTIONS, *out]
    sweep += ["--no-report", "--only-figures=label_bits"]
    assert run([*sweep, "--workers=1"]) == 0
    capsys.readouterr()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    line = refusal(capsys, [*sweep, "--n-test=120"], 4)
    said = "holds another sweep: world.n_test: stored 128, asked 120"
    assert line == f"--out: {tmp_path / 'a'}: {said}; --name or --out can name another directory"
    assert run([*sweep, "--n-test=120", "--dry-run"]) == 0
    assert "would be refused: world.n_test: stored 128, asked 120" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_error_of_ours_keeps_its_traceback(place, monkeypatch):
    def broken(*arguments, **how):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("fctestbed.cli.truth.world_truth", broken)
    with pytest.raises(ZeroDivisionError):
        run(["truth"])


def test_a_message_is_one_line_of_bounded_length():
    assert one_line("--seeds:\nexpected  1") == "--seeds: expected 1"
    for long in ("x" * 20_000, "word " * 4_000, "\x1b[31m" * 500):
        line = one_line(f"--name: expected a name, got {long!r} (and 1 more)")
        assert len(line) <= MOST_CHARACTERS
        assert line.startswith("--name: expected a name, got ")
        assert line.endswith("(and 1 more)")
        assert line.isprintable()


def test_generate_writes_both_files_or_none(place, capsys):
    both = ["generate", "--n-train=8", "--n-test=8", "--out=a.npz", "--codewords"]
    assert run([*both, "none/b.npz"]) == 2
    assert "--codewords: expected a place to write, got none/b.npz" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["gaussian --dims=2 --levels=1", "conditional --cells=100x2"])
def test_nothing_is_trained_for_an_out_that_cannot_be_written(place, capsys, command):
    line = refusal(capsys, [*command.split(), "--out=FILE", "--steps=999999999"], 2)
    assert line.startswith("--out: expected a directory that can be written, got FILE (")
