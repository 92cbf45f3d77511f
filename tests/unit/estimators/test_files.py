import numpy as np
import pytest

from fctestbed.estimators import read_samples


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.arange(6.0).reshape(3, 2))
    np.savez("two.npz", x=np.arange(3), y=np.ones((3, 2)))
    np.savez("one.npz", only=np.arange(3))
    np.save("objects.npy", np.array([1, "a", None], dtype=object), allow_pickle=True)
    np.savez("objects.npz", x=np.array([{}], dtype=object))
    (tmp_path / "named.csv").write_text("a,b,label\n1,2.5,yes\n3,4.5,no\n")
    (tmp_path / "plain.csv").write_text("1,2\n3,4\n5,6\n")
    (tmp_path / "hole.csv").write_text("a,b\n1,\n2,3\n")
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n1,2,3,4\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "x.txt").write_text("1")
    (tmp_path / "cut.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-8])
    (tmp_path / "cut.npz").write_bytes((tmp_path / "two.npz").read_bytes()[:-30])
    (tmp_path / "noise.npy").write_bytes(b"noise")
    return tmp_path


def test_arrays_are_read_as_they_are(place):
    assert np.array_equal(read_samples("x.npy"), np.arange(6.0).reshape(3, 2))
    assert np.array_equal(read_samples("two.npz:y"), np.ones((3, 2)))
    assert np.array_equal(read_samples("one.npz"), np.arange(3))


def test_tables_are_read_with_or_without_a_header(place):
    assert np.array_equal(read_samples("plain.csv"), [[1, 2], [3, 4], [5, 6]])
    assert np.array_equal(read_samples("plain.csv:1"), [2, 4, 6])
    assert np.array_equal(read_samples("named.csv:b,a"), [[2.5, 1], [4.5, 3]])
    assert read_samples("named.csv:label").tolist() == ["yes", "no"]
    assert np.isnan(read_samples("hole.csv")).sum() == 1


def test_a_path_may_hold_a_colon(place):
    np.save("a:b.npy", np.arange(3))
    assert np.array_equal(read_samples("a:b.npy"), np.arange(3))


def test_parquet_needs_pyarrow_and_says_so(place, monkeypatch):
    pandas = pytest.importorskip("pandas")

    def absent(path):
        raise ImportError("Missing optional dependency 'pyarrow'")

    (place / "x.parquet").write_bytes(b"PAR1")
    monkeypatch.setattr(pandas, "read_parquet", absent)
    with pytest.raises(ValueError, match=r"x: expected pyarrow to read x.parquet with, got none"):
        read_samples("x.parquet", name="x")


def test_parquet_is_read_where_pyarrow_is(place):
    pytest.importorskip("pyarrow")
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}).to_parquet("t.parquet")
    assert np.array_equal(read_samples("t.parquet:b"), [0.5, 1.5])
    (place / "bad.parquet").write_bytes(b"noise")
    with pytest.raises(ValueError, match=r"expected a \.parquet file that can be read"):
        read_samples("bad.parquet")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("none.npy", "x: expected a file that is there, got 'none.npy'"),
        ("x.txt", "x: expected a file of .npy, .npz, .csv, .parquet, got 'x.txt'"),
        ("x.npy:key", "x: expected no key for an .npy file, got 'key'"),
        ("two.npz", "x: expected two.npz:KEY of x, y, got no key"),
        ("two.npz:z", "x: expected two.npz:KEY of x, y, got 'z'"),
        ("named.csv:c", "x: expected columns of named.csv among a, b, label, got 'c'"),
        ("objects.npy", "x: expected an array of numbers, got one of objects in objects.npy"),
        ("objects.npz", "x: expected an array of numbers, got one of objects in objects.npz"),
        ("cut.npy", "x: expected an array of numbers, got none in cut.npy"),
        ("cut.npz", "x: expected a .npz file that can be read, got cut.npz ("),
        ("noise.npy", "x: expected an array of numbers, got "),
        ("empty.csv", "x: expected a .csv file that can be read, got empty.csv ("),
        ("ragged.csv", "x: expected a .csv file that can be read, got ragged.csv ("),
    ],
)
def test_files_that_hold_no_samples_are_refused(place, source, message):
    with pytest.raises(ValueError, match=r"^x: ") as refusal:
        read_samples(source, name="x")
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)
