"""A sweep's settings: the file that makes it again, and its environment."""

import json
from pathlib import Path

import pytest
from synthetic_results import as_results, at_world, joined, records
from tiny_sweeps import TINY

from fctestbed.reporting.settings import (
    environment_rows,
    grid_rows,
    setting_rows,
    sweep_toml,
)
from fctestbed.sweep import build_sweep, sweep_digest, sweep_spec

SWEEPS = Path(__file__).parents[3] / "sweeps"


@pytest.mark.parametrize("name", ["quick", "audit", "along", "scaling", "official", "quality"])
def test_the_file_of_a_sweep_has_its_runs(name, tmp_path):
    spec = build_sweep(config=SWEEPS / f"{name}.toml", options={})
    stored = json.loads(json.dumps(sweep_digest(spec)[0]))
    path = tmp_path / "sweep.toml"
    path.write_text(sweep_toml(stored), encoding="utf-8")
    again = build_sweep(config=path, options={})
    assert [run.run_id for run in again.runs()] == [run.run_id for run in spec.runs()]
    assert again.grid.cells == spec.grid.cells


def test_strings_and_names_of_a_file_are_quoted(tmp_path):
    values = {**TINY, "variants": {'a "b" \\ c.d': {"departures": ["normalize"]}}}
    spec = sweep_spec({**values, "methods": ["simclr"]})
    path = tmp_path / "sweep.toml"
    path.write_text(sweep_toml(spec.model_dump(mode="json")), encoding="utf-8")
    assert build_sweep(config=path, options={}) == spec


def test_a_sweep_that_is_not_known_has_no_file():
    assert sweep_toml({}) == ""


def test_what_varies_and_the_environment_are_told():
    some = as_results(records((0.0, 1.0), ("simclr", "raw"), (0, 1)))
    results = joined(*(at_world(some, train__steps=n) for n in (5, 10)))
    rows = dict(grid_rows(results))
    assert rows["train.steps"] == "5, 10"
    assert rows["unique ratios"] == "0, 1"
    assert rows["runs"] == "16: 16 ok"
    assert dict(environment_rows(results))["threads"] == "1"


def test_environments_that_differ_have_their_numbers_of_runs():
    results = as_results(records((0.0,), ("raw",), (0, 1, 2)))
    results.runs["provenance"] = ['{"torch": "2.1"}', '{"torch": "2.2"}', '{"torch": "2.2"}']
    assert environment_rows(results) == [("PyTorch", "2.2 (2 runs); 2.1 (1 run)")]


def test_settings_have_dotted_names():
    results = as_results(
        records((0.0,), ("raw",), (0,)), {"train": {"steps": 5, "warmup": None}, "seeds": [0]}
    )
    assert setting_rows(results) == [("train.steps", "5")]
