"""Rows of estimators on readouts, made up."""

import math

import pandas as pd

METHODS = {
    "simclr": ("z1", "z2"),
    "supcon": ("z1", "z2"),
    "factorcl-sup": ("z_u1", "z_u2", "z_s1", "z_s2"),
    "raw": ("z1",),
}
EXACT = {"shared": 3.0, "unique1": 2.0, "unique2": 1.0}
# What each estimator says of an exact value, and its bound.
ESTIMATORS = {
    "usable-linear": (lambda exact: exact - 0.5 * (exact > 0), "lower"),
    "classifier": (lambda exact: 1.5 * exact, "none"),
    "vclub": (lambda exact: 4 * exact, "none"),
}


def exact_bits(readout, quantity):
    """A block that the readout's modality does not hold is exactly nothing."""
    other = {"1": "unique2", "2": "unique1"}[readout[-1]]
    return 0.0 if quantity == other else EXACT[quantity]


def readout_rows(**changes):
    rows = [
        {
            "case": f"{method} {readout} {quantity}",
            "group": "readouts",
            "kind": "mixed",
            "true_bits": exact_bits(readout, quantity),
            "estimator": estimator,
            "bound": bound,
            "target": "information",
            "n": 4096,
            "tolerance_bits": math.nan,
            "repetition": 0,
            "value_bits": says(exact_bits(readout, quantity)),
            "low_bits": says(exact_bits(readout, quantity)) - 0.196,
            "high_bits": says(exact_bits(readout, quantity)) + 0.196,
            "se_bits": 0.1,
            "ceiling_bits": 20.0,
            "seconds": 2.0,
            "refusal": "",
            "method": method,
            "variant": "paper",
            "unique_ratio": math.nan if method in ("simclr", "raw") else 0.5,
            "seed": 0,
            "readout": readout,
            "quantity": quantity,
            "tau": 0.5,
            "exact_bits": exact_bits(readout, quantity),
            "exact_se_bits": 0.0,
            **changes,
        }
        for method, readouts in METHODS.items()
        for readout in readouts
        for quantity in EXACT
        for estimator, (says, bound) in ESTIMATORS.items()
    ]
    return pd.DataFrame(rows)
