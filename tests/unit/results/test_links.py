"""Links and other files under the store's names: none is followed, none is changed."""

import os

import pytest
from synthetic_results import record

from fctestbed.results import (
    STORE_NAME,
    ResultsStore,
    StoreRefused,
    load_results,
    write_atomically,
)
from fctestbed.results.lock import LOCK_NAME

PRECIOUS = "years of work\n"


@pytest.fixture
def precious(tmp_path):
    path = tmp_path / "precious"
    path.write_text(PRECIOUS)
    yield path
    assert path.read_text() == PRECIOUS


@pytest.fixture
def out(tmp_path):
    path = tmp_path / "out"
    path.mkdir()
    return path


def create(directory):
    return ResultsStore.create_or_open(directory, {}, "digest")


def test_a_lock_file_that_is_a_link_is_refused(precious, out):
    (out / LOCK_NAME).symlink_to(precious)
    with pytest.raises(StoreRefused, match=r"results\.lock: expected no file or the lock file"):
        create(out)
    assert sorted(path.name for path in out.iterdir()) == [LOCK_NAME]


def test_a_lock_file_that_is_a_link_to_nothing_makes_nothing(out, tmp_path):
    (out / LOCK_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreRefused, match="a link: move it away"):
        create(out)
    assert not (tmp_path / "elsewhere").exists()


def test_a_lock_file_that_is_another_name_of_a_file_is_refused(precious, out):
    os.link(precious, out / LOCK_NAME)
    with pytest.raises(StoreRefused, match="expected no file or the lock file"):
        create(out)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs os.mkfifo")
def test_a_lock_file_that_is_a_pipe_is_refused_at_once(out):
    os.mkfifo(out / LOCK_NAME)
    with pytest.raises(StoreRefused, match="expected no file or the lock file"):
        create(out)


def test_a_lock_file_that_a_killed_driver_left_is_taken_over(out):
    text = "process 1234567 on a computer with a long name" + "x" * 300 + "\n"
    (out / LOCK_NAME).write_text(text)
    with create(out):
        lines = (out / LOCK_NAME).read_text().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"process {os.getpid()} on ")


def test_a_store_that_is_a_link_is_read_and_not_written(tmp_path, out):
    with create(tmp_path / "real") as store:
        store.commit([record("raw", 0.5, 0)])
    real = tmp_path / "real" / STORE_NAME
    before = real.read_bytes()
    (out / STORE_NAME).symlink_to(real)
    assert len(load_results(out).runs) == 1
    with pytest.raises(StoreRefused, match=r"results\.sqlite: expected a file .* symbolic link"):
        create(out)
    assert real.read_bytes() == before


def test_a_journal_that_is_a_link_is_refused(precious, out):
    create(out).close()
    (out / f"{STORE_NAME}-journal").symlink_to(precious)
    for read in (create, load_results):
        with pytest.raises(StoreRefused, match=r"sqlite-journal: expected a file .*symbolic link"):
            read(out)


def test_a_new_store_takes_no_name_that_can_be_guessed(precious, out, monkeypatch):
    (out / f"{STORE_NAME}.new").symlink_to(precious)
    names = []
    replace = os.replace

    def watched(source, target):
        names.append(os.path.basename(source))
        replace(source, target)

    monkeypatch.setattr("fctestbed.results.database.os.replace", watched)
    create(out).close()
    create(out.parent / "other").close()
    assert len(set(names)) == 2
    assert all(len(name.rpartition("-")[2]) == 16 for name in names)


def test_what_a_driver_left_that_was_killed_while_it_made_the_store_is_removed(out):
    left = out / f".{STORE_NAME}.new-0123456789abcdef"
    left.write_bytes(b"half")
    create(out).close()
    assert sorted(path.name for path in out.iterdir()) == [STORE_NAME]


def test_a_new_store_may_be_read_by_whom_the_umask_allows(out):
    before = os.umask(0o027)
    try:
        create(out).close()
    finally:
        os.umask(before)
    assert (out / STORE_NAME).stat().st_mode & 0o777 == 0o640


def test_an_atomic_write_replaces_a_link_and_leaves_its_target(precious, out):
    (out / "captured.csv").symlink_to(precious)
    write_atomically(out / "captured.csv", b"rows")
    assert not (out / "captured.csv").is_symlink()
    assert (out / "captured.csv").read_bytes() == b"rows"
