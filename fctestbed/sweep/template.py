"""A sweep file to start from, every key in it with its meaning. Writes nothing.

May import ``fctestbed.sweep.settings`` and what it imports.
"""

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from fctestbed.sweep.axes import join_path, split_path
from fctestbed.sweep.settings import Setting, sweep_settings

_HEAD = """\
# A sweep: every method at every unique ratio and seed. Run it by
#
#   fctestbed sweep --config {name}
#
# --dry-run says what it does and how long it takes. Keys that begin with # have the value that they
# show; take the # away to change one.

preset = "quick"           # sizes and optimisation: quick or official (a GPU's work)
unique_ratio = "0:1:0.25"  # shares of the label's information that only one modality has
seeds = "0:2"              # of data and training; stop included
methods = ["simclr", "supcon", "factorcl-sup", "supervised", "untrained", "raw"]
"""
_EXAMPLES = """
# Further axes: any field below, every combination of their values.
# [axes]
# "world.observation.noise" = [0.0, 0.1, 0.3]

# The same methods with other settings, under other names.
# [variants.paper]
# [variants.sharp]
# methods = ["simclr"]
# settings.simclr.temperature = 0.05
"""
_FIRST = ("preset", "unique_ratio", "seeds", "methods", "axes", "variants")
_WIDTH = 100


def sweep_template(name: str) -> str:
    """The text of a commented sweep file, which runs as it is.

    Args:
        name: the file's name, for its first lines.
    """
    settings = [one for one in sweep_settings() if one.key not in _FIRST]
    top = [one for one in settings if "." not in one.key]
    tables = [one for one in settings if "." in one.key and not one.key.startswith("settings.")]
    own = [one for one in settings if one.key.startswith("settings.factorcl-sup.")]
    lines = [*_keys(top), *_tables(tables), *_tables(own)]
    return _HEAD.format(name=name) + "\n" + "\n".join(lines) + "\n" + _EXAMPLES


def _tables(settings: Sequence[Setting]) -> Iterator[str]:
    tables: dict[tuple[str, ...], list[Setting]] = {}
    switches = {}
    for one in settings:
        if any(other.key.startswith(f"{one.key}.") for other in settings):
            # A table switches its meter on; beside it, the key would be there twice.
            switches[tuple(split_path(one.key))] = one
        else:
            tables.setdefault(tuple(split_path(one.key)[:-1]), []).append(one)
    for table, members in tables.items():
        yield ""
        if table in switches:
            meter = switches[table]
            off = f"{split_path(meter.key)[-1]} = false"
            state = f"On; {off} in its place switches it off." if meter.default == "on" else "Off."
            yield from _comment(f"{meter.meaning} {state}")
        yield f"# [{join_path(table)}]"
        yield from _keys(members)


def _keys(settings: Iterable[Setting]) -> Iterator[str]:
    for one in settings:
        of = f" ({one.of})" if one.of and not one.key.startswith("settings.") else ""
        yield from _comment(f"{one.meaning}{of} [{one.range}]")
        yield f"# {split_path(one.key)[-1]} = {_toml(one)}"


def _comment(text: str) -> list[str]:
    text = text[:1].upper() + text[1:]
    return textwrap.wrap(text, _WIDTH, initial_indent="# # ", subsequent_indent="# # ")


def _toml(setting: Setting) -> str:
    """The default as TOML; for a key that is off by default, a value that it can have."""
    value = setting.default
    if value in ("none", "off", "on"):
        return {"on": "true", "off": "false"}.get(value, _example(setting.range))
    try:
        json.loads(value)
    except ValueError:
        return json.dumps(value)
    return value


def _example(values: str) -> str:
    """Some value of a range."""
    if values.startswith("whole number"):
        return "12"
    return json.dumps(values.partition(",")[0].partition(" ")[0])
