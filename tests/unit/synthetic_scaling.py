"""Results of sweeps whose axes vary one at a time, in which lost label bits have power laws."""

import dataclasses

import numpy as np
from synthetic_results import as_results, record

from fctestbed.results.database import AxisCells

SCALED = {
    "train.batch_size": (64, 128, 256, 512),
    "nets.encoder_hidden": ("[32, 32]", "[64, 64]", "[128, 128]", "[128]", "[128, 128, 128]"),
    "train.steps": (100, 200, 400, 800),
    "world.n_train": (1024, 4096, 16384),
    "settings.simclr.temperature": (0.03, 0.1, 0.3),
    "settings.supcon.temperature": (0.1, 0.3, 1.0),
}
"""Axes that vary one at a time around ``BASELINE``."""
BASELINE = {
    "train.batch_size": 128,
    "nets.encoder_hidden": "[128, 128]",
    "train.steps": 400,
    "world.n_train": 16384,
    "settings.simclr.temperature": 0.1,
    "settings.supcon.temperature": 0.1,
}
LOST = {"simclr": 1.0, "supcon": 0.3, "factorcl-sup": 0.4}
"""Lost label bits of each method at the baseline."""
EXPONENTS = {
    "simclr": {},
    "supcon": {"train.batch_size": 0.5, "train.steps": 1.0, "settings.supcon.temperature": -0.4},
    "factorcl-sup": {"train.batch_size": 0.25, "train.steps": 1.5, "world.n_train": 0.1},
}
"""Exponents of the laws of lost bits; 0 for others."""


def scaled(methods=tuple(LOST), seeds=(0, 1, 2, 3), *, ratio=0.5, axes=SCALED, lost=None):
    """Results of these methods at each value of the axes.

    ``lost`` gives the lost bits of a method at an axis's value in place of its law. A method has
    one run for every value of another method's setting.
    """
    places = [{}]
    for name, values in axes.items():
        places += [{name: value} for value in values if value != BASELINE[name]]
    runs, cells = {}, []
    for method in methods:
        for place in places:
            for seed in seeds:
                run = _run(method, seed, ratio, place, lost)
                runs[run.run_id] = run
                cells.append((run.run_id, tuple(place.get(name, BASELINE[name]) for name in axes)))
    at = AxisCells(tuple(axes), tuple(cells))
    return as_results(list(runs.values()), {"one_at_a_time": True}, at)


def _run(method, seed, ratio, place, lost):
    """A run with the joint readout's rows of labels and blocks, and lost bits at a rate of 4."""
    others = [name for name in place if name.startswith("settings.") and method not in name]
    own = {name: value for name, value in place.items() if name not in others}
    bits = None if lost is None else lost(method, own, seed)
    bits = _lost_bits(method, own, seed) if bits is None else bits
    run = record(method, ratio, seed, rates=(4.0,))
    rows = tuple(
        dataclasses.replace(row, value_bits=row.true_bits - bits)
        if (row.quantity, row.rate_bits) == ("label", 4.0)
        else row
        for row in run.captured
        if row.readout == "joint" and "[" not in row.quantity
    )
    return dataclasses.replace(run, run_id=f"{run.run_id}{own}", captured=rows)


def _lost_bits(method, own, seed):
    """By the method's law, with noise of 5 %."""
    powers = [
        (value / BASELINE[name]) ** -EXPONENTS[method].get(name, 0.0)
        for name, value in own.items()
        if not isinstance(value, str)
    ]
    rng = np.random.default_rng(list(f"{method}{own}{seed}".encode()))
    return LOST[method] * np.prod(powers) * np.exp(0.05 * rng.standard_normal())
