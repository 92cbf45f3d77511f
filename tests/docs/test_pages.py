"""README, the pages of ``docs/`` and what they say of the code agree."""

import re

import pytest
from code_blocks import ROOT, pages
from signatures import plain, untyped_returns

from fctestbed._version import __version__
from fctestbed.estimators import ESTIMATORS
from fctestbed.objectives import METHODS
from fctestbed.plotting import FIGURES
from fctestbed.results import (
    ACCURACY_COLUMNS,
    ALONG_COLUMNS,
    CAPTURED_COLUMNS,
    RUN_COLUMNS,
    SCORE_COLUMNS,
)

TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in pages()}
GLOSSARY = TEXTS["docs/glossary.md"]
TERMS = re.findall(r"^### (.+)$", GLOSSARY, re.MULTILINE)
COLUMNS = GLOSSARY.partition("## Columns of the rows")[2]


def table(text: str) -> list[str]:
    """The rows of the first table with label bits at a rate."""
    found = re.search(r"^\| label bits read at R.*(?:\n\|.*)+", text, re.MULTILINE)
    assert found is not None
    return found[0].splitlines()


def test_readme_is_short() -> None:
    assert len(TEXTS["README.md"].splitlines()) < 200


def test_readme_and_its_page_have_the_same_table() -> None:
    assert table(TEXTS["README.md"]) == table(TEXTS["docs/default_sweep.md"])


def test_every_page_but_the_first_is_in_readme() -> None:
    linked = set(re.findall(r"\]\((docs/\w+\.md)", TEXTS["README.md"]))
    assert linked == set(pages()) - {"README.md", "docs/index.md"}


@pytest.mark.parametrize("page", TEXTS)
def test_files_and_headings_that_a_page_links_to_exist(page: str) -> None:
    prose = re.sub(r"^```.*?^```", "", TEXTS[page], flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\((?!https?://)([^)\s]+)\)", prose):
        path, _, heading = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        if heading:
            titles = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {_address(title) for title in titles}, link


def _address(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_the_glossary_has_each_term_once() -> None:
    assert len(TERMS) == len({term.lower() for term in TERMS})


@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_used_outside_the_glossary(term: str) -> None:
    others = (text for page, text in TEXTS.items() if page != "docs/glossary.md")
    form = re.compile(rf"\b{term.removesuffix('y')}", re.IGNORECASE)
    assert any(form.search(text) for text in others)


@pytest.mark.parametrize(
    "column",
    dict.fromkeys([*CAPTURED_COLUMNS, *ALONG_COLUMNS, *ACCURACY_COLUMNS, *SCORE_COLUMNS]),
)
def test_the_glossary_has_every_column_of_the_rows(column: str) -> None:
    cells = "".join(re.findall(r"^\| (`.+?) \|", COLUMNS, re.MULTILINE))
    assert f"`{column}`" in cells


def test_the_glossary_has_no_other_columns() -> None:
    known = {*CAPTURED_COLUMNS, *ALONG_COLUMNS, *ACCURACY_COLUMNS, *SCORE_COLUMNS, *RUN_COLUMNS}
    named = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+?) \|", COLUMNS, re.MULTILINE)))
    assert set(named) <= known


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("docs/methods.md", list(METHODS)),
        ("docs/estimators.md", list(ESTIMATORS)),
        ("docs/figures.md", list(FIGURES)),
    ],
    ids=["methods", "estimators", "figures"],
)
def test_a_page_has_every_name_of_its_registry(page: str, names: list[str]) -> None:
    missing = [name for name in names if f"`{name}`" not in TEXTS[page]]
    assert not missing


def test_the_citation_has_the_version() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {__version__}\n" in text


@pytest.mark.parametrize(
    ("signature", "shown"),
    [
        ("(x: ~typing.Annotated[~float, Gt(gt=0)] = 1.0)", "(x: ~float=1.0)"),
        ("~pathlib.Path | None", "~pathlib.Path | None"),
        (
            "~numpy.ndarray[tuple[~typing.Any, ...], ~numpy.dtype[~numpy.float64]]",
            "~numpy.typing.NDArray[~numpy.float64]",
        ),
        ("(x: ~typing.Annotated[str, Len(1)] = <factory>)", "(x: str=...)"),
        ("(no expression", "(no expression"),
        (
            "(x: int | ~numpy._typing._array_like._SupportsArray[~numpy.dtype] | None)",
            "(x: ~numpy.typing.ArrayLike | None)",
        ),
    ],
)
def test_signatures_of_the_reference_have_no_checks_in_their_types(
    signature: str, shown: str
) -> None:
    assert plain(signature) == shown


def test_a_colon_in_returns_makes_no_type() -> None:
    lines = ["Returns:", "    The loss: its mean.", "    More: text."]
    assert untyped_returns(lines) == [
        "Returns:",
        "    The",
        "    loss: its mean.",
        "    More: text.",
    ]
