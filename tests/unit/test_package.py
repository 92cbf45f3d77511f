import subprocess
import sys

import fctestbed
from fctestbed.objectives import METHODS
from fctestbed.plotting import METHOD_STYLES
from fctestbed.sweep import DEFAULT_METHODS


def test_every_public_name_can_be_imported() -> None:
    for name in fctestbed.__all__:
        assert getattr(fctestbed, name) is not None


def test_importing_the_package_imports_neither_torch_nor_pandas() -> None:
    code = "import sys, fctestbed; assert not {'torch', 'pandas', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_method_has_a_style_of_its_own_and_the_default_sweep_knows_its_methods() -> None:
    assert set(METHODS) <= set(METHOD_STYLES)
    assert set(DEFAULT_METHODS) <= set(METHODS)
