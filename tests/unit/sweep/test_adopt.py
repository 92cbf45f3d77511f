"""Runs of one sweep copied into the store of another."""

import pandas as pd
import pytest
from tiny_sweeps import tiny_sweep

from fctestbed.results import ResultsStore, StoreRefused, load_results, stored_records
from fctestbed.sweep import adopt_runs, merge, run_sweep

QUIET = {"measurement": {"rate": {"rates": [4.0]}}}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    out = tmp_path_factory.mktemp("source")
    run_sweep(tiny_sweep(**QUIET), out, device="cpu", workers=1, keep_encoders=False)
    return out


def test_records_that_are_read_and_committed_again_are_the_same(source, tmp_path):
    with ResultsStore.open_read(source) as store:
        tables = store.tables()
    records = stored_records(tables, store_ids := [str(run[0]) for run in tables.runs])
    assert [record.run_id for record in records] == store_ids
    with ResultsStore.create_or_open(tmp_path, tables.sweep_spec, "a digest") as store:
        assert store.commit(records) == len(records)
        again = store.tables()
    assert again.runs == tables.runs
    assert {name: sorted(map(repr, rows)) for name, rows in again.values.items()} == {
        name: sorted(map(repr, rows)) for name, rows in tables.values.items()
    }


def test_shared_runs_are_copied_and_the_rest_is_run(source, tmp_path):
    spec = tiny_sweep(unique_ratio=[0.0], methods=["raw", "simclr"], seeds=[0, 1], **QUIET)
    assert adopt_runs(spec, tmp_path, [source]) == 2
    assert adopt_runs(spec, tmp_path, [source]) == 0
    outcome = run_sweep(spec, tmp_path, device="cpu", workers=1, keep_encoders=False)
    assert (outcome.n_runs, outcome.n_new) == (4, 2)
    keys = ["method", "readout", "quantity", "estimator"]
    copied, first = (
        rows[(rows["unique_ratio"] == 0.0) & (rows["seed"] == 0)].sort_values(
            keys, ignore_index=True
        )
        for rows in (load_results(tmp_path).captured, load_results(source).captured)
    )
    pd.testing.assert_frame_equal(copied, first)


def test_runs_of_one_training_are_copied_from_one_store_or_not_at_all(source, tmp_path):
    # SimCLR's training does not depend on the label: it serves all ratios. ``raw`` has none.
    few = tmp_path / "few"
    spec = tiny_sweep(unique_ratio=[0.0, 0.5], **QUIET)
    run_sweep(spec, few, device="cpu", workers=1, keep_encoders=False)
    wanted = tiny_sweep(unique_ratio=[0.0, 0.5, 1.0], **QUIET)
    assert adopt_runs(wanted, tmp_path / "parts", [few, source]) == 3
    copied = load_results(tmp_path / "parts").runs
    assert set(copied["method"]) == {"raw"}
    both = tiny_sweep(unique_ratio=[0.0, 1.0], **QUIET)
    assert adopt_runs(both, tmp_path / "whole", [few, source]) == 4
    seconds = {
        place: load_results(place).runs.query("method == 'simclr' and unique_ratio == 0")["seconds"]
        for place in (few, source, tmp_path / "whole")
    }
    assert [*seconds[tmp_path / "whole"]] == [*seconds[source]]
    assert [*seconds[tmp_path / "whole"]] != [*seconds[few]]


def test_methods_that_share_a_training_are_copied_together(tmp_path):
    stores = {
        "alone": ["factorcl-sup"],
        "together": ["factorcl-sup", "ourcl-sup"],
    }
    for name, methods in stores.items():
        spec = tiny_sweep(unique_ratio=[0.0], methods=methods, train={"steps": 2}, **QUIET)
        run_sweep(spec, tmp_path / name, device="cpu", workers=1, keep_encoders=False)
    sources = [tmp_path / name for name in stores]
    assert adopt_runs(spec, tmp_path / "neither", sources[:1]) == 0
    assert adopt_runs(spec, tmp_path / "both", sources) == 2
    copied, together = (
        load_results(tmp_path / name).runs.sort_values("run_id") for name in ("both", "together")
    )
    assert copied["seconds"].tolist() == together["seconds"].tolist()


def test_nothing_is_made_where_no_run_is_shared(source, tmp_path):
    spec = tiny_sweep(seeds=[7], **QUIET)
    assert adopt_runs(spec, tmp_path / "out", [source]) == 0
    assert not (tmp_path / "out").exists()


def test_a_run_under_another_name_of_its_variant_is_not_copied(source, tmp_path):
    spec = tiny_sweep(variants={"mine": {}}, **QUIET)
    assert adopt_runs(spec, tmp_path / "out", [source]) == 0
    assert not (tmp_path / "out").exists()


def test_a_store_of_another_sweep_is_not_written_to(source, tmp_path):
    other = tiny_sweep(**merge(QUIET, {"measurement": {"n_fit": 100}}))
    run_sweep(other, tmp_path, device="cpu", workers=1, keep_encoders=False)
    with pytest.raises(StoreRefused, match=r"holds another sweep: measurement\.n_fit"):
        adopt_runs(tiny_sweep(**QUIET), tmp_path, [source])
