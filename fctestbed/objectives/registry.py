"""Methods by name, and users' methods by entry point or import path.

Owns the registry. May import the objectives' own modules.
"""

import copyreg
import hashlib
import inspect
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from fctestbed._plugins import check_allowed, find_plugin, tried
from fctestbed.objectives.base import MLP_ENCODER, TABLE_ENCODER, Method
from fctestbed.objectives.comm import CoMM
from fctestbed.objectives.contrastive import SimCLR, SupCon
from fctestbed.objectives.controls import Raw, Supervised, Untrained
from fctestbed.objectives.cross_self import CrossSelf, CrossSelfFact
from fctestbed.objectives.disentangled import DisentangledSSL
from fctestbed.objectives.factorcl import FactorCLSsl, FactorCLSup
from fctestbed.objectives.focal import Focal
from fctestbed.objectives.ourcl import OurCLSsl, OurCLSup
from fctestbed.objectives.unimodal import UnimodalSsl, UnimodalSup
from fctestbed.objectives.user_encoders import encoder_class
from fctestbed.objectives.user_losses import PlainLoss, loss_method

METHODS: dict[str, type[Method]] = {
    "simclr": SimCLR,
    "supcon": SupCon,
    "cross-self": CrossSelf,
    "cross-self-fact": CrossSelfFact,
    "ourcl-sup": OurCLSup,
    "ourcl-ssl": OurCLSsl,
    "factorcl-sup": FactorCLSup,
    "factorcl-ssl": FactorCLSsl,
    "unimodal-sup": UnimodalSup,
    "unimodal-ssl": UnimodalSsl,
    "comm": CoMM,
    "focal": Focal,
    "disentangled-ssl": DisentangledSSL,
    "supervised": Supervised,
    "untrained": Untrained,
    "raw": Raw,
}

ENTRY_POINT_GROUP = "fctestbed.methods"
_OWN = "fctestbed"
# Their versions are recorded with each run.
_FOREIGN = (sys.stdlib_module_names - {"__main__"}) | {"torch"}


class _Plugin(NamedTuple):
    method: type[Method]
    source: str | None


def find_method(name: str) -> type[Method]:
    """A method by name.

    Args:
        name: a name of ``METHODS``, or of an installed entry point of the group
            ``fctestbed.methods``, or an import path, ``package.module:ClassName``; in this order.
            A path may also lead to a plain ``loss(z1, z2, y)``, see ``loss_method``.

    Raises:
        ValueError: one line, for an unknown name, a module that cannot be imported, an object that
            is neither a subclass of ``Method`` nor a function, a class that lacks an abstract
            method, or a function that is no loss.
    """
    if not isinstance(name, str):
        raise ValueError(f"expected the name of a method, got {name!r}")
    if name in METHODS:
        return METHODS[name]
    found = _plugin(name).method
    # It may have been found before.
    check_allowed(name)
    return found


def method_source(name: str) -> str | None:
    """The SHA-256 (hexadecimal) of the files that define a user's method and its base classes, when
    the method was first found.

    None for the methods of this package, which the package's version identifies, and for a class
    without a file.

    Raises:
        ValueError: as ``find_method``.
    """
    return None if name in METHODS else _plugin(name).source


def encoder_source(encoder: str) -> str | None:
    """The SHA-256 (hexadecimal) of the files that define a user's encoder (``nets.encoder``), when
    it was first found; None for an encoder of this package.

    Raises:
        ValueError: one line, for a path that leads to no encoder.
    """
    if encoder in (MLP_ENCODER, TABLE_ENCODER):
        return None
    # It may have been found before.
    check_allowed(encoder)
    return _encoder_source(encoder)


@cache
def _encoder_source(path: str) -> str | None:
    return _source(encoder_class(path))


@cache
def _plugin(name: str) -> _Plugin:
    method = find_plugin(
        name,
        Method,
        group=ENTRY_POINT_GROUP,
        known=METHODS,
        noun="a method",
        of_function=_tried_loss_method,
    )
    return _Plugin(method, _source(method))


def _tried_loss_method(name: str, function: Any) -> type[PlainLoss]:
    """The method of a plain loss; where plug-ins are tried, it is called in a subprocess first."""
    try:
        tried(f"{__name__}:_try_loss", name)
    except ValueError as error:
        line = str(error)
        raise ValueError(line if line.startswith(name) else f"{name}: {line}") from error
    return loss_method(name, function)


def _try_loss(name: str) -> None:
    """Find a plain loss, and return nothing, which can be pickled."""
    find_method(name)


def _source(defined: type[object]) -> str | None:
    files = set()
    for code in (*defined.__mro__, *_functions(defined)):
        package = code.__module__.partition(".")[0]
        if package == _OWN or package in _FOREIGN:
            continue
        with suppress(TypeError, OSError):
            files.add(Path(inspect.getfile(code)).read_bytes())
    digests = sorted(hashlib.sha256(content).hexdigest() for content in files)
    if len(digests) > 1:
        return hashlib.sha256("".join(digests).encode()).hexdigest()
    return digests[0] if digests else None


def _functions(defined: type[object]) -> tuple[Any, ...]:
    """The function, or the class of the object, that a plain loss is."""
    if not issubclass(defined, PlainLoss):
        return ()
    function: Any = defined.function
    return (function,) if inspect.isfunction(function) else (type(function),)


def _reduced(kind: Any) -> Any:
    """A plain loss's class is made when it is found, so that it is pickled by its name."""
    return kind.__qualname__ if kind is PlainLoss else (find_method, (kind.loss_name,))


copyreg.pickle(type(PlainLoss), _reduced)
