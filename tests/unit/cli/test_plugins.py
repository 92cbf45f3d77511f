"""Users' methods on the command line: checked first, and refused in one line."""

import pytest
from untried import without_trials

from fctestbed.cli.main import run
from fctestbed.testing import METHOD_CLAUSES

BROKEN = (
    "broken_methods:NoJoint: breaks the clause shapes: readouts: expected some of each modality, "
    "or a fused 'joint', got z1"
)


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_sweep_with_a_broken_method_is_refused_before_anything_is_written(
    tmp_path, monkeypatch, capsys, more
):
    monkeypatch.chdir(tmp_path)
    if more:
        without_trials(monkeypatch)
    assert run(["sweep", "--methods", "raw,broken_methods:NoJoint", *more]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"fctestbed: --methods: {BROKEN}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_method_is_checked_with_the_sweep_s_settings(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    without_trials(monkeypatch)
    setting = 'settings."broken_methods:JointIfWide".width'
    arguments = ["sweep", "--methods=broken_methods:JointIfWide", "--dry-run"]
    assert run([*arguments, f"--set={setting}=3"]) == 0
    assert run([*arguments, f"--set={setting}=0"]) == 2
    assert "breaks the clause shapes" in capsys.readouterr().err


def test_check_method_tells_every_clause(capsys):
    assert run(["check-method", "broken_methods:NoJoint"]) == 2
    out, err = capsys.readouterr()
    said = dict(reversed(line.split()[:2]) for line in out.splitlines())
    assert said == {**dict.fromkeys(METHOD_CLAUSES, "passed"), "shapes": "BROKEN"}
    assert err == f"fctestbed: {BROKEN}\n"
    assert run(["check-method", "raw"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["foo"], "NAME: expected one of simclr, "),
        (["no_such:Mine"], "NAME: no_such:Mine: expected a method, got none (ModuleNotFoundError"),
        (["simclr", "--set", "temperature"], "--set: expected KEY=VALUE such as "),
        (["simclr", "--set", "temperature=0"], "settings.temperature: expected greater than 0, "),
        (["simclr", "--set", "foo=0"], "settings: expected one of critic, temperature, "),
    ],
)
def test_a_check_that_cannot_be_is_refused_in_one_line(arguments, message, capsys):
    assert run(["check-method", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"fctestbed: {message}")
    assert err.count("\n") == 1
