"""What pages need that they do not make, and blocks that are no commands or run elsewhere."""

import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from code_blocks import ROOT

from fctestbed.sweep import run_sweep, sweep_spec

# Blocks that .ci/run executes as they stand, by the mark above them in README.
INSTALLS = ("<!-- the install command -->", "<!-- the test command -->")
# Pages whose blocks a test of their own runs, and that test; it too makes what takes minutes small.
RUN_ELSEWHERE = {
    "docs/adding_a_method.md": (
        "tests/e2e/test_adding_a_method.py",
        "test_the_page_s_commands_do_what_it_says",
    ),
}
# Blocks of text, by page and first word, and the test that checks each.
TEXTS = {
    ("docs/adding_a_method.md", "fctestbed:"): (
        "tests/e2e/test_adding_a_method.py",
        "test_a_method_that_breaks_a_clause_is_refused_with_the_page_s_line",
    ),
    **{
        ("docs/clusters.md", first): (
            "tests/docs/test_clusters_page.py",
            "test_the_page_s_commands_are_ones_that_the_tools_take",
        )
        for first in ("dask", "ssh", "python", "srun", "kubectl")
    },
    ("docs/sweep_files.md", "fctestbed:"): (
        "tests/unit/sweep/test_settings.py",
        "test_errors_of_a_file_name_its_line_and_what_is_near",
    ),
    ("docs/structure.md", "cli"): (
        "tests/unit/test_structure.py",
        "test_the_drawing_has_the_rows_of_the_contract",
    ),
}


def _sweep_files() -> None:
    """The files of ``sweeps/`` and ``tests/``, to read; a sweep of the page's own goes beside."""
    Path("sweeps").mkdir()
    for path in (ROOT / "sweeps").iterdir():
        if path.is_file() or path.name in ("docket", "published"):
            Path("sweeps", path.name).symlink_to(path)
    Path("tests").symlink_to(ROOT / "tests")


@cache
def _finished() -> tempfile.TemporaryDirectory[str]:
    """A finished sweep with its encoders, for all pages of a process."""
    place = tempfile.TemporaryDirectory()
    values = {"unique_ratio": [0.0, 0.5], "methods": ["simclr", "supcon"], "seeds": [0, 1]}
    run_sweep(sweep_spec(values), Path(place.name, "rows"), workers=1)
    return place


def _sweeps(*names: str) -> Callable[[], None]:
    """Copies of a finished sweep under these names."""

    def make() -> None:
        for name in names:
            shutil.copytree(Path(_finished().name, "rows"), Path("sweeps", name))

    return make


# By page, in their order; every page has the first.
GIVEN: dict[str, tuple[Callable[[], None], ...]] = {
    "docs/report.md": (_sweeps("quick"),),
    "docs/running.md": (_sweeps("quick"),),
    "docs/sweep_files.md": (_sweeps("a", "b"),),
    "docs/docket.md": (_sweeps("quick", "slower"),),
}
EVERY_PAGE = (_sweep_files,)
