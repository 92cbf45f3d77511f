"""``--json`` and ``--quiet`` of every command, shell completion, and the width of the summary."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import typer
from synthetic_results import RATES, as_results, records

import fctestbed.cli.doctor as doctor_module
from fctestbed.cli.main import COMMANDS, app, run
from fctestbed.cli.output import emit, with_output
from fctestbed.cli.report import print_summary
from fctestbed.experiments import Finding, SelfTest
from fctestbed.results import export_results
from fctestbed.sweep import Estimate


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    out = tmp_path_factory.mktemp("place")
    for name in ("a", "b"):
        runs = records((0.0, 1.0), ("simclr", "raw"), (0, 1), rates=RATES)
        export_results(as_results(runs), out / name)
    np.savez(out / "x.npz", x=np.arange(40.0), y=np.arange(40.0) ** 2)
    return out


def document(capsys, *arguments, code=0):
    assert run([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


QUICK = {
    "sweep": "sweep --dry-run --methods raw --out {0}/none",
    "init": "init {0}/new.toml --force",
    "settings": "settings train",
    "figures": "figures {0}/a --out {0}/f --only blocks --formats svg",
    "export": "export {0}/a --out {0}/e --format json",
    "check": "check {0}/a",
    "compare": "compare {0}/a {0}/b",
    "truth": "truth",
    "generate": "generate --n-train 256 --n-test 64 --out {0}/w.npz --force",
    "estimate": "estimate {0}/x.npz:x {0}/x.npz:y --estimator ksg1",
    "calibrate": "calibrate --estimators gaussian --groups gaussian --n 200 --repetitions 3 "
    "--workers 1 --out {0}/c --formats svg",
    "bench": "bench --list",
}


@pytest.mark.parametrize("line", QUICK.values(), ids=QUICK)
def test_stdout_is_one_json_document(place, capsys, line):
    assert document(capsys, *line.format(place).split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_json_and_quiet(name):
    options = {flag for param in app.commands[name].load().params for flag in param.opts}
    assert {"--json", "--quiet"} <= options


def test_the_document_of_a_comparison_has_its_cells(place, capsys):
    found = document(capsys, "compare", str(place / "a"), str(place / "b"))
    assert {cell["method"] for cell in found["cells"]} == {"simclr", "raw"}
    assert all(cell["difference_bits"] == 0 for cell in found["cells"])


def test_an_error_leaves_stdout_empty(place, capsys):
    assert run(["figures", str(place / "none"), "--json"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)


@pytest.fixture
def command():
    def speak(full: bool):
        """Say something."""
        typer.echo("a line")
        typer.echo("a note", err=True)
        if full:
            emit(table=pd.DataFrame({"bits": [1.5, np.nan]}), place=np.float32(2), none=None)

    return with_output(speak)


def test_what_is_printed_besides_the_document_goes_to_stderr(command, capsys):
    command(full=True, json_document=True, quiet=False)
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "none": None,
        "place": 2.0,
        "table": [{"bits": 1.5}, {"bits": None}],
    }
    assert err == "a line\na note\n"


def test_a_command_without_numbers_has_its_lines_as_a_document(command, capsys):
    command(full=False, json_document=True, quiet=False)
    assert json.loads(capsys.readouterr().out) == {"printed": ["a line"]}


def test_a_quiet_command_prints_its_results_alone(command, capsys):
    command(full=True, json_document=False, quiet=True)
    assert capsys.readouterr() == ("a line\n", "")
    command(full=False, json_document=True, quiet=True)
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ({"printed": ["a line"]}, "")


@pytest.mark.parametrize("n_ratios", [3, 21])
def test_the_summary_fits_80_columns(capsys, n_ratios):
    methods = ("simclr", "disentangled-ssl", "factorcl-sup", "raw")
    ratios = tuple(np.linspace(0, 1, n_ratios).round(3))
    print_summary(as_results(records(ratios, methods, (0,), rates=RATES)))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    (total,) = (line for line in lines if line.startswith("exact total"))
    assert len(total.split()) > min(n_ratios, 11) // 2
    assert any(line.startswith("SimCLR ") for line in lines)


def test_a_shell_completes_commands():
    def said(**environment):
        done = subprocess.run(
            [sys.executable, "-m", "fctestbed"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    # What --show-completion prints, whatever shell runs the tests.
    script = said(_FCTESTBED_COMPLETE="source_bash")
    assert "_FCTESTBED_COMPLETE=complete_bash" in script
    completed = said(
        _FCTESTBED_COMPLETE="complete_bash", COMP_WORDS="fctestbed sett", COMP_CWORD="1"
    )
    assert completed.split() == ["settings"]


@pytest.mark.parametrize(
    ("command", "option", "typed", "completed"),
    [
        ("sweep", "methods", "simclr,fo", ["simclr,focal"]),
        ("sweep", "only_figures", "acc", ["accuracy"]),
        ("sweep", "preset", "o", ["official"]),
        ("figures", "methods", "supcon,sup", ["supcon,supervised"]),
        ("figures", "only", "label_bits,label_bits", ["label_bits,label_bits_linear"]),
        ("estimate", "estimator", "mix", ["mixed-ksg"]),
        ("check-method", "name", "raw", ["raw"]),
    ],
)
def test_a_shell_completes_names_and_none_that_is_there(command, option, typed, completed):
    loaded = app.commands[command].load()
    (param,) = [param for param in loaded.params if param.name == option]
    context = loaded.context_class(loaded, info_name=command)
    assert [item.value for item in param.shell_complete(context, typed)] == completed


@pytest.mark.parametrize("passed", [True, False])
def test_doctor_says_what_is_here_and_what_failed(capsys, monkeypatch, passed):
    test = SelfTest((Finding("label bits", 4.0, 3.2, passed),), Estimate(600.0, "a fake"))
    monkeypatch.setattr(doctor_module, "run_self_test", lambda **how: test)
    monkeypatch.setattr(doctor_module, "tune_process", lambda: None)
    assert run(["doctor", "--device=cpu"]) == (0 if passed else 3)
    lines = capsys.readouterr().out.splitlines()
    assert f"{'passed' if passed else 'FAILED'}  label bits: 3.2, exactly 4" in lines
    assert any(line.startswith("default sweep: about 10 minutes with ") for line in lines)
    for name in ("fctestbed", "python", "torch", "processor", "cores", "memory", "disk"):
        assert any(line.startswith(f"{name} ") for line in lines)
    found = document(capsys, "doctor", "--device=cpu", code=0 if passed else 3)
    assert found["findings"][0]["passed"] is passed
    assert found["default_sweep"]["seconds"] == 600.0
