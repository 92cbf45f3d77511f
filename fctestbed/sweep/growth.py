"""A stored sweep that grows: by seeds, unique ratios, methods, variants, axes or values of axes.

Two sweeps can be in one store where they differ in nothing else: every run of either is then a run
of the grid that spans both. May import ``fctestbed.sweep.spec`` and what it imports.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fctestbed._plugins import only_plugins
from fctestbed._version import __version__
from fctestbed.objectives import encoder_source, find_method, method_source
from fctestbed.results import AxisCells, Description, Grow, describe_difference
from fctestbed.sweep.axes import shown, split_path, texts_of, value_at
from fctestbed.sweep.spec import SweepSpec
from fctestbed.synthesis import digest

_VERSION, _SOURCES = "fctestbed", "sources"
MEASURED_FROM = "measured_from"
OTHER_CONTENT = (_VERSION, _SOURCES, MEASURED_FROM)
"""What identifies a sweep besides its specification."""
_LISTS = ("unique_ratio", "methods", "seeds")
_RATIO = ("world", "label", "unique_ratio")


def sweep_digest(spec: SweepSpec) -> tuple[dict[str, object], str]:
    """What identifies a sweep, JSON-able, and its digest: the specification, the version of the
    code, and the source of users' methods and encoders."""
    content = {**spec.model_dump(mode="json"), _VERSION: __version__}
    encoders = (spec.nets.encoder, *spec.axes.get("nets.encoder", ()))
    sources = {name: method_source(name) for name in spec.methods}
    sources |= {name: encoder_source(name) for name in encoders}
    if any(sources.values()):
        content[_SOURCES] = {name: source for name, source in sources.items() if source}
    return content, digest(content)


def description_of(spec: SweepSpec, content: Mapping[str, object]) -> Description:
    """The description of a store that begins with a sweep."""
    return Description(content, digest(content), AxisCells(spec.grid.axes, spec.grid.cells))


def growth_to(asked: SweepSpec, content: Mapping[str, object]) -> Grow:
    """What becomes of a stored sweep when another is asked for in its directory.

    Args:
        asked: the sweep that is asked for.
        content: what identifies it.
    """

    def grow(stored: Mapping[str, object], run_ids: Collection[str]) -> Description:
        both = grown_sweep(stored, asked, content)
        lost = set(run_ids) - both.grid.runs.keys()
        if lost:
            raise ValueError(
                f"{len(lost)} of its {len(run_ids)} runs are none of this version's: the code "
                "changed since"
            )
        others = {key: value for key, value in content.items() if key == MEASURED_FROM}
        whole: dict[str, object] = {**sweep_digest(both)[0], **others}
        found = description_of(both, whole)
        return Description(found.spec, found.digest, found.axes, _added(stored, whole))

    return grow


def grown_sweep(
    stored: Mapping[str, Any], asked: SweepSpec, content: Mapping[str, Any]
) -> SweepSpec:
    """The sweep whose grid spans a stored one and the one that is asked for.

    Args:
        stored: what identifies the stored sweep, JSON-able.
        asked: the sweep that is asked for.
        content: what identifies it.

    Raises:
        ValueError: one line, where they differ in more than a grid can span: the fields with the
            stored value and the asked one.
    """
    content = json.loads(json.dumps(content))
    for key in (_VERSION, MEASURED_FROM):
        _check_equal(*({key: one[key]} if key in one else {} for one in (stored, content)))
    fields = {key: value for key, value in stored.items() if key not in OTHER_CONTENT}
    # The code of a user's own that only the store names is not imported for this.
    with only_plugins(texts_of(content)):
        try:
            old = SweepSpec.model_validate(fields)
        except ValueError as error:
            _check_equal(stored, content)
            raise ValueError(f"its sweep cannot be read: {error}") from error
        _check_comparable(old, stored, asked, content)
        axes = {
            path: _united(old.axes.get(path, ()), asked.axes.get(path, ()))
            for path in (*old.axes, *asked.axes)
        }
        lists = {name: _united(getattr(old, name), getattr(asked, name)) for name in _LISTS}
        both = SweepSpec.model_validate(
            {
                **fields,
                **lists,
                "axes": axes,
                "one_at_a_time": _varies_alone(old, asked),
                "settings": _united_settings(old, asked),
                "variants": {**old.variants, **asked.variants},
            }
        )
        strange = asked.grid.runs.keys() - both.grid.runs.keys()
    if strange:
        raise ValueError(
            f"{len(strange)} of the runs asked for are in no grid with the stored ones"
        )
    return both


def not_asked_note(
    stored: Mapping[str, Any],
    asked: SweepSpec,
    content: Mapping[str, Any],
    finished: Collection[str],
) -> str:
    """A line about the runs of a store's grid that are neither done nor asked for; empty if there
    are none.

    Args:
        stored: what identifies the sweep of the store, which has grown.
        asked: the sweep that was asked for.
        content: what identifies it.
        finished: ids of the runs that are done.
    """
    if stored == json.loads(json.dumps(content)):
        return ""
    runs = grown_sweep(stored, asked, content).grid.runs
    left = [run for run_id, run in runs.items() if run_id not in finished]
    left = [run for run in left if run.run_id not in asked.grid.runs]
    if not left:
        return ""
    methods = ", ".join(dict.fromkeys(run.training.method for run in left))
    return (
        f"{len(left)} runs of the directory's grid were not asked for and are not done "
        f"({methods}): ask for all of its methods, ratios and seeds to do them"
    )


def _check_comparable(
    old: SweepSpec, stored: Mapping[str, Any], asked: SweepSpec, content: Mapping[str, Any]
) -> None:
    """Refuse sweeps that differ in more than a grid can span.

    Raises:
        ValueError: one line with the fields, the stored value and the asked one.
    """
    methods = settings_names(old) & settings_names(asked)
    alone = _varies_alone(old, asked)
    paths = [] if alone else [*old.axes, *asked.axes]
    left, right = (_comparable(one, methods, paths) for one in (stored, content))
    for name in ("variants", _SOURCES):
        common = left.get(name, {}).keys() & right.get(name, {}).keys()
        for one in (left, right):
            one[name] = {key: one.get(name, {})[key] for key in common}
    if not (old.axes and asked.axes):
        for one in (left, right):
            one.pop("one_at_a_time", None)
    tables = ("settings", "variants", _SOURCES)
    _check_equal(
        *(
            {name: one[name] for name in one if one[name] or name not in tables}
            for one in (left, right)
        )
    )
    for path in () if alone else dict.fromkeys(paths):
        of_old, of_asked = (one.axes.get(path, (value_at(one, path),)) for one in (old, asked))
        both_vary = path in old.axes and path in asked.axes
        if not (both_vary or set(of_old) & set(of_asked)):
            raise ValueError(
                f"axes.{path}: stored {', '.join(map(shown, of_old))}, "
                f"asked {', '.join(map(shown, of_asked))}"
            )


def _varies_alone(old: SweepSpec, asked: SweepSpec) -> bool:
    """Whether the axes of both sweeps together vary one at a time."""
    return asked.one_at_a_time if asked.axes else old.one_at_a_time


def _comparable(
    content: Mapping[str, Any], methods: Collection[str], paths: Sequence[str]
) -> dict[str, Any]:
    """What two sweeps in one store have to have in common, of one of them.

    Args:
        content: what identifies the sweep.
        methods: the methods whose settings are compared.
        paths: dotted paths of fields whose values are axes.
    """
    kept: dict[str, Any] = json.loads(json.dumps(dict(content)))
    for name in (*_LISTS, "axes"):
        kept.pop(name, None)
    settings = kept.get("settings", {})
    kept["settings"] = {name: settings[name] for name in methods if settings.get(name)}
    # The grid's ratios and the values of axes replace these.
    for keys in (_RATIO, *map(split_path, paths)):
        table: Any = kept
        for key in keys[:-1]:
            table = table.get(key) if isinstance(table, Mapping) else None
        if isinstance(table, dict):
            table.pop(keys[-1], None)
    return kept


def _check_equal(stored: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    if stored != asked:
        raise ValueError(describe_difference(stored, asked))


def settings_names(spec: SweepSpec) -> set[str]:
    """The methods whose settings a sweep's methods have."""
    names = {name: find_method(name).trains_as for name in spec.methods}
    return {*names, *filter(None, names.values())}


def _united_settings(old: SweepSpec, asked: SweepSpec) -> dict[str, Any]:
    used = settings_names(old)
    names = dict.fromkeys((*old.settings, *asked.settings))
    of_old = {name: name in used or name not in asked.settings for name in names}
    return {
        name: (old if of_old[name] else asked).settings[name]
        for name in names
        if name in (old if of_old[name] else asked).settings
    }


def _united(old: Sequence[Any], new: Sequence[Any]) -> tuple[Any, ...]:
    """The values of both; in ascending order where values were added to numbers in that order."""
    both = tuple(dict.fromkeys((*old, *new)))
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in both)
    if len(both) > len(old) and numbers and list(old) == sorted(old):
        return tuple(sorted(both))
    return both


def _added(stored: Mapping[str, Any], grown: Mapping[str, Any]) -> str:
    """What a grown sweep has that the stored one lacks, in one line."""
    parts = []
    pairs = {name: (stored[name], grown[name]) for name in _LISTS}
    pairs["variants"] = (stored["variants"], grown["variants"])
    for path, values in grown.get("axes", {}).items():
        pairs[f"axes.{path}"] = (stored.get("axes", {}).get(path, ()), values)
    for name, (old, new) in pairs.items():
        added = [value for value in json.loads(json.dumps(list(new))) if value not in old]
        if added:
            parts.append(f"{name} {', '.join(map(shown, added))}")
    return "; ".join(parts)
