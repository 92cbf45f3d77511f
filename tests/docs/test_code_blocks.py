"""Every code block of README and the pages of ``docs/`` is run or read."""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from code_blocks import INDEX, ROOT, CodeBlock, blocks_of, commands, pages
from givens import EVERY_PAGE, GIVEN, INSTALLS, RUN_ELSEWHERE, TEXTS
from reduced import ADDED, FEW_STEPS, FIGURES as FEW_FIGURES, PLANNED, QUICK, command_of, reduced
from untried import without_trials

from fctestbed.cli import run
from fctestbed.plotting import FIGURES
from fctestbed.sweep import PRESETS

RUNNER = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
WHOLE_PRESET = PRESETS["quick"]
LANGUAGES = {"python", "sh", "toml", "json", "text", ""}


@pytest.fixture(autouse=True)
def _page_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A directory for each page, everything at a reduced size, no modules left behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(PRESETS, "quick", QUICK)
    # Figures put back one by one would have another order in the tests that follow.
    every = dict(FIGURES)
    FIGURES.clear()
    FIGURES.update({name: every[name] for name in FEW_FIGURES})
    # Worker processes and trials of plug-ins would import everything once more.
    monkeypatch.setattr("fctestbed.sweep.resources.default_workers", lambda device: 1)
    without_trials(monkeypatch)
    for name, steps in FEW_STEPS.items():
        monkeypatch.setattr(f"fctestbed.faults.{name}", steps)
    before = set(sys.modules)
    yield
    FIGURES.clear()
    FIGURES.update(every)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


class PageRun:
    """The state that the blocks of one page share."""

    def __init__(self, output: Callable[[], str]) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self.output = output

    def check(self, block: CodeBlock) -> None:
        checks = {
            "python": self._python,
            "sh": self._shell,
            "toml": self._toml,
            "json": lambda block: json.loads(block.text),
            "text": _text,
            "": _text,
        }
        checks[block.language](block)

    def _python(self, block: CodeBlock) -> None:
        # Line numbers of a traceback are those of the page.
        code = compile("\n" * (block.line - 1) + block.text, str(ROOT / block.page), "exec")
        exec(code, self.namespace)

    def _shell(self, block: CodeBlock) -> None:
        for words in commands(block.text):
            name = words[0].removeprefix(".venv/bin/")
            if name == "fctestbed":
                self._command(words[1:], block.place)
            else:
                # Tools of the documentation itself, which .ci/run has.
                assert f".venv/bin/{' '.join(words)}" in RUNNER, f"{block.place}: {words}"

    def _command(self, words: list[str], place: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            if command_of(words) in PLANNED:
                patch.setitem(PRESETS, "quick", WHOLE_PRESET)
            code = run(reduced(words))
        assert code == 0, f"{place}: fctestbed {' '.join(words)}: {code}\n{self.output()}"

    def _toml(self, block: CodeBlock) -> None:
        values = tomllib.loads(block.text)
        if "project" in values:
            return
        path = Path("block.toml")
        path.write_text(block.text, encoding="utf-8")
        if "predictions" in values:
            plan = ["judge", str(path), "--out", "judged", "--dry-run"]
        else:
            plan = ["sweep", "--config", str(path), "--dry-run"]
        self._command(plan, block.place)


def _text(block: CodeBlock) -> None:
    place = (block.page, block.text.split()[0])
    assert place in TEXTS, f"{block.place}: no test checks this text"


def _defined(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in pages() if page not in RUN_ELSEWHERE])
def test_the_code_blocks_of_a_page_run(page: str, capfd: pytest.CaptureFixture[str]) -> None:
    for given in (*EVERY_PAGE, *GIVEN.get(page, ())):
        given()
    here = PageRun(lambda: capfd.readouterr().err)
    for block in blocks_of(page):
        assert block.language in LANGUAGES, f"{block.place}: {block.language!r}: unknown language"
        if not is_install(block):
            here.check(block)


def is_install(block: CodeBlock) -> bool:
    return "pip install" in block.text


@pytest.mark.parametrize("mark", INSTALLS)
def test_install_commands_of_readme_are_read_by_ci(mark: str) -> None:
    (block,) = (block for block in blocks_of("README.md") if block.mark == mark)
    assert is_install(block)
    assert block.text.count("\n") == 1
    assert mark in RUNNER


@pytest.mark.parametrize("page", pages())
def test_install_commands_of_a_page_are_those_of_readme(page: str) -> None:
    known = {block.text for block in blocks_of("README.md") if block.mark in INSTALLS}
    assert {block.text for block in blocks_of(page) if is_install(block)} <= known


@pytest.mark.parametrize("page", RUN_ELSEWHERE)
def test_pages_that_run_elsewhere_have_known_languages_and_checked_texts(page: str) -> None:
    for block in blocks_of(page):
        assert block.language in LANGUAGES, block.place
        if block.language in ("text", ""):
            _text(block)


@pytest.mark.parametrize(("path", "name"), [*RUN_ELSEWHERE.values(), *TEXTS.values()])
def test_blocks_that_are_checked_elsewhere_have_their_test(path: str, name: str) -> None:
    assert name in _defined(path)


def test_every_page_is_in_a_table_of_contents() -> None:
    listed = re.findall(r"^[\w/]+$", INDEX.read_text(encoding="utf-8"), re.MULTILINE)
    there = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}
    assert there <= set(listed)
    assert len(listed) == len(set(listed))


def test_indented_blocks_and_unknown_languages_are_found() -> None:
    text = "A\n\n    fctestbed truth\n\n```sh\nls\n```\n\n- b\n\n  ```ruby\n  p 1\n  ```\n"
    found = [(block.language, block.line) for block in blocks_of("README.md", text)]
    assert found == [("indented", 3), ("sh", 6), ("ruby", 12)]
    assert not {"indented", "ruby"} & LANGUAGES


def test_a_block_that_fails_names_its_page_and_line() -> None:
    broken = CodeBlock(page="docs/x.md", line=7, language="sh", text="fctestbed nothing", mark="")
    with pytest.raises(AssertionError, match=r"docs/x\.md:7: fctestbed nothing: 2"):
        PageRun(lambda: "").check(broken)


def test_commands_have_assigned_names_put_in_and_refuse_more_of_a_shell() -> None:
    text = "E=a,b  # names\nfctestbed x --estimators $E \\\n  --out y\n"
    assert list(commands(text)) == [["fctestbed", "x", "--estimators", "a,b", "--out", "y"]]
    with pytest.raises(ValueError, match="one command a line"):
        list(commands("fctestbed x && fctestbed y"))


def test_a_reduced_command_keeps_what_it_names() -> None:
    assert reduced(["truth", "--json"]) == ["truth", "--json"]
    assert "simclr,raw" not in reduced(["sweep", "--methods", "comm"])
    assert reduced(["sweep"]) == ["sweep", "--methods", "simclr,raw", *ADDED["sweep"]]
    assert reduced(["calibrate", "--estimators", "ksg1,dv"])[1:3] == ["--estimators", "ksg1,dv"]
    added = list(ADDED["sweep"])
    assert reduced(["--plugin-seconds", "9", "sweep"])[-len(added) :] == added
    with pytest.raises(ValueError, match="ksg9"):
        reduced(["calibrate", "--estimators", "ksg1,ksg9"])
