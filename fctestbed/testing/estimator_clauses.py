"""The clauses of ``check_estimator``, by name. Each returns whether it was put to the estimator,
and raises where it fails."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed.estimators import Estimate, Invariance, Kind
from fctestbed.testing.estimator_checks import Court, same, standard_error_bits
from fctestbed.testing.truths import (
    BitChannel,
    BitInNoise,
    GaussianPair,
    GaussianTriple,
    JointDistribution,
)

Array = NDArray[Any]
Truth = BitChannel | BitInNoise | GaussianPair | JointDistribution

# Between no dependence and much of it: what a bound may get wrong in either direction.
_TRUTHS: dict[Kind, tuple[Truth, ...]] = {
    "discrete": (BitChannel("symmetric", 0.1, 2), BitChannel("erasure", 0.4, 1)),
    "continuous": (GaussianPair((0.8,)), GaussianPair((0.6, 0.3))),
    "mixed": (BitInNoise(0.8), BitInNoise(2.0)),
}
_STRONG: dict[Kind, Truth] = {
    "discrete": JointDistribution(np.eye(16) / 16),
    "continuous": GaussianPair((0.9999,)),
    "mixed": BitInNoise(0.05),
}
# Rounding in another order, and what a small bias may add to three standard errors.
_ROUNDING = 1e-6
_SLACK_BITS = 0.02


def determinism(court: Court) -> bool:
    """The same arrays give the same numbers."""
    x, y = _pair(court, court.kinds[0])
    first, second = court.ask(x, y), court.ask_again(x.copy(), y.copy())
    if not same(first, second):
        raise court.fail("determinism", f"{first} the first time, {second} the second")
    return True


def symmetry(court: Court) -> bool:
    """I(X; Y) = I(Y; X), where it is claimed."""
    if not court.estimator.symmetric:
        return False
    for kind in court.kinds:
        x, y = _pair(court, kind)
        _equal(court, "symmetry", court.ask(x, y), court.ask(y, x))
    return True


def invariances(court: Court) -> bool:
    """What the class says that it is invariant to."""
    claims = court.estimator.invariant_to
    for kind in court.kinds:
        x, y = _pair(court, kind)
        plain = court.ask(x, y)
        for claim in sorted(claims):
            for first, second in _changed(court, claim, kind, x, y):
                _equal(court, claim, plain, court.ask(first, second))
    return bool(claims)


def independence(court: Court) -> bool:
    """The interval covers 0, in two samples of three at least."""
    bound = court.estimator.bound
    for kind in court.kinds:
        answers = []
        for repeat in range(3):
            rng = court.rng(10 + repeat)
            x, y = _TRUTHS[kind][0].sample(court.n_samples, rng)
            answers.append(court.ask(x, rng.permutation(y)))
        covered = sum(_covers_zero(court, answer, bound) for answer in answers)
        if covered < 2:
            shown = ", ".join(
                f"{a.value_bits:.4f} [{a.low_bits:.4f}, {a.high_bits:.4f}]" for a in answers
            )
            raise court.fail(
                "independence", f"{kind}, expected intervals that cover 0, got {shown}"
            )
    return True


def data_processing(court: Court) -> bool:
    """What is lost in processing does not come back: I(X; g(Y)) <= I(X; Y)."""
    for kind in court.kinds:
        x, y = _pair(court, kind)
        whole = court.ask(x, y)
        if kind == "discrete":
            less = court.ask(x, y[:, 0])
        else:
            noise = court.rng(20).standard_normal(x.shape)
            less = court.ask(x + noise, y)
        room = 3 * (_error(court, whole) + _error(court, less)) + _SLACK_BITS
        if less.value_bits > whole.value_bits + room:
            raise court.fail(
                "data processing",
                f"{kind}, {less.value_bits:.4f} bits after processing, {whole.value_bits:.4f} "
                f"before, with room for {room:.4f}",
            )
    return True


def chain_rule(court: Court) -> bool:
    """I(X; Y, Z) = I(X; Z) + I(X; Y | Z), within errors and the tolerance, for those that aim at
    the information, on the kinds of condition that they take."""
    kinds = [kind for kind in court.kinds if kind != "mixed"]
    if not court.estimator.conditional or court.estimator.target != "information":
        return False
    put = False
    for kind in kinds:
        rng = court.rng(30)
        x: Array
        if kind == "discrete":
            channel = BitChannel("symmetric", 0.1, 1)
            x, y = channel.sample(court.n_samples, rng)
            z = np.where(rng.random(x.shape) < 0.2, 1 - x, x)
        else:
            x, y, z = (a[:, None] for a in GaussianTriple().sample(court.n_samples, rng))
        try:
            rest = court.ask(x, y, z)
        except ValueError as error:
            # Some take discrete conditions only, and have to say so.
            if kind == "continuous" and str(error).startswith("given:"):
                continue
            raise
        put = True
        joint, part = court.ask(x, np.hstack([y, z])), court.ask(x, z)
        room = court.tolerance_bits + 3 * sum(_error(court, a) for a in (joint, part, rest))
        missed = joint.value_bits - part.value_bits - rest.value_bits
        if abs(missed) > room:
            raise court.fail(
                "chain rule",
                f"{kind}, I(X;Y,Z) = {joint.value_bits:.4f} bits, I(X;Z) = {part.value_bits:.4f}, "
                f"I(X;Y|Z) = {rest.value_bits:.4f}, with room for {room:.4f}",
            )
    return put


def ceiling(court: Court) -> bool:
    """No value above its ceiling, on strong dependence (and on every other call)."""
    for kind in court.kinds:
        court.ask(*_STRONG[kind].sample(court.n_samples, court.rng(40)))
    return True


def bound_direction(court: Court) -> bool:
    """No lower bound above the truth, no upper bound below it, by more than 3 standard errors."""
    put = False
    for kind in court.kinds:
        for number, truth in enumerate(_TRUTHS[kind]):
            answer = court.ask(*truth.sample(court.n_samples, court.rng(50 + number)))
            room = 3 * _error(court, answer)
            above = answer.value_bits - truth.true_bits
            put |= answer.bound != "none"
            if (answer.bound in {"lower", "exact"} and above > room) or (
                answer.bound in {"upper", "exact"} and above < -room
            ):
                raise court.fail(
                    "bound direction",
                    f"{truth}, {answer.bound}: {answer.value_bits:.4f} bits, truth "
                    f"{truth.true_bits:.4f}, with room for {room:.4f}",
                )
    return put


def bad_input(court: Court) -> bool:
    """One line naming the argument, for arrays that cannot be."""
    x, y = (array.astype(float) for array in _pair(court, court.kinds[0]))
    broken: list[tuple[str, tuple[str, ...], tuple[Array, ...]]] = [
        ("NaN in x", ("x",), (_with(x, np.nan), y)),
        ("NaN in y", ("y",), (x, _with(y, np.nan))),
        ("infinity in x", ("x",), (_with(x, np.inf), y)),
        ("infinity in y", ("y",), (x, _with(y, -np.inf))),
        ("unequal lengths", ("x", "y"), (x, y[:-1])),
        ("objects in x", ("x",), (x.astype(object), y)),
        ("objects in y", ("y",), (x, y.astype(object))),
        ("one sample", ("x", "y"), (x[:1], y[:1])),
        ("no samples", ("x", "y"), (x[:0], y[:0])),
        ("three axes", ("x",), (x[:, None, None], y)),
    ]
    if court.estimator.conditional:
        broken += [
            ("NaN in given", ("given",), (x, y, _with(y, np.nan))),
            ("unequal lengths of given", ("given",), (x, y, y[:-1])),
            ("objects in given", ("given",), (x, y, y.astype(object))),
        ]
    else:
        broken.append(("a condition without a form for it", ("given",), (x, y, y)))
    for what, names, arrays in broken:
        _refused(court, what, names, arrays)
    return True


CLAUSES: dict[str, Callable[[Court], bool]] = {
    "bad input": bad_input,
    "determinism": determinism,
    "symmetry": symmetry,
    "invariances": invariances,
    "ceiling": ceiling,
    "independence": independence,
    "data processing": data_processing,
    "chain rule": chain_rule,
    "bound direction": bound_direction,
}


def _pair(court: Court, kind: Kind) -> tuple[Array, Array]:
    return _TRUTHS[kind][0].sample(court.n_samples, court.rng(1))


def _error(court: Court, answer: Estimate) -> float:
    return standard_error_bits(answer, court.tolerance_bits)


def _covers_zero(court: Court, answer: Estimate, bound: str) -> bool:
    half = 2 * court.tolerance_bits if np.isnan(answer.low_bits) else 0.0
    low = answer.value_bits - half if half else answer.low_bits
    high = answer.value_bits + half if half else answer.high_bits
    below, above = low <= _SLACK_BITS, high >= -_SLACK_BITS
    return (below or bound == "upper") and (above or bound == "lower")


def _equal(court: Court, clause: str, first: Estimate, second: Estimate) -> None:
    if not abs(first.value_bits - second.value_bits) <= _ROUNDING * (1 + abs(first.value_bits)):
        raise court.fail(clause, f"{first.value_bits!r} bits before, {second.value_bits!r} after")


def _changed(
    court: Court, claim: Invariance, kind: Kind, x: Array, y: Array
) -> list[tuple[Array, Array]]:
    """Pairs that a claim says have the same value as (x, y)."""
    rng = court.rng(60)
    if claim == "order":
        order = rng.permutation(len(x))
        return [(x[order], y[order])]
    if claim == "scaling":
        return [(3.7 * x - 11, y), (x, 0.01 * y + 5)]
    if claim == "monotone":
        return [(np.exp(x), y), (x, y + y**3)]
    if claim == "relabelling":
        names = rng.permutation(np.arange(-5, 5))
        # Of a mixed pair only Y has labels, of a continuous one neither.
        changed = [(names[x], y)] if kind == "discrete" else []
        return changed + ([] if kind == "continuous" else [(x, names[y])])
    return _mixed_columns(court, x, y, rng) if kind == "continuous" else []


def _mixed_columns(
    court: Court, x: Array, y: Array, rng: np.random.Generator
) -> list[tuple[Array, Array]]:
    # One column says little about a linear map: pairs of two are compared here.
    wide = [np.hstack([array, rng.standard_normal(array.shape)]) for array in (x, y)]
    mixing = np.array([[2.0, 1.0], [-0.5, 1.5]])
    _equal(court, "linear", court.ask(*wide), court.ask(wide[0] @ mixing, wide[1]))
    return [(-x, y)]


def _with(array: Array, value: float) -> Array:
    changed = array.copy()
    changed.flat[-1] = value
    return changed


def _refused(court: Court, what: str, names: tuple[str, ...], arrays: tuple[Array, ...]) -> None:
    try:
        answer = court.estimator.estimate(*arrays)
    except ValueError as error:
        message = str(error)
        if "\n" in message or not message.startswith(tuple(f"{name}:" for name in names)):
            raise court.fail(
                "bad input", f"{what}: expected one line that begins with {names}, got {message!r}"
            ) from error
    except Exception as error:
        raise court.fail("bad input", f"{what}: expected a ValueError, got {error!r}") from error
    else:
        raise court.fail("bad input", f"{what}: expected a ValueError, got {answer}")
