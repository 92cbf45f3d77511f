"""The refusal of a store, and how two sweeps differ, as text. Imports the standard library only."""

from collections.abc import Mapping

_SHOWN = 3
_LONGEST = 60


class StoreRefused(RuntimeError):  # noqa: N818 - a refusal is an answer, not a fault
    """The store cannot be used as asked; the message is one line, and nothing was written."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


def describe_difference(
    stored: Mapping[str, object],
    asked: Mapping[str, object],
    names: tuple[str, str] = ("stored", "asked"),
) -> str:
    """The first keys in which two specs differ, with both values, in one line.

    Args:
        stored: the spec that is there.
        asked: the spec that is wanted.
        names: what the two are called.

    Returns:
        ``seeds: stored [0, 1], asked [0]; ...``, or a line that the specs are equal.
    """
    # An empty spec has no key; nested ones are leaves.
    left, right = (_flattened(one) if one else {} for one in (stored, asked))
    keys = [*left, *(key for key in right if key not in left)]
    differing = [key for key in keys if left.get(key, _ABSENT) != right.get(key, _ABSENT)]
    if not differing:
        return "the specs read the same, their digests differ"
    parts = [
        f"{key}: {names[0]} {_shown(left.get(key, _ABSENT))}, "
        f"{names[1]} {_shown(right.get(key, _ABSENT))}"
        for key in differing[:_SHOWN]
    ]
    if len(differing) > _SHOWN:
        parts.append(f"and {len(differing) - _SHOWN} more")
    return "; ".join(parts)


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


_ABSENT = _Absent()


def _flattened(value: object, prefix: str = "") -> dict[str, object]:
    """Dotted keys to leaves; a list is a leaf unless it holds records."""
    if isinstance(value, Mapping) and value:
        children = [
            (f"{prefix}.{key}" if prefix else str(key), item) for key, item in value.items()
        ]
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        children = [(f"{prefix}[{i}]", item) for i, item in enumerate(value)]
    else:
        return {prefix: value}
    flat: dict[str, object] = {}
    for key, item in children:
        flat.update(_flattened(item, key))
    return flat


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
