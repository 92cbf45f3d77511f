"""Signatures as a reader wants them: types without the checks that pydantic keeps in them."""

import ast
import re


def plain(text: str | None) -> str | None:
    """A signature, or an annotation, as autodoc writes it, in short types.

    ``Annotated[X, ...]`` becomes X, an array with its dtype ``NDArray[...]``, and what numpy takes
    for an array ``ArrayLike``. A text that is no Python expression stays.
    """
    if not text:
        return text
    # Defaults without an expression, such as <factory>.
    text = re.sub(r"<[^<>]*>", "...", text)
    bare = not text.startswith("(")
    try:
        tree = ast.parse(f"def f(x: {text}): ..." if bare else f"def f{text}: ...")
    except SyntaxError:
        return text
    tree = ast.fix_missing_locations(_Short().visit(tree))
    shown = ast.unparse(tree).removeprefix("def f").rpartition(":\n")[0]
    return shown.removeprefix("(x: ").removesuffix(")") if bare else shown


class _Short(ast.NodeTransformer):
    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        node.operand = self.visit(node.operand)
        inner = node.operand
        if isinstance(inner, ast.Subscript):
            name = ast.unparse(inner.value).rpartition(".")[2]
            if name == "Annotated" and isinstance(inner.slice, ast.Tuple):
                return inner.slice.elts[0]
            if name == "ndarray":
                return _array_type(inner.slice)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if "_SupportsArray" in ast.unparse(node):
            none = " | None" if ast.unparse(node).endswith("| None") else ""
            return ast.parse(f"~numpy.typing.ArrayLike{none}", mode="eval").body
        return self.generic_visit(node)


def _array_type(arguments: ast.expr) -> ast.expr:
    """``NDArray`` of the type within ``dtype[...]``."""
    kinds = [
        ast.unparse(node.slice)
        for node in ast.walk(arguments)
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("dtype")
    ]
    return ast.parse(f"~numpy.typing.NDArray[{kinds[0] if kinds else 'Any'}]", mode="eval").body


def untyped_returns(lines: list[str]) -> list[str]:
    """A docstring whose ``Returns`` section is text, whatever colons are in its first line.

    Napoleon takes what is before a colon in that line for a type. Types are in signatures here, so
    the line is broken after its first word. Napoleon knows colons within code.
    """
    found = list(lines)
    for place, line in enumerate(lines[:-1]):
        text = lines[place + 1]
        if line.strip() in ("Returns:", "Yields:") and ":" in re.sub("``.*?``", "", text):
            found[place + 1] = re.sub(r"^( *)(``.*?``|\S+) ", r"\1\2\n\1", text)
    return "\n".join(found).split("\n")
