"""The contracts that users' own parts have to keep, as checks that name what is broken.

Names are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fctestbed.testing.method_checks import (
        METHOD_CLAUSES,
        MethodCheckFailed,
        check_method,
        method_failures,
    )

_HOMES = {
    "method_checks": ("METHOD_CLAUSES", "MethodCheckFailed", "check_method", "method_failures"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["METHOD_CLAUSES", "MethodCheckFailed", "check_method", "method_failures"]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'fctestbed.testing' has no attribute {name!r}")
    return getattr(import_module(f"fctestbed.testing.{_HOME_OF[name]}"), name)
