"""Scores and label bits at rates for synthetic runs, from formulas."""

import dataclasses

import numpy as np
from synthetic_results import FACTORISED, LADDER

from fctestbed.results import ScoreRow

RATES = (2.0, 4.0, 8.0)
UNTRAINED = ("raw", "untrained")


def scored(run):
    """The run with label rows at rates, and with scores: alignment falls and the effective rank
    rises with the label bits, the loss is the method's own, the rest is noise."""
    rng = np.random.default_rng([7, LADDER.index(run.method), round(100 * run.unique_ratio)])
    label = next(row for row in run.captured if (row.readout, row.quantity) == ("joint", "label"))
    at_rates = tuple(
        dataclasses.replace(
            label,
            estimator="rate",
            rate_bits=rate,
            bound="exact",
            value_bits=label.value_bits * (1 - 2**-rate),
            ceiling_bits=min(rate, 2.0),
        )
        for rate in RATES
    )
    bits = label.value_bits
    noise = rng.standard_normal(5) + 0.1 * np.random.default_rng(run.seed).standard_normal(5)
    pair = "z_s1,z_s2" if run.method in FACTORISED else "z1,z2"
    values = {
        (pair, "alignment"): 2.0 - bits + 0.05 * noise[0],
        (pair, "uniformity"): -2.0 + 0.5 * noise[1],
        (pair, "modality_gap"): 0.5 + abs(noise[2]),
        (pair, "linear_cka"): 1 / (1 + np.exp(noise[3])),
        ("joint", "effective_rank"): 4.0 + bits + noise[4],
    }
    if pair != "z1,z2":
        values["z_u1,z_u2", "alignment"] = 10.0
    if run.method not in UNTRAINED:
        values["training", "loss"] = LADDER.index(run.method) - 0.5 * bits
        values["training", "loss[term]"] = 1.0
    scores = tuple(
        ScoreRow(readout=readout, score=score, value=float(value), unit="1", n_eval=2000)
        for (readout, score), value in values.items()
    )
    return dataclasses.replace(run, captured=(*run.captured, *at_rates), scores=scores)
