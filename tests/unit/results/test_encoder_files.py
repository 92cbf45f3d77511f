"""Encoder files: the same content gives the same bytes, and every damage is one line."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from synthetic_results import record

from fctestbed.results import (
    ENCODER_KEY,
    ENCODERS,
    KeptEncoder,
    NamedEncoders,
    ResultsStore,
    StoreRefused,
    check_encoder_place,
    check_encoders,
    encoder_path,
    find_damage,
    read_encoder,
    remove_drafts,
    set_damaged_encoders_aside,
    write_encoders,
)
from fctestbed.results.lock import DriverLock

KEY, OTHER = "a" * 64, "b" * 64


def encoder(key=KEY, **values):
    arrays = {
        "second.weight": np.arange(6, dtype=np.float32).reshape(1, 2, 3),
        "first.bias": np.array([0.5, -0.0], dtype=np.float32),
        "steps": np.array(7),
    }
    given = {"method": "simclr", "training": {"seed": 0, "rate": 0.1}, "arrays": arrays}
    return KeptEncoder(key=key, **{**given, **values})


def write(directory, content, key=KEY):
    path = encoder_path(directory, key)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def with_header(content, change):
    """The file with another header, of any length."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    text = json.dumps(change(header)).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def with_about(**values):
    def change(header):
        about = {**json.loads(header["__metadata__"]["fctestbed"]), **values}
        return {**header, "__metadata__": {"fctestbed": json.dumps(about)}}

    return with_header(encoder().to_bytes(), change)


def test_what_was_written_is_read(tmp_path):
    write_encoders(tmp_path, {KEY: encoder().to_bytes()})
    found, expected = read_encoder(tmp_path, KEY), encoder()
    assert (found.key, found.method, found.training) == (KEY, "simclr", expected.training)
    assert found.arrays.keys() == expected.arrays.keys()
    for name, array in expected.arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)
    assert [path.name for path in (tmp_path / ENCODERS).iterdir()] == [f"{KEY}.safetensors"]


def test_the_same_content_gives_the_same_bytes():
    backwards = dict(reversed(encoder().arrays.items()))
    assert len({encoder(arrays=backwards).to_bytes() for _ in range(5)}) == 1
    assert encoder(arrays=backwards).to_bytes() == encoder().to_bytes()


def test_an_encoder_without_parameters_is_a_file_too(tmp_path):
    write_encoders(tmp_path, {KEY: encoder(arrays={}).to_bytes()})
    assert read_encoder(tmp_path, KEY).arrays == {}


def flipped(content):
    return content[:-1] + bytes([content[-1] ^ 1])


GOOD = encoder().to_bytes()
DAMAGED = {
    "cut": (GOOD[:-3], "expected a whole safetensors file of kept encoders, got"),
    "cut in the header": (GOOD[:40], r"a header of \d+ bytes in a file of 40"),
    "empty": (b"", "a header of 0 bytes in a file of 0"),
    "no safetensors": (b"not a tensor\n" * 30, r"a header of [\d,]+ bytes in a file of 390"),
    "a huge header": (
        struct.pack("<Q", 1 << 40) + GOOD[8:],
        r"a header of 1,099,511,627,776 bytes .* \(at most 1,048,576\)",
    ),
    "a nested header": (
        struct.pack("<Q", 200_000) + b"[" * 200_000 + GOOD,
        "expected a whole safetensors file",
    ),
    "a header that is a list": (with_header(GOOD, lambda header: [1]), "got: 'list' object"),
    "no metadata": (
        with_header(GOOD, lambda header: {k: v for k, v in header.items() if k[0] != "_"}),
        "no metadata of fctestbed",
    ),
    "a changed parameter": (flipped(GOOD), "expected encoders as they were written, got others"),
    "a changed specification": (
        with_about(training={"seed": 1}),
        "expected encoders as they were written, got others",
    ),
    "another run's": (
        encoder(OTHER).to_bytes(),
        f"expected the encoders of training {KEY[:16]}, got those of bbbbbbbbbbbbbbbb",
    ),
    "another run's that claims to be this one's": (
        with_about(key=OTHER),
        "expected the encoders of training",
    ),
    "another version": (with_about(format=2), "expected encoders of format 1, got format 2"),
    "no version": (with_about(format=None), "expected encoders of format 1, got format None"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_refused_in_one_line_that_names_it(kind, tmp_path):
    content, message = DAMAGED[kind]
    path = write(tmp_path, content)
    with pytest.raises(StoreRefused, match=message) as refused:
        read_encoder(tmp_path, KEY)
    line = str(refused.value)
    assert line.startswith(f"{path}: expected ")
    assert "\n" not in line
    assert len(line) < 300 + len(str(path))


def test_a_missing_file_a_directory_and_a_key_that_is_none_are_refused(tmp_path):
    with pytest.raises(StoreRefused, match="expected a file that can be read, got: No such file"):
        read_encoder(tmp_path, KEY)
    encoder_path(tmp_path, KEY).mkdir(parents=True)
    with pytest.raises(StoreRefused, match="expected a regular file, got another kind"):
        read_encoder(tmp_path, KEY)
    with pytest.raises(StoreRefused, match=r"expected 64 hexadecimal digits .*, got '../../etc"):
        read_encoder(tmp_path, "../../etc/passwd")


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path):
    check_encoder_place(tmp_path)
    (tmp_path / ENCODERS).write_text("mine")
    with pytest.raises(StoreRefused, match="expected a directory for encoders, got a file"):
        check_encoder_place(tmp_path)
    with pytest.raises(StoreRefused, match="what was saved before is safe"):
        write_encoders(tmp_path, {KEY: GOOD})
    assert (tmp_path / ENCODERS).read_text() == "mine"


def test_drafts_of_killed_writers_are_removed_and_nothing_else(tmp_path):
    path = write(tmp_path, GOOD)
    draft = path.with_name(f".{path.name}.0123456789abcdef")
    draft.write_bytes(GOOD[:30])
    other = path.with_name("notes.txt")
    other.write_text("mine")
    remove_drafts(tmp_path)
    assert sorted(path.parent.iterdir()) == sorted([path, other])


@pytest.fixture
def stored(tmp_path):
    """A store with five runs: two of one training, of two others, and one without encoders."""
    keys = [KEY, KEY, OTHER, "c" * 64, None]
    records = [
        replace(record("simclr", 0.5, seed), diagnostics={} if key is None else {ENCODER_KEY: key})
        for seed, key in enumerate(keys)
    ]
    with ResultsStore.create_or_open(tmp_path, {}, "digest") as store:
        store.commit(records)
    for key in (KEY, OTHER):
        write(tmp_path, encoder(key).to_bytes(), key)
    return tmp_path


def state(directory):
    named = NamedEncoders()
    find_damage(directory, named.add)
    return check_encoders(directory, named)


def test_the_state_names_whole_missing_and_damaged_files(stored):
    found = state(stored)
    assert (found.n_whole, found.missing, found.damaged) == (2, ("c" * 64,), {})
    assert found.lines == (
        "encoders: 2 files as they were written",
        "encoders: not kept of 1 runs",
        f"encoders: 1 files are missing ({'c' * 16}): their runs cannot be measured again; rows "
        "and figures do not need them; the same sweep command with another --out makes them anew",
    )
    write(stored, GOOD, OTHER)
    found = state(stored)
    assert (found.n_whole, list(found.damaged)) == (1, [OTHER])
    assert "--drop` sets damaged encoder files aside" in found.damage_line(stored)


def test_damaged_files_are_set_aside_under_free_names(stored):
    for number in (1, 2):
        path = write(stored, b"damaged", OTHER)
        (moved,) = set_damaged_encoders_aside(stored, state(stored).damaged)
        assert moved.name == f"{OTHER}.damaged-{number}.safetensors"
        assert not path.exists()
    assert state(stored).missing == (OTHER, "c" * 64)


def test_files_of_a_store_in_use_are_not_set_aside(stored):
    path = write(stored, b"damaged", OTHER)
    lock = DriverLock.acquire(stored)
    try:
        with pytest.raises(StoreRefused, match="in use by"):
            set_damaged_encoders_aside(stored, [OTHER])
    finally:
        lock.release()
    assert path.exists()
