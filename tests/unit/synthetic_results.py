"""Rows of a sweep's realistic shape, from formulas: nothing is trained."""

import dataclasses

import numpy as np
import pandas as pd

from fctestbed.results import AccuracyRow, AlongRow, CapturedRow, Results, RunRecord, ScoreRow
from fctestbed.results.database import NO_AXES
from fctestbed.results.frames import run_frame, value_frame
from fctestbed.results.plain import number, to_json
from fctestbed.results.schema import RUN_COLUMNS, VALUE_TABLES

RATIOS = tuple(round(0.1 * i, 1) for i in range(11))
METHODS = (
    "simclr",
    "supcon",
    "factorcl-sup",
    "factorcl-ssl",
    "unimodal-sup",
    "unimodal-ssl",
    "supervised",
    "raw",
    "untrained",
)
FACTORISED = ("factorcl-sup", "factorcl-ssl", "unimodal-sup", "unimodal-ssl", "cross-self-fact")
LADDER = (
    *METHODS,
    "cross-self",
    "cross-self-fact",
    "ourcl-ssl",
    "ourcl-sup",
    "comm",
    "focal",
    "disentangled-ssl",
)
TERMS = {
    "simclr": ("(X1;X2)",),
    "cross-self": ("(X1;X2)", "(Xi;Xi')"),
    "cross-self-fact": ("(X1;X2)", "(Xi;Xi')", "Fact"),
    "ourcl-ssl": ("(X1;X2)", "(Xi;Xi')", "(X1;X2|Y)", "(X2'')"),
    "factorcl-ssl": ("(X1;X2)", "(Xi;Xi')", "(X1;X2|Y)", "(X2'')", "Fact"),
    "supcon": ("(X1;X2|Y)",),
    "ourcl-sup": ("(X1;X2)", "(Xi;Xi')", "(X1;X2|Y)"),
    "factorcl-sup": ("(X1;X2)", "(Xi;Xi')", "(X1;X2|Y)", "Fact"),
    "unimodal-ssl": ("(Xi;Xi')", "Fact"),
    "unimodal-sup": ("(Xi;Xi')", "Fact"),
}
RATES = (2.0, 4.0, 8.0, 16.0, 32.0)
PARTS = ("z_s1", "z_s2", "z_u1", "z_u2")
N_BITS = 6
LABEL_BITS = 2.0
RELEVANT = ("w_s[0]", "w_s[1]", "w_1[0]", "w_2[0]")
BLOCKS = {"shared": "w_s", "unique1": "w_1", "unique2": "w_2"}

# How much of relevant shared, other shared, relevant unique and other unique bits a method keeps.
_KEPT = {
    "simclr": (0.85, 0.85, 0.02, 0.01),
    "supcon": (0.97, 0.03, 0.75, 0.02),
    "factorcl-sup": (0.97, 0.6, 0.94, 0.05),
    "factorcl-ssl": (0.9, 0.75, 0.7, 0.4),
    "unimodal-sup": (0.93, 0.1, 0.9, 0.05),
    "unimodal-ssl": (0.8, 0.7, 0.6, 0.5),
    "supervised": (0.99, 0.05, 0.98, 0.03),
    "raw": (0.55, 0.5, 0.5, 0.5),
    "untrained": (0.4, 0.4, 0.35, 0.35),
    "cross-self": (0.9, 0.9, 0.5, 0.4),
    "cross-self-fact": (0.92, 0.9, 0.6, 0.5),
    "ourcl-ssl": (0.88, 0.8, 0.6, 0.4),
    "ourcl-sup": (0.95, 0.6, 0.85, 0.1),
    "comm": (0.9, 0.7, 0.8, 0.6),
    "focal": (0.9, 0.8, 0.7, 0.6),
    "disentangled-ssl": (0.85, 0.8, 0.7, 0.5),
}


def truth(ratio):
    return {
        "total_bits": LABEL_BITS,
        "shared_bits": LABEL_BITS * (1 - ratio),
        "unique1_bits": LABEL_BITS * ratio / 2,
        "unique2_bits": LABEL_BITS * ratio / 2,
        "label_entropy_bits": 4.0,
        "bayes_accuracy": 0.55 + 0.35 * abs(ratio - 0.5),
        "majority_accuracy": 1 / 16,
        "relevant_latents": list(RELEVANT),
    }


def _kept(method, bit, noise):
    relevant_shared, other_shared, relevant_unique, other_unique = _KEPT[method]
    if bit.startswith("w_s"):
        share = relevant_shared if bit in RELEVANT else other_shared
    else:
        share = relevant_unique if bit in RELEVANT else other_unique
    return min(share + 0.03 * noise, 1.0)


def _row(readout, quantity, value, true, *, rate_bits=None):
    most = true if rate_bits is None else min(rate_bits, true)
    return CapturedRow(
        readout=readout,
        quantity=quantity,
        estimator="linear_probe" if rate_bits is None else "rate",
        rate_bits=rate_bits,
        bound="lower" if rate_bits is None else "exact",
        value_bits=value,
        low_bits=value - 0.02,
        high_bits=value + 0.02,
        true_bits=true,
        ceiling_bits=most,
        n_eval=2000,
    )


def _captured(method, ratio, rng):
    bits = {
        f"{latent}[{i}]": _kept(method, f"{latent}[{i}]", rng.standard_normal())
        for latent in BLOCKS.values()
        for i in range(N_BITS)
    }
    shared = np.mean([bits["w_s[0]"], bits["w_s[1]"]])
    unique = np.mean([bits["w_1[0]"], bits["w_2[0]"]])
    if method == "supcon":
        unique *= 0.3 + 0.7 * ratio
    label = LABEL_BITS * ((1 - ratio) * shared + ratio * unique) + 0.02 * rng.standard_normal()
    readouts = ("joint", *PARTS) if method in FACTORISED else ("joint", "z1", "z2")
    rows = []
    for readout in readouts:
        scale = 1.0 if readout == "joint" else 0.8
        rows.append(_row(readout, "label", float(label) * scale, LABEL_BITS))
        for quantity, latent in BLOCKS.items():
            seen = _seen(readout, latent)
            own = {bit: seen * value for bit, value in bits.items() if bit.startswith(latent)}
            relevant = [value for bit, value in own.items() if bit in RELEVANT]
            rows += [_row(readout, bit, value, 1.0) for bit, value in own.items()]
            rows.append(_row(readout, quantity, sum(own.values()), float(N_BITS)))
            rows.append(_row(readout, f"{quantity}_relevant", sum(relevant), float(len(relevant))))
    return tuple(rows)


def _at_rates(method, ratio, rng, rates):
    """Rows of a reading at rates: the bits of the readout's directions through one noise."""
    jitter = np.exp(0.15 * rng.standard_normal(3 * N_BITS))
    names = [f"{latent}[{i}]" for latent in BLOCKS.values() for i in range(N_BITS)]
    readouts = ("joint", *PARTS) if method in FACTORISED else ("joint", "z1", "z2")
    rows = []
    for readout in readouts:
        seen = np.array([_seen(readout, name[:3]) for name in names])
        power = (seen * [_kept(method, name, 0.0) for name in names]) ** 3 * jitter
        for rate, read in zip(rates, _through_noise(power, np.array(rates)), strict=True):
            bits = dict(zip(names, read, strict=True))
            parts = {"shared": np.mean([bits["w_s[0]"], bits["w_s[1]"]]) * (1 - ratio)}
            parts |= {f"unique{m}": bits[f"w_{m}[0]"] * ratio / 2 for m in (1, 2)}
            found = [("label", LABEL_BITS * sum(parts.values()), LABEL_BITS)]
            if readout == "joint":
                true = {name: truth(ratio)[f"{name}_bits"] for name in parts}
                found += [(f"label_{n}", LABEL_BITS * bits, true[n]) for n, bits in parts.items()]
            for quantity, latent in BLOCKS.items():
                own = {name: bits[name] for name in names if name.startswith(latent)}
                relevant = [value for name, value in own.items() if name in RELEVANT]
                found += [(name, value, 1.0) for name, value in own.items()]
                found.append((quantity, sum(own.values()), float(N_BITS)))
                found.append((f"{quantity}_relevant", sum(relevant), float(len(relevant))))
            rows += [
                _row(readout, quantity, float(value), true_bits, rate_bits=rate)
                for quantity, value, true_bits in found
            ]
    return tuple(rows)


def _through_noise(power, rates):
    """Bits of each direction, [rates, directions], at most 1, at noises that let the rates pass."""
    low, high = np.full(len(rates), -60.0), np.full(len(rates), 60.0)
    for _ in range(60):
        middle = (low + high) / 2
        passed = 0.5 * np.log2(1 + power / 2.0 ** middle[:, None]).sum(axis=1)
        low, high = np.where(passed > rates, middle, low), np.where(passed > rates, high, middle)
    share = 0.5 * np.log2(1 + power / 2.0 ** high[:, None])
    return share / (1 + share**4) ** 0.25


def _seen(readout, latent):
    """What share of a latent's bits a part holds: heads of S see w_s, of U their own block."""
    if readout in ("z_s1", "z_s2"):
        return 0.9 if latent == "w_s" else 0.05
    if readout in ("z_u1", "z_u2", "z1", "z2"):
        return 0.95 if latent == f"w_{readout[-1]}" else 0.1
    return 1.0


def record(method, ratio, seed, *, status="ok", rates=(), **changes):
    """One run's record, with readings at these rates; an unfinished one has a reason and no
    rows."""
    rng = np.random.default_rng([LADDER.index(method), round(100 * ratio), seed])
    captured = _captured(method, ratio, rng)
    label = next(row.value_bits for row in captured if row.quantity == "label")
    exact = truth(ratio)
    accuracy = 1 / 16 + (exact["bayes_accuracy"] - 1 / 16) * max(label, 0.0) / LABEL_BITS
    probe = AccuracyRow(
        readout="joint",
        probe="linear",
        accuracy=accuracy,
        low=accuracy - 0.01,
        high=accuracy + 0.01,
        bayes_accuracy=exact["bayes_accuracy"],
        n_eval=2000,
    )
    score = ScoreRow(readout="joint", score="effective_rank", value=7.5, unit="1", n_eval=2000)
    along = AlongRow(step=40, **{**dataclasses.asdict(captured[0]), "rate_bits": 4.0})
    if rates:
        captured += _at_rates(method, ratio, rng, rates)
    done = status == "ok"
    content = {
        "run_id": f"{method}-{ratio:g}-{seed}",
        "method": method,
        "variant": "paper",
        "preset": "quick",
        "unique_ratio": ratio,
        "seed": seed,
        "spec": {
            "training": {
                "method": method,
                "seed": seed,
                "augmentation": {"kind": "optimal"},
                "settings": {"critic": "concat"} if method in TERMS else {},
            }
        },
        "truth": exact,
        "status": status,
        "reason": "" if done else "loss is nan at step 40",
        "seconds": 1.5,
        "provenance": {"device": "cpu", "threads": 1},
        "diagnostics": {
            "loss": [2.0, 1.0, 0.5],
            "terms": list(TERMS.get(method, ())),
            "departures": {},
        },
        "warnings": ("3 dead units in z_u1",) if seed == 0 else (),
        "captured": captured if done else (),
        "accuracy": (probe,) if done else (),
        "scores": (score,) if done else (),
        "along": (along,) if done else (),
    }
    return RunRecord(**{**content, **changes})


def records(ratios=RATIOS, methods=METHODS, seeds=(0, 1, 2), unfinished=(), rates=()):
    """A grid of runs; ``unfinished`` names (method, ratio, seed) that diverged."""
    return [
        record(m, r, s, status="diverged" if (m, r, s) in unfinished else "ok", rates=rates)
        for m in methods
        for r in ratios
        for s in seeds
    ]


def at_width(run, width, share):
    """The run with its joint readout also at a lower width, which keeps a share of every value."""
    name = f"joint@{width}"
    rows = tuple(
        dataclasses.replace(row, readout=name, value_bits=share * row.value_bits)
        for row in run.captured
        if row.readout == "joint"
    )
    probes = tuple(
        dataclasses.replace(row, readout=name, accuracy=share * row.accuracy)
        for row in run.accuracy
    )
    return dataclasses.replace(
        run, captured=(*run.captured, *rows), accuracy=(*run.accuracy, *probes)
    )


def departing(run, variant, departures, added_bits=None, **training):
    """The run as a variant with these departures, with bits added to some quantities of it.

    ``training`` changes the run's spec: ``augmentation``, ``settings``.
    """
    added = added_bits or {}
    rows = tuple(
        dataclasses.replace(row, value_bits=row.value_bits + added.get(row.quantity, 0.0))
        for row in run.captured
    )
    return dataclasses.replace(
        run,
        run_id=f"{run.run_id}-{variant}",
        variant=variant,
        captured=rows,
        diagnostics={**run.diagnostics, "departures": departures},
        spec={"training": {**run.spec["training"], **training}},
    )


def as_results(runs, sweep_spec=None, axes=NO_AXES):
    """The tables of these records, without a store; at the cells of ``axes``."""
    rows = [
        tuple(
            to_json(getattr(run, name))
            if name in ("spec", "truth", "provenance", "diagnostics", "warnings")
            else getattr(run, name)
            for name in RUN_COLUMNS
        )
        for run in runs
    ]
    frame = run_frame(rows, axes)
    return Results(
        runs=frame,
        sweep_spec=sweep_spec or {},
        axes=axes.axes,
        **{
            table.name: value_frame(table, frame, _value_rows(runs, table.name, table.values))
            for table in VALUE_TABLES
        },
    )


def _value_rows(runs, table, names):
    return [
        (run.run_id, *(_cell(getattr(row, name)) for name in names))
        for run in runs
        for row in getattr(run, table)
    ]


def _cell(value):
    return value if value is None or isinstance(value, str | int) else number(value)


def relabelled(results, **columns):
    """The same results with columns of all three tables replaced."""

    def changed(frame):
        own = {name: value for name, value in columns.items() if name in frame.columns}
        return frame.assign(**own)

    return dataclasses.replace(
        results,
        captured=changed(results.captured),
        accuracy=changed(results.accuracy),
        runs=changed(results.runs),
        scores=changed(results.scores),
        along=changed(results.along),
    )


def at_world(results, **values):
    """The results with a column for each axis, ``__`` in its name for a dot; runs of their own."""
    names = {name.replace("__", "."): value for name, value in values.items()}
    ending = "".join(f"-{value}" for value in names.values())

    def placed(frame):
        table = frame.assign(run_id=frame["run_id"] + ending)
        for name, value in reversed(names.items()):
            table.insert(list(table.columns).index("unique_ratio") + 1, name, value)
        return table

    return dataclasses.replace(
        results,
        captured=placed(results.captured),
        accuracy=placed(results.accuracy),
        runs=placed(results.runs),
        scores=placed(results.scores),
        along=placed(results.along),
        axes=tuple(names),
    )


def joined(*several):
    """Several results as one."""
    return dataclasses.replace(
        several[0],
        captured=pd.concat([one.captured for one in several], ignore_index=True),
        accuracy=pd.concat([one.accuracy for one in several], ignore_index=True),
        runs=pd.concat([one.runs for one in several], ignore_index=True),
        scores=pd.concat([one.scores for one in several], ignore_index=True),
        along=pd.concat([one.along for one in several], ignore_index=True),
    )
