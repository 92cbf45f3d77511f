"""The exact information content of a world, without sampling. May import this package.

All observation maps are injective almost surely: on bits at any width, since a generic matrix or
tanh network separates any finite set of points, and on Gaussian latents at the widths that a
``WorldSpec`` admits. X_m is therefore equivalent to (w_m, w_s) in every quantity. With observation
noise the truth is that of the noise-free modalities, and the record says so.
"""

import math
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any

from fctestbed.synthesis.labels.information import LabelInformation, Pid
from fctestbed.synthesis.spec import WorldSpec

_NOISE = "observation noise: these are the numbers of the noise-free modalities"
_INFINITE = "null stands for an infinite amount (continuous latents)"


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The exact information content of a world, in bits; accuracies are probabilities.

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
        majority_accuracy: best accuracy on y without any input.
        n_classes: number of values of y.
        asked_unique_ratio: the ratio in the specification.
        information_unique_ratio: (U1 + U2) / I(X1,X2;Y); None if I(X1,X2;Y) is 0.
        pid: the PID atoms and their certified gap where they are known, else None.
        pid_note: why ``pid`` is None, else None.
        note: limitations of these numbers, else None.

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


def world_truth(spec: WorldSpec) -> Truth:
    """The exact information content of a world, without sampling.

    Closed forms for ``bits``, ``noiseless`` and ``parity``, counting or quadrature for
    ``threshold``, enumeration of the relevant bits for ``planar`` and ``function``. The PID atoms
    of the last three come from an optimisation with a certified gap, where the sources are finite
    and small enough.
    """
    if not isinstance(spec, WorldSpec):
        raise ValueError(f"spec: expected a WorldSpec, got {type(spec).__name__}")
    return _truth(spec)


def forget_truths() -> None:
    """Drop the truths that are kept, so that the next ones are computed anew."""
    _truth.cache_clear()


@lru_cache(maxsize=256)
def _truth(spec: WorldSpec) -> Truth:
    label = spec.label.information(spec.latents)
    w_s_bits, w_1_bits, w_2_bits = spec.latents.block_entropies_bits
    total, unique = label.total_bits, label.unique1_bits + label.unique2_bits
    return Truth(
        **{field.name: getattr(label, field.name) for field in fields(LabelInformation)},
        x1_x2_bits=spec.latents.x1_x2_bits,
        w_s_bits=w_s_bits,
        w_1_bits=w_1_bits,
        w_2_bits=w_2_bits,
        n_classes=spec.n_classes,
        asked_unique_ratio=spec.label.unique_ratio,
        information_unique_ratio=unique / total if total > 0 else None,
        note=_NOISE if spec.observation.noise > 0 else None,
    )
