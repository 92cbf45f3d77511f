"""Settings of the site: Sphinx reads the pages as MyST, and the reference is written before."""

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import reference_pages  # noqa: E402
from signatures import plain, untyped_returns  # noqa: E402

from fctestbed import __version__  # noqa: E402

project = "fctestbed"
copyright = "the authors of fctestbed, MIT licence"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nitpicky = True
# Types of other libraries have no pages here.
nitpick_ignore_regex = [("py:.*", r"(?!fctestbed\.).*")]

# Headings have the addresses that the repository's own pages give them.
myst_heading_anchors = 4

napoleon_numpy_docstring = False
napoleon_use_ivar = True
# Signatures have the types.
napoleon_attr_annotations = False
napoleon_custom_sections = ["Source"]
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"fctestbed {version}"
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}


def setup(app: Any) -> None:
    """Write the reference, shorten its signatures, and find names where they are public."""
    faces = reference_pages.faces()

    def write(app: Any) -> None:
        reference_pages.write_pages(HERE / "reference")

    def read(app: Any, name: str, source: list[str]) -> None:
        source[0] = reference_pages.linked_tables(source[0])

    def shorten(app: Any, what: str, name: str, value: Any, options: Any, *texts: Any) -> Any:
        return tuple(plain(text) for text in texts)

    def tell(app: Any, what: str, name: str, *rest: Any) -> None:
        lines = rest[-1]
        lines[:] = untyped_returns(lines)

    def skip(app: Any, what: str, name: str, value: Any, *rest: Any) -> bool | None:
        # Texts of Python on each field of a named tuple, and of pydantic on each model.
        other = str(value.__doc__).startswith("Alias for field number") or name == "model_config"
        return True if other else None

    def find(app: Any, env: Any, node: Any, content: Any) -> Any:
        target = str(node.get("reftarget", ""))
        if node.get("reftype") != "class" or not target.startswith("fctestbed."):
            return None
        # A name that is not public is shown, without a link.
        face = faces.get(target)
        if face is None:
            return content
        python, page = env.domains["py"], node["refdoc"]
        return python.resolve_xref(env, page, app.builder, "obj", face, node, content)

    app.connect("builder-inited", write)
    app.connect("source-read", read)
    app.connect("autodoc-process-signature", shorten)
    # Before napoleon.
    app.connect("autodoc-process-docstring", tell, priority=400)
    app.connect("autodoc-skip-member", skip)
    app.connect("missing-reference", find)
