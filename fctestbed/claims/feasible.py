"""Whether the runs of a claim can have what it reads, and whether its predictions can hold.

May import ``fctestbed.measurement``, ``fctestbed.nets``, ``fctestbed.objectives``,
``fctestbed.results``, ``fctestbed.sweep``, ``fctestbed.synthesis``, ``claim``, ``reading`` and
``statistics``.
"""

from collections.abc import Iterable
from functools import cache
from math import inf

import torch

from fctestbed.claims.claim import Claim, Prediction
from fctestbed.claims.reading import Reading, Side
from fctestbed.claims.statistics import Region
from fctestbed.measurement import (
    ChannelSpec,
    MeasureSpec,
    Meter,
    ProbeMeter,
    RateSpec,
    along_steps,
    quantities,
)
from fctestbed.nets import Stack
from fctestbed.objectives import METHODS, DataShape, NetSpec, find_method
from fctestbed.results import JOINT, LABEL, RATE, RATE_WHITENED, equal_width_name
from fctestbed.sweep import SweepSpec
from fctestbed.synthesis import WorldSpec, world_truth

_LABEL_PARTS = ("label_shared", "label_unique1", "label_unique2")
_FORMS = {"metric": RATE, "whitened": RATE_WHITENED}


def check_claim(claim: Claim, spec: SweepSpec) -> None:
    """Refuse a claim whose runs have no such rows, or that nothing could make hold or fail.

    Args:
        claim: the claim.
        spec: its sweep.

    Raises:
        ValueError: one line that begins with the claim's field.
    """
    bits = _quantity_bits(spec)
    for place, prediction in enumerate(claim.predictions):
        field = f"predictions.{place}"
        for name, side in zip(("left", "right"), prediction.sides, strict=True):
            if side.method is not None:
                _check_side(f"{field}.{name}", side, side.reading(claim.reading), spec, bits)
        _check_ratios(field, prediction, spec)
        _check_possible(field, prediction, claim, bits)


def _check_side(
    field: str, side: Side, reading: Reading, spec: SweepSpec, bits: dict[str, float]
) -> None:
    method = str(side.method)
    if side.variant not in spec.variants:
        raise _unknown(f"{field}.variant", spec.variants, side.variant)
    if not spec.variants[side.variant].applies_to(method, find_method(method)):
        raise ValueError(f"{field}.variant: expected one that {method} has, got {side.variant!r}")
    known = _readouts(method)
    if known:
        width = spec.measurement.equal_width
        known = (*known, *(() if width is None else (equal_width_name(width),)))
        if reading.readout not in known:
            raise _unknown(f"{field}.readout", known, reading.readout)
    for quantity in reading.quantity:
        if quantity not in bits:
            raise _unknown(f"{field}.quantity", bits, quantity)
    estimators = _estimators(spec.measurement)
    if reading.estimator not in estimators:
        raise _unknown(f"{field}.estimator", estimators, reading.estimator)
    _check_step(field, reading, spec)
    rates = estimators[reading.estimator]
    if rates and reading.rate_bits not in rates:
        shown = ", ".join(f"{rate:g}" for rate in rates)
        raise ValueError(f"{field}.rate_bits: expected one of {shown}, got {reading.rate_bits:g}")


def _check_step(field: str, reading: Reading, spec: SweepSpec) -> None:
    measurement = spec.measurement
    if reading.step is None:
        return
    n_steps = measurement.along
    known = () if n_steps is None else along_steps(n_steps, spec.train.steps)
    if reading.step not in known:
        shown = ", ".join(map(str, known)) or "none, because measurement.along is not set"
        raise ValueError(f"{field}.step: expected one of {shown}, got {reading.step}")
    along = [name for meter in measurement.meters if meter.along for name in _names(meter)]
    if reading.estimator not in along:
        raise _unknown(f"{field}.estimator", along, reading.estimator)


def _check_ratios(field: str, prediction: Prediction, spec: SweepSpec) -> None:
    asked = [(f"{field}.unique_ratio", ratio) for ratio in prediction.unique_ratio or ()]
    for name, side in zip(("left", "right"), prediction.sides, strict=True):
        if side.unique_ratio is not None:
            asked.append((f"{field}.{name}.unique_ratio", side.unique_ratio))
    for path, ratio in asked:
        if ratio not in spec.unique_ratio:
            shown = ", ".join(f"{one:g}" for one in spec.unique_ratio)
            raise ValueError(f"{path}: expected one of the sweep's ratios {shown}, got {ratio:g}")


def _check_possible(
    field: str, prediction: Prediction, claim: Claim, bits: dict[str, float]
) -> None:
    """Refuse what no reading could make hold, or none could make fail."""
    left, right = prediction.sides
    if right.truth is not None:
        return
    effect = claim.smallest_effect(prediction)
    region = Region.of([prediction.relation], [effect])
    lowest, highest = -_most(right, claim, bits), _most(left, claim, bits)
    if right.value_bits is not None:
        lowest, highest = -right.value_bits, highest - right.value_bits
    low, high = float(region.low[0]), float(region.high[0])
    where = f"{field}.right" if right.method is None else field
    said = (
        f"where the left side holds 0 to {_most(left, claim, bits):g} bits and {effect:g} matter, "
        f"got {prediction.text(claim.reading)}"
    )
    if low >= highest or high <= lowest:
        raise ValueError(f"{where}: expected a prediction that is possible {said}")
    if low < lowest and high > highest:
        raise ValueError(f"{where}: expected a prediction that can fail {said}")


def _most(side: Side, claim: Claim, bits: dict[str, float]) -> float:
    """The most bits that a side can hold."""
    if side.method is None:
        return 0.0
    reading = side.reading(claim.reading)
    rate = inf if reading.rate_bits is None else reading.rate_bits
    return sum(min(bits[quantity], rate) for quantity in reading.quantity)


def _quantity_bits(spec: SweepSpec) -> dict[str, float]:
    """The most bits of each quantity over the sweep's worlds."""
    bits: dict[str, float] = {}
    worlds: set[WorldSpec] = {run.training.world for run in spec.runs()}
    for world in worlds:
        total = world_truth(world).total_bits
        found = {LABEL: total, **dict.fromkeys(_LABEL_PARTS, total)}
        found |= {one.name: float(len(one.columns)) for one in quantities(world)}
        for name, value in found.items():
            # A truth that is not known sets no limit.
            bits[name] = max(bits.get(name, 0.0), inf if value is None else value)
    return bits


def _estimators(measurement: MeasureSpec) -> dict[str, tuple[float, ...]]:
    """The estimators of a measurement, with the rates of those that read at one."""
    return {
        name: meter.rates if isinstance(meter, RateSpec) else ()
        for meter in measurement.meters
        for name in _names(meter)
    }


def _names(meter: Meter) -> tuple[str, ...]:
    """The estimators of a meter's captured rows."""
    if isinstance(meter, RateSpec):
        return tuple(_FORMS[form] for form in meter.forms)
    if isinstance(meter, ChannelSpec):
        return tuple(meter.estimators)
    return tuple(meter.names) if isinstance(meter, ProbeMeter) else ()


@cache
def _readouts(method: str) -> tuple[str, ...]:
    """The readouts of a method that comes with this package; none for others."""
    if method not in METHODS:
        return ()
    kind = find_method(method)()
    stack = Stack(generators=(torch.Generator().manual_seed(0),))
    module = kind.build(stack, DataShape(dim1=2, dim2=2, n_classes=2), NetSpec())
    inputs = torch.zeros(1, 2, 2)
    with torch.no_grad():
        return tuple(dict.fromkeys((*kind.readouts(module, inputs, inputs), JOINT)))


def _unknown(field: str, known: Iterable[str], given: str) -> ValueError:
    # Not the names of single bits, of which there are many.
    names = [name for name in known if not name.endswith("]")]
    return ValueError(f"{field}: expected one of {', '.join(names)}, got {given!r}")
