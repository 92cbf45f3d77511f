"""Directories that get their name when they are whole, and what killed processes left of them."""

import contextlib
import subprocess
import sys

import pytest

from fctestbed.results import StoreRefused, new_directory
from fctestbed.results.lock import DriverLock

KILLED = """
import os, signal, sys
from pathlib import Path
from fctestbed.results import new_directory
with new_directory(Path(sys.argv[1])) as draft:
    (draft / "file").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_a_directory_gets_its_name_when_it_is_whole(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with new_directory(out) as draft:
        (draft / "file").write_text("whole")
        assert names(out) == []
    assert names(tmp_path) == ["out"]
    assert names(out) == ["file"]


def test_an_error_leaves_nothing(tmp_path):
    with contextlib.suppress(KeyError), new_directory(tmp_path / "out") as draft:
        (draft / "file").write_text("half")
        raise KeyError
    assert names(tmp_path) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreRefused, match="cannot be written"), new_directory(tmp_path / "file/a"):
        pass


def test_what_a_killed_process_left_is_removed_by_the_next_one(tmp_path):
    out = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(out)], check=False)
    assert killed.returncode < 0
    (left,) = tmp_path.iterdir()
    assert names(left) == ["file", "results.lock"]
    with new_directory(out):
        assert not left.exists()
    assert names(tmp_path) == ["out"]


def test_what_is_in_use_or_another_s_stays(tmp_path):
    used, others, link = (tmp_path / f".out.new-{name}" for name in ("used", "others", "link"))
    used.mkdir()
    lock = DriverLock.acquire(used)
    others.mkdir()
    (others / "file").write_text("mine")
    link.symlink_to(others)
    with new_directory(tmp_path / "out"):
        pass
    assert names(tmp_path) == [".out.new-link", ".out.new-others", ".out.new-used", "out"]
    assert names(others) == ["file"]
    lock.release()
