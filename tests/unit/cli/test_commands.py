"""Commands other than ``sweep``, in this process, and the command line as a whole."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic_results import as_results, records

from fctestbed import __version__
from fctestbed.cli.main import COMMANDS, app, run
from fctestbed.information import bsc_flip_probability
from fctestbed.results import export_results, load_results
from fctestbed.synthesis import load_dataset

HEAVY = ("torch", "pandas", "matplotlib", "numpy", "scipy", "pydantic", "rich")


def said(capsys, *arguments):
    assert run(list(arguments)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_truth_is_exact_at_any_ratio(capsys):
    found = json.loads(said(capsys, "truth", "--unique-ratio", "0.37", "--json"))
    expected = {
        "shared_bits": 1.26,
        "unique1_bits": 0.37,
        "unique2_bits": 0.37,
        "total_bits": 2.0,
        "label_entropy_bits": 4.0,
        "x1_label_bits": 1.63,
        "x2_label_bits": 1.63,
        "x1_x2_bits": 6.0,
    }
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, abs=1e-9), key
    assert found["pid"] == pytest.approx(
        {
            "redundancy_bits": 1.26,
            "unique1_bits": 0.37,
            "unique2_bits": 0.37,
            "synergy_bits": 0.0,
            "gap_bits": 0.0,
        },
        abs=1e-9,
    )
    shared, unique = 1 - bsc_flip_probability(0.63), 1 - bsc_flip_probability(0.37)
    assert found["bayes_accuracy"] == pytest.approx(shared**2 * unique**2, abs=1e-9)
    assert found["bayes_accuracy_x1"] == pytest.approx(shared**2 * unique / 2, abs=1e-9)
    assert found["bayes_accuracy_x2"] == pytest.approx(shared**2 * unique / 2, abs=1e-9)


def test_truth_takes_the_world_s_options(capsys):
    options = ("--label-bits=4", "--balance=0.25", "--synergy=0.25", "--unique-ratio=0.5", "--json")
    found = json.loads(said(capsys, "truth", *options))
    assert found["pid"] == pytest.approx(
        {
            "redundancy_bits": 1.0,
            "unique1_bits": 0.5,
            "unique2_bits": 1.5,
            "synergy_bits": 1.0,
            "gap_bits": 0.0,
        },
        abs=1e-9,
    )


def test_truth_in_lines_names_every_number(capsys):
    out = said(capsys, "truth", "--unique-ratio", "0.37")
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["shared_bits"] == "1.26"
    assert lines["pid.synergy_bits"] == "0"
    assert lines["pid.gap_bits"] == "0"


def test_truth_of_a_threshold_shows_its_atoms_and_their_gap(capsys):
    found = json.loads(said(capsys, "truth", "--label", "threshold", "--json"))
    pid = found["pid"]
    assert 0 <= pid.pop("gap_bits") <= 1e-9
    assert sum(pid.values()) == pytest.approx(found["total_bits"], abs=1e-9)
    assert "pid_note" not in {name for name, value in found.items() if value is not None}


def test_truth_says_why_a_label_has_no_atoms(capsys):
    lines = said(capsys, "truth", "--label", "threshold", "--latents", "gaussian")
    assert "pid_note" in lines
    assert "finite sources" in lines


def test_truth_says_what_augmented_copies_hold(capsys):
    options = ("--unique-ratio=0.4", "--synergy=0.3", "--json")
    truth = json.loads(said(capsys, "truth", *options))
    assert "augmentation" not in truth
    unique = json.loads(said(capsys, "truth", *options, "--augmentation=unique"))["augmentation"]
    assert unique["kind"] == "unique"
    assert unique["x1_bits"] == pytest.approx(truth["x1_label_bits"], abs=1e-9)
    assert unique["x2_given_x1_bits"] == pytest.approx(truth["unique2_bits"], abs=1e-9)
    quality = json.loads(said(capsys, "truth", *options, "--augmentation-quality=0,0.0"))
    # Two of the six bits of each block are relevant; the others are left as they are.
    assert quality["augmentation"]["joint_bits"] == pytest.approx(12)
    lines = said(capsys, "truth", "--augmentation", "quality", "--augmentation-quality", "1,1")
    named = dict(line.split(maxsplit=1) for line in lines.splitlines())
    assert named["augmentation.joint_bits"] == named["total_bits"] == "2"
    assert named["augmentation.relevant"] == "1"


def test_truth_of_a_label_of_very_many_classes_takes_no_memory(capsys):
    started = time.monotonic()
    options = ("--label-bits", "20", "--shared", "20", "--unique", "10")
    found = json.loads(said(capsys, "truth", *options, "--json"))
    assert found["n_classes"] == 2**40
    assert time.monotonic() - started < 1


def test_a_generated_file_holds_arrays_and_their_truth(tmp_path, capsys):
    path = tmp_path / "world.npz"
    options = ("--unique-ratio", "0.5", "--n-train", "64", "--n-test", "32", "--seed", "3")
    out = said(capsys, "generate", "--out", str(path), *options)
    assert out == f"{path}: 64 training and 32 held-out samples\n"
    with np.load(path, allow_pickle=False) as arrays:
        for split, n in (("train", 64), ("test", 32)):
            assert arrays[f"{split}_x1"].shape == arrays[f"{split}_x2"].shape == (n, 100)
            assert arrays[f"{split}_y"].shape == (n,)
            assert arrays[f"{split}_w_s"].shape == arrays[f"{split}_w_2"].shape == (n, 6)
        assert json.loads(str(arrays["truth_json"]))["shared_bits"] == 1.0
    assert load_dataset(path).seed == 3


def test_a_generated_file_is_replaced_only_by_force(tmp_path, capsys):
    path = tmp_path / "world.npz"
    arguments = ["generate", "--out", str(path), "--n-train", "8", "--n-test", "8"]
    assert run(arguments) == 0
    before = path.read_bytes()
    assert run([*arguments, "--seed", "1"]) == 2
    assert "--out: expected a new file (or --force), got" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert run([*arguments, "--seed", "1", "--force"]) == 0
    assert path.read_bytes() != before


def test_the_version_is_printed(capsys):
    assert said(capsys, "--version") == f"{__version__}\n"


def test_no_arguments_give_the_help(capsys):
    assert said(capsys) == said(capsys, "--help")


def test_every_command_is_in_the_help(capsys):
    out = said(capsys, "--help")
    assert out.startswith("Usage: fctestbed ")
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", out, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_s_help_has_an_example_on_a_line_of_its_own(command, capsys):
    lines = said(capsys, command, "--help").splitlines()
    (place,) = [place for place, line in enumerate(lines) if "Example:" in line]
    assert lines[place].startswith(f"  Example: fctestbed {command}")
    assert lines[place - 1] == lines[place + 1] == ""
    assert lines[0].startswith(f"Usage: fctestbed {command} ")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_the_list_of_commands_waits_for_no_heavy_import(arguments):
    check = (
        "import sys; from fctestbed.cli.main import run; code = run(sys.argv[1:]); "
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr); "
        "sys.exit(code)"
    )
    root = Path(__file__).parents[3]
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", check, *arguments],
        capture_output=True,
        text=True,
        cwd=root,
        check=True,
        timeout=60,
    )
    # Half of it is Python's own start; the machine may be busy.
    assert time.monotonic() - started < 3
    assert done.stderr == "[]\n"


def test_the_package_runs_as_a_module():
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-m", "fctestbed", "--foo"],
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("fctestbed: No such option: --foo")


def exported(tmp_path, *options):
    """Files that export makes of a small sweep's rows."""
    rows = tmp_path / "rows"
    export_results(as_results(records((0.5,), ("raw", "simclr"), (0, 1))), rows)
    assert run(["export", str(rows), "--out", str(tmp_path / "out"), *options]) == 0
    return tmp_path / "out"


def test_tables_are_exported_as_markdown(tmp_path):
    out = exported(tmp_path, "--format", "markdown")
    assert {path.name for path in out.iterdir()} >= {"ablation.md", "readouts.md"}
    assert "| SimCLR |" in (out / "ablation.md").read_text()


def test_single_bits_can_be_left_out_of_an_export(tmp_path):
    whole = load_results(exported(tmp_path)).captured
    blocks = load_results(exported(tmp_path, "--blocks-only")).captured
    assert whole["quantity"].str.contains("[", regex=False).any()
    assert not blocks["quantity"].str.contains("[", regex=False).any()
    assert set(blocks["quantity"]) < set(whole["quantity"])


def test_the_gaussian_command_trains_and_its_rows_are_drawn(tmp_path, capsys):
    rows, drawn = tmp_path / "rows", tmp_path / "figures"
    sizes = ("--dims=3", "--levels=1,2", "--steps=8", "--batch-size=8", "--workers=1")
    options = (*sizes, "--seeds=0,3")
    assert run(["gaussian", "--out", str(rows), *options]) == 0
    out, err = capsys.readouterr()
    assert "nce-club" in out
    assert "2 of 2 trainings done" in err
    said(capsys, "figures-gaussian", str(rows), "--out", str(drawn), "--formats", "png")
    assert (drawn / "gaussian.png").exists()
    assert set(pd.read_csv(rows / "gaussian.csv")["seed"]) == {0, 3}


def test_the_conditional_check_prints_both_truths(tmp_path, capsys):
    options = ("--cells", "100x2", "--steps", "2", "--workers", "1")
    assert run(["conditional", "--out", str(tmp_path), *options]) == 0
    out, _ = capsys.readouterr()
    assert "I(X;Y|Z)" in out
    assert "I(X,Z;Y)" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gaussian", "--out", "x", "--dims", "a"), "--dims: expected numbers, got 'a'"),
        (("gaussian", "--out", "x", "--levels", "1,b"), "--levels: expected numbers, got '1,b'"),
        (("gaussian", "--out", "x", "--levels", "0"), "--levels: expected greater than 0, got 0"),
        (("gaussian", "--out", "x", "--steps", "0"), "--steps: expected"),
        (
            ("gaussian", "--out", "x", "--workers", "-1"),
            "--workers: expected 0 (one for each core)",
        ),
        (("conditional", "--out", "x", "--cells", "9xa"), "--cells: expected numbers, got '9xa'"),
        (("conditional", "--out", "x", "--cells", "0x9"), "--cells"),
        (("figures-gaussian", "nowhere"), "DIRECTORY: expected a directory with"),
        (("figures",), "Missing argument 'DIRECTORY'"),
    ],
)
def test_what_the_gaussian_commands_refuse(arguments, message, capsys):
    assert run(list(arguments)) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("former", "option", "command"),
    [
        ("calibrate --methods raw --readouts", "--readouts", "calibrate-readouts"),
        ("calibrate-readouts --rows=rows.csv", "--rows", "figures-readouts"),
        ("gaussian --conditional --out x", "--conditional", "conditional"),
        ("figures --gaussian x", "--gaussian", "figures-gaussian"),
        ("figures --calibration=x", "--calibration", "figures-calibration"),
    ],
)
def test_a_former_option_is_refused_and_its_command_is_named(former, option, command, capsys):
    assert run(former.split()) == 2
    line = f"{option}: expected the command {command}, got {former.split()[0]} {option}"
    assert capsys.readouterr().err == f"fctestbed: {line}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_imported_from_where_the_list_says(command):
    loaded = app.commands[command].load()
    assert loaded.name == command
    assert loaded.help
