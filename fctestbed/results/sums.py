"""Checksums of exported files, in the format of ``sha256sum``.

Imports the standard library only.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

SUMS_NAME = "SHA256SUMS"


def sums_of(digests: Mapping[str, str], directory: Path) -> bytes:
    """The checksum file of a directory after files are written to it.

    Args:
        digests: SHA-256 (hexadecimal) of the files by name.
        directory: the directory; the checksums of its other files are kept.
    """
    sums = {**_read_sums(directory), **digests}
    return "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(sums.items())).encode()


def check_sums(paths: Sequence[Path]) -> None:
    """Refuse files of one directory that are not what its checksum file says.

    Args:
        paths: existing files; those without a checksum are taken as they are.

    Raises:
        ValueError: one line.
    """
    sums = _read_sums(paths[0].parent)
    for path in paths:
        expected = sums.get(path.name)
        if expected is not None and hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise ValueError(
                f"{path}: expected the content of its line in {SUMS_NAME}, got other content: "
                f"export it again, or remove {SUMS_NAME} if the file was changed on purpose"
            )


def _read_sums(directory: Path) -> dict[str, str]:
    try:
        lines = (directory / SUMS_NAME).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{directory / SUMS_NAME}: expected lines of sha256sum, got none that can be read"
        ) from error
    pairs = [line.split(maxsplit=1) for line in lines]
    return {pair[1].lstrip("*"): pair[0] for pair in pairs if len(pair) == 2}
