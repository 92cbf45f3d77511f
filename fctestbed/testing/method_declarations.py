"""Clauses on what a method declares: its name, settings, flags and shapes.

Each clause returns what is wrong, or None. May import ``fctestbed.training`` and what is below it.
"""

import json
import math
import pickle
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fctestbed.objectives import Method, MethodSettings, NetSpec, find_method
from fctestbed.results import JOINT
from fctestbed.testing.method_subject import (
    RUNS,
    SAMPLES,
    Subject,
    copied,
    first_difference,
    parameters_of,
)

_OTHER_NETS = NetSpec(encoder_hidden=(24,), embed_dim=6, head_hidden=(20,), head_dim=12)
# Column names of the training's log.
_RESERVED_TERMS = ("total", "step")


def importable(subject: Subject) -> str | None:
    """The class is found by its name and can be pickled, so that worker processes can use it."""
    if find_method(subject.name) is not subject.kind:
        return f"expected the class to be found by {subject.name!r}, got another one"
    if pickle.loads(pickle.dumps(subject.kind)) is not subject.kind:
        return "expected the class itself when it is pickled and read back, got another one"
    settings = subject.method().settings
    if pickle.loads(pickle.dumps(settings)) != settings:
        return "expected equal settings when they are pickled and read back, got others"
    return None


def settings(subject: Subject) -> str | None:
    """Settings are a frozen record that rejects unknown keys and has a default for each key."""
    record = subject.kind.Settings
    if not (isinstance(record, type) and issubclass(record, MethodSettings)):
        return f"expected Settings to be a subclass of MethodSettings, got {record!r}"
    if not record.model_config.get("frozen") or record.model_config.get("extra") != "forbid":
        return "expected Settings to be frozen and to reject unknown keys, got other model_config"
    needed = [name for name, field in record.model_fields.items() if field.is_required()]
    if needed:
        return f"expected a default for every setting, got none for {', '.join(needed)}"
    default = record()
    stored = record.model_validate(json.loads(json.dumps(default.model_dump(mode="json"))))
    if stored != default:
        return f"expected equal settings when read back from JSON, got {stored!r}"
    if subject.kind().settings != default or subject.kind(default).settings is not default:
        return "expected the settings that it is given in .settings, and the defaults without"
    return None


def declarations(subject: Subject) -> str | None:
    """The class attributes are true: use of the label and the networks, inner loop, shared
    training, departures, loss marks."""
    kind = subject.kind
    if not (kind.relative_cost > 0 and math.isfinite(kind.relative_cost)):
        return f"relative_cost: expected a finite number above 0, got {kind.relative_cost}"
    unknown = [name for name in kind.departures if name not in kind.Settings.model_fields]
    if unknown:
        return f"departures: expected some of its settings, got {', '.join(unknown)}"
    module = subject.build()
    if not kind.uses_nets and _shapes(module) != _shapes(subject.build(nets=_OTHER_NETS)):
        return "uses_nets: expected True, as parameters depend on the widths, got False"
    return (
        _inner_declarations(subject, module)
        or (_loss_declarations(subject, module) if kind.trained else None)
        or (_shared_training(subject) if kind.trained else None)
    )


def _inner_declarations(subject: Subject, module: nn.Module) -> str | None:
    kind = subject.kind
    inner = [name for name, _ in module.named_parameters() if name.startswith("inner.")]
    if bool(inner) != kind.has_inner_loop:
        declared = kind.has_inner_loop
        return f"has_inner_loop: expected {not declared}, as {len(inner)} parameters are inner.*"
    for name in ("inner_steps", "inner_rate", "inner_batch") if inner else ():
        if name not in kind.Settings.model_fields:
            return f"has_inner_loop: expected a setting {name}, got none"
    return None


def _loss_declarations(subject: Subject, module: nn.Module) -> str | None:
    method, batch = subject.method(), subject.batch()
    found = subject.numbers(module, batch)
    unknown = [name for name in method.loss_marks(SAMPLES) if f"loss term {name!r}" not in found]
    if unknown:
        return f"loss_marks: expected some of the loss's terms, got {', '.join(unknown)}"
    if subject.kind.uses_label:
        return None
    if method.conditions_on == "label":
        return "uses_label: expected True, as negatives share the label, got False"
    name = first_difference(found, subject.numbers(module, subject.batch(labels=batch.y.flip(1))))
    return None if name is None else f"uses_label: expected True, as {name} reads it, got False"


def _shared_training(subject: Subject) -> str | None:
    shared = subject.kind.trains_as
    if shared is None:
        return None
    mine, theirs = subject.train([0]), subject.train([0], name=shared)
    name = first_difference(parameters_of(mine, 0), parameters_of(theirs, 0))
    return None if name is None else f"trains_as: expected {shared}'s training, got another {name}"


def shapes(subject: Subject) -> str | None:
    """Readouts are finite [stack, n, width] and include ``joint``; losses are a mapping to finite
    [stack]; both in either precision."""
    for dtype in (torch.float32, torch.float64):
        module, batch = subject.build(dtype=dtype), subject.batch(dtype=dtype)
        for name, parameter in module.named_parameters():
            if parameter.shape[:1].numel() % RUNS or not parameter.dim():
                return f"parameter {name}: expected [stack, ...], got {list(parameter.shape)}"
        method, own = subject.method(), copied(batch)
        readouts = method.readouts(module, own.x1, own.x2)
        wrong = _wrong_joint(method, readouts)
        if wrong:
            return wrong
        if subject.kind.trained:
            terms = method.loss(module, own)
            if not isinstance(terms, Mapping) or not terms:
                return f"loss: expected a mapping of terms, got {type(terms).__name__}"
            if any(name in _RESERVED_TERMS for name in terms):
                return f"loss: expected terms of other names than total and step, got {list(terms)}"
        for name, value in subject.numbers(module, batch).items():
            wrong = _wrong_shape(name, value, dtype)
            if wrong:
                return f"{name}: {wrong}"
    return None


def _wrong_joint(method: Method, readouts: Mapping[str, Tensor]) -> str | None:
    """What is wrong with the joint readout: a fused one is returned, any other one is its parts."""
    names = ", ".join(readouts)
    missing = [name for name in method.fused if name not in readouts]
    if missing:
        return f"fused: expected some of the readouts {names}, got {missing[0]!r}"
    parts = method.joint_parts(readouts)
    if JOINT not in readouts and not parts:
        return f"readouts: expected some of each modality, or a fused 'joint', got {names}"
    unfit = [name for name in parts if name not in readouts or len(method.reads(name)) != 1]
    if unfit:
        return f"joint_parts: expected readouts of one modality each, got {unfit[0]!r}"
    if JOINT in readouts and parts:
        composed = torch.cat([readouts[name] for name in parts], -1)
        if not torch.equal(readouts[JOINT], composed):
            return (
                f"readouts: expected 'joint' to be {', '.join(parts)} side by side, or 'joint' in "
                "fused, got another array"
            )
    return None


def _wrong_shape(name: str, value: object, dtype: torch.dtype) -> str | None:
    rows = name.startswith(("readout", "head"))
    axes = f"[{RUNS}, {SAMPLES}, width]" if rows else f"[{RUNS}]"
    expected = (RUNS, SAMPLES) if rows else (RUNS,)
    if not isinstance(value, Tensor):
        return f"expected a tensor {axes}, got {type(value).__name__}"
    if value.dim() != (3 if rows else 1) or tuple(value.shape[:2]) != expected:
        return f"expected {axes} of {RUNS} runs, got {list(value.shape)}"
    if value.dtype != dtype:
        return f"expected {dtype}, as the networks and data are, got {value.dtype}"
    return None if bool(value.isfinite().all()) else "expected finite numbers, got others"


def _shapes(module: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(parameter.shape) for parameter in module.parameters()]
