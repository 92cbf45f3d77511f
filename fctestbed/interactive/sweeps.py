"""A sweep in one call, from names to tables. May import ``fctestbed.sweep``."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fctestbed.interactive.display import SweepBar
from fctestbed.interactive.results import SweepResults, load_results
from fctestbed.interactive.world import world_values
from fctestbed.sweep import (
    DEFAULT_METHODS,
    build_sweep,
    end_a_worker_in_its_start,
    merge,
    read_grids,
    run_sweep,
    split_path,
)


def sweep_results(
    unique_ratio: float | str | Sequence[float] = "0:1:0.1",
    *,
    methods: str | Sequence[str] = DEFAULT_METHODS,
    seeds: int | str | Sequence[int] = "0:2",
    preset: str = "quick",
    axes: Mapping[str, Sequence[Any]] | None = None,
    values: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    device: str = "auto",
    workers: int | None = None,
    progress: bool = True,
    **world: Any,
) -> SweepResults:
    """Run a sweep and return its rows: ``fctestbed sweep`` in one call.

    ``sweep_results("0:1:0.5", methods="simclr,supcon", seeds="0:1", shared=4)``.

    Args:
        unique_ratio: one ratio, several, or a range with its stop, ``"0:1:0.1"``.
        methods: names, or one text with commas; import paths of one's own methods and losses too.
        seeds: one seed, several, or a range with its stop, ``"0:4"``.
        preset: ``quick`` or ``official``.
        axes: further axes: values by dotted path, such as ``{"train.steps": [300, 600]}``.
        values: any other setting by dotted path, such as ``{"train.batch_size": 256}``.
        out: the directory of the store. The same call continues it. None: a directory that is
            removed at the end.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        workers: worker processes; None: one per core on a CPU, none on a GPU; 1: all in this
            process. In a script, call this below ``if __name__ == "__main__":``, or give 1.
        progress: whether to show a bar.
        **world: options of the world, as of ``World``.

    Raises:
        ValueError: one line that names the argument, for a sweep that cannot be.
        StoreRefused: if ``out`` holds another sweep, is damaged or in use.
    """
    end_a_worker_in_its_start()
    names = methods.split(",") if isinstance(methods, str) else list(methods)
    given: dict[str, Any] = {
        "unique_ratio": unique_ratio
        if isinstance(unique_ratio, str | float | int)
        else list(unique_ratio),
        "seeds": seeds if isinstance(seeds, str | int) else list(seeds),
        "methods": [name.strip() for name in names],
    }
    if axes:
        given["axes"] = {path: list(own) for path, own in axes.items()}
    options = read_grids(given, source="")
    if world:
        nested = world_values(options["unique_ratio"][0], dict(world))
        nested["label"] = {k: v for k, v in nested["label"].items() if k != "unique_ratio"}
        options["world"] = nested
    for path, value in (values or {}).items():
        options = merge(options, _nested(path, value))
    spec = build_sweep(preset=preset, options=read_grids(options, source=""))
    with tempfile.TemporaryDirectory(prefix="fctestbed-") as scratch:
        store = Path(scratch) / "sweep" if out is None else Path(out)
        bar = SweepBar()
        if progress:
            with bar.shown():
                run_sweep(spec, store, device=device, workers=workers, display=bar)
        else:
            run_sweep(spec, store, device=device, workers=workers)
        return load_results(store)


def _nested(path: str, value: object) -> dict[str, Any]:
    """A value at a dotted path as nested values."""
    nested = value
    for part in reversed(split_path(path)):
        nested = {part: nested}
    assert isinstance(nested, dict), "a path has a part"
    return nested
