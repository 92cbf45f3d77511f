"""The clauses of ``check_estimator``, by name.

Each returns whether it applies to the estimator, and raises ``EstimatorCheckFailed`` where it is
broken. May import ``fctestbed.estimators`` and ``fctestbed.laws``.
"""

from collections.abc import Callable

import numpy as np

from fctestbed.estimators import Estimate, Invariance
from fctestbed.laws import (
    BitChannel,
    BitsInNoise,
    GaussianPair,
    GaussianTriple,
    JointDistribution,
    Kind,
    Law,
)
from fctestbed.testing.estimator_subject import Array, EstimatorSubject, are_equal

# Moderate dependence: a bound can be wrong in either direction.
_LAWS: dict[Kind, tuple[Law, ...]] = {
    "discrete": (BitChannel("symmetric", 0.1, 2), BitChannel("erasure", 0.4, 1)),
    "continuous": (GaussianPair((0.8,)), GaussianPair((0.6, 0.3))),
    "mixed": (BitsInNoise(0.8), BitsInNoise(2.0)),
}
_STRONG: dict[Kind, Law] = {
    "discrete": JointDistribution(np.eye(16) / 16),
    "continuous": GaussianPair((0.9999,)),
    "mixed": BitsInNoise(0.05),
}
# Relative rounding error of sums in another order.
_ROUNDING = 1e-6
# Bias allowed beyond three standard errors, in bits.
_SLACK_BITS = 0.02


def determinism(subject: EstimatorSubject) -> bool:
    """The same arrays give the same numbers."""
    x, y = _pair(subject, subject.kinds[0])
    first, second = subject.estimate(x, y), subject.new_estimate(x.copy(), y.copy())
    if not are_equal(first, second):
        raise subject.failure("determinism", f"{first} the first time, {second} the second")
    return True


def symmetry(subject: EstimatorSubject) -> bool:
    """I(X; Y) = I(Y; X), where the class claims it."""
    if not subject.estimator.symmetric:
        return False
    for kind in subject.kinds:
        x, y = _pair(subject, kind)
        _equal(subject, "symmetry", subject.estimate(x, y), subject.estimate(y, x))
    return True


def invariances(subject: EstimatorSubject) -> bool:
    """The changes of the data that the class claims to be invariant to."""
    claims = subject.estimator.invariant_to
    for kind in subject.kinds:
        x, y = _pair(subject, kind)
        plain = subject.estimate(x, y)
        for claim in sorted(claims):
            for first, second in _changed(subject, claim, kind, x, y):
                _equal(subject, claim, plain, subject.estimate(first, second))
    return bool(claims)


def independence(subject: EstimatorSubject) -> bool:
    """The interval contains 0 for at least two of three independent samples."""
    bound = subject.estimator.bound
    for kind in subject.kinds:
        answers = []
        for repeat in range(3):
            rng = subject.rng(10 + repeat)
            x, y = _LAWS[kind][0].sample(subject.n_samples, rng)
            answers.append(subject.estimate(x, rng.permutation(y)))
        covered = sum(_covers_zero(subject, answer, bound) for answer in answers)
        if covered < 2:
            shown = ", ".join(
                f"{a.value_bits:.4f} [{a.low_bits:.4f}, {a.high_bits:.4f}]" for a in answers
            )
            raise subject.failure(
                "independence", f"{kind}, expected intervals that cover 0, got {shown}"
            )
    return True


def data_processing(subject: EstimatorSubject) -> bool:
    """Processing a variable does not add information: I(X; g(Y)) <= I(X; Y)."""
    for kind in subject.kinds:
        x, y = _pair(subject, kind)
        whole = subject.estimate(x, y)
        if kind == "discrete":
            less = subject.estimate(x, y[:, 0])
        else:
            noise = subject.rng(20).standard_normal(x.shape)
            less = subject.estimate(x + noise, y)
        room = (
            3 * (subject.standard_error_bits(whole) + subject.standard_error_bits(less))
            + _SLACK_BITS
        )
        if less.value_bits > whole.value_bits + room:
            raise subject.failure(
                "data processing",
                f"{kind}, {less.value_bits:.4f} bits after processing, {whole.value_bits:.4f} "
                f"before, with room for {room:.4f}",
            )
    return True


def chain_rule(subject: EstimatorSubject) -> bool:
    """I(X; Y, Z) = I(X; Z) + I(X; Y | Z) within errors and the tolerance, for estimators of the
    information, on the kinds of condition that they accept."""
    kinds = [kind for kind in subject.kinds if kind != "mixed"]
    if not subject.estimator.conditional or subject.estimator.target != "information":
        return False
    put = False
    for kind in kinds:
        rng = subject.rng(30)
        x: Array
        if kind == "discrete":
            channel = BitChannel("symmetric", 0.1, 1)
            x, y = channel.sample(subject.n_samples, rng)
            z = np.where(rng.random(x.shape) < 0.2, 1 - x, x)
        else:
            x, y, z = (a[:, None] for a in GaussianTriple().sample(subject.n_samples, rng))
        try:
            rest = subject.estimate(x, y, z)
        except ValueError as error:
            # Some accept discrete conditions only; they have to refuse others by name.
            if kind == "continuous" and str(error).startswith("given:"):
                continue
            raise
        put = True
        joint, part = subject.estimate(x, np.hstack([y, z])), subject.estimate(x, z)
        room = subject.tolerance_bits + 3 * sum(
            subject.standard_error_bits(a) for a in (joint, part, rest)
        )
        missed = joint.value_bits - part.value_bits - rest.value_bits
        if abs(missed) > room:
            raise subject.failure(
                "chain rule",
                f"{kind}, I(X;Y,Z) = {joint.value_bits:.4f} bits, I(X;Z) = {part.value_bits:.4f}, "
                f"I(X;Y|Z) = {rest.value_bits:.4f}, with room for {room:.4f}",
            )
    return put


def ceiling(subject: EstimatorSubject) -> bool:
    """No value is above its ceiling on strong dependence (which is also checked at every call)."""
    for kind in subject.kinds:
        subject.estimate(*_STRONG[kind].sample(subject.n_samples, subject.rng(40)))
    return True


def bound_direction(subject: EstimatorSubject) -> bool:
    """No lower bound is above the truth, and no upper bound below it, by over 3 standard errors."""
    put = False
    for kind in subject.kinds:
        for number, law in enumerate(_LAWS[kind]):
            answer = subject.estimate(*law.sample(subject.n_samples, subject.rng(50 + number)))
            room = 3 * subject.standard_error_bits(answer)
            above = answer.value_bits - law.true_bits
            put |= answer.bound != "none"
            if (answer.bound in {"lower", "exact"} and above > room) or (
                answer.bound in {"upper", "exact"} and above < -room
            ):
                raise subject.failure(
                    "bound direction",
                    f"{law.name}, {answer.bound}: {answer.value_bits:.4f} bits, truth "
                    f"{law.true_bits:.4f}, with room for {room:.4f}",
                )
    return put


def bad_input(subject: EstimatorSubject) -> bool:
    """Invalid arrays raise a ValueError whose one line begins with the argument's name."""
    x, y = (array.astype(float) for array in _pair(subject, subject.kinds[0]))
    broken: list[tuple[str, tuple[str, ...], tuple[Array, ...]]] = [
        ("NaN in x", ("x",), (_with(x, np.nan), y)),
        ("NaN in y", ("y",), (x, _with(y, np.nan))),
        ("infinity in x", ("x",), (_with(x, np.inf), y)),
        ("infinity in y", ("y",), (x, _with(y, -np.inf))),
        ("unequal lengths", ("x", "y"), (x, y[:-1])),
        ("objects in x", ("x",), (_with(x.astype(object), None), y)),
        ("objects in y", ("y",), (x, _with(y.astype(object), None))),
        ("one sample", ("x", "y"), (x[:1], y[:1])),
        ("no samples", ("x", "y"), (x[:0], y[:0])),
        ("three axes", ("x",), (x[:, None, None], y)),
    ]
    if subject.estimator.conditional:
        broken += [
            ("NaN in given", ("given",), (x, y, _with(y, np.nan))),
            ("unequal lengths of given", ("given",), (x, y, y[:-1])),
            ("objects in given", ("given",), (x, y, _with(y.astype(object), None))),
        ]
    else:
        broken.append(("a condition without a form for it", ("given",), (x, y, y)))
    for what, names, arrays in broken:
        _refused(subject, what, names, arrays)
    return True


ESTIMATOR_CLAUSES: dict[str, Callable[[EstimatorSubject], bool]] = {
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
"""Every clause by name; the first sentence of its docstring is what an estimator has to satisfy."""


def _pair(subject: EstimatorSubject, kind: Kind) -> tuple[Array, Array]:
    x, y = _LAWS[kind][0].sample(subject.n_samples, subject.rng(1))
    return x, y


def _covers_zero(subject: EstimatorSubject, answer: Estimate, bound: str) -> bool:
    half = 2 * subject.tolerance_bits if np.isnan(answer.low_bits) else 0.0
    low = answer.value_bits - half if half else answer.low_bits
    high = answer.value_bits + half if half else answer.high_bits
    below, above = low <= _SLACK_BITS, high >= -_SLACK_BITS
    return (below or bound == "upper") and (above or bound == "lower")


def _equal(subject: EstimatorSubject, clause: str, first: Estimate, second: Estimate) -> None:
    if not abs(first.value_bits - second.value_bits) <= _ROUNDING * (1 + abs(first.value_bits)):
        raise subject.failure(
            clause, f"{first.value_bits!r} bits before, {second.value_bits!r} after"
        )


def _changed(
    subject: EstimatorSubject, claim: Invariance, kind: Kind, x: Array, y: Array
) -> list[tuple[Array, Array]]:
    """Pairs whose estimate equals that of (x, y) according to a claim."""
    rng = subject.rng(60)
    if claim == "order":
        order = rng.permutation(len(x))
        return [(x[order], y[order])]
    if claim == "scaling":
        return [(3.7 * x - 11, y), (x, 0.01 * y + 5)]
    if claim == "monotone":
        return [(np.exp(x), y), (x, y + y**3)]
    if claim == "relabelling":
        names = rng.permutation(np.arange(-5, 5))
        # Only Y of a mixed pair is discrete, and neither variable of a continuous pair.
        changed = [(names[x], y)] if kind == "discrete" else []
        return changed + ([] if kind == "continuous" else [(x, names[y])])
    return _mixed_columns(subject, x, y, rng) if kind == "continuous" else []


def _mixed_columns(
    subject: EstimatorSubject, x: Array, y: Array, rng: np.random.Generator
) -> list[tuple[Array, Array]]:
    # A linear map of one column is only a change of scale, so two columns are compared here.
    wide = [np.hstack([array, rng.standard_normal(array.shape)]) for array in (x, y)]
    mixing = np.array([[2.0, 1.0], [-0.5, 1.5]])
    _equal(subject, "linear", subject.estimate(*wide), subject.estimate(wide[0] @ mixing, wide[1]))
    return [(-x, y)]


def _with(array: Array, value: float | None) -> Array:
    changed = array.copy()
    changed.flat[-1] = value
    return changed


def _refused(
    subject: EstimatorSubject, what: str, names: tuple[str, ...], arrays: tuple[Array, ...]
) -> None:
    try:
        answer = subject.estimator.estimate(*arrays)
    except ValueError as error:
        message = str(error)
        if "\n" in message or not message.startswith(tuple(f"{name}:" for name in names)):
            raise subject.failure(
                "bad input", f"{what}: expected one line that begins with {names}, got {message!r}"
            ) from error
    except Exception as error:
        raise subject.failure(
            "bad input", f"{what}: expected a ValueError, got {error!r}"
        ) from error
    else:
        raise subject.failure("bad input", f"{what}: expected a ValueError, got {answer}")
