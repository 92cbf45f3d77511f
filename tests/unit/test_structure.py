"""docs/structure.md is true: its packages, its files, and what it says happens in them."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "fctestbed"
PAGE = (ROOT / "docs" / "structure.md").read_text(encoding="utf-8")
MOST_FILES = {
    "The way of a unique ratio": 15,
    "The way of a representation": 12,
    "The way of a claim": 12,
}


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def steps(title: str) -> list[tuple[str, str]]:
    """(file, name) of each row of a way."""
    return re.findall(r"^\| `([\w/]+\.py)` \|.*\| `(\w+)` \|$", section(title), re.MULTILINE)


def defined(path: Path) -> set[str]:
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)}


def layers() -> list[list[str]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (found,) = (one for one in contracts["contracts"] if one["type"] == "layers")
    return [[name.strip() for name in row.split("|")] for row in found["layers"]]


def test_the_table_of_packages_names_every_package_once() -> None:
    named = re.findall(r"^\| `(\w+)` \|", PAGE.partition("\n## ")[0], re.MULTILINE)
    there = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert len(named) == len(set(named))
    assert set(named) == there


def test_the_drawing_has_the_rows_of_the_contract() -> None:
    drawing = PAGE.partition("```\n")[2].partition("```")[0]
    order = {name: line for line, text in enumerate(drawing.splitlines()) for name in text.split()}
    rows = [{order[name] for name in row} for row in layers()]
    assert all(len(row) == 1 for row in rows)
    heights = [row.pop() for row in rows]
    assert heights == sorted(heights)
    assert len(set(heights)) == len(heights)


def test_every_package_has_a_contract_that_it_is_imported_by_its_face() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    protected = {
        module.split(".")[1]
        for one in contracts["contracts"]
        if one["type"] == "protected"
        for module in one["protected_modules"]
    }
    assert protected == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


@pytest.mark.parametrize("title", MOST_FILES)
def test_a_way_is_short_and_each_step_is_where_the_page_says(title: str) -> None:
    way = steps(title)
    assert 8 < len(way) <= MOST_FILES[title]
    assert len({file for file, _ in way}) == len(way)
    for file, name in way:
        assert name in defined(PACKAGE / file), f"{file}: no {name}"


@pytest.mark.parametrize("file", re.findall(r"`([\w/]+\.py)`", PAGE))
def test_files_that_the_page_names_exist(file: str) -> None:
    assert (PACKAGE / file).is_file()


@pytest.mark.parametrize("place", re.findall(r"module in `([\w/]+)/`", PAGE))
def test_rooms_for_additions_exist(place: str) -> None:
    assert (PACKAGE / place / "__init__.py").is_file()
