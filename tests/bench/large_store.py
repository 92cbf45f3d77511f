"""A store of any number of runs with rows of a realistic shape, from formulas: nothing is trained.

PYTHONPATH=tests/unit python tests/bench/large_store.py DIRECTORY --seeds 505 --rows 200

Eleven ratios and nine methods: 505 seeds are 49,995 runs, and with 200 rows each 10 million rows.
The first seeds' runs are committed unit by unit, as a driver does, and their rate is printed; the
runs of all other seeds have copies of their rows.
"""

import argparse
import dataclasses
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from synthetic_results import RATES, record

from fctestbed.results import ResultsStore, RunRecord, to_json
from fctestbed.results.digests import PUT_DIGEST, RunDigest
from fctestbed.results.schema import RUN_COLUMNS, VALUE_TABLES
from fctestbed.results.store import STORE_NAME
from fctestbed.sweep import RunSpec, SweepSpec, make_plan, sweep_digest, sweep_spec

_STACK = 6
_OWN_SEEDS = 5


def sweep_of(n_seeds: int) -> SweepSpec:
    """The default grid with so many seeds."""
    return sweep_spec({"seeds": list(range(n_seeds))})


def records(spec: SweepSpec, n_rows: int) -> Iterator[list[RunRecord]]:
    """The records of the units of a sweep, each run with at most so many captured rows."""
    templates: dict[tuple[str, float], RunRecord] = {}
    for unit in make_plan(spec, max_stack=_STACK).units:
        yield [_record(run, templates, n_rows) for job in unit.jobs for run in job.runs]


def _record(run: RunSpec, templates: dict[tuple[str, float], RunRecord], n_rows: int) -> RunRecord:
    key = run.training.method, run.unique_ratio
    if key not in templates:
        templates[key] = record(*key, 0, rates=RATES)
    template = templates[key]
    rng = np.random.default_rng(run.training.seed)
    noise = 0.02 * rng.standard_normal(len(template.captured))
    captured = tuple(
        dataclasses.replace(row, value_bits=row.value_bits + shift)
        for row, shift in zip(_spread(template.captured, n_rows), noise.tolist(), strict=False)
    )
    return dataclasses.replace(
        template,
        run_id=run.run_id,
        seed=run.training.seed,
        spec=run.model_dump(mode="json"),
        captured=captured,
    )


def _spread(rows: tuple, n_rows: int) -> tuple:
    """At most so many rows, of the joint readout first."""
    joint = [row for row in rows if row.readout == "joint"]
    return (*joint, *(row for row in rows if row.readout != "joint"))[:n_rows]


def fill(directory: Path, n_seeds: int, n_rows: int) -> tuple[int, float]:
    """Store a sweep's runs; the number of those that were committed, and the seconds of commits."""
    spec, own = sweep_of(n_seeds), sweep_of(min(n_seeds, _OWN_SEEDS))
    content, digest = sweep_digest(spec)
    n_runs, seconds = 0, 0.0
    with ResultsStore.create_or_open(directory, content, digest) as store:
        for done in records(own, n_rows):
            started = time.perf_counter()
            n_runs += store.commit(done)
            seconds += time.perf_counter() - started
    with closing(sqlite3.connect(directory / STORE_NAME, isolation_level=None)) as connection:
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -2000000"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN")
        _copy_rows(connection, spec, own)
        connection.execute("COMMIT")
    return n_runs, seconds


def _copy_rows(connection: sqlite3.Connection, spec: SweepSpec, own: SweepSpec) -> None:
    """Give every run that is not stored the rows of a stored one of its method and ratio."""
    sources = {_cell(run, run.training.seed): run.run_id for run in own.runs()}
    columns = ", ".join(RUN_COLUMNS)
    runs = {
        row[0]: dict(zip(RUN_COLUMNS, row, strict=True))
        for row in connection.execute(f"SELECT {columns} FROM run")
    }
    digests: dict[str, dict[str, Any]] = {}
    for run in spec.runs():
        if run.run_id in runs:
            continue
        source = sources[_cell(run, run.training.seed % _OWN_SEEDS)]
        row = {**runs[source], "run_id": run.run_id, "seed": run.training.seed}
        row["spec"] = to_json(run.model_dump(mode="json"))
        connection.execute(
            f"INSERT INTO run ({columns}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
        )
        if source not in digests:
            digests[source] = _digests(connection, source)
        digest = RunDigest(tuple(row.values()), digests[source])
        # The digest of rows does not hold the run's id.
        digest._tables = digests[source]
        connection.execute(PUT_DIGEST, (run.run_id, digest.sha256))
        for table in VALUE_TABLES:
            names = ", ".join(table.values)
            connection.execute(
                f"INSERT INTO {table.name} (run_id, {names}) SELECT ?, {names} FROM {table.name} "
                "WHERE run_id = ? ORDER BY rowid",
                (run.run_id, source),
            )


def _cell(run: RunSpec, seed: int) -> tuple[str, float, int]:
    return run.training.method, run.unique_ratio, seed


def _digests(connection: sqlite3.Connection, run_id: str) -> dict[str, Any]:
    """The digests of a stored run's rows, by table."""
    digest = RunDigest((), [table.name for table in VALUE_TABLES])
    for table in VALUE_TABLES:
        rows = connection.execute(
            f"SELECT {', '.join(table.values)} FROM {table.name} WHERE run_id = ? ORDER BY rowid",
            (run_id,),
        )
        digest.add(table.name, rows.fetchall())
    return digest._tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seeds", type=int, default=505)
    parser.add_argument("--rows", type=int, default=200)
    asked = parser.parse_args()
    n_runs, seconds = fill(asked.directory, asked.seeds, asked.rows)
    print(
        f"{n_runs} runs committed in {seconds:.1f} s: {n_runs / seconds:.0f} runs a second, "
        f"{n_runs * asked.rows / seconds:.0f} rows a second"
    )


if __name__ == "__main__":
    main()
