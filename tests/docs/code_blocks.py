"""The code blocks of Markdown pages, and the commands of a shell block."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
INDEX = ROOT / "docs" / "index.md"
# Directives of the site are fences too; the build checks them.
_DIRECTIVE = re.compile(r"\{[\w-]+\}")


@dataclass(frozen=True, kw_only=True)
class CodeBlock:
    """A block, the page that it is on, the line of its text and the comment above it."""

    page: str
    line: int
    language: str
    text: str
    mark: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """README and the pages of ``docs/``, relative to the root."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [str(path.relative_to(ROOT)) for path in found]


def blocks_of(page: str, text: str | None = None) -> list[CodeBlock]:
    """All code blocks of a page, indented ones with the language ``indented``."""
    text = (ROOT / page).read_text(encoding="utf-8") if text is None else text
    found, mark = [], ""
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "html_block":
            mark = token.content.strip()
        elif token.type in ("fence", "code_block"):
            language = token.info.strip() if token.type == "fence" else "indented"
            if not _DIRECTIVE.fullmatch(language):
                line = (token.map or [0])[0] + (2 if token.type == "fence" else 1)
                found.append(
                    CodeBlock(
                        page=page, line=line, language=language, text=token.content, mark=mark
                    )
                )
            mark = ""
        else:
            mark = ""
    return found


def commands(text: str) -> Iterator[list[str]]:
    """The commands of a shell block as words: one a line, with assigned names put in.

    Raises:
        ValueError: for a line whose meaning depends on more of a shell than this.
    """
    names: dict[str, str] = {}
    for line in text.replace("\\\n", "").splitlines():
        words = shlex.split(line, comments=True)
        if len(words) == 1 and re.fullmatch(r"[A-Z]\w*=.*", words[0]):
            name, _, value = words[0].partition("=")
            names[name] = value
        elif words:
            yield [_put_in(word, names) for word in words]


def _put_in(word: str, names: Mapping[str, str]) -> str:
    if word in ("&&", "||", "|", ";", "&", ">", "<", "for", "while", "if"):
        raise ValueError(f"expected one command a line, got {word!r}")
    return Template(word).substitute(names)
