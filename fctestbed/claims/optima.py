"""The optima of objectives, and what is read of them, kept in files so that each is searched once.

May import ``fctestbed.faults``, ``fctestbed.measurement``, ``fctestbed.objectives``,
``fctestbed.results``, ``fctestbed.synthesis``, ``fctestbed.training`` and ``reading``.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fctestbed._version import __version__
from fctestbed.claims.reading import Reading
from fctestbed.faults import Optimum, check_optimum, objective_optimum
from fctestbed.measurement import ReadoutCode, quantities, readout_information_at_rates
from fctestbed.measurement.channel import Group, label_channel
from fctestbed.objectives import Method
from fctestbed.results import JOINT, LABEL, RATE, RATE_WHITENED, write_atomically
from fctestbed.synthesis import WorldSpec, digest
from fctestbed.training import TrainingSpec

_FILES = "optima"
_DIGITS = 16
_TARGET_BITS = 0.005
_MAX_DRAWS = 1 << 16
# What free vectors in the place of encoders and heads depend on.
_WIDTHS = ("embed_dim", "head_dim", "critic_hidden")


@dataclass(frozen=True, kw_only=True)
class OptimumReading:
    """What is read of the optima of one objective.

    Attributes:
        lowest_bits: over the optima of equal loss.
        highest_bits: over the same.
        standard_error_bits: the largest Monte Carlo error of these.
    """

    lowest_bits: float
    highest_bits: float
    standard_error_bits: float


@dataclass(frozen=True, kw_only=True)
class FoundOptimum:
    """What a search found, without the codes.

    Attributes:
        n_starts: starts.
        n_equal: how many of them have the least loss.
        n_converged: how many of these met the search's criterion.
        least_nats: the least loss.
        note: the search's warning, or empty.
        readings: by the name of the reading.
    """

    n_starts: int
    n_equal: int
    n_converged: int
    least_nats: float
    note: str
    readings: Mapping[str, OptimumReading]


def why_no_optimum(training: TrainingSpec) -> str:
    """Why a training's objective has no exact optimum, in a few words; empty where it has one.

    FactorCL's objective is a game: its optimum is where neither the loss nor that of the CLUB
    critics falls any further.
    """
    try:
        check_optimum(training)
    except ValueError:
        return f"{training.method} has no exact objective"
    return ""


def why_not_read(method: Method, reading: Reading) -> str:
    """Why a reading is not one of a method's codes, in a few words; empty where it may be."""
    if reading.step is not None:
        return "it is read during the training"
    if reading.estimator not in (RATE, RATE_WHITENED):
        return f"{reading.estimator} needs samples"
    if "@" in reading.readout:
        return f"{reading.readout} needs samples"
    if reading.readout == JOINT:
        return ""
    # Others are parts of the joint code.
    is_part = JOINT not in method.fused and len(method.reads(reading.readout)) == 1
    return "" if is_part else f"{reading.readout} is no array that the loss scores"


def objective_key(training: TrainingSpec) -> str:
    """Digest of all that the optimum of a training's objective depends on."""
    content = training.model_dump(mode="json")
    nets, train = content.pop("nets") or {}, content.pop("train") or {}
    content.pop("seed")
    world = content["world"]
    kept = {
        **content,
        "world": {"latents": world["latents"], "label": world["label"]},
        "nets": {name: nets.get(name) for name in _WIDTHS},
        "batch_size": train.get("batch_size"),
    }
    return digest(kept)[:_DIGITS]


def found_optimum(
    training: TrainingSpec, readings: Iterable[Reading], out: Path, *, n_starts: int
) -> FoundOptimum:
    """The optimum of an objective, searched for unless a file has it with all these readings.

    Args:
        training: the training; only its objective matters.
        readings: what is read of it.
        out: the docket's directory.
        n_starts: starts of the search.
    """
    wanted = {reading.text: reading for reading in readings}
    path = out / _FILES / f"{objective_key(training)}-{n_starts}.json"
    known = _known(path)
    if known is not None and set(wanted) <= set(known.readings):
        return known
    # Any rate does: what is wanted is read of the codes.
    optimum = objective_optimum(training, n_starts=n_starts, rate=1.0)
    read = {text: _read(optimum, reading, training.world) for text, reading in wanted.items()}
    order = sorted(range(n_starts), key=lambda start: optimum.losses_nats[start])
    found = FoundOptimum(
        n_starts=n_starts,
        n_equal=optimum.n_equal,
        n_converged=sum(optimum.converged[start] for start in order[: optimum.n_equal]),
        least_nats=min(optimum.losses_nats),
        note=optimum.note,
        readings={**({} if known is None else known.readings), **read},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"version": __version__, "training": training.model_dump(mode="json")}
    write_atomically(path, json.dumps({**content, **asdict(found)}, indent=1).encode())
    return found


def _known(path: Path) -> FoundOptimum | None:
    """What a file of this version has; None where there is none."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        if content.pop("version") != __version__:
            return None
        content.pop("training")
        readings = content.pop("readings").items()
        return FoundOptimum(
            **content, readings={text: OptimumReading(**value) for text, value in readings}
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # A file that cannot be read is made again.
        return None


def _read(optimum: Optimum, reading: Reading, world: WorldSpec) -> OptimumReading:
    found = [_bits(_part(code, reading.readout), reading, world) for code in optimum.codes]
    return OptimumReading(
        lowest_bits=min(bits for bits, _ in found),
        highest_bits=max(bits for bits, _ in found),
        standard_error_bits=max(error for _, error in found),
    )


def _part(code: ReadoutCode, readout: str) -> ReadoutCode:
    """One of the readouts that the joint code is made of."""
    if readout == JOINT:
        return code
    for modalities, pieces in zip(code.modalities, code.pieces, strict=True):
        if readout in pieces:
            return ReadoutCode((modalities,), ({readout: pieces[readout]},))
    raise ValueError(f"readout: expected a part of {JOINT}, got {readout!r}")


def _bits(code: ReadoutCode, reading: Reading, world: WorldSpec) -> tuple[float, float]:
    """The sum of the reading's quantities, and of their standard errors."""
    columns = {one.name: one.columns for one in quantities(world)}
    # A part that the world does not have holds nothing.
    groups: dict[str, Group] = {
        name: label_channel(world) if name == LABEL else columns[name]
        for name in reading.quantity
        if name == LABEL or name in columns
    }
    if not groups or reading.rate_bits is None:
        return 0.0, 0.0
    (found,) = readout_information_at_rates(
        code,
        groups,
        world,
        rates=(reading.rate_bits,),
        form="metric" if reading.estimator == RATE else "whitened",
        target_bits=_TARGET_BITS,
        targets=tuple(groups),
        max_draws=_MAX_DRAWS,
        seed=0,
    )
    bits = [found.information(name) for name in groups]
    return sum(one.value_bits for one in bits), sum(one.standard_error_bits for one in bits)
