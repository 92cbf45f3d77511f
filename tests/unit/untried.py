"""Plug-ins without trials, for tests of what comes after them: a trial starts a process."""

from contextlib import nullcontext
from importlib import import_module

import pytest

# The package has a function of this name.
_main = import_module("fctestbed.cli.main")


def without_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on commands import plug-ins at once, and not in a subprocess first."""
    monkeypatch.setattr(_main, "plugins_tried", lambda seconds: nullcontext())
