"""Files of arrays: one line, before memory is taken, where they are not what they say."""

import io
import struct
import tracemalloc
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest

from fctestbed import load_dataset, measure
from fctestbed._array_files import MOST_BYTES, open_arrays, read_array
from fctestbed.estimators import read_samples
from fctestbed.synthesis import WorldSpec, make_dataset

GIB = 1 << 30


def header(shape, descr="'<f8'"):
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text + b"\n"


def member(path, name, content, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(name, content)


def zeros_member(path, name, shape, n_bytes):
    """An archive of one array of zeros, written without holding them."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(name, "w", force_zip64=True) as file,
    ):
        file.write(header(shape))
        for _ in range(n_bytes >> 24):
            file.write(bytes(1 << 24))


def patched(path, offset_local, offset_central, value):
    """The archive with two bytes changed in the local and in the central header of its member."""
    content = bytearray(path.read_bytes())
    central = content.rfind(b"PK\x01\x02")
    content[offset_local : offset_local + 2] = struct.pack("<H", value)
    content[central + offset_central : central + offset_central + 2] = struct.pack("<H", value)
    path.write_bytes(content)


@contextmanager
def little_memory(most=1 << 26):
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


def encrypted(path):
    member(path, "x.npy", header((3,)) + bytes(24))
    patched(path, 6, 8, 1)


def of_unknown_compression(path):
    member(path, "x.npy", header((3,)) + bytes(24))
    patched(path, 8, 10, 98)


def truncated(path):
    np.savez(path, x=np.arange(1000.0))
    path.write_bytes(path.read_bytes()[:-40])


def damaged(path):
    np.savez_compressed(path, x=np.random.default_rng(0).random(1000))
    content = bytearray(path.read_bytes())
    content[500:520] = bytes(20)
    path.write_bytes(content)


def of_objects(path):
    np.savez(path, x=np.array([{}, None], dtype=object), allow_pickle=True)


def twice_the_same(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header((3,)) + bytes(24))
        archive.writestr("x", header((3,)) + bytes(24))


def with_a_long_header(path):
    content = b"\x93NUMPY\x02\x00" + struct.pack("<I", 1 << 28) + bytes(1 << 28)
    member(path, "x.npy", content)


def of_nested_brackets(path):
    member(path, "x.npy", header("(" * 5000))


def of_a_text(path):
    member(path, "notes.txt", b"hello")


def of_negative_shape(path):
    member(path, "x.npy", header((-3,)) + bytes(24))


def of_texts_without_length(path):
    member(path, "x.npy", header((10**15,), "'<U0'"))


def of_more_than_it_has(path):
    member(path, "x.npy", header((3, 10**6)) + bytes(24))


REFUSED = {
    encrypted: "x.npy: expected an array, got File 'x.npy' is encrypted, password required",
    of_unknown_compression: "x.npy: expected an array, got That compression method is not su",
    truncated: "expected an archive of arrays (.npz), got File is not a zip file",
    damaged: "x.npy: expected an array, got ",
    of_objects: "x.npy: expected an array of numbers or text, got one of objects",
    twice_the_same: "expected arrays of different names, got two of x",
    with_a_long_header: "x.npy: expected an array, got EOF: reading array header, expected 268",
    of_nested_brackets: "x.npy: expected an array, got ",
    of_a_text: "notes.txt: expected an array, got ",
    of_negative_shape: "x.npy: expected an array, got float64 of shape (-3,)",
    of_texts_without_length: "x.npy: expected an array, got <U0 of shape (1000000000000000,)",
    of_more_than_it_has: "x.npy: expected 24,000,000 bytes, float64 of shape (3, 1000000), got 24",
}  # fmt: skip


@pytest.mark.parametrize(
    ("make", "message"), REFUSED.items(), ids=lambda case: getattr(case, "__name__", "")
)
def test_archives_that_hold_no_arrays_are_refused_by_file_and_member(tmp_path, make, message):
    path = tmp_path / "x.npz"
    make(path)
    with little_memory(), pytest.raises(ValueError, match="expected") as refusal:
        read_samples(str(path), name="x")
    assert str(refusal.value).startswith(f"x: {path}: {message}")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (header((3, 10**9)) + bytes(24), "expected at most 1,073,741,824 bytes once unpacked"),
        (header((10**12,)), "expected at most 1,073,741,824 bytes once unpacked"),
        (header((3, 10**6)) + bytes(24), "expected 24,000,000 bytes, float64 of shape (3, 1000"),
        (header((3,)) + bytes(16), "expected 24 bytes, float64 of shape (3,), got 16"),
        (header((3,)) + bytes(32), "expected 24 bytes, float64 of shape (3,), got 32"),
        (header((-1, -3)) + bytes(24), "expected an array, got float64 of shape (-1, -3)"),
        (header((3,), "'|O'") + bytes(24), "expected an array of numbers or text, got one of obj"),
        (header((3,), "[('a', '|O')]"), "expected an array of numbers or text, got one of obj"),
        (header((3,))[:20], "expected an array, got EOF: reading array header"),
        (b"", "expected an array, got EOF"),
        (b"noise and more noise", "expected an array, got the magic string is not correct"),
    ],
)
def test_arrays_that_are_not_what_their_header_says_are_refused(tmp_path, content, message):
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    with little_memory(), pytest.raises(ValueError, match="expected") as refusal:
        read_samples(str(path), name="x")
    assert str(refusal.value).startswith(f"x: {path}: {message}")
    assert "\n" not in str(refusal.value)


@pytest.fixture(scope="module")
def bomb(tmp_path_factory):
    """A little over 1 GiB of zeros in an archive of 5 MB."""
    path = tmp_path_factory.mktemp("bomb") / "bomb.npz"
    zeros_member(path, "train_z1.npy", (65 << 21,), 65 << 24)
    assert path.stat().st_size < 1 << 23
    return path


def test_archives_that_unpack_to_gigabytes_are_refused_by_all_readers(bomb):
    dataset = make_dataset(WorldSpec(n_train=20, n_test=20), 0)
    got = r"bomb\.npz.*: expected at most 1,073,741,824 bytes once unpacked .*, got 1,090,519,040"
    for read in (
        lambda: read_samples(f"{bomb}:train_z1"),
        lambda: load_dataset(bomb),
        lambda: measure(dataset, bomb),
    ):
        with little_memory(), pytest.raises(ValueError, match=got):
            read()


def test_the_limit_is_raised_by_an_environment_variable(tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, x=np.zeros(10_000))
    monkeypatch.setenv("FCTESTBED_MOST_BYTES", "79999")
    with pytest.raises(ValueError, match=r"expected at most 79,999 .* got 80,000"):
        read_samples(str(path))
    monkeypatch.setenv("FCTESTBED_MOST_BYTES", "80000")
    assert read_samples(str(path)).shape == (10_000,)
    monkeypatch.setenv("FCTESTBED_MOST_BYTES", "2 GB")
    with pytest.raises(ValueError, match="FCTESTBED_MOST_BYTES: expected a whole number of bytes"):
        read_samples(str(path))
    monkeypatch.delenv("FCTESTBED_MOST_BYTES")
    assert MOST_BYTES == GIB


def test_a_file_may_hold_as_many_bytes_as_it_has(tmp_path, monkeypatch):
    monkeypatch.setenv("FCTESTBED_MOST_BYTES", "100")
    np.save(tmp_path / "x.npy", np.arange(1000.0))
    np.savez(tmp_path / "x.npz", x=np.arange(1000.0), y=np.arange(500.0))
    assert np.array_equal(read_array(tmp_path / "x.npy"), np.arange(1000.0))
    with open_arrays(tmp_path / "x.npz") as arrays:
        assert arrays.headers().keys() == {"x", "y"}
        assert np.array_equal(arrays["x"], np.arange(1000.0))


def test_a_broken_member_does_not_spoil_its_neighbours(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, x=np.arange(3.0), bad=np.array([{}], dtype=object))
    assert np.array_equal(read_samples(f"{path}:x"), np.arange(3.0))


def test_no_damage_raises_anything_but_one_line(tmp_path):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=np.arange(20.0), y=np.array(["a", "b"]))
    whole, path = buffer.getvalue(), tmp_path / "x.npz"
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        content = bytearray(whole)
        for place in rng.integers(0, len(content), 3):
            content[place] = rng.integers(256)
        path.write_bytes(content)
        line = line_of_refusal(path)
        refused += bool(line)
        assert not line or line.startswith(f"{path}: ")
        assert "\n" not in line
    assert refused > 200


def line_of_refusal(path):
    """Why the archive cannot be read; empty where it can."""
    try:
        with open_arrays(path) as arrays:
            for name in arrays.headers():
                assert arrays[name] is not None
    except ValueError as error:
        return str(error)
    return ""
