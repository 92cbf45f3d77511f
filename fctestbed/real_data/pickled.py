"""What a pickle says of arrays, and values made of it after it is checked.

Imports numpy and ``_array_files``.
"""

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fctestbed._array_files import MOST_BYTES_VARIABLE

_MOST_DEPTH = 16
_MOST_DIMENSIONS = 8
# Kinds of numpy's types: truth values, whole and real numbers, bytes, text, objects.
_KINDS = "biufSUO"
_ORDERS: tuple[Literal["<", ">", "=", "|"], ...] = "<", ">", "=", "|"
_PLAIN = (str, bytes, int, float, bool, type(None))


class PickleRefused(Exception):  # noqa: N818 - it says what happened
    """Why a pickle is refused."""


class PickledDtype:
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
            raise PickleRefused(f"expected arrays of numbers or text, got the type {code!r}")
        orders: dict[Any, Literal["<", ">", "=", "|"]] = {own: own for own in _ORDERS}
        if self.order not in orders:
            raise PickleRefused(f"expected a byte order, got {self.order!r}")
        return np.dtype(code.lstrip("<>=|")).newbyteorder(orders[self.order])


class PickledArray:
    """What a pickle says of an array."""

    __slots__ = ("dtype", "fortran", "raw", "shape")

    def __init__(self) -> None:
        self.dtype, self.shape, self.fortran, self.raw = None, None, False, None

    def __setstate__(self, state: Any) -> None:
        _, self.shape, self.dtype, self.fortran, self.raw = state

    @classmethod
    def of(cls, raw: Any, dtype: Any, shape: Any, order: Any = "C") -> "PickledArray":
        """The array of a buffer."""
        array = cls()
        array.raw, array.dtype, array.shape, array.fortran = raw, dtype, shape, order == "F"
        return array


class PickledScalar:
    """What a pickle says of a number of numpy's."""

    __slots__ = ("array",)

    def __init__(self, dtype: Any, raw: Any) -> None:
        self.array = PickledArray.of(raw, dtype, ())


class Rebuilding:
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
            raise PickleRefused(
                f"expected values nested at most {_MOST_DEPTH} deep, got deeper ones"
            )
        if isinstance(loaded, _PLAIN):
            return loaded, len(loaded) if isinstance(loaded, str | bytes) else 8
        if id(loaded) not in self._done:
            value, size = self._made(loaded, depth)
            if size > self._most:
                raise PickleRefused(
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
                    raise PickleRefused(f"expected keys that are texts, got {type(key).__name__}")
                found[key], size = self.value(own, depth + 1)
                total += size + 8
            return found, total
        if isinstance(loaded, PickledScalar):
            array, size = self._array(loaded.array, depth)
            return array[()], size
        if isinstance(loaded, PickledArray):
            return self._array(loaded, depth)
        raise PickleRefused(
            f"expected plain values and arrays, got {type(loaded).__name__.strip('_')}"
        )

    def _array(self, declared: PickledArray, depth: int) -> tuple[NDArray[Any], int]:
        if not isinstance(declared.dtype, PickledDtype):
            raise PickleRefused("expected an array with a type, got one without")
        dtype, shape = declared.dtype.real(), declared.shape
        if (
            not isinstance(shape, tuple)
            or len(shape) > _MOST_DIMENSIONS
            or any(type(size) is not int or size < 0 for size in shape)
        ):
            raise PickleRefused(f"expected a shape, got {shape!r}")
        order = "F" if declared.fortran else "C"
        if dtype.hasobject:
            return self._objects(declared.raw, shape, order, depth)
        raw = declared.raw.encode("latin1") if isinstance(declared.raw, str) else declared.raw
        if not isinstance(raw, bytes):
            raise PickleRefused(f"expected the bytes of an array, got {type(raw).__name__}")
        n_bytes = math.prod(shape) * dtype.itemsize
        if len(raw) != n_bytes or not dtype.itemsize:
            raise PickleRefused(
                f"expected {n_bytes:,} bytes, {dtype} of shape {shape}, got {len(raw):,}"
            )
        return np.frombuffer(raw, dtype).reshape(shape, order=order), n_bytes

    def _objects(
        self, raw: Any, shape: tuple[int, ...], order: Any, depth: int
    ) -> tuple[NDArray[Any], int]:
        if not isinstance(raw, list) or len(raw) != math.prod(shape):
            raise PickleRefused(f"expected {math.prod(shape)} objects, those of shape {shape}")
        array, total = np.empty(len(raw), object), 8
        for place, part in enumerate(raw):
            array[place], size = self.value(part, depth + 1)
            total += size + 8
        return array.reshape(shape, order=order), total
