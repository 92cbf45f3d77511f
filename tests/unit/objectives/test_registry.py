"""A method by name: the registry's, an installed plug-in's, or one of an import path."""

import hashlib
import itertools
import sys
from importlib import invalidate_caches

import pytest

from fctestbed import Method
from fctestbed.objectives import METHODS, find_method, method_source
from fctestbed.objectives.contrastive import SimCLR

_NUMBERS = itertools.count()

MINE = """
from fctestbed.objectives.contrastive import SimCLR

class Mine(SimCLR):
    pass

class NoMethod:
    pass

a_number = 3
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module of a user's and gives its name, which no other test has."""
    monkeypatch.syspath_prepend(tmp_path)
    written = []

    def write(text=MINE):
        name = f"mine_{next(_NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(text)
        written.append(name)
        invalidate_caches()
        return name

    yield write
    for name in written:
        sys.modules.pop(name, None)


def install(tmp_path, distribution, *entries):
    """What pip leaves of an installed package: its entry points."""
    information = tmp_path / f"{distribution}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Name: {distribution}\nVersion: 1.0\n")
    lines = "\n".join(["[fctestbed.methods]", *entries])
    (information / "entry_points.txt").write_text(lines)
    invalidate_caches()


def refusal(name):
    with pytest.raises(ValueError, match="expected") as refused:
        find_method(name)
    line = str(refused.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize("name", METHODS)
def test_the_registry_s_methods_are_found_by_their_names(name):
    assert find_method(name) is METHODS[name]
    assert method_source(name) is None


def test_a_method_is_found_by_its_import_path(module):
    name = module()
    found = find_method(f"{name}:Mine")
    assert found is sys.modules[name].Mine
    assert find_method(f"{name}:Mine") is found


def test_a_method_is_found_by_its_entry_point(module, tmp_path):
    name = module()
    install(tmp_path, "pack", f"mine-of-{name} = {name}:Mine")
    assert find_method(f"mine-of-{name}") is sys.modules[name].Mine
    known = ", ".join([*METHODS, f"mine-of-{name}"])
    assert refusal("foo").startswith(f"expected one of {known} or an import path")


def test_no_entry_point_can_take_a_registered_name(module, tmp_path):
    install(tmp_path, "pack", f"simclr = {module()}:Mine")
    assert find_method("simclr") is SimCLR


def test_two_packages_with_one_name_are_refused(module, tmp_path):
    name = module()
    install(tmp_path, "pack", f"twice-{name} = {name}:Mine")
    install(tmp_path, "other", f"twice-{name} = {name}:NoMethod")
    expected = f"expected one plug-in called twice-{name}, got {name}:Mine, {name}:NoMethod"
    assert refusal(f"twice-{name}") == expected


@pytest.mark.parametrize(
    "name", ["simclr2", "", "my_pkg.MyMethod", "a:b:c", ":Mine", "mine:", "a b:c"]
)
def test_an_unknown_name_is_refused_with_the_known_ones(name):
    near = ": did you mean simclr?" if name == "simclr2" else ""
    assert refusal(name) == (
        f"expected one of {', '.join(METHODS)} or an import path package.module:ClassName, "
        f"got {name!r}{near}"
    )


def test_a_module_that_cannot_be_imported_is_refused_with_the_reason(module):
    expected = "expected a method, got none (ModuleNotFoundError: No module named 'no_such')"
    assert refusal("no_such.module:Mine") == f"no_such.module:Mine: {expected}"
    for text, reason in (
        ("raise RuntimeError('two\\nlines')", "RuntimeError: two lines"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("def", "SyntaxError: invalid syntax"),
        ("", "AttributeError: module 'NAME' has no attribute 'Mine'"),
    ):
        name = module(text)
        expected = f"{name}:Mine: expected a method, got none ({reason.replace('NAME', name)}"
        assert refusal(f"{name}:Mine").startswith(expected)


def test_what_is_no_method_is_refused_by_what_it_is(module):
    name = module()
    expected = "expected a subclass of fctestbed.Method or a function, got"
    assert refusal(f"{name}:NoMethod") == f"{name}:NoMethod: {expected} the class NoMethod"
    assert refusal(f"{name}:a_number") == f"{name}:a_number: {expected} int"


def test_a_method_without_its_parts_is_refused_by_what_it_lacks(module):
    name = module("from fctestbed import Method\nclass Mine(Method):\n    pass\n")
    expected = f"{name}:Mine: expected a whole method, got one without build, readouts"
    assert refusal(f"{name}:Mine") == expected
    assert issubclass(sys.modules[name].Mine, Method)


def test_a_plug_in_s_source_is_its_file_s_digest(module):
    name = module()
    assert method_source(f"{name}:Mine") == hashlib.sha256(MINE.encode()).hexdigest()


def test_a_plug_in_s_source_is_that_of_its_bases_too(module):
    child = f"from {module()} import Mine as Base\nclass Mine(Base):\n    pass\n"
    digests = sorted(hashlib.sha256(text.encode()).hexdigest() for text in (MINE, child))
    expected = hashlib.sha256("".join(digests).encode()).hexdigest()
    assert method_source(f"{module(child)}:Mine") == expected


def test_a_source_is_as_it_was_when_the_class_was_found(module, tmp_path):
    name = module()
    before = method_source(f"{name}:Mine")
    (tmp_path / f"{name}.py").write_text("changed")
    assert method_source(f"{name}:Mine") == before


def test_a_method_of_this_package_by_its_path_has_no_source():
    path = "fctestbed.objectives.contrastive:SimCLR"
    assert find_method(path) is SimCLR
    assert method_source(path) is None
