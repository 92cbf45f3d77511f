"""Which encoder files a store's runs name, and which of these are whole, missing or damaged.

Imports the standard library and the modules of encoder files; never torch or pandas.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fctestbed.results.encoder_files import (
    ENCODER_KEY,
    ENCODER_SUFFIX,
    encoder_path,
    read_encoder,
)
from fctestbed.results.lock import DriverLock
from fctestbed.results.refusal import StoreRefused
from fctestbed.results.schema import RUN_COLUMNS

_SHOWN = 5
_STATUS, _DIAGNOSTICS = RUN_COLUMNS.index("status"), RUN_COLUMNS.index("diagnostics")


@dataclass(frozen=True)
class EncoderState:
    """The encoder files that the runs of a store name.

    Attributes:
        n_whole: files as they were written.
        missing: keys of trainings whose file is not there.
        damaged: by the key of its training, what is wrong with a file, in one line.
        n_runs_without: ok runs whose encoders were not kept.
    """

    n_whole: int = 0
    missing: tuple[str, ...] = ()
    damaged: Mapping[str, str] = field(default_factory=dict)
    n_runs_without: int = 0

    @property
    def lines(self) -> tuple[str, ...]:
        """What is there, and what is not, in lines; none if no encoders were kept."""
        found = []
        if self.n_whole:
            found.append(f"encoders: {self.n_whole} files as they were written")
        if self.n_runs_without and (self.n_whole or self.missing):
            found.append(f"encoders: not kept of {self.n_runs_without} runs")
        if self.missing:
            found.append(
                f"encoders: {len(self.missing)} files are missing ({shortened(self.missing)}): "
                "their runs cannot be measured again; rows and figures do not need them; the same "
                "sweep command with another --out makes them anew"
            )
        return tuple(found)

    def damage_line(self, directory: Path) -> str:
        """One line: which files are damaged, and what to do."""
        more = len(self.damaged) - 1
        first = next(iter(self.damaged.values()))
        return (
            f"{first}{f' (and {more} more)' if more else ''}: `fctestbed check {directory} --drop` "
            "sets damaged encoder files aside; the runs and their rows stay"
        )


@dataclass
class NamedEncoders:
    """The encoder files that runs of a store name.

    Attributes:
        keys: of their trainings, each once.
        n_runs_without: ok runs whose encoders were not kept.
    """

    keys: dict[str, None] = field(default_factory=dict)
    n_runs_without: int = 0

    def add(self, run: Sequence[object]) -> None:
        """Take what a run names.

        Args:
            run: its row, in the order of ``RUN_COLUMNS``.
        """
        if run[_STATUS] != "ok":
            return
        key = encoder_key_of(str(run[_DIAGNOSTICS]))
        if key is None:
            self.n_runs_without += 1
        else:
            self.keys[key] = None


def check_encoders(directory: str | Path, named: NamedEncoders) -> EncoderState:
    """Read every encoder file that runs of a store name, and hold it to its digest.

    Args:
        directory: the sweep's directory.
        named: what the runs name.
    """
    n_whole, missing, damaged = 0, [], {}
    for key in named.keys:
        try:
            if not encoder_path(directory, key).exists():
                missing.append(key)
                continue
            read_encoder(directory, key)
            n_whole += 1
        except StoreRefused as refusal:
            damaged[key] = str(refusal)
    return EncoderState(n_whole, tuple(missing), damaged, named.n_runs_without)


def encoder_key_of(diagnostics: str) -> str | None:
    """The key of the training whose encoders were kept, from the JSON of a run's diagnostics; None
    if none were."""
    try:
        found = json.loads(diagnostics).get(ENCODER_KEY)
    except (AttributeError, ValueError):
        return None
    return found if isinstance(found, str) else None


def set_damaged_encoders_aside(directory: str | Path, keys: Iterable[str]) -> list[Path]:
    """Give damaged encoder files other names, which nothing reads.

    Args:
        directory: the sweep's directory.
        keys: the keys of their trainings.

    Returns:
        The new names.

    Raises:
        StoreRefused: one line, if the store is in use, or a file cannot be renamed.
    """
    lock = DriverLock.acquire(Path(directory))
    moved = []
    try:
        for key in keys:
            path = encoder_path(directory, key)
            number = 1
            while (target := path.with_name(f"{key}.damaged-{number}{ENCODER_SUFFIX}")).exists():
                number += 1
            moved.append(path.rename(target))
    except OSError as error:
        raise StoreRefused(f"{directory}: cannot be written ({error.strerror})") from error
    finally:
        lock.release()
    return moved


def shortened(names: Sequence[str]) -> str:
    """The first names of a list, and how many more there are; a training's key is cut to 16
    digits."""
    shown = ", ".join(name[:16] for name in names[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
