"""The commands ``new-method`` and ``check-estimator``, and a sweep's own losses and encoders."""

import json
import sys
from importlib import invalidate_caches

import pytest
from tiny_sweeps import TINY_OPTIONS, tiny_sweep
from untried import without_trials

from fctestbed.cli.main import run
from fctestbed.results import load_results
from fctestbed.sweep import build_sweep, describe_plan, make_plan, run_sweep
from fctestbed.testing import ESTIMATOR_CLAUSES, METHOD_CLAUSES, check_method


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in ("drafted", "drafted_class", "own_sweep", "own_norm", "own_loss", "own_estimator"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("options", "path"),
    [(["drafted"], "drafted:loss"), (["drafted_class", "--class"], "drafted_class:DraftedClass")],
)
def test_what_is_written_keeps_the_contract_and_is_a_sweep(tmp_path, capsys, options, path):
    name = options[0]
    assert run(["new-method", *options]) == 0
    out = capsys.readouterr().out
    assert {file.name for file in tmp_path.iterdir()} == {
        f"{name}.py", f"test_{name}.py", f"{name}.toml"
    }  # fmt: skip
    assert f"try it: fctestbed check-method {path}" in out
    invalidate_caches()
    tests = {}
    exec((tmp_path / f"test_{name}.py").read_text(), tests)
    for test, function in tests.items():
        if test.startswith("test_"):
            function()
    config = tmp_path / f"{name}.toml"
    spec = build_sweep(config=config, options={}, allow_plugins=True)
    assert (len(spec.runs()), spec.methods[0], spec.train.steps) == (18, path, 200)
    (note,) = make_plan(spec, max_stack=3).notes if name == "drafted" else [""]
    assert note.startswith("drafted:loss: the loss of all runs") == (name == "drafted")


@pytest.mark.parametrize(
    ("name", "there", "message"),
    [
        ("1st", "", "NAME: expected the name of a Python module, got '1st'"),
        ("a.b", "", "NAME: expected the name of a Python module, got 'a.b'"),
        ("class", "", "NAME: expected the name of a Python module, got 'class'"),
        ("torch", "", "NAME: expected another name than that of an installed module, got 'torch'"),
        ("mine", "mine.toml", "NAME: expected a name of new files, got mine: mine.toml exists"),
    ],
)
def test_names_that_cannot_be_are_refused_and_nothing_is_written(
    tmp_path, capsys, name, there, message
):
    if there:
        (tmp_path / there).write_text("kept")
    assert run(["new-method", name]) == 2
    assert capsys.readouterr() == ("", f"fctestbed: {message}\n")
    assert [file.read_text() for file in tmp_path.iterdir()] == (["kept"] if there else [])


CODE = """
import torch
from torch import nn


def loss(z1, z2, y):
    if z1.sum().item() > 1e9:
        raise ValueError("large")
    return (z1 - z2).square().mean() - z1.std() - z2.std()


class Net(nn.Module):
    def __init__(self, dim, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(dim, 8), nn.Tanh(), nn.Linear(8, width))

    def forward(self, x):
        return self.layers(x)


class Norm(nn.Sequential):
    def __init__(self, dim, width):
        super().__init__(nn.Linear(dim, width), nn.BatchNorm1d(width))
"""


def test_a_sweep_of_an_own_loss_and_encoder_says_how_they_are_computed(tmp_path):
    (tmp_path / "own_sweep.py").write_text(CODE)
    invalidate_caches()
    one_by_one = "own_sweep:loss: the loss is called run by run, because "
    together = "own_sweep:Net: the encoders of all runs of a stack are one call (torch.func.vmap)"
    spec = tiny_sweep(methods=["own_sweep:loss", "simclr"], nets={"encoder": "own_sweep:Net"})
    lines = describe_plan(spec, "sweeps/own", workers=1, device="cpu")
    assert f"  {together}" in lines
    assert any(line.startswith(f"  {one_by_one}") for line in lines)
    run_sweep(spec, "sweeps/own", workers=1, device="cpu")
    runs = load_results("sweeps/own").runs
    assert set(runs["status"]) == {"ok"}
    said = runs.set_index("method")["diagnostics"].map(json.loads).map(lambda d: d["user_code"])
    assert all(notes == [together] for notes in said["simclr"])
    assert all(notes[0].startswith(one_by_one) for notes in said["own_sweep:loss"])


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        ("cnn", "expected mlp, table or an import path package.module:ClassName, got 'cnn'"),
        ("own_norm:Norm", "own_norm:Norm(6, 4): expected outputs that depend on their own sample"),
    ],
)
def test_an_encoder_that_cannot_be_is_refused_in_one_line(tmp_path, capsys, encoder, message):
    (tmp_path / "own_norm.py").write_text(CODE)
    invalidate_caches()
    assert run(["sweep", f"--encoder={encoder}", "--methods=raw,simclr", *TINY_OPTIONS]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"fctestbed: --encoder: {message}")


def test_a_plain_loss_is_checked_by_its_name_or_itself(tmp_path, capsys, monkeypatch):
    without_trials(monkeypatch)
    (tmp_path / "own_loss.py").write_text(CODE)
    invalidate_caches()
    assert run(["check-method", "own_loss:loss"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["passed", c] for c in METHOD_CLAUSES
    ]
    assert err.startswith("note: the loss is called run by run")
    check_method(sys.modules["own_loss"].loss)


ESTIMATOR = """
from dataclasses import dataclass, replace
from typing import ClassVar

from fctestbed.estimators.gaussian import Gaussian


@dataclass(frozen=True, kw_only=True)
class Twice(Gaussian):
    name: ClassVar[str] = "twice"
    bound: ClassVar[str] = "lower"
    kinds: ClassVar[frozenset[str]] = frozenset({"continuous"})
    conditional: ClassVar[bool] = False

    def estimate(self, x, y, given=None):
        if given is None and len(x) == 1:
            raise RuntimeError("one")
        found = super().estimate(x, y)
        values = {key: 2 * getattr(found, key) for key in ("value_bits", "low_bits", "high_bits")}
        return replace(found, **values, bound="lower", estimator="twice")
"""


def test_all_clauses_that_an_estimator_breaks_are_listed(tmp_path, capsys):
    (tmp_path / "own_estimator.py").write_text(ESTIMATOR)
    invalidate_caches()
    assert run(["check-estimator", "own_estimator:Twice", "--n", "300"]) == 2
    out, err = capsys.readouterr()
    said = {line[8:24].strip(): line[:6] for line in out.splitlines()}
    assert list(said) == list(ESTIMATOR_CLAUSES)
    assert {clause for clause, state in said.items() if state == "BROKEN"} == {
        "bad input", "bound direction"
    }  # fmt: skip
    assert said["chain rule"] == "none  "
    assert err.startswith("fctestbed: bad input: Twice(")
    assert err.endswith(" (and 1 more)\n")


def test_an_estimator_that_passes_or_is_none_says_so(capsys):
    assert run(["check-estimator", "plugin", "--n", "200"]) == 0
    assert "BROKEN" not in capsys.readouterr().out
    for arguments, message in (
        (["foo"], "estimator: expected one of plugin, "),
        (["plugin", "--n", "3"], "--n: expected a whole number from 100, got 3"),
        (["ksg1", "--set", "k=0"], "--set k: expected"),
    ):
        assert run(["check-estimator", *arguments]) == 2
        assert capsys.readouterr().err.startswith(f"fctestbed: {message}")
