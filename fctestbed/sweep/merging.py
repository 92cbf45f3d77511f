"""Stores of sweeps that several drivers did, merged into one.

May import the rest of ``fctestbed.sweep`` and what is below it.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fctestbed._plugins import only_plugins
from fctestbed.results import (
    ENCODER_KEY,
    RUN_COLUMNS,
    STORE_NAME,
    Description,
    KeptEncoder,
    RunStream,
    StoredRunRows,
    StorePart,
    StoreRefused,
    check_directory,
    describe_difference,
    encoder_path,
    new_directory,
    read_encoder,
    write_encoders,
    write_joined_store,
)
from fctestbed.sweep.growth import OTHER_CONTENT, growth_to
from fctestbed.sweep.spec import SweepSpec

# A run that is ok goes before one that diverged, and this before one that failed.
_RANK = {"ok": 2, "diverged": 1, "failed": 0}
# Where a run was made says nothing of its numbers.
_PLACE = ("host", "stack_size")


@dataclass(frozen=True)
class Merged:
    """What a merge wrote.

    Attributes:
        n_runs: runs of the new store.
        n_from: how many of them are from each source, in their order.
        n_encoders: encoder files.
        notes: what a reader has to know, in lines.
    """

    n_runs: int
    n_from: tuple[int, ...]
    n_encoders: int
    notes: tuple[str, ...] = ()


def merge_sweeps(
    sources: Sequence[str | Path],
    out: str | Path,
    *,
    prefer: str | Path | None = None,
    allow_plugins: bool = False,
) -> Merged:
    """Merge the stores of sweeps that differ in ratios, methods, seeds, variants and axes alone
    into a new one, whose sweep spans them all, with their encoder files.

    A run that several stores have is taken once: an ``ok`` one before one that diverged, and that
    before one that failed, otherwise from the first store. Two ``ok`` runs of one id have to have
    equal rows. The new directory gets its name when it is whole, and the sources are not changed;
    a driver may be writing one of them. What a merge that was killed left is removed by the next
    one into the same directory.

    Args:
        sources: directories of two or more stores of this version.
        out: the new directory; it must not exist or be empty.
        prefer: the source whose runs and encoders are taken where another one has others; None: to
            refuse them.
        allow_plugins: whether code of the user's own that the sweeps name (methods, a label
            function) may be imported.

    Raises:
        StoreRefused: one line, for a store that is damaged, newer, older or another sweep's, for
            one run with different rows in two stores, or a directory that cannot be written;
            nothing was written.
        ValueError: one line, for other sources, directories or code that may not be imported.
    """
    places = _checked_places(sources, Path(out), prefer)
    first = None if prefer is None else _same(prefer, places)
    with ExitStack() as opened:
        streams = [opened.enter_context(_opened(place)) for place in places]
        with nullcontext() if allow_plugins else only_plugins(()):
            description = _described(places, streams)
        taken, doubled = _taken(streams, places, first)
        parts = [
            StorePart(stream, [run_id for run_id, place in taken.items() if place == number])
            for number, stream in enumerate(streams)
        ]
        with new_directory(Path(out)) as draft:
            n_encoders, missing = _copy_encoders(draft, parts, places, first)
            write_joined_store(draft / STORE_NAME, description, parts)
    notes = [f"{doubled} runs were in several stores"] if doubled else []
    if missing:
        notes.append(f"{missing} encoder files that runs name are missing in their stores")
    return Merged(len(taken), tuple(len(part.run_ids) for part in parts), n_encoders, tuple(notes))


def _checked_places(
    sources: Sequence[str | Path], out: Path, prefer: str | Path | None
) -> list[Path]:
    """The sources' directories, where the arguments of a merge can be its.

    Raises:
        ValueError: one line.
    """
    places = [Path(source) for source in sources]
    if len({place.resolve() for place in places}) < max(2, len(places)):
        shown = ", ".join(map(str, places)) or "none"
        raise ValueError(f"sources: expected two or more different directories, got {shown}")
    for place in places:
        if not (place / STORE_NAME).is_file():
            raise ValueError(
                f"sources: expected a sweep's directory, with its {STORE_NAME}, got {place}"
            )
    if out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
        raise ValueError(f"out: expected a directory that does not exist or is empty, got {out}")
    try:
        check_directory(out)
    except ValueError as error:
        raise ValueError(f"out: {error}") from error
    if prefer is not None and Path(prefer).resolve() not in [place.resolve() for place in places]:
        raise ValueError(f"prefer: expected one of {', '.join(map(str, places))}, got {prefer}")
    return places


def _same(prefer: str | Path, places: Sequence[Path]) -> int:
    return [place.resolve() for place in places].index(Path(prefer).resolve())


@contextlib.contextmanager
def _opened(place: Path) -> Iterator[RunStream]:
    with RunStream.opened(place / STORE_NAME) as stream:
        if stream is None:
            raise StoreRefused(
                f"{place}: expected a store of this version, got one of an earlier version: the "
                "same sweep command makes it one of this version"
            )
        yield stream


def _described(places: Sequence[Path], streams: Sequence[RunStream]) -> Description:
    """The description of the sweep that spans those of all stores.

    Raises:
        StoreRefused: one line, where no grid spans them.
    """
    found: Mapping[str, object] = streams[0].sweep_spec
    run_ids = list(streams[0].statuses)
    for place, stream in zip(places[1:], streams[1:], strict=True):
        run_ids += stream.statuses
        content = stream.sweep_spec
        fields = {key: value for key, value in content.items() if key not in OTHER_CONTENT}
        try:
            asked = SweepSpec.model_validate(fields)
            description = growth_to(asked, content)(found, run_ids)
        except ValueError as error:
            raise StoreRefused(
                f"{place}: cannot be merged with {places[0]}, asked is {place}: {error}"
            ) from error
        found = description.spec
    return description


def _taken(
    streams: Sequence[RunStream], places: Sequence[Path], first: int | None
) -> tuple[dict[str, int], int]:
    """Which store each run is taken from, by its id, and how many runs are in several.

    Raises:
        StoreRefused: one line, for one run with different rows.
    """
    taken: dict[str, int] = {}
    doubled: set[str] = set()
    for number, stream in enumerate(streams):
        for run_id, status in stream.statuses.items():
            other = taken.setdefault(run_id, number)
            if other == number:
                continue
            doubled.add(run_id)
            ranks = _RANK[streams[other].statuses[run_id]], _RANK[status]
            if ranks[1] > ranks[0] or (ranks[1] == ranks[0] and number == first):
                taken[run_id] = number
            elif min(ranks) == _RANK["ok"] and first not in (other, number):
                _check_equal(streams[other].run(run_id), stream.run(run_id), places, other, number)
    return taken, len(doubled)


def _check_equal(
    one: StoredRunRows, other: StoredRunRows, places: Sequence[Path], *numbers: int
) -> None:
    """Refuse a run of different rows.

    Raises:
        StoreRefused: one line with the run, the first difference and the versions.
    """
    if one.values == other.values:
        return
    names = str(places[numbers[0]]), str(places[numbers[1]])
    left, right = (dict(zip(RUN_COLUMNS, stored.run, strict=True)) for stored in (one, other))
    made = [json.loads(str(run["provenance"])) for run in (left, right)]
    versions = [{key: value for key, value in of.items() if key not in _PLACE} for of in made]
    why = (
        describe_difference(versions[0], versions[1], names)
        if versions[0] != versions[1]
        else "both were made by the same versions"
    )
    raise StoreRefused(
        f"{names[1]}: run {left['run_id']} ({left['method']} at ratio {left['unique_ratio']:g}, "
        f"seed {left['seed']}) has other rows than in {names[0]}: {_difference(one, other)}; "
        f"{why}; --prefer takes those of one store"
    )


def _difference(one: StoredRunRows, other: StoredRunRows) -> str:
    """The first difference of the rows of two runs."""
    for name, rows in one.values.items():
        others = other.values[name]
        if len(rows) != len(others):
            return f"{len(rows)} and {len(others)} rows of {name}"
        for left, right in zip(rows, others, strict=True):
            if left != right:
                values = next((a, b) for a, b in zip(left, right, strict=True) if a != b)
                return f"{name} of {left[0]} {left[1]}: {values[0]!r} and {values[1]!r}"
    return "none"


def _copy_encoders(
    directory: Path, parts: Sequence[StorePart], places: Sequence[Path], first: int | None
) -> tuple[int, int]:
    """Copy the encoder files that the runs name; how many there are, and how many are missing.

    Raises:
        StoreRefused: one line, for a damaged file, or one training with different encoders.
    """
    order = sorted(range(len(parts)), key=lambda number: number != first)
    copied: dict[str, int] = {}
    missing: set[str] = set()
    for number in order:
        for key in _encoder_keys(parts[number]):
            if not encoder_path(places[number], key).exists():
                missing.add(key)
                continue
            encoder = read_encoder(places[number], key)
            other = copied.setdefault(key, number)
            if other == number:
                write_encoders(directory, {key: encoder.to_bytes()})
            elif other != first and not _are_equal(encoder, read_encoder(places[other], key)):
                raise StoreRefused(
                    f"{places[number]}: training {key[:16]} has other encoders than in "
                    f"{places[other]}, and each has runs of it that the other lacks; --prefer "
                    "takes those of one store"
                )
    return len(copied), len(missing - copied.keys())


def _encoder_keys(part: StorePart) -> Iterator[str]:
    """The keys of the trainings whose encoders were kept with the runs, each once."""
    keys: dict[str, None] = {}
    for run_id in part.run_ids:
        if part.stream.statuses[run_id] == "ok":
            run: dict[str, Any] = dict(zip(RUN_COLUMNS, part.stream.run(run_id).run, strict=True))
            key = json.loads(run["diagnostics"]).get(ENCODER_KEY)
            if isinstance(key, str):
                keys[key] = None
    return iter(keys)


def _are_equal(one: KeptEncoder, other: KeptEncoder) -> bool:
    return one.to_bytes() == other.to_bytes()
