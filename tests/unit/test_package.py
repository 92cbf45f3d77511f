import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import fctestbed
from fctestbed.objectives import METHODS
from fctestbed.plotting import METHOD_STYLES
from fctestbed.sweep import DEFAULT_METHODS


def test_every_public_name_can_be_imported() -> None:
    for name in fctestbed.__all__:
        assert getattr(fctestbed, name) is not None


@pytest.mark.parametrize("package", [m.name for m in pkgutil.iter_modules(fctestbed.__path__)])
def test_every_name_that_a_face_lists_is_there(package: str) -> None:
    face = importlib.import_module(f"fctestbed.{package}")
    assert [name for name in getattr(face, "__all__", ()) if not hasattr(face, name)] == []


def test_laws_and_checks_are_attributes_of_the_package() -> None:
    code = "import fctestbed; fctestbed.laws.GaussianPair; fctestbed.testing.check_estimator"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_package_imports_neither_torch_nor_pandas() -> None:
    code = "import sys, fctestbed; assert not {'torch', 'pandas', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_truth_of_a_world_needs_neither_torch_nor_pandas() -> None:
    code = (
        "import sys; from fctestbed.cli.main import run; assert run(['truth']) == 0; "
        "assert not {'torch', 'pandas', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_exported_rows_are_exported_without_torch_and_pandas(tmp_path: Path) -> None:
    rows = Path(__file__).parents[2] / "sweeps" / "published" / "supcon"
    code = (
        "import sys; from fctestbed.cli.main import run; assert run(sys.argv[1:]) == 0; "
        "assert not {'torch', 'pandas', 'matplotlib'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code, "export", str(rows), "--out", str(tmp_path / "rows")]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "rows" / "captured.csv").is_file()


def test_every_method_has_a_style_of_its_own_and_the_default_sweep_knows_its_methods() -> None:
    assert set(METHODS) <= set(METHOD_STYLES)
    assert set(DEFAULT_METHODS) <= set(METHODS)
