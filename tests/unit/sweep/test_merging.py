"""Stores of several drivers, merged into one."""

import contextlib
import sqlite3
from dataclasses import replace

import pandas as pd
import pytest
from tiny_sweeps import tiny_sweep

from fctestbed.cli.main import run
from fctestbed.results import ResultsStore, StoreRefused, load_results, stored_records
from fctestbed.sweep import merge_sweeps, run_sweep, sweep_digest

QUIET = {"measurement": {"rate": {"rates": [4.0]}}}
# Of one machine and one moment.
OWN = ["seconds", "provenance"]


def swept(out, **values):
    run_sweep(tiny_sweep(**QUIET, **values), out, device="cpu", workers=1)
    return out


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Sweeps of seed 0, of seed 1, and of both."""
    root = tmp_path_factory.mktemp("stores")
    seeds = {"zero": [0], "one": [1], "both": [0, 1]}
    return {name: swept(root / name, seeds=own) for name, own in seeds.items()}


def with_records(out, seeds, records):
    """A store of the tiny sweep with these records."""
    content, digest = sweep_digest(tiny_sweep(seeds=seeds, **QUIET))
    with ResultsStore.create_or_open(out, content, digest) as store:
        store.commit(records)
    return out


def records_of(place):
    with ResultsStore.open_read(place) as store:
        tables = store.tables()
    return stored_records(tables, [str(run[0]) for run in tables.runs])


def content_of(directory):
    return {
        path.relative_to(directory): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_two_drivers_on_disjoint_seeds_are_one_sweep_row_for_row(stores, tmp_path):
    sources = [stores["one"], stores["zero"]]
    before = [content_of(source) for source in sources]
    out = tmp_path / "all"
    merged = merge_sweeps(sources, out)
    assert (merged.n_runs, merged.n_from, merged.notes) == (8, (4, 4), ())
    found, whole = load_results(out), load_results(stores["both"])
    for name in ("captured", "accuracy", "scores", "along"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(whole, name))
    pd.testing.assert_frame_equal(found.runs.drop(columns=OWN), whole.runs.drop(columns=OWN))
    assert found.sweep_spec == whole.sweep_spec
    encoders = content_of(stores["both"] / "encoders")
    assert content_of(out / "encoders") == encoders
    assert merged.n_encoders == len(encoders) == 4
    assert [content_of(source) for source in sources] == before
    assert [path.name for path in tmp_path.iterdir()] == ["all"]


def test_a_merged_sweep_goes_on_and_grows(stores, tmp_path):
    out = tmp_path / "all"
    merge_sweeps([stores["zero"], stores["one"]], out)
    spec = tiny_sweep(seeds=[0, 1], **QUIET)
    assert run_sweep(spec, out, device="cpu", workers=1).n_new == 0
    more = tiny_sweep(seeds=[0, 1], methods=["simclr", "raw", "untrained"], **QUIET)
    outcome = run_sweep(more, out, device="cpu", workers=1)
    assert outcome.n_new == outcome.n_runs - 8 > 0


def test_sweeps_that_differ_in_methods_and_axes_are_merged(stores, tmp_path):
    noisy = {"axes": {"world.observation.noise": [0.1, 0.2]}, "seeds": [0], "methods": ["raw"]}
    other = {"axes": {"world.observation.noise": [0.3]}, "seeds": [0], "methods": ["untrained"]}
    places = [swept(tmp_path / "a", **noisy), swept(tmp_path / "b", **other)]
    merged = merge_sweeps(places, tmp_path / "all")
    found = load_results(tmp_path / "all")
    assert merged.n_runs == found.runs["run_id"].nunique()
    assert set(found.runs["world.observation.noise"]) == {0.1, 0.2, 0.3}
    assert set(found.runs["method"]) == {"raw", "untrained"}


def test_a_run_of_two_stores_with_equal_rows_is_there_once(stores, tmp_path):
    merged = merge_sweeps([stores["zero"], stores["both"]], tmp_path / "all")
    assert (merged.n_runs, merged.n_from) == (8, (4, 4))
    assert merged.notes == ("4 runs were in several stores",)


def test_an_ok_run_goes_before_a_failed_one(stores, tmp_path):
    failed = [
        replace(one, status="failed", reason="no memory", captured=(), accuracy=(), scores=())
        for one in records_of(stores["zero"])
    ]
    place = with_records(tmp_path / "failed", [0], failed)
    for sources in ([place, stores["zero"]], [stores["zero"], place]):
        out = tmp_path / sources[0].name
        out = out.with_name(f"{out.name}-first")
        # Preference is of rows, not of failures.
        merge_sweeps(sources, out, prefer=place)
        assert set(load_results(out).runs["status"]) == {"ok"}


@pytest.fixture
def changed(stores, tmp_path):
    """A store of seed 0 with another value in one row, from another version of torch."""
    first, *rest = records_of(stores["zero"])
    row, *rows = first.captured
    other = replace(
        first,
        captured=(replace(row, value_bits=0.125), *rows),
        provenance={**first.provenance, "torch": "9.9"},
    )
    return with_records(tmp_path / "changed", [0], [other, *rest]), other


def test_one_run_with_different_rows_is_refused_with_what_differs(stores, changed, tmp_path):
    place, record = changed
    row = record.captured[0]
    message = (
        f"changed: run {record.run_id} .* has other rows than in .*zero: "
        f"captured of {row.readout} .*: .* and 0.125; torch: .*zero .*changed '9.9'; --prefer"
    )
    with pytest.raises(StoreRefused, match=message) as refusal:
        merge_sweeps([stores["zero"], place], tmp_path / "all")
    assert "\n" not in str(refusal.value)
    assert [path.name for path in tmp_path.iterdir()] == ["changed"]


def test_the_preferred_store_s_rows_are_taken_alone(stores, changed, tmp_path):
    place, record = changed
    for number, sources in enumerate(([stores["zero"], place], [place, stores["zero"]])):
        out = tmp_path / f"all{number}"
        merge_sweeps(sources, out, prefer=place)
        assert record in records_of(out)
    # Two other stores that differ are refused all the same.
    with pytest.raises(StoreRefused, match="has other rows"):
        merge_sweeps(
            [stores["one"], stores["zero"], place], tmp_path / "none", prefer=stores["one"]
        )


def altered(source, out, *statements):
    """A copy of a store after some statements."""
    out.mkdir()
    with (
        contextlib.closing(sqlite3.connect(source / "results.sqlite")) as before,
        contextlib.closing(sqlite3.connect(out / "results.sqlite")) as after,
    ):
        before.backup(after)
        for statement in statements:
            after.execute(statement)
        after.commit()
    return out


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE captured SET value_bits = 0.5 WHERE rowid = 3", "1 of 4 runs are not as they"),
        ("DELETE FROM scores WHERE rowid = 1", "1 of 4 runs are not as they were stored"),
        ("UPDATE digest SET sha256 = 'x' WHERE run_id = ''", "the description of the sweep is not"),
        ("INSERT INTO digest VALUES ('stray', 'x')", "1 of 4 runs are not as they were stored"),
        ("PRAGMA user_version = 99", "written by a newer fctestbed"),
        ("PRAGMA user_version = 3", "expected a store of this version, got one of an earlier"),
        ("PRAGMA application_id = 5", "not a results store"),
    ],
)
def test_a_store_that_cannot_be_read_is_refused_and_nothing_is_written(
    stores, tmp_path, capsys, statement, message
):
    bad = altered(stores["one"], tmp_path / "bad", statement)
    command = ["merge", str(stores["zero"]), str(bad), "--out", str(tmp_path / "all")]
    assert run(command) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert [path.name for path in tmp_path.iterdir()] == ["bad"]


def test_a_damaged_encoder_file_is_refused(stores, tmp_path):
    bad = altered(stores["one"], tmp_path / "bad")
    (bad / "encoders").mkdir()
    for path in (stores["one"] / "encoders").iterdir():
        (bad / "encoders" / path.name).write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(StoreRefused, match=r"safetensors: expected"):
        merge_sweeps([stores["zero"], bad], tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_missing_encoder_files_are_said(stores, tmp_path):
    merged = merge_sweeps(
        [stores["zero"], altered(stores["one"], tmp_path / "bare")], tmp_path / "all"
    )
    assert merged.n_encoders == 2
    assert merged.notes == ("2 encoder files that runs name are missing in their stores",)


def test_another_sweep_is_refused_with_the_difference(stores, tmp_path):
    longer = swept(tmp_path / "longer", methods=["raw"], world={"n_train": 512})
    with pytest.raises(StoreRefused, match=r"longer: cannot be merged .*n_train: stored 256"):
        merge_sweeps([stores["zero"], longer], tmp_path / "all")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{zero}"], "expected two or more different directories, got"),
        (["{zero}", "{zero}/."], "expected two or more different directories, got"),
        (["{zero}", "{tmp}/none"], r"expected a sweep's directory, with its results.sqlite, got"),
        (["{zero}", "{one}", "--prefer", "{both}"], "--prefer: expected one of"),
        (["{zero}", "{one}", "--out", "{both}"], "--out: expected a directory that does not exist"),
        (["{zero}", "{one}", "--out", "/proc/x"], "--out: expected a directory that can be"),
    ],
)
def test_bad_input_is_one_line(stores, tmp_path, capsys, arguments, message):
    asked = [one.format(**stores, tmp=tmp_path) for one in arguments]
    out = [] if "--out" in asked else ["--out", str(tmp_path / "all")]
    assert run(["merge", *asked, *out]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not list(tmp_path.iterdir())
