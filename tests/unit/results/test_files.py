"""Places that files can be written to."""

import tempfile

import pytest

from fctestbed.results import check_directory


@pytest.mark.parametrize("name", ["", "new", "new/deeper"])
def test_a_directory_that_can_be_made_is_accepted_and_not_made(tmp_path, name):
    check_directory(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["file", "file/deeper", "file/deeper/still"])
def test_a_directory_at_or_under_a_file_is_refused(tmp_path, name):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match=r"expected a directory that can be written, got .*file"):
        check_directory(tmp_path / name)


def test_a_directory_without_permission_is_refused(tmp_path, monkeypatch):
    # The superuser may write anywhere: the answer of the system is replaced.
    def denied(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", denied)
    with pytest.raises(ValueError, match="expected a directory that can be written, got "):
        check_directory(tmp_path)
