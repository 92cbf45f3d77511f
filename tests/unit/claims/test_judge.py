"""A tiny docket from files to verdicts: what is run, what is shared, what is written."""

import sqlite3

import numpy as np
import pandas as pd
import pytest
from claim_files import write_claim

import fctestbed
from fctestbed.claims import decide, docket_plan, evidence as evidence_module, judge
from fctestbed.claims.cells import claim_cells
from fctestbed.claims.docket import read_claim
from fctestbed.claims.evidence import store_place
from fctestbed.results import STORE_NAME, StoreRefused, load_results

# What the inputs hold varies little between seeds, so that the verdicts are clear.
OF_INPUTS = (('left = "simclr"', 'left = "raw"'),)
SECOND = (
    *OF_INPUTS,
    ('id = "tiny"', 'id = "second"'),
    ('right = { truth = "total_bits" }', "right = 0.1"),
    ('unique_ratio = "0,1"', 'unique_ratio = "0,0.5,1"'),
)


def go(docket, out, **how):
    options = {"device": "cpu", "workers": 1, "formats": ["svg"], "optima": False, **how}
    return judge(docket, out, **options)


@pytest.fixture(scope="module")
def docket(tmp_path_factory):
    directory = tmp_path_factory.mktemp("docket")
    write_claim(directory / "tiny.toml", *OF_INPUTS)
    write_claim(directory / "second.toml", *SECOND)
    return directory


@pytest.fixture(scope="module")
def judged(docket, tmp_path_factory):
    out = tmp_path_factory.mktemp("judged")
    return out, go(docket, out)


def tree(directory):
    return {
        path: path.stat().st_mtime_ns
        for path in directory.rglob("*")
        if path.suffix not in {".sqlite-wal", ".sqlite-shm"}
    }


def test_each_claim_has_a_verdict_as_stated_and_with_each_assumption_broken(judged):
    verdicts = judged[1].verdicts
    found = list(zip(verdicts["claim"], verdicts["broken"], verdicts["verdict"], strict=True))
    assert found == [
        ("second", "", "fails"),
        ("second", "long training", "fails"),
        ("tiny", "", "holds"),
        ("tiny", "long training", "holds"),
    ]
    assert set(verdicts["evidence"]) == {"trained"}
    assert set(verdicts["n_seeds"]) == {3}
    assert verdicts["n_cells"].tolist() == [4, 4, 3, 3]
    assert verdicts["seeds_to_decide"].isna().all()


def test_cells_are_what_the_statistics_say_of_the_stored_rows(docket, judged):
    out, judgement = judged
    claim = read_claim(docket / "tiny.toml")
    cells = claim_cells(claim, load_results(store_place(claim.sweep_spec(), out)))
    decision = decide(cells.differences, cells.region)
    rows = judgement.cells
    rows = rows[(rows["claim"] == "tiny") & (rows["broken"] == "")]
    assert rows["difference_bits"].to_numpy() == pytest.approx(decision.summary.mean)
    assert rows["own_high_bits"].to_numpy() == pytest.approx(decision.own_high)
    assert rows["low_bits"].to_numpy() == pytest.approx(decision.low)
    assert rows["verdict"].tolist() == [str(verdict) for verdict in decision.cell_verdicts]


def test_the_files_hold_the_tables(judged):
    out, judgement = judged
    names = {path.name for path in judgement.paths}
    assert names == {"verdicts.csv", "docket.svg", "docket.csv", "docket.md"}
    verdicts = pd.read_csv(out / "verdicts.csv", keep_default_na=False)
    assert verdicts["verdict"].tolist() == judgement.verdicts["verdict"].tolist()
    cells = pd.read_csv(out / "docket.csv")
    assert np.allclose(cells["difference_bits"], judgement.cells["difference_bits"])
    assert "| tiny | a test |  | holds | 3 of 3 | 3 |  |  |" in (out / "docket.md").read_text()


def test_runs_of_another_claim_are_copied_and_nothing_is_done_twice(docket, judged, monkeypatch):
    out, judgement = judged
    specs = {name: read_claim(docket / f"{name}.toml").sweep_spec() for name in ("tiny", "second")}
    shared = set(specs["tiny"].grid.runs) & set(specs["second"].grid.runs)
    assert len(shared) == 12
    tables = [load_results(store_place(spec, out)) for spec in specs.values()]
    seconds = [
        one.runs[one.runs["run_id"].isin(shared)].sort_values("run_id")["seconds"].tolist()
        for one in tables
    ]
    assert seconds[0] == seconds[1]
    outcomes = []
    run_sweep = evidence_module.run_sweep
    monkeypatch.setattr(
        evidence_module,
        "run_sweep",
        lambda *a, **how: outcomes.append(run_sweep(*a, **how)) or outcomes[-1],
    )
    again = go(docket, out)
    pd.testing.assert_frame_equal(again.verdicts, judgement.verdicts)
    assert [outcome.n_new for outcome in outcomes] == [0, 0, 0, 0]


def test_one_claim_alone_runs_its_own_sweeps(docket, tmp_path):
    plan = docket_plan(docket, tmp_path / "out", claims=["tiny"], device="cpu", workers=1)
    assert plan[-1] == "2 verdicts from 2 sweeps of 18 runs in all"
    assert "  for tiny, without: long training" in plan
    assert not (tmp_path / "out").exists()


def test_runs_of_a_sweep_that_was_done_before_are_copied(docket, judged, tmp_path, monkeypatch):
    claim = read_claim(docket / "tiny.toml")
    source = store_place(claim.sweep_spec(), judged[0])
    outcomes = []
    run_sweep = evidence_module.run_sweep
    monkeypatch.setattr(
        evidence_module,
        "run_sweep",
        lambda *a, **how: outcomes.append(run_sweep(*a, **how)) or outcomes[-1],
    )
    found = go(docket, tmp_path, claims=["tiny"], sources=[source])
    assert [outcome.n_new for outcome in outcomes] == [0, 6]
    assert found.verdicts["verdict"].tolist() == ["holds", "holds"]
    with pytest.raises(StoreRefused, match="none"):
        go(docket, tmp_path / "other", sources=[tmp_path / "none"])
    monkeypatch.setattr(evidence_module, "__version__", "9.9.9")
    with pytest.raises(ValueError, match=r"sources: expected rows of version 9.9.9"):
        go(docket, tmp_path / "other", sources=[source])
    assert not (tmp_path / "other").exists()


def test_an_undecided_claim_says_how_many_seeds_would_decide(tmp_path):
    change = ('relation = "<="\nright = { truth = "total_bits" }', 'relation = "<"\nright = "raw"')
    path = write_claim(tmp_path / "tiny.toml", change)
    verdicts = fctestbed.judge(
        path, tmp_path / "out", device="cpu", workers=1, formats=["svg"], optima=False
    ).verdicts
    assert verdicts["verdict"][0] == "not decided"
    assert verdicts["seeds_to_decide"][0] > 3


def test_rows_of_another_version_are_refused_and_nothing_is_written(docket, judged, monkeypatch):
    out, _ = judged
    before = tree(out)
    monkeypatch.setattr(evidence_module, "__version__", "9.9.9")
    with pytest.raises(ValueError, match=r"out: expected rows of version 9.9.9, got those of vers"):
        go(docket, out)
    assert tree(out) == before


def test_a_damaged_store_is_refused_before_anything_is_run(docket, judged, tmp_path):
    claim = read_claim(docket / "tiny.toml")
    out = tmp_path / "out"
    place = store_place(claim.sweep_spec(), out)
    place.mkdir(parents=True)
    (place / STORE_NAME).write_bytes(
        (store_place(claim.sweep_spec(), judged[0]) / STORE_NAME).read_bytes()
    )
    with sqlite3.connect(place / STORE_NAME) as connection:
        connection.execute("UPDATE captured SET value_bits = value_bits + 1")
    connection.close()
    before = tree(out)
    with pytest.raises(StoreRefused, match="damaged"):
        go(docket, out)
    assert tree(out) == before


def test_what_cannot_be_judged_is_refused(docket, tmp_path):
    with pytest.raises(ValueError, match="formats: expected"):
        judge(docket, tmp_path / "out", formats=["gif"])
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="out: expected"):
        judge(docket, tmp_path / "file")
    with pytest.raises(ValueError, match="device: expected"):
        judge(docket, tmp_path / "out", device="tpu")
    assert not (tmp_path / "out").exists()


def test_each_condition_has_a_verdict_at_the_optimum_beside_that_of_trained_networks(tmp_path):
    changes = (
        ("[[predictions]]", "[optimum]\nunique_ratio = 1\nstarts = 2\n\n[[predictions]]"),
        ('{ method = "raw", estimator = "linear_probe", unique_ratio = 1.0 }', '"simclr"'),
        ('{ method = "simclr", estimator = "linear_probe", unique_ratio = 0.0 }', '"raw"'),
    )
    path, lines = write_claim(tmp_path / "tiny.toml", *changes), []
    out = tmp_path / "out"
    found = go(path, out, optima=True, report=lines.append)
    assert lines == ["optimum: tiny", "optimum: tiny, without: long training"]
    rows = found.verdicts[["broken", "evidence", "verdict", "reason"]].to_numpy().tolist()
    assert [row[:2] for row in rows] == [
        ["", "trained"],
        ["", "optimum"],
        ["long training", "trained"],
        ["long training", "optimum"],
    ]
    assert rows[1][2:] == ["not decided", "raw has no exact objective"]
    assert rows[3][2:] == ["none", "the assumption is about the training"]
    at_optimum = found.cells[found.cells["evidence"] == "optimum"]
    assert at_optimum["verdict"].tolist() == ["holds"]
    assert pd.read_csv(out / "docket.csv")["evidence"].value_counts()["optimum"] == 1
    table = (out / "docket.md").read_text()
    assert "| not decided, 1 of 1: raw has no exact objective |" in table
    assert "| none: the assumption is about the training |" in table
