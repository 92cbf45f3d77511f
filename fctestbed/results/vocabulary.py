"""The names that rows carry: readouts, quantities, estimators, probes, scores.

Owns these names. Imports the standard library only.
"""

JOINT = "joint"
"""The readout of both modalities together."""
LABEL = "label"
"""The quantity that is the label."""
LINEAR_PROBE = "linear_probe"
"""The estimator of usable information by linear probes."""
CHANNEL = "channel"
"""The estimator of channel information at a measurement's first noise."""
RATE = "rate"
"""The estimator of information at a stated rate, of a readout as it is."""
RATE_WHITENED = "rate_whitened"
"""The estimator of information at a stated rate, of a readout with equal variances."""
LINEAR = "linear"
"""The probe of task accuracy."""
MLP_PROBE, MLP = "mlp_probe", "mlp"
KNN_PROBE, KNN = "knn_probe", "knn"
"""Estimators and probes of accuracy that are optional."""
ALIGNMENT, UNIFORMITY, MODALITY_GAP = "alignment", "uniformity", "modality_gap"
LINEAR_CKA, EFFECTIVE_RANK = "linear_cka", "effective_rank"
LOSS = "loss"
"""Scores that need no label."""
TRAINING = "training"
"""What the scores of a training itself, such as its loss, are of."""
BLOCKS = ("shared", "unique1", "unique2")
"""The quantities that are the latent blocks w_s, w_1 and w_2."""

_AT = "@"


def equal_width_name(width: int) -> str:
    """The name of the joint readout reduced to a width: ``joint@16``."""
    return f"{JOINT}{_AT}{width}"


def channel_name(tau: float) -> str:
    """The estimator of channel information at a further noise: ``channel@2``.

    All digits of a noise that six do not tell apart from others: ``channel@0.50000001``.
    """
    short = f"{tau:g}"
    return f"{CHANNEL}{_AT}{short if float(short) == tau else repr(float(tau))}"


def few_shot_name(n_labels: int) -> str:
    """The estimator, and the probe of accuracy, of a number of labels a class: ``few_shot@16``."""
    return f"few_shot{_AT}{n_labels}"


def pair_name(first: str, second: str) -> str:
    """The name of two readouts whose score is one: ``z1,z2``."""
    return f"{first},{second}"


def loss_name(term: str) -> str:
    """The score that is one term of the loss: ``loss[infonce]``."""
    return f"{LOSS}[{term}]"
