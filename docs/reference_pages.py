"""Pages that are written when the site is built: public names, commands, published tables.

May import the packages of ``fctestbed`` by their faces, and Typer.
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from inspect import isclass, isroutine
from pathlib import Path
from typing import Any

import typer
from sphinx.pycode import ModuleAnalyzer
from typer.cli import get_docs_for_click

import fctestbed
from fctestbed.cli import app as command_line

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "figures" / "published"
# A package within a package that is imported by a face of its own.
_FURTHER = ("fctestbed.measurement.channel",)
_LONGEST_VALUE = 60


def packages() -> list[str]:
    """The packages whose public names the reference has, sorted."""
    found = (m.name for m in pkgutil.iter_modules(fctestbed.__path__) if m.ispkg)
    return sorted([*(f"fctestbed.{name}" for name in found if name != "cli"), *_FURTHER])


def faces() -> dict[str, str]:
    """Public names by where their classes and functions are defined."""
    found: dict[str, str] = {}
    for package in packages():
        for name, value in _public(package):
            if isclass(value) or isroutine(value):
                found.setdefault(f"{value.__module__}.{value.__qualname__}", f"{package}.{name}")
    return found


def write_pages(directory: Path) -> None:
    """Write all pages of the reference.

    Raises:
        ValueError: for a public class or function without a docstring.
    """
    pages = {f"{package}.md": _package_page(package) for package in packages()}
    pages["index.md"] = _index()
    pages["commands.md"] = _commands()
    tables = {table_page(path): path for path in sorted(TABLES.glob("*/*.md"))}
    pages["tables/index.md"] = _contents(
        "Published tables", "The tables beside the figures.", tables
    )
    for name, path in tables.items():
        title = f"{path.stem} of {path.parent.name}"
        pages[f"tables/{name}.md"] = f"# {title}\n\n{path.read_text(encoding='utf-8')}"
    for name, text in pages.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Pages that stay as they are need no second reading.
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def table_page(path: Path) -> str:
    """The name of a published table's page."""
    return f"{path.parent.name}_{path.stem}"


def linked_tables(text: str) -> str:
    """A page of ``docs/`` with links to files of published tables as links to their pages."""
    return re.sub(
        r"\]\(\.\./figures/published/(\w+)/(\w+)\.md\)", r"](reference/tables/\1_\2.md)", text
    )


def _public(package: str) -> Iterator[tuple[str, Any]]:
    module = importlib.import_module(package)
    for name in sorted(module.__all__):
        yield name, getattr(module, name)


def _contents(title: str, text: str, names: Any) -> str:
    return "\n".join(
        [f"# {title}", "", text, "", "```{toctree}", ":maxdepth: 1", "", *names, "```", ""]
    )


def _index() -> str:
    known = faces()
    rows = []
    for name in sorted(fctestbed.__all__):
        value = getattr(fctestbed, name)
        place = known.get(
            f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
        )
        place = place or _package_of(name)
        if place:
            rows.append(f"| `{name}` | {{py:obj}}`{place}` |")
    text = "\n".join(
        [
            "Public names, by package. `import fctestbed` has the most used of them:",
            "",
            "| `fctestbed.` | |",
            "|---|---|",
            *rows,
        ]
    )
    return _contents("Python", text, packages())


def _package_of(name: str) -> str | None:
    owners = [p for p in packages() if name in importlib.import_module(p).__all__]
    return f"{owners[0]}.{name}" if owners else None


def _package_page(package: str) -> str:
    about = (importlib.import_module(package).__doc__ or "").strip()
    lines = [f"# {package}", "", *_rst([f".. py:module:: {package}", "", about])]
    kinds: dict[str, list[str]] = {"Classes": [], "Functions": [], "Data": []}
    for name, value in _public(package):
        full = f"{package}.{name}"
        if not (isclass(value) or isroutine(value)):
            kinds["Data"] += _data_entry(package, name, value)
        elif not (value.__doc__ or "").strip():
            raise ValueError(f"{full}: expected a docstring, got none")
        elif isclass(value):
            kinds["Classes"] += [f".. autoclass:: {full}", "   :members:", ""]
        else:
            kinds["Functions"] += [f".. autofunction:: {full}", ""]
    for title, entries in kinds.items():
        if entries:
            lines += [f"## {title}", "", *_rst(entries)]
    return "\n".join(lines)


def _rst(lines: list[str]) -> list[str]:
    return ["```{eval-rst}", *lines, "```", ""]


def _data_entry(package: str, name: str, value: Any) -> list[str]:
    """A constant with its value, where that is short, and the text below its assignment."""
    shown = repr(value)
    lines = [f".. py:data:: {name}", f"   :module: {package}"]
    if len(shown) <= _LONGEST_VALUE and "\n" not in shown and " at 0x" not in shown:
        lines.append(f"   :value: {shown}")
    home = _home(package, name)
    told = ModuleAnalyzer.for_module(home).find_attr_docs().get(("", name), [])
    return [*lines, "", *(f"   {line}" for line in told), ""]


def _home(package: str, name: str) -> str:
    """The module that assigns a constant that a package re-exports."""
    module = importlib.import_module(package)
    source = Path(str(module.__file__))
    stub = source.with_suffix(".pyi")
    tree = ast.parse((stub if stub.is_file() else source).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and name in {a.asname or a.name for a in node.names}:
            origin = f"{package}.{node.module}" if node.level else str(node.module)
            return _home(origin, name)
    return package


def _commands() -> str:
    """Typer's text of every command, with its own name as heading."""
    root = typer.Context(command_line, info_name="fctestbed")
    parts = [
        "# Commands",
        "",
        "`fctestbed COMMAND --help` prints the same. Exit codes are on the page "
        "[Running sweeps](../running.md#exit-codes-stored-runs).",
        "",
    ]
    for name, lazy in command_line.commands.items():
        command = lazy.load()
        context = typer.Context(command, info_name=name, parent=root)
        text = get_docs_for_click(
            obj=command, ctx=context, name=name, indent=1, call_prefix="fctestbed"
        )
        parts.append(_plain_marks(text))
    return "\n".join(parts)


def _plain_marks(text: str) -> str:
    """Help texts are no Markdown: stars and underscores are characters, and options are code."""
    lines = []
    for line in text.splitlines():
        start, code, rest = line.partition("`: " if line.startswith("* ") else "Example: ")
        if code == "`: ":
            rest = re.sub(r"([*_<|])", r"\\\1", rest)
            rest = re.sub(r"(?<!\S)--[a-z][\w-]*", lambda found: f"`{found[0]}`", rest)
        elif rest:
            rest = f"`{rest}`"
        lines.append(start + code + rest)
    return "\n".join(lines)
