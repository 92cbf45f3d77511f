"""The worked example of the documentation, run as it stands."""

import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest
import torch
from untried import without_trials

from fctestbed.cli.main import run
from fctestbed.objectives import METHODS, find_method
from fctestbed.objectives.registry import _plugin
from fctestbed.results import load_results
from fctestbed.sweep import build_sweep
from fctestbed.testing import METHOD_CLAUSES

# The page's sweep as it stands, but for its samples, its steps and one figure of many.
SMALLER = ["--n-train=1024", "--n-test=512", "--set=train.steps=20"]
SMALLER += ["--only-figures=label_bits", "--no-report"]
PAGE = (Path(__file__).parents[2] / "docs" / "adding_a_method.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def commands() -> list[list[str]]:
    lines = "".join(blocks("sh")).splitlines()
    return [shlex.split(line) for line in lines]


@pytest.fixture(autouse=True)
def _written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's file in the current directory; a sweep's process treats denormals as zero."""
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")
    Path("vicreg.py").write_text(code, encoding="utf-8")
    invalidate_caches()
    yield
    torch.set_flush_denormal(False)
    sys.modules.pop("vicreg", None)
    _plugin.cache_clear()


def test_the_example_is_a_method_in_under_40_lines() -> None:
    (code,) = blocks("python")
    assert len(code.splitlines()) < 40


@pytest.mark.slow
def test_the_page_s_commands_do_what_it_says(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = list(sys.path)
    check, sweep, check_settings, dry_run = commands()
    assert {words[0] for words in commands()} == {"fctestbed"}
    assert run(check[1:]) == 0
    passed = [line.split()[:2] for line in capfd.readouterr().out.splitlines()]
    assert passed == [["passed", clause] for clause in METHOD_CLAUSES]
    assert run([*sweep[1:], *SMALLER]) == 0
    assert "in worker processes" in capfd.readouterr().err
    runs = load_results("sweeps/vicreg").runs
    assert set(runs["method"]) == {"simclr", "vicreg:VICReg"}
    assert set(runs["status"]) == {"ok"}
    assert Path("figures/vicreg/label_bits.png").exists()
    # By now the file was tried in a subprocess by each of the two commands.
    without_trials(monkeypatch)
    assert run(check_settings[1:]) == 0
    assert run(dry_run[1:]) == 0
    assert "  vicreg:VICReg: 33 runs" in capfd.readouterr().out
    assert sys.path == path


@pytest.mark.slow
def test_a_method_that_breaks_a_clause_is_refused_with_the_page_s_line(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = Path("vicreg.py").read_text(encoding="utf-8")
    whole, broken = '{"z1": z1, "z2": z2}', '{"z1": z1 - z1.mean(1, keepdim=True), "z2": z2}'
    assert whole in code
    Path("vicreg.py").write_text(code.replace(whole, broken), encoding="utf-8")
    assert run(["sweep", "--methods", "vicreg:VICReg", "--name", "vicreg"]) == 2
    assert capfd.readouterr().err == blocks("text")[0]


def test_the_page_s_table_has_every_clause() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(METHOD_CLAUSES)


def test_the_page_s_sweep_file_and_entry_point_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    config, project = blocks("toml")
    Path("vicreg.toml").write_text(config, encoding="utf-8")
    spec = build_sweep(config=Path("vicreg.toml"), options={}, allow_plugins=True)
    (run, *_) = (run for run in spec.runs() if run.training.method not in METHODS)
    assert run.training.settings == {"invariance": 25.0, "variance": 25.0, "covariance": 4.0}
    entries = tomllib.loads(project)["project"]["entry-points"]
    information = tmp_path / "vicreg-1.0.dist-info"
    information.mkdir()
    lines = [f"[{group}]" for group in entries]
    lines += [f"{name} = {value}" for values in entries.values() for name, value in values.items()]
    (information / "entry_points.txt").write_text("\n".join(lines))
    (information / "METADATA").write_text("Name: vicreg\nVersion: 1.0\n")
    invalidate_caches()
    assert find_method("vicreg") is find_method("vicreg:VICReg")
