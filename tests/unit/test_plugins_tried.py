"""Plug-ins: what may be imported, and trials in a subprocess."""

import sys
import time

import pytest

from fctestbed import find_estimator, load_dataset
from fctestbed._plugins import check_allowed, imported, only_plugins, plugins_tried, tried
from fctestbed.objectives import find_method
from fctestbed.synthesis import WorldSpec, make_dataset

FAULTS = {
    "import os; os._exit(7)": "got one that ended with exit code 7",
    "import ctypes; ctypes.string_at(0)": "got one that was killed by SIGSEGV",
    "raise KeyboardInterrupt": "expected no error, got KeyboardInterrupt",
    "raise SystemExit(3)": "expected a function, got none (SystemExit: 3)",
    "1 / 0": "expected a function, got none (ZeroDivisionError: division by zero)",
}


@pytest.fixture
def module(tmp_path, monkeypatch, request):
    """A function that writes a module of some text and gives its name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(text):
        name = f"tried_{abs(hash((text, request.node.name)))}"
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return write


@pytest.mark.parametrize(("text", "said"), FAULTS.items())
def test_a_module_that_ends_its_process_is_refused_in_one_line(module, text, said):
    name = module(text)
    with plugins_tried(60), pytest.raises(ValueError, match="expected") as refused:
        imported(f"{name}:f", "a function")
    assert str(refused.value).startswith(f"{name}:f: expected ")
    assert str(refused.value).endswith(said)
    assert name not in sys.modules


def test_a_module_that_hangs_is_refused_when_the_time_is_up(module):
    name = module("import time; time.sleep(100)")
    started = time.monotonic()
    with plugins_tried(1), pytest.raises(ValueError, match=r"within 1 s, got none"):
        imported(f"{name}:f", "a function")
    assert time.monotonic() - started < 50


def test_a_good_module_is_imported_after_its_trial(module):
    name = module("def f(): return 3")
    with plugins_tried(60):
        assert imported(f"{name}:f", "a function")() == 3


def test_nothing_is_tried_unasked():
    assert tried("no_such:function") is None


def test_only_plug_ins_that_are_named_are_imported(module):
    name = module("open('never', 'w')")
    with only_plugins(["other:f"]):
        check_allowed("other:f")
        with pytest.raises(ValueError, match=r"^expected --allow-plugins"):
            find_method(f"{name}:Mine")
        with pytest.raises(ValueError, match=r"^estimator: expected --allow-plugins"):
            find_estimator(f"{name}:Mine")
    assert name not in sys.modules


def test_a_method_that_was_found_before_is_refused_as_well():
    path = "broken_methods:Good"
    find_method(path)
    with only_plugins(()), pytest.raises(ValueError, match=r"^expected --allow-plugins"):
        find_method(path)


def test_a_data_set_of_a_user_s_function_is_loaded_only_with_leave(module, tmp_path):
    path = module("def f(rows): return (rows[:, 0] > 0).astype(int)") + ":f"
    label = {"kind": "function", "path": path, "n_relevant": 2, "unique_ratio": 0.0}
    spec = WorldSpec.model_validate({"label": label, "n_train": 8, "n_test": 4})
    make_dataset(spec, 0).save(tmp_path / "data.npz")
    with pytest.raises(ValueError, match=r"spec_json: label\.path: expected --allow-plugins"):
        load_dataset(tmp_path / "data.npz")
    assert load_dataset(tmp_path / "data.npz", allow_plugins=True).spec == spec
