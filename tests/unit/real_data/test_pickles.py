"""Pickles are read without running any of them."""

import collections
import copyreg
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fctestbed.real_data import read_pickle


class _Runs:
    """Runs a command when it is unpickled by pickle itself."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def written(path: Path, value: Any, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


def test_a_command_in_a_pickle_is_refused_by_name_and_does_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    path = written(tmp_path / "evil.pkl", {"train": _Runs(os.system, f"touch {mark}")})
    with pytest.raises(ValueError, match=r"names (posix|nt)\.system, which is not called"):
        read_pickle(path)
    assert not mark.exists()
    # The same file does run where pickle reads it.
    pickle.loads(path.read_bytes())
    assert mark.exists()


@pytest.mark.parametrize(
    "function",
    [eval, exec, open, __import__, getattr, np.load, np.fromfile, copyreg._reconstructor],
)
def test_every_function_but_those_of_arrays_is_refused(tmp_path: Path, function: Any) -> None:
    path = written(tmp_path / "a.pkl", [_Runs(function, "1")])
    with pytest.raises(ValueError, match="expected a pickle of dicts, lists, texts, numbers"):
        read_pickle(path)


def test_a_dotted_name_does_not_reach_inside_an_allowed_one(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    content = b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__init__\x93."
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"names numpy\.ndarray\.__init__"):
        read_pickle(path)


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.arange(6, dtype=">i2").reshape(2, 3).T,
        np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        np.array(["a", "bcd"]),
        np.array([b"a", b"bcd"]),
        np.zeros((0, 3)),
        np.array([True, False]),
    ],
    ids=str,
)
def test_arrays_are_those_that_were_written(tmp_path: Path, array: Any, protocol: int) -> None:
    found = read_pickle(written(tmp_path / "a.pkl", {"x": array}, protocol))["x"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_plain_values_are_those_that_were_written(tmp_path: Path, protocol: int) -> None:
    shared = [1, 2]
    value = {
        "a": (1, 2.5, None, True, "text", b"bytes"),
        "b": [shared, shared],
        "c": collections.OrderedDict(x=1),
        "d": np.float32(1.5),
        "e": np.int64(-3),
    }
    assert read_pickle(written(tmp_path / "a.pkl", value, protocol)) == value


def test_object_arrays_hold_what_was_read(tmp_path: Path) -> None:
    ragged = np.empty(2, object)
    ragged[0], ragged[1] = np.ones((2, 3)), np.ones((4, 3))
    found = read_pickle(written(tmp_path / "a.pkl", ragged))
    assert [part.shape for part in found] == [(2, 3), (4, 3)]


def test_bytes_that_python_2_wrote_are_read(tmp_path: Path) -> None:
    # An array as Python 2 pickled it: its bytes are a text.
    raw = struct.pack("<2d", 1.0, 2.0)
    content = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02\x85cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tb\x89U\x10" + raw + b"tb."
    )
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    np.testing.assert_array_equal(read_pickle(path), [1.0, 2.0])


def array_state(shape: Any, dtype: Any, raw: Any) -> bytes:
    """A pickle of an array with a state of one's own."""

    class Array:
        def __reduce__(self) -> tuple[Any, ...]:
            make: Any = np.ndarray((0,)).__reduce__()[0]
            return make, (np.ndarray, (0,), b"b"), (1, shape, dtype, False, raw)

    return pickle.dumps(Array(), protocol=2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (array_state((1000,), np.dtype("f8"), b"12345678"), "expected 8,000 bytes"),
        (array_state((-1,), np.dtype("f8"), b""), "expected a shape"),
        (array_state("shape", np.dtype("f8"), b""), "expected a shape"),
        (array_state((1,), np.dtype([("a", "f8")]), b"12345678"), "numbers or text"),
        (array_state((1,), np.dtype("M8[s]"), b"12345678"), "numbers or text"),
        (array_state((1,), "f8", b"12345678"), "an array with a type"),
        (array_state((1,), np.dtype("f8"), 5), "expected the bytes of an array, got int"),
        (array_state((2,), np.dtype("O"), [1]), "expected 2 objects"),
        (b"not a pickle", "expected a pickle"),
        (b"", "expected a pickle"),
        (pickle.dumps([1, 2, 3])[:-3], "expected a pickle"),
        (b"cnumpy\nndarray\n)R.", "got a call of its class"),
        (b"cnumpy\nndarray\n.", "expected plain values and arrays"),
        (b"cnumpy\ndtype\n}U\x05_makeK\x01sb.", "got a change of a function"),
        (b"c_codecs\nencode\n(U\x01aU\x03hextR.", "another encoding"),
        (b"P0\n.", "a reference to another file"),
        (b"\x82\x01.", "got the class number 1"),
        # 2^40 bytes, of which three are there; a place in the memo far away; nothing is allocated.
        (b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"abc.", "expected a pickle"),
        (b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b"abc.", "3|4 are there"),
        (b"](Nr\xff\xff\xff\x7fe(", "expected a pickle"),
    ],
)
def test_what_no_array_is_made_of_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_pickle(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_lists_that_repeat_themselves_are_refused_by_size(tmp_path: Path) -> None:
    value: Any = ["x" * 100] * 100
    for _ in range(9):
        value = [value] * 100
    path = written(tmp_path / "a.pkl", value)
    assert path.stat().st_size < 10_000
    with pytest.raises(ValueError, match="bytes once unpacked"):
        read_pickle(path)


def test_values_nested_too_deep_and_in_themselves_are_refused(tmp_path: Path) -> None:
    deep: Any = []
    for _ in range(40):
        deep = [deep]
    with pytest.raises(ValueError, match="nested at most 16 deep"):
        read_pickle(written(tmp_path / "deep.pkl", deep))
    inside: list[Any] = []
    inside.append(inside)
    with pytest.raises(ValueError, match="nested at most 16 deep"):
        read_pickle(written(tmp_path / "inside.pkl", inside))


def test_the_limit_of_bytes_is_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.pkl", np.zeros(100))
    monkeypatch.setenv("FCTESTBED_MOST_BYTES", "100")
    with pytest.raises(ValueError, match="expected at most 100 bytes"):
        read_pickle(path)
    monkeypatch.setenv("FCTESTBED_MOST_BYTES", "many")
    with pytest.raises(ValueError, match="FCTESTBED_MOST_BYTES: expected a whole number"):
        read_pickle(path)


def test_no_pickle_changes_the_functions_of_the_next_one(tmp_path: Path) -> None:
    content = b"cnumpy\ndtype\n(U\x04_makeK\x05dU\x01atb."
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="expected"):
        read_pickle(path)
    np.testing.assert_array_equal(read_pickle(written(path, np.ones(2))), np.ones(2))


def test_damaged_pickles_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    value = {"train": {"x": np.arange(6.0).reshape(2, 3), "id": np.array(["a", 1], object)}}
    whole = np.frombuffer(pickle.dumps(value, protocol=4), np.uint8)
    path, refusals = tmp_path / "a.pkl", []
    for _ in range(400):
        damaged = whole.copy()
        damaged[rng.integers(0, len(whole), rng.integers(1, 4))] = rng.integers(0, 256)
        path.write_bytes(damaged.tobytes())
        try:
            read_pickle(path)
        except ValueError as error:
            refusals.append(str(error))
    assert len(refusals) > 200
    assert all(line.startswith(f"{path}: ") and "\n" not in line for line in refusals)
