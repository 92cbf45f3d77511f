"""The encoders that a sweep keeps: a safetensors file for each training, in the sweep's directory.

Owns the format of these files and how they are written and read; ``fctestbed.training`` decides
which parameters they hold. A file is ``encoders/<training key>.safetensors``; runs that share a
training share it. Its header has one entry of metadata, ``fctestbed``: JSON with the version of the
format, the training's key, method and specification, the version of fctestbed, and a digest of all
these and of every parameter. May import numpy and safetensors; never imports torch or pandas.
"""

import contextlib
import hashlib
import json
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from fctestbed._version import __version__
from fctestbed.results.files import write_atomically
from fctestbed.results.refusal import StoreRefused

ENCODERS = "encoders"
"""The directory of the encoders, inside the sweep's."""
ENCODER_KEY = "encoder"
"""The entry of a run's diagnostics that names the training whose encoders were kept."""

_FORMAT = 1
_METADATA = "fctestbed"
ENCODER_SUFFIX = ".safetensors"
_KEY = re.compile(r"[0-9a-f]{64}")
# Headers of this package have some 10 kB; the library would take 100 MB.
_MOST_HEADER = 1 << 20

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class KeptEncoder:
    """The content of an encoder file.

    Attributes:
        key: the training's key.
        method: the method that it was trained with.
        training: the training's specification, JSON-able.
        arrays: parameters and buffers of one training by name.
        version: the version of fctestbed that wrote them.
    """

    key: str
    method: str
    training: Mapping[str, Any]
    arrays: Arrays
    version: str = __version__

    def to_bytes(self) -> bytes:
        """The file: the same content gives the same bytes."""
        about = {**self._about(), "sha256": self._digest()}
        # The library writes several entries of metadata in a random order.
        metadata = {_METADATA: json.dumps(about, sort_keys=True, allow_nan=False)}
        arrays = {name: np.asarray(array, order="C") for name, array in self.arrays.items()}
        return save(arrays, metadata)

    def _about(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "key": self.key,
            "method": self.method,
            "training": self.training,
            "fctestbed": self.version,
        }

    def _digest(self) -> str:
        found = hashlib.sha256(json.dumps(self._about(), sort_keys=True).encode())
        for name, array in sorted(self.arrays.items()):
            found.update(json.dumps([name, str(array.dtype), list(array.shape)]).encode())
            found.update(array.tobytes())
        return found.hexdigest()


def encoder_path(directory: str | Path, key: str) -> Path:
    """Where the encoders of a training are.

    Args:
        directory: the sweep's directory.
        key: the training's key.

    Raises:
        StoreRefused: one line, for what is no key.
    """
    if not _KEY.fullmatch(key):
        raise StoreRefused(
            f"{directory}: expected 64 hexadecimal digits to name encoders, got {key!r:.80}"
        )
    return Path(directory) / ENCODERS / f"{key}{ENCODER_SUFFIX}"


def read_encoder(directory: str | Path, key: str) -> KeptEncoder:
    """The encoders of a training, held to their digest.

    Args:
        directory: the sweep's directory.
        key: the training's key.

    Raises:
        StoreRefused: one line that names the file: it is missing, cannot be read, is not what was
            written for this training, or is of another version of the format.
    """
    path = encoder_path(directory, key)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise StoreRefused(f"{path}: expected a regular file, got another kind")
        about = _about(path)
        return _checked(path, key, about, load(path.read_bytes()))
    except OSError as error:
        raise StoreRefused(
            f"{path}: expected a file that can be read, got: {error.strerror}"
        ) from error
    # The library's numpy types are fewer than those that a header may name.
    except (
        SafetensorError,
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
        RecursionError,
    ) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StoreRefused(
            f"{path}: expected a whole safetensors file of kept encoders, got: {reason:.120}"
        ) from error


def _about(path: Path) -> Any:
    """The metadata of a file, from its header alone."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= min(_MOST_HEADER, size - 8):
            raise ValueError(
                f"a header of {length:,} bytes in a file of {size:,} (at most {_MOST_HEADER:,})"
            )
        header = json.loads(file.read(length))
    metadata = header.get("__metadata__", {}).get(_METADATA)
    if metadata is None:
        raise ValueError(f"no metadata of {_METADATA}")
    return json.loads(metadata)


def _checked(path: Path, key: str, about: Any, arrays: dict[str, NDArray[Any]]) -> KeptEncoder:
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        found = about.get("format") if isinstance(about, dict) else about
        raise StoreRefused(
            f"{path}: expected encoders of format {_FORMAT}, got format {found!r:.40}"
        )
    if about.get("key") != key:
        raise StoreRefused(
            f"{path}: expected the encoders of training {key[:16]}, "
            f"got those of {about.get('key')!s:.16}"
        )
    encoder = KeptEncoder(
        key=key,
        method=str(about.get("method")),
        training=about.get("training", {}),
        arrays=arrays,
        version=str(about.get("fctestbed")),
    )
    if about.get("sha256") != encoder._digest():
        raise StoreRefused(f"{path}: expected encoders as they were written, got others")
    return encoder


def check_encoder_place(directory: str | Path) -> None:
    """Refuse a sweep's directory in which no directory of encoders can be.

    Raises:
        StoreRefused: one line; nothing was written.
    """
    place = Path(directory) / ENCODERS
    if (place.exists() or place.is_symlink()) and not place.is_dir():
        raise StoreRefused(f"{place}: expected a directory for encoders, got a file in its place")


def write_encoders(directory: str | Path, files: Mapping[str, bytes]) -> None:
    """Write encoder files, each whole or not at all.

    Args:
        directory: the sweep's directory.
        files: the content of each file by the training's key.

    Raises:
        StoreRefused: one line, if one cannot be written.
    """
    for key, content in files.items():
        try:
            write_atomically(encoder_path(directory, key), content)
        except ValueError as error:
            raise StoreRefused(f"{error}; what was saved before is safe") from error


def remove_drafts(directory: str | Path) -> None:
    """Remove what writers that were killed left of encoder files; the caller has the store's
    lock."""
    for draft in (Path(directory) / ENCODERS).glob(f".*{ENCODER_SUFFIX}.*"):
        with contextlib.suppress(OSError):
            draft.unlink()
