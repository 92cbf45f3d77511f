"""Clauses on the numbers that a method returns, and on what they may depend on.

Each clause returns what is wrong, or None. May import ``fctestbed.training`` and what is below it.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from fctestbed.objectives import METHODS, Batch, group_by_condition
from fctestbed.testing.method_subject import (
    CLASSES,
    RUNS,
    SAMPLES,
    STEPS,
    Subject,
    copied,
    first_difference,
    map_tensors,
    parameters_of,
)
from fctestbed.training import kept_arrays, load_stack

# Rounding error of float64: of sums in another order, and after Adam's first steps, which magnify
# it.
_ROUNDING, _MAGNIFIED = 1e-9, 1e-8


def determinism(subject: Subject) -> str | None:
    """The same generators and data give the same numbers, for any global seed of torch."""
    first, second = subject.build(seed=0), subject.build(seed=1)
    name = first_difference(dict(first.named_parameters()), dict(second.named_parameters()))
    if name:
        return f"expected the same parameters from the same generators, got another {name}"
    batch = subject.batch()
    found = subject.numbers(first, batch, seed=0)
    for module in (first, second):
        name = first_difference(found, subject.numbers(module, batch, seed=1))
        if name:
            return f"expected the same numbers twice, got another {name}"
    return None


def stack(subject: Subject) -> str | None:
    """A run ends bit for bit the same alone and in a stack (on one thread)."""
    found = _stack_difference(subject, torch.float32)
    # On a machine whose matrix products depend on the stack, equality up to rounding is enough.
    if found is not None and not _kernels_keep_bits():
        found = _stack_difference(subject, torch.float64)
    return found


def _stack_difference(subject: Subject, dtype: torch.dtype) -> str | None:
    together = subject.train(range(RUNS), dtype=dtype)
    ended = [reason for reason in together.diverged if reason]
    if ended:
        return f"expected a training of {STEPS} steps, got one whose {ended[0]}"
    allowed = 0.0 if dtype == torch.float32 else _MAGNIFIED
    for run in range(RUNS):
        alone = parameters_of(subject.train([run], dtype=dtype), 0)
        for name, found in parameters_of(together, run).items():
            gap = float((found - alone[name]).abs().max())
            if not gap <= allowed:
                return (
                    f"expected run {run} of a stack as it is alone, got parameter {name} {gap:.1e} "
                    f"apart after {STEPS} steps"
                )
    return None


@cache
def _kernels_keep_bits() -> bool:
    control = Subject("factorcl-sup", METHODS["factorcl-sup"], {})
    return _stack_difference(control, torch.float32) is None


def members(subject: Subject) -> str | None:
    """The data of one run do not affect the losses, gradients or readouts of another."""
    module, batch = subject.build(), subject.batch()
    others = torch.tensor([0, 2])

    def seen(batch: Batch) -> dict[str, Tensor]:
        found = subject.numbers(module, batch)
        for inner in (False, True):
            if not (subject.kind.has_inner_loop if inner else subject.kind.trained):
                continue
            for name, value in subject.gradients(module, batch, inner=inner).items():
                if value is not None:
                    found[f"gradient of {name}"] = value.reshape(RUNS, -1)
        return {name: value[others] for name, value in found.items()}

    expected = seen(batch)
    changes: tuple[Callable[[Tensor], Tensor], ...] = (
        lambda values: values.flip(0) - 1,
        lambda values: values * math.nan,
    )
    for change in changes:
        name = first_difference(expected, seen(_with_other_run(batch, change)))
        if name:
            return f"expected a run's data to change its own numbers alone, got another {name}"
    return None


def _with_other_run(batch: Batch, change: Callable[[Tensor], Tensor]) -> Batch:
    """The batch with other data of run 1."""

    def changed(values: Tensor) -> Tensor:
        values = values.clone()
        if values.is_floating_point():
            values[1] = change(values[1])
        return values

    other = map_tensors(replace(batch, groups=None), changed)
    # Groups as large as before: how far the others' are padded stays.
    turned = batch.y.clone()
    turned[1] = turned[1].flip(0)
    other = replace(other, y=turned)
    return other if batch.groups is None else replace(other, groups=group_by_condition(turned))


def gradients(subject: Subject) -> str | None:
    """The loss has a gradient at every parameter but ``inner.*``, the inner loss only at those.

    Parameters with ``requires_grad`` false are exempt. The gradient at a bias may be zero, because
    many losses do not depend on a shift of all scores or features.
    """
    if not subject.kind.trained:
        return None
    for inner in (False, True) if subject.kind.has_inner_loop else (False,):
        module = subject.build()
        frozen = {name for name, value in module.named_parameters() if not value.requires_grad}
        missed, strays = [], []
        for name, value in subject.gradients(module, subject.batch(), inner=inner).items():
            if name.startswith("inner.") != inner:
                strays += [] if value is None else [name]
            elif name not in frozen and not _reached(name, value):
                missed.append(name)
        what = "inner loss" if inner else "loss"
        if missed:
            return f"expected the {what} to reach every parameter, got none at {', '.join(missed)}"
        if inner and strays:
            return f"expected the inner loss to reach inner.* alone, got {', '.join(strays)}"
    return None


def _reached(name: str, gradient: Tensor | None) -> bool:
    if gradient is None:
        return False
    return name.endswith("bias") or bool(gradient.reshape(RUNS, -1).ne(0).any(1).all())


def inputs(subject: Subject) -> str | None:
    """The method does not change its input arrays."""
    module, batch = subject.build(), subject.batch()
    method, given = subject.method(), copied(batch)
    if subject.kind.trained:
        torch.stack(list(method.loss(module, given).values())).sum().backward()
    if subject.kind.has_inner_loop:
        method.inner_loss(module, given).sum().backward()
    method.readouts(module, given.x1, given.x2)
    method.heads(module, given.x1, given.x2)
    before, after = _tensors(batch), _tensors(given)
    if all(torch.equal(a, b) for a, b in zip(before, after, strict=True)):
        return None
    return "expected the batch as it was, got other numbers in it"


def classes(subject: Subject) -> str | None:
    """Losses and gradients are finite where classes of a batch are empty or have one sample."""
    if not subject.kind.trained:
        return None
    module = subject.build()
    few = {
        "of one class alone": [0] * SAMPLES,
        "with classes of one sample": [*([0] * (SAMPLES - CLASSES + 1)), *range(1, CLASSES)],
        "with one sample beside an empty class": [*([0] * (SAMPLES - 1)), CLASSES - 1],
    }
    for what, condition in few.items():
        batch = subject.batch(condition=condition)
        found: dict[str, Tensor | None] = dict(subject.numbers(module, batch))
        for inner in (False, True) if subject.kind.has_inner_loop else (False,):
            for name, value in subject.gradients(module, batch, inner=inner).items():
                found[f"gradient of {name}"] = value
        for name, number in found.items():
            if number is not None and not bool(number.isfinite().all()):
                return f"expected finite numbers in a batch {what}, got others in {name}"
    return None


def kept(subject: Subject) -> str | None:
    """Readouts and heads from the parameters that a sweep keeps are those after the training."""
    trained = subject.train(range(RUNS))
    specs, arrays, batch = trained.specs, kept_arrays(trained), subject.batch()
    # One run alone takes its part as well.
    load_stack(specs[:1], arrays[:1])
    loaded = load_stack(specs, arrays)
    for output in ("readouts", "heads"):
        expected, found = (
            getattr(networks, output)(batch.x1.clone(), batch.x2.clone())
            for networks in (trained, loaded)
        )
        name = first_difference(expected, found)
        if name:
            return f"kept_parameters: expected all that the {output} need, got another {name!r}"
    return None


def rows(subject: Subject) -> str | None:
    """The readouts of a sample do not depend on the other samples."""
    dtype = torch.float64
    module, batch = subject.build(dtype=dtype), subject.batch(dtype=dtype)
    method = subject.method()

    def read(index: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            return method.readouts(module, batch.x1[:, index].clone(), batch.x2[:, index].clone())

    everything = torch.arange(SAMPLES)
    whole = read(everything)
    for what, index in (
        ("a single sample", everything[:1]),
        ("a part of the batch", everything[5:16]),
        ("the batch in another order", everything.flip(0)),
    ):
        for name, values in read(index).items():
            if not torch.allclose(values, whole[name][:, index], _ROUNDING, _ROUNDING):
                return f"expected the same rows of {what}, got others in readout {name!r}"
    return None


def reads(subject: Subject) -> str | None:
    """A readout that is declared to read one modality does not depend on the other."""
    module, batch = subject.build(), subject.batch()
    method = subject.method()
    found = subject.numbers(module, batch)
    names = [name for name in found if name.startswith("readout")]
    turned = {1: replace(batch, x1=-batch.x1), 2: replace(batch, x2=-batch.x2)}
    for modality, other in turned.items():
        changed = subject.numbers(module, other)
        for name in names:
            declared = method.reads(name.split("'")[1])
            if not declared or not set(declared) <= {1, 2}:
                return f"reads: expected some of (1, 2) for {name}, got {declared}"
            if modality not in declared and not torch.equal(found[name], changed[name]):
                return f"reads: expected {modality} among those of {name}, got {declared}"
    return None


def _tensors(batch: Batch) -> list[Tensor]:
    found: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    map_tensors(batch, keep)
    return found
