"""A lock that is lost while a driver has the store: found at the next commit, nothing doubled."""

import errno
import fcntl
import os

import pytest
from synthetic_results import record

from fctestbed.results import ResultsStore, StoreRefused, driver_of, lock as locks
from fctestbed.results.lock import LOCK_NAME, DriverLock


@pytest.fixture
def store(tmp_path):
    with ResultsStore.create_or_open(tmp_path, {}, "digest") as opened:
        opened.commit([record("raw", 0.5, 0)])
        yield opened


def refused_commit(store):
    with pytest.raises(StoreRefused) as refused:
        store.commit([record("raw", 0.5, 1)])
    line = str(refused.value)
    assert "this driver lost the store's lock (" in line
    assert "what was saved before is safe" in line
    with ResultsStore.open_read(store.path) as reader:
        assert reader.finished() == {"raw-0.5-0"}
    return line


def test_a_lock_file_that_was_removed_is_found_at_the_next_commit(store):
    (store.path.parent / LOCK_NAME).unlink()
    assert "its file was removed or replaced" in refused_commit(store)


def test_a_lock_that_another_driver_took_over_is_found_and_left_to_it(tmp_path, store):
    (tmp_path / LOCK_NAME).unlink()
    with ResultsStore.create_or_open(tmp_path, {}, "digest") as other:
        assert "removed or replaced" in refused_commit(store)
        store.close()
        # The file is the other's, which goes on.
        assert driver_of(tmp_path) == other.driver
        assert other.commit([record("raw", 0.5, 1)]) == 1


def test_a_lock_that_was_lost_and_is_held_by_another_is_named(tmp_path, store):
    """As after a restart of the file server: the file is the same, the lock another's."""
    fcntl.flock(store._lock._descriptor, fcntl.LOCK_UN)
    with open(tmp_path / LOCK_NAME) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert f"it is held by process {os.getpid()} on " in refused_commit(store)


def test_a_lock_that_somebody_had_meanwhile_is_found(tmp_path, store):
    (tmp_path / LOCK_NAME).write_text("process 7 on another\n")
    assert "it was taken by process 7 on another" in refused_commit(store)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ESTALE, errno.EIO])
def test_a_file_system_that_loses_locks_is_found(store, monkeypatch, number):
    def lost(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locks, "_try_lock", lost)
    assert os.strerror(number) in refused_commit(store)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ESTALE])
def test_a_file_system_that_cannot_lock_is_refused_and_nothing_stays(tmp_path, monkeypatch, number):
    def lost(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locks, "_try_lock", lost)
    with pytest.raises(StoreRefused, match="this file system cannot lock"):
        ResultsStore.create_or_open(tmp_path / "rows", {}, "digest")


def test_a_lock_that_is_held_stays_held_when_it_is_checked(tmp_path):
    lock = DriverLock.acquire(tmp_path)
    for _ in range(3):
        lock.check()
        with pytest.raises(StoreRefused, match="in use by process"):
            DriverLock.acquire(tmp_path)
    lock.release()
    assert driver_of(tmp_path) is None
    with pytest.raises(StoreRefused, match="it was given back"):
        lock.check()
