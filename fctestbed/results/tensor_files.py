"""Safetensors files that say in their header what they hold, with a digest of all of it.

Owns how such files are made, read and held to their digest; encoders and checkpoints are such
files. The header has one entry of metadata, ``fctestbed``: a JSON object. May import numpy and
safetensors; never imports torch or pandas.
"""

import hashlib
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from fctestbed.results.refusal import StoreRefused

Arrays = Mapping[str, NDArray[Any]]
"""Arrays by name."""
_METADATA = "fctestbed"
# What the readers of damaged files raise; the library's numpy types are fewer than those that a
# header may name.
_DAMAGE = (SafetensorError, AttributeError, KeyError, TypeError, ValueError, RecursionError)


def tensor_bytes(about: Mapping[str, Any], arrays: Arrays, *, allow_nan: bool = False) -> bytes:
    """The content of a file: the same arguments give the same bytes.

    Args:
        about: what the file says of itself, JSON-able.
        arrays: its arrays.
        allow_nan: whether its numbers may be NaN or infinite, which not every reader of JSON reads.
    """
    whole = {**about, "sha256": content_digest(about, arrays)}
    # The library writes several entries of metadata in a random order.
    metadata = {_METADATA: json.dumps(whole, sort_keys=True, allow_nan=allow_nan)}
    return save({name: np.asarray(array, order="C") for name, array in arrays.items()}, metadata)


def content_digest(about: Mapping[str, Any], arrays: Arrays) -> str:
    """The digest, hexadecimal, of what a file holds."""
    found = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        found.update(json.dumps([name, str(array.dtype), list(array.shape)]).encode())
        found.update(array.tobytes())
    return found.hexdigest()


def read_tensor_file(path: Path, what: str, most_header: int) -> tuple[Any, dict[str, Any]]:
    """What a file says of itself, and its arrays; the digest is for the caller to check.

    Args:
        path: the file.
        what: what it should hold, for messages.
        most_header: most bytes of its header.

    Raises:
        StoreRefused: one line that names the file, if it is missing, cut off or no such file.
    """
    try:
        about = _about(path, most_header)
        return about, load(path.read_bytes())
    except OSError as error:
        raise _unreadable(path, error) from error
    except _DAMAGE as error:
        raise _damaged(path, what, error) from error


def read_about(path: Path, what: str, most_header: int) -> Any:
    """What a file says of itself, from its header alone; arguments and errors as
    ``read_tensor_file``."""
    try:
        return _about(path, most_header)
    except OSError as error:
        raise _unreadable(path, error) from error
    except _DAMAGE as error:
        raise _damaged(path, what, error) from error


def _about(path: Path, most_header: int) -> Any:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise StoreRefused(f"{path}: expected a regular file, got another kind")
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= min(most_header, found.st_size - 8):
            raise ValueError(
                f"a header of {length:,} bytes in a file of {found.st_size:,} (at most "
                f"{most_header:,})"
            )
        header = json.loads(file.read(length))
    metadata = header.get("__metadata__", {}).get(_METADATA)
    if metadata is None:
        raise ValueError(f"no metadata of {_METADATA}")
    return json.loads(metadata)


def _unreadable(path: Path, error: OSError) -> StoreRefused:
    return StoreRefused(f"{path}: expected a file that can be read, got: {error.strerror}")


def _damaged(path: Path, what: str, error: Exception) -> StoreRefused:
    reason = " ".join(str(error).split()) or type(error).__name__
    return StoreRefused(f"{path}: expected a whole safetensors file of {what}, got: {reason:.120}")
