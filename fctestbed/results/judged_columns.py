"""Columns of the tables of estimators on known information, which calibration writes and figures
read.

Owns these names. Imports the standard library only.
"""

CALIBRATION_COLUMNS = (
    "case",
    "group",
    "kind",
    "true_bits",
    "estimator",
    "bound",
    "target",
    "n",
    "tolerance_bits",
    "repetition",
    "value_bits",
    "low_bits",
    "high_bits",
    "se_bits",
    "ceiling_bits",
    "seconds",
    "refusal",
)
"""One row per case, estimator, number of samples and repetition."""

READOUT_COLUMNS = (
    "method",
    "variant",
    "unique_ratio",
    "seed",
    "readout",
    "quantity",
    "tau",
    "exact_bits",
    "exact_se_bits",
)
"""What rows on readouts of trained encoders have after those."""
