"""Functions compiled by numba, cached on disk where there is a place for the cache.

May import numba only.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(**options: Any) -> Callable[[Function], Function]:
    """A decorator: ``numba.njit`` without the GIL, with a cache where numba can write one.

    The cache lies in the package's ``__pycache__``, in the user's cache directory or in
    ``NUMBA_CACHE_DIR``. Numba refuses a function whose cache has no place (a read-only installation
    without a home); such a function is compiled in each process.

    Args:
        options: further options of ``numba.njit``.
    """

    def decorate(function: Function) -> Function:
        try:
            return njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:
            return njit(nogil=True, **options)(function)

    return decorate
