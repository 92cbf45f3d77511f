"""The encoders that a sweep keeps: a safetensors file for each training, in the sweep's directory.

Owns the format of these files and how they are written and read; ``fctestbed.training`` decides
which parameters they hold. A file is ``encoders/<training key>.safetensors``; runs that share a
training share it. Its header has one entry of metadata, ``fctestbed``: JSON with the version of the
format, the training's key, method and specification, the version of fctestbed, and a digest of all
these and of every parameter. Never imports torch or pandas.
"""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fctestbed._version import __version__
from fctestbed.results.files import write_atomically
from fctestbed.results.refusal import StoreRefused
from fctestbed.results.tensor_files import Arrays, content_digest, read_tensor_file, tensor_bytes

ENCODERS = "encoders"
"""The directory of the encoders, inside the sweep's."""
ENCODER_KEY = "encoder"
"""The entry of a run's diagnostics that names the training whose encoders were kept."""

_FORMAT = 1
ENCODER_SUFFIX = ".safetensors"
_KEY = re.compile(r"[0-9a-f]{64}")
# Headers of this package have some 10 kB; the library would take 100 MB.
_MOST_HEADER = 1 << 20


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
        return tensor_bytes(self._about(), self.arrays)

    def _about(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "key": self.key,
            "method": self.method,
            "training": self.training,
            "fctestbed": self.version,
        }


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
    about, arrays = read_tensor_file(path, "kept encoders", _MOST_HEADER)
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
    if about.get("sha256") != content_digest(encoder._about(), arrays):
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
