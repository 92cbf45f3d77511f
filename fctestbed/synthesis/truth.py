"""The exact information content of a world, without sampling. May import this package's rules.

All observation maps are injective almost surely: a generic matrix or tanh network separates any
finite set of points, so on bits at any width, and on Gaussian latents at the widths that a
``WorldSpec`` admits. X_m therefore stands for (w_m, w_s) in every quantity. With observation noise
the truth is that of the noise-free modalities, and the record says so.
"""

import math
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any

from fctestbed.information import bsc_flip_probability, decomposition, least_information
from fctestbed.synthesis.label_information import (
    LabelInformation,
    planar_on_bits,
    threshold_on_bits,
    threshold_on_gaussians,
)
from fctestbed.synthesis.label_margins import MAX_ENTRIES, margins, symbols
from fctestbed.synthesis.labels import PlanarRule, ThresholdRule, WordRule, label_rule
from fctestbed.synthesis.spec import BitLatents, WorldSpec

_CONTINUOUS = (
    "the PID atoms are computed for finite sources; this label reads gaussian latents as they are"
)
_TOO_LARGE = (
    "the PID atoms are computed for tables p(x1, x2, y) of up to {} entries; this label's has {}"
)
_NOISE = "observation noise: these are the numbers of the noise-free modalities"
_INFINITE = "null stands for an infinite amount (continuous latents)"


@dataclass(frozen=True, kw_only=True)
class Pid:
    """The four atoms of a partial information decomposition of I(X1,X2;Y), in bits.

    Each is within ``gap_bits`` of its exact value; 0 stands for a closed form.

    Source:
        Bertschinger et al. 2014 (BROJA), additive over independent slots.
    """

    redundancy_bits: float
    unique1_bits: float
    unique2_bits: float
    synergy_bits: float
    gap_bits: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a world holds, exactly, in bits; accuracies are probabilities.

    Attributes:
        shared_bits: S = I(X1;X2;Y); negative where synergy exceeds redundancy.
        unique1_bits: U1 = I(X1;Y|X2).
        unique2_bits: U2 = I(X2;Y|X1).
        total_bits: I(X1,X2;Y) = S + U1 + U2.
        label_entropy_bits: H(Y).
        x1_label_bits: I(X1;Y).
        x2_label_bits: I(X2;Y).
        x1_x2_bits: I(X1;X2), infinite with Gaussian latents.
        w_s_bits: entropy of the shared block, infinite with Gaussian latents.
        w_1_bits: the same of the block unique to modality 1.
        w_2_bits: the same of the block unique to modality 2.
        bayes_accuracy: best accuracy on y from both modalities.
        bayes_accuracy_x1: best accuracy on y from modality 1.
        bayes_accuracy_x2: best accuracy on y from modality 2.
        majority_accuracy: best accuracy on y from nothing.
        n_classes: number of values of y.
        asked_unique_ratio: the ratio in the specification.
        information_unique_ratio: (U1 + U2) / I(X1,X2;Y); None where the label holds nothing.
        pid: the PID atoms and their certified gap where they are known, else None.
        pid_note: why ``pid`` is None, else None.
        note: what limits these numbers, else None.

    Source:
        Liang et al. 2023 (FactorCL), Eq. 1, for S, U1 and U2.
    """

    shared_bits: float
    unique1_bits: float
    unique2_bits: float
    total_bits: float
    label_entropy_bits: float
    x1_label_bits: float
    x2_label_bits: float
    x1_x2_bits: float
    w_s_bits: float
    w_1_bits: float
    w_2_bits: float
    bayes_accuracy: float
    bayes_accuracy_x1: float
    bayes_accuracy_x2: float
    majority_accuracy: float
    n_classes: int
    asked_unique_ratio: float
    information_unique_ratio: float | None
    pid: Pid | None
    pid_note: str | None = None
    note: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-able content: infinite amounts become None and the note says so."""
        content = asdict(self)
        infinite = [f.name for f in fields(self) if content[f.name] == math.inf]
        if infinite:
            content.update(dict.fromkeys(infinite))
            content["note"] = "; ".join(filter(None, [self.note, _INFINITE]))
        return content


@lru_cache(maxsize=256)
def world_truth(spec: WorldSpec) -> Truth:
    """The exact information content of a world, without sampling.

    Closed forms for ``bits`` and ``noiseless``, counting or quadrature for ``threshold``,
    enumeration of the relevant bits for ``planar``. The PID atoms of the last two come from an
    optimisation with a certified gap, where the sources are finite and small enough.
    """
    is_bits = isinstance(spec.latents, BitLatents)
    sizes = [float(n) if is_bits else math.inf for n in spec.block_sizes]
    rule = label_rule(spec.label)
    if isinstance(rule, WordRule):
        label = _word_truth(rule)
    elif isinstance(rule, ThresholdRule):
        by = threshold_on_bits if is_bits else threshold_on_gaussians
        label = _function_truth(by(rule.relevant), rule, is_bits)
    else:
        assert isinstance(rule, PlanarRule)
        label = _function_truth(planar_on_bits(rule), rule, is_bits)
    total, unique = label["total_bits"], label["unique1_bits"] + label["unique2_bits"]
    return Truth(
        **label,
        x1_x2_bits=sizes[0],
        w_s_bits=sizes[0],
        w_1_bits=sizes[1],
        w_2_bits=sizes[2],
        n_classes=spec.n_classes,
        asked_unique_ratio=spec.label.unique_ratio,
        information_unique_ratio=unique / total if total > 0 else None,
        note=_NOISE if spec.observation.noise > 0 else None,
    )


def _word_truth(rule: WordRule) -> dict[str, Any]:
    """Slots are independent, so each adds its capacity to its own atom."""
    layout = rule.layout
    redundancy = layout.n_shared * layout.shared_capacity_bits
    unique1 = layout.n_unique1 * layout.unique1_capacity_bits
    unique2 = layout.n_unique2 * layout.unique2_capacity_bits
    synergy = layout.n_xor * layout.xor_capacity_bits

    def accuracy(n_slots: int, capacity_bits: float) -> float:
        return float((1 - bsc_flip_probability(capacity_bits)) ** n_slots)

    def guess(n_slots: int) -> float:
        return 0.5**n_slots

    from_shared = accuracy(layout.n_shared, layout.shared_capacity_bits)
    from_1 = accuracy(layout.n_unique1, layout.unique1_capacity_bits)
    from_2 = accuracy(layout.n_unique2, layout.unique2_capacity_bits)
    from_xor = accuracy(layout.n_xor, layout.xor_capacity_bits)
    return {
        "shared_bits": redundancy - synergy,
        "unique1_bits": unique1 + synergy,
        "unique2_bits": unique2 + synergy,
        "total_bits": redundancy + unique1 + unique2 + synergy,
        "label_entropy_bits": float(layout.n_slots),
        "x1_label_bits": redundancy + unique1,
        "x2_label_bits": redundancy + unique2,
        "bayes_accuracy": from_shared * from_1 * from_2 * from_xor,
        "bayes_accuracy_x1": from_shared * from_1 * guess(layout.n_unique2 + layout.n_xor),
        "bayes_accuracy_x2": from_shared * from_2 * guess(layout.n_unique1 + layout.n_xor),
        "majority_accuracy": guess(layout.n_slots),
        "pid": Pid(
            redundancy_bits=redundancy,
            unique1_bits=unique1,
            unique2_bits=unique2,
            synergy_bits=synergy,
        ),
    }


def _function_truth(
    label: LabelInformation, rule: ThresholdRule | PlanarRule, is_bits: bool
) -> dict[str, Any]:
    """y is a function of (X1, X2), so U1 = H(Y|X2), U2 = H(Y|X1) and the total is H(Y)."""
    total, unique1, unique2 = label.label_entropy_bits, label.given_x2_bits, label.given_x1_bits
    return {
        "shared_bits": total - unique1 - unique2,
        "unique1_bits": unique1,
        "unique2_bits": unique2,
        "total_bits": total,
        "label_entropy_bits": total,
        "x1_label_bits": total - unique2,
        "x2_label_bits": total - unique1,
        "bayes_accuracy": 1.0,
        "bayes_accuracy_x1": label.bayes_accuracy_x1,
        "bayes_accuracy_x2": label.bayes_accuracy_x2,
        "majority_accuracy": label.majority_accuracy,
        **_atoms(label, rule, is_bits),
    }


def _atoms(
    label: LabelInformation, rule: ThresholdRule | PlanarRule, is_bits: bool
) -> dict[str, Any]:
    """``pid``, and ``pid_note`` where there is none."""
    if not is_bits:
        return {"pid": None, "pid_note": _CONTINUOUS}
    n1, n2 = symbols(rule)
    if n1 * n2 * rule.n_classes > MAX_ENTRIES:
        sizes = f"{n1} x {n2} x {rule.n_classes}"
        return {"pid": None, "pid_note": _TOO_LARGE.format(MAX_ENTRIES, sizes)}
    try:
        least = least_information(*margins(rule))
    except ValueError as error:
        return {"pid": None, "pid_note": f"the PID atoms were not found: {error}"}
    total = label.label_entropy_bits
    found = decomposition(
        x1_bits=total - label.given_x1_bits,
        x2_bits=total - label.given_x2_bits,
        total_bits=total,
        least=least,
    )
    return {"pid": Pid(**{field.name: getattr(found, field.name) for field in fields(Pid)})}
