"""Values of a pickle, rebuilt without running any of it.

A pickle names functions and calls them. Here the names that arrays need stand for functions of
this module, which only keep what they are given; every other name is refused. Arrays are made
afterwards, from types, shapes and bytes that were checked. Imports
``_array_files``, ``_messages`` and ``pickled``.
"""

import os
import pickle
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar

from fctestbed._array_files import MOST_BYTES_VARIABLE
from fctestbed._messages import one_line
from fctestbed.real_data.pickled import (
    PickledArray,
    PickledDtype,
    PickledScalar,
    PickleRefused,
    Rebuilding,
)

MOST_PICKLE_BYTES = 8 << 30
"""Most bytes of a pickle, and of what it holds: 8 GiB. ``FCTESTBED_MOST_BYTES`` replaces it."""


def read_pickle(path: Path) -> Any:
    """The values of a pickle: dicts, lists, tuples, texts, bytes, numbers and arrays.

    Nothing that the pickle names is imported or called. Object arrays become arrays of such values.

    Args:
        path: the file.

    Raises:
        ValueError: one line that names the file: a name other than those of arrays (with the name),
            a file or content that is too large, or no pickle.
        OSError: the file cannot be opened.
    """
    size, most = path.stat().st_size, most_bytes()
    if size > most:
        raise ValueError(
            f"{path}: expected at most {most:,} bytes (the environment variable "
            f"{MOST_BYTES_VARIABLE} allows more), got {size:,}"
        )
    with path.open("rb") as file:
        try:
            loaded = _Unpickler(_Bounded(file, size), encoding="latin1").load()
            value, _ = Rebuilding(most).value(loaded, 0)
        except PickleRefused as refusal:
            raise ValueError(one_line(f"{path}: {refusal}")) from None
        # Damaged or hostile bytes make the unpickler raise nearly anything.
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(one_line(f"{path}: expected a pickle, got {reason}")) from error
    return value


def most_bytes() -> int:
    """Most bytes of a pickle.

    Raises:
        ValueError: one line, for a value of the environment variable that is no whole number.
    """
    given = os.environ.get(MOST_BYTES_VARIABLE)
    try:
        return MOST_PICKLE_BYTES if given is None else int(given)
    except ValueError as error:
        raise ValueError(
            f"{MOST_BYTES_VARIABLE}: expected a whole number of bytes, got {given!r}"
        ) from error


class _Bounded:
    """A file that no request makes allocate more bytes than it has left."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._size = file, size

    def read(self, n: int) -> bytes:
        """At most ``n`` bytes."""
        return self._file.read(min(n, self._size - self._file.tell()))

    def readline(self) -> bytes:
        """The next line."""
        return self._file.readline()


def _encoded(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise PickleRefused("expected bytes written as latin1, got another encoding")
    return text.encode("latin1")


def _no_class() -> None:
    raise PickleRefused("expected arrays made by numpy's functions, got a call of its class")


# Names as older versions of numpy write them.
_MAKERS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _no_class,
    ("numpy", "dtype"): PickledDtype,
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: PickledArray(),
    ("numpy.core.multiarray", "scalar"): PickledScalar,
    ("numpy.core.numeric", "_frombuffer"): PickledArray.of,
    ("_codecs", "encode"): _encoded,
    ("collections", "OrderedDict"): lambda pairs=(): dict(pairs),
    # How protocol 2 writes bytes of length 0.
    ("__builtin__", "bytes"): lambda: b"",
}


class _Named:
    """A function that a pickle named: it can be called, and nothing of it can be changed."""

    __slots__ = ("_make",)
    _make: Callable[..., Any]

    def __init__(self, make: Callable[..., Any]) -> None:
        object.__setattr__(self, "_make", make)

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)

    def __setattr__(self, name: str, value: Any) -> None:
        raise PickleRefused("expected plain values, got a change of a function")

    def __setstate__(self, state: Any) -> None:
        raise PickleRefused("expected plain values, got a change of a function")


# Not the compiled one, which allocates what a few bytes ask for.
class _Unpickler(pickle._Unpickler):
    # Set while it loads.
    read: Callable[[int], bytes]
    append: Callable[[Any], None]
    dispatch: ClassVar[dict[int, Callable[..., None]]] = dict(pickle._Unpickler.dispatch)

    def load_bytearray8(self) -> None:
        """Bytes, without allocating them before they are there."""
        (size,) = struct.unpack("<Q", self.read(8))
        content = self.read(size)
        if len(content) < size:
            raise EOFError(f"{size:,} bytes were declared, {len(content):,} are there")
        self.append(bytes(content))

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8

    def find_class(self, module: str, name: str) -> Any:
        """The function of this module that a name stands for."""
        known = _MAKERS.get((module.replace("numpy._core", "numpy.core"), name))
        if known is None:
            raise PickleRefused(
                "expected a pickle of dicts, lists, texts, numbers and numpy arrays, got one that "
                f"names {module}.{name}, which is not called"
            )
        return _Named(known)

    def persistent_load(self, pid: Any) -> Any:
        """Refuse references to other files."""
        raise PickleRefused("expected a pickle that is whole, got a reference to another file")

    def get_extension(self, code: int) -> Any:
        """Refuse classes by number."""
        raise PickleRefused(f"expected names, got the class number {code}")
