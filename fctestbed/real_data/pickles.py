"""Values of a pickle, rebuilt without running any of it.

A pickle names functions and calls them. Here the names that arrays need stand for functions of
this module, which only keep what they are given; every other name is refused. Arrays are made
afterwards, from types, shapes and bytes that were checked. Imports numpy, ``_array_files`` and
``_messages``.
"""

import math
import os
import pickle
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from fctestbed._array_files import MOST_BYTES_VARIABLE
from fctestbed._messages import one_line

MOST_PICKLE_BYTES = 8 << 30
"""Most bytes of a pickle, and of what it holds: 8 GiB. ``FCTESTBED_MOST_BYTES`` replaces it."""

_MOST_DEPTH = 16
_MOST_DIMENSIONS = 8
# Kinds of numpy's types: truth values, whole and real numbers, bytes, text, objects.
_KINDS = "biufSUO"
_ORDERS: tuple[Literal["<", ">", "=", "|"], ...] = "<", ">", "=", "|"
_PLAIN = (str, bytes, int, float, bool, type(None))


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
            value, _ = _Rebuilding(most).value(loaded, 0)
        except _Refused as refusal:
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


class _Refused(Exception):  # noqa: N818 - it says what happened
    """Why a pickle is refused."""


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


class _Dtype:
    """What a pickle says of a numpy type."""

    __slots__ = ("code", "order")

    def __init__(self, code: Any, *_: Any) -> None:
        self.code, self.order = code, "="

    def __setstate__(self, state: Any) -> None:
        self.order = state[1]

    def real(self) -> np.dtype[Any]:
        """The type, if it is one of numbers, text or objects."""
        code = self.code
        if not isinstance(code, str) or code.lstrip("<>=|")[:1] not in tuple(_KINDS):
            raise _Refused(f"expected arrays of numbers or text, got the type {code!r}")
        orders: dict[Any, Literal["<", ">", "=", "|"]] = {own: own for own in _ORDERS}
        if self.order not in orders:
            raise _Refused(f"expected a byte order, got {self.order!r}")
        return np.dtype(code.lstrip("<>=|")).newbyteorder(orders[self.order])


class _Array:
    """What a pickle says of an array."""

    __slots__ = ("dtype", "fortran", "raw", "shape")

    def __init__(self) -> None:
        self.dtype, self.shape, self.fortran, self.raw = None, None, False, None

    def __setstate__(self, state: Any) -> None:
        _, self.shape, self.dtype, self.fortran, self.raw = state

    @classmethod
    def of(cls, raw: Any, dtype: Any, shape: Any, order: Any = "C") -> "_Array":
        """The array of a buffer."""
        array = cls()
        array.raw, array.dtype, array.shape, array.fortran = raw, dtype, shape, order == "F"
        return array


class _Scalar:
    """What a pickle says of a number of numpy's."""

    __slots__ = ("array",)

    def __init__(self, dtype: Any, raw: Any) -> None:
        self.array = _Array.of(raw, dtype, ())


def _encoded(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise _Refused("expected bytes written as latin1, got another encoding")
    return text.encode("latin1")


def _no_class() -> None:
    raise _Refused("expected arrays made by numpy's functions, got a call of its class")


# Names as older versions of numpy write them.
_MAKERS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _no_class,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy.core.multiarray", "scalar"): _Scalar,
    ("numpy.core.numeric", "_frombuffer"): _Array.of,
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
        raise _Refused("expected plain values, got a change of a function")

    def __setstate__(self, state: Any) -> None:
        raise _Refused("expected plain values, got a change of a function")


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
            raise _Refused(
                "expected a pickle of dicts, lists, texts, numbers and numpy arrays, got one that "
                f"names {module}.{name}, which is not called"
            )
        return _Named(known)

    def persistent_load(self, pid: Any) -> Any:
        """Refuse references to other files."""
        raise _Refused("expected a pickle that is whole, got a reference to another file")

    def get_extension(self, code: int) -> Any:
        """Refuse classes by number."""
        raise _Refused(f"expected names, got the class number {code}")


class _Rebuilding:
    """Plain values and arrays from what a pickle says of them.

    Args:
        most: most bytes of the whole, each value counted wherever it occurs: a few bytes can repeat
            a list in lists of lists.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        # The values that are kept in it keep their identities from being given again.
        self._done: dict[int, tuple[Any, Any, int]] = {}

    def value(self, loaded: Any, depth: int) -> tuple[Any, int]:
        """A value, and how many bytes it has."""
        if depth > _MOST_DEPTH:
            raise _Refused(f"expected values nested at most {_MOST_DEPTH} deep, got deeper ones")
        if isinstance(loaded, _PLAIN):
            return loaded, len(loaded) if isinstance(loaded, str | bytes) else 8
        if id(loaded) not in self._done:
            value, size = self._made(loaded, depth)
            if size > self._most:
                raise _Refused(
                    f"expected at most {self._most:,} bytes once unpacked (the environment "
                    f"variable {MOST_BYTES_VARIABLE} allows more), got {size:,}"
                )
            self._done[id(loaded)] = loaded, value, size
        _, value, size = self._done[id(loaded)]
        return value, size

    def _made(self, loaded: Any, depth: int) -> tuple[Any, int]:
        if isinstance(loaded, list | tuple):
            parts = [self.value(part, depth + 1) for part in loaded]
            return type(loaded)(part for part, _ in parts), 8 + sum(size for _, size in parts)
        if isinstance(loaded, dict):
            found, total = {}, 8
            for key, own in loaded.items():
                if not isinstance(key, _PLAIN):
                    raise _Refused(f"expected keys that are texts, got {type(key).__name__}")
                found[key], size = self.value(own, depth + 1)
                total += size + 8
            return found, total
        if isinstance(loaded, _Scalar):
            array, size = self._array(loaded.array, depth)
            return array[()], size
        if isinstance(loaded, _Array):
            return self._array(loaded, depth)
        raise _Refused(f"expected plain values and arrays, got {type(loaded).__name__.strip('_')}")

    def _array(self, declared: _Array, depth: int) -> tuple[NDArray[Any], int]:
        if not isinstance(declared.dtype, _Dtype):
            raise _Refused("expected an array with a type, got one without")
        dtype, shape = declared.dtype.real(), declared.shape
        if (
            not isinstance(shape, tuple)
            or len(shape) > _MOST_DIMENSIONS
            or any(type(size) is not int or size < 0 for size in shape)
        ):
            raise _Refused(f"expected a shape, got {shape!r}")
        order = "F" if declared.fortran else "C"
        if dtype.hasobject:
            return self._objects(declared.raw, shape, order, depth)
        raw = declared.raw.encode("latin1") if isinstance(declared.raw, str) else declared.raw
        if not isinstance(raw, bytes):
            raise _Refused(f"expected the bytes of an array, got {type(raw).__name__}")
        n_bytes = math.prod(shape) * dtype.itemsize
        if len(raw) != n_bytes or not dtype.itemsize:
            raise _Refused(
                f"expected {n_bytes:,} bytes, {dtype} of shape {shape}, got {len(raw):,}"
            )
        return np.frombuffer(raw, dtype).reshape(shape, order=order), n_bytes

    def _objects(
        self, raw: Any, shape: tuple[int, ...], order: Any, depth: int
    ) -> tuple[NDArray[Any], int]:
        if not isinstance(raw, list) or len(raw) != math.prod(shape):
            raise _Refused(f"expected {math.prod(shape)} objects, those of shape {shape}")
        array, total = np.empty(len(raw), object), 8
        for place, part in enumerate(raw):
            array[place], size = self.value(part, depth + 1)
            total += size + 8
        return array.reshape(shape, order=order), total
