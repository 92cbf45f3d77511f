"""The names that rows carry: readouts, quantities, estimators, probes.

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
LINEAR = "linear"
"""The probe of task accuracy."""
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
