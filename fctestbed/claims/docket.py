"""Claim files, each checked before anything is run; errors name the file, the line and the key.

May import ``fctestbed.sweep``, ``claim`` and ``feasible``.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from fctestbed._plugins import only_plugins
from fctestbed._toml import parse_toml
from fctestbed.claims.claim import Claim
from fctestbed.claims.feasible import check_claim
from fctestbed.sweep import SpecError, located_in, toml_text

_WHAT = "a claim file"


def read_docket(
    docket: str | Path, claims: Sequence[str] | None = None, *, allow_plugins: bool = False
) -> list[Claim]:
    """The claims of a directory's ``*.toml`` files in the order of their names, or of one file.

    Args:
        docket: the directory or file.
        claims: ids of the claims that are wanted; None for all.
        allow_plugins: whether methods and label functions of the user's own that the files name may
            be imported.

    Raises:
        ValueError: one line, for a docket without claims, an id that is unknown or there twice, or
            a claim that cannot be.
    """
    if not isinstance(docket, str | Path):
        raise ValueError(f"docket: expected the name of a directory or file, got {docket!r}")
    path = Path(docket)
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not files:
        raise ValueError(f"docket: expected claim files (*.toml) in {path}, got none")
    places: dict[str, Path] = {}
    found: list[Claim] = []
    for file in files:
        claim = read_claim(file, allow_plugins=allow_plugins)
        if claim.id in places:
            line = f"id: expected another id than {places[claim.id].name}'s, got {claim.id!r}"
            raise SpecError(located_in(file, toml_text(file, _WHAT), line))
        places[claim.id] = file
        found.append(claim)
    for name in claims or ():
        if name not in places:
            raise ValueError(f"claims: expected some of {', '.join(places)}, got {name!r}")
    return [claim for claim in found if claims is None or claim.id in claims]


def read_claim(path: str | Path, *, allow_plugins: bool = False) -> Claim:
    """The claim of a file, with all its runs checked.

    Args:
        path: the file.
        allow_plugins: as for ``read_docket``.

    Raises:
        ValueError: one line with the file, the line and the key.
    """
    path = Path(path)
    text = toml_text(path, _WHAT)
    try:
        values = parse_toml(text)
    except ValueError as error:
        raise SpecError(f"{path}: {error}") from None
    try:
        with nullcontext() if allow_plugins else only_plugins(()):
            claim = Claim.model_validate(values)
            check_claim(claim, claim.sweep_spec())
            for name in claim.assumptions:
                _check_broken(claim, name)
            if "optimum" in claim.model_fields_set:
                _check_optimum(claim)
    except ValueError as error:
        raise SpecError(located_in(path, text, str(error))) from None
    return claim


def _check_broken(claim: Claim, name: str) -> None:
    """Check the sweep of a broken assumption, which has to have what the claim reads."""
    spec = claim.sweep_spec(name)
    try:
        check_claim(claim, spec)
    except ValueError as error:
        raise ValueError(
            f"assumptions.{name}.broken: expected a sweep that the claim can be read in, got: "
            f"{error}"
        ) from None


def _check_optimum(claim: Claim) -> None:
    """Check a world at the optimum that the file asks for, which has to have what the claim
    reads."""
    spec = claim.optimum_spec()
    try:
        check_claim(claim, spec)
    except ValueError as error:
        raise ValueError(
            f"optimum: expected a world that the claim can be read in, got: {error}"
        ) from None
