import json
import re

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from synthetic_results import as_results, record, records

from fctestbed.results import (
    ACCURACY_COLUMNS,
    ALONG_COLUMNS,
    CAPTURED_COLUMNS,
    RUN_COLUMNS,
    SCORE_COLUMNS,
    AxisCells,
    ResultsStore,
    export_results,
    export_sweep,
    exported as exported_module,
    load_results,
    write_atomically,
)

TABLES = ("captured", "accuracy", "scores", "along", "runs")


def some_results():
    runs = records(ratios=(0.0, 0.3), methods=("simclr", "raw"), seeds=(0, 1))
    odd = record("untrained", 0.1, 0, status="failed", reason='two\nlines, "quoted"')
    return as_results([*runs, odd], {"seeds": [0, 1], "label": {"bits": 2}})


@pytest.mark.parametrize("compress", [False, True])
def test_csv_reads_back_bit_for_bit(tmp_path, compress):
    results = some_results()
    results.captured.loc[0, "value_bits"] = 0.1 + 0.2
    results.captured.loc[1, ["value_bits", "true_bits"]] = [np.nan, np.inf]
    export_results(results, tmp_path, compress=compress)
    back = load_results(tmp_path)
    for name in TABLES:
        assert_frame_equal(getattr(back, name), getattr(results, name), check_exact=True)
    assert back.sweep_spec == results.sweep_spec


@pytest.mark.parametrize("n_rows_at_once", [1, 7, 1000])
def test_exported_files_are_exported_again_byte_for_byte(tmp_path, monkeypatch, n_rows_at_once):
    monkeypatch.setattr(exported_module, "_CHUNK", n_rows_at_once)
    export_results(some_results(), tmp_path / "once")
    export_sweep(tmp_path / "once", tmp_path / "twice")
    for path in (tmp_path / "once").iterdir():
        assert (tmp_path / "twice" / path.name).read_bytes() == path.read_bytes()


def test_finished_rows_are_those_of_an_estimator_and_a_readout_in_their_order():
    results = some_results()
    rows = results.captured[results.captured["status"] == "ok"]
    for estimator in ("rate", "linear_probe", "none_such"):
        own = rows[rows["estimator"] == estimator]
        assert_frame_equal(results.finished_rows(estimator), own)
        for readout in ("joint", "z1", "none_such"):
            found = results.finished_rows(estimator, readout)
            assert_frame_equal(found, own[own["readout"] == readout])
    found = results.finished_rows("linear_probe", "joint", ["seed", "quantity"])
    assert list(found.columns) == ["seed", "quantity"]
    assert len(found) > 10


@pytest.mark.parametrize("format", ["csv", "json"])
def test_measured_numbers_have_the_digits_that_were_asked_for(tmp_path, format):
    results = some_results()
    results.captured.loc[0, ["value_bits", "unique_ratio"]] = [0.1234567, 0.1234567]
    export_results(results, tmp_path, format, digits=3)
    if format == "csv":
        first = load_results(tmp_path).captured.iloc[0]
    else:
        first = json.loads((tmp_path / "captured.json").read_text())[0]
    assert first["value_bits"] == 0.123
    assert first["unique_ratio"] == 0.1234567


@pytest.mark.parametrize("digits", [0, 18, 2.5, True, "3"])
def test_digits_that_no_number_has_are_refused(tmp_path, digits):
    message = f"digits: expected a whole number from 1 to 17, got {digits!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        export_results(some_results(), tmp_path / "rows", digits=digits)
    assert not (tmp_path / "rows").exists()


def test_exported_files_of_versions_without_rates_scores_and_steps_are_read(tmp_path):
    results = some_results()
    export_results(results, tmp_path)
    for name in ("scores.csv", "along.csv", "SHA256SUMS"):
        (tmp_path / name).unlink()
    old = results.captured.drop(columns="rate_bits")
    old.to_csv(tmp_path / "captured.csv", index=False)
    back = load_results(tmp_path)
    assert back.captured["rate_bits"].isna().all()
    assert_frame_equal(back.captured.drop(columns="rate_bits"), old, check_exact=True)
    for name in ("scores", "along"):
        assert_frame_equal(getattr(back, name), getattr(results, name)[:0], check_exact=True)


AXES = AxisCells(
    axes=("world.observation.noise", "settings.x.on", "train.steps", "train.schedule"),
    cells=(
        # A run that serves two values of two axes, and one that serves one.
        ("raw-0.3-0", (0.1 + 0.2, True, 7, "cosine")),
        ("raw-0.3-0", (0.0, True, 8, "cosine")),
        ("simclr-0.3-0", (0.0, False, 7, "constant")),
        ("untrained-0.3-0", (0.5, False, 7, "constant")),
    ),
)


def some_results_with_axes(directory):
    runs = records(ratios=(0.3,), methods=("simclr", "raw"), seeds=(0,))
    odd = record("untrained", 0.3, 0, status="failed")
    spec = {"axes": {path: [] for path in AXES.axes}}
    with ResultsStore.create_or_open(directory, spec, "digest", AXES) as store:
        store.commit([*runs, odd])
    return load_results(directory)


def test_every_table_has_the_axes_after_the_ratio_and_a_row_for_each_value(tmp_path):
    results = some_results_with_axes(tmp_path)
    assert results.axes == AXES.axes
    keys = ["run_id", "method", "variant", "preset", "unique_ratio", *AXES.axes, "seed"]
    for name in TABLES:
        table = getattr(results, name)
        assert list(table.columns)[: len(keys)] == keys
        assert [str(table[axis].dtype) for axis in AXES.axes] == ["float64", "bool", "int64", "str"]
    of_raw = results.runs[results.runs["method"] == "raw"]
    assert of_raw["world.observation.noise"].tolist() == [0.0, 0.1 + 0.2]
    assert len(results.runs) == 4
    captured = results.captured.groupby(["method", "train.steps"]).size()
    assert captured["raw", 7] == captured["raw", 8] == captured["simclr", 7]
    assert captured["untrained", 7] == 1


@pytest.mark.parametrize("compress", [False, True])
def test_axes_read_back_from_csv_with_their_types(tmp_path, compress):
    results = some_results_with_axes(tmp_path / "store")
    export_results(results, tmp_path / "rows", compress=compress)
    back = load_results(tmp_path / "rows")
    assert back.axes == results.axes
    for name in TABLES:
        assert_frame_equal(getattr(back, name), getattr(results, name), check_exact=True)


def test_axes_are_json_values_in_json(tmp_path):
    export_results(some_results_with_axes(tmp_path / "store"), tmp_path / "rows", "json")
    run = json.loads((tmp_path / "rows" / "runs.json").read_text())[0]
    assert [run[axis] for axis in AXES.axes] == [0.0, True, 8, "cosine"]


def test_tables_of_different_axes_are_refused(tmp_path):
    export_results(some_results_with_axes(tmp_path / "store"), tmp_path)
    runs = load_results(tmp_path).runs
    runs.drop(columns="train.steps").to_csv(tmp_path / "runs.csv", index=False)
    message = "expected the same columns between unique_ratio and seed in captured and runs"
    with pytest.raises(ValueError, match=message):
        load_results(tmp_path)


def test_an_axis_of_numbers_and_names_is_text(tmp_path):
    axes = AxisCells(axes=("a.b",), cells=(("raw-0.3-0", (1,)), ("simclr-0.3-0", ("x",))))
    with ResultsStore.create_or_open(tmp_path, {}, "digest", axes) as store:
        store.commit(records(ratios=(0.3,), methods=("simclr", "raw"), seeds=(0,)))
    assert load_results(tmp_path).runs["a.b"].tolist() == ["1", "x"]


@pytest.mark.parametrize("compress", [False, True])
def test_the_same_results_give_the_same_bytes(tmp_path, compress):
    first = export_results(some_results(), tmp_path / "a", compress=compress)
    second = export_results(some_results(), tmp_path / "b", compress=compress)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_the_order_of_commits_does_not_show(tmp_path):
    runs = records(ratios=(0.0, 0.3), methods=("simclr", "raw"), seeds=(0, 1))
    for name, order in (("a", runs), ("b", runs[::-1])):
        with ResultsStore.create_or_open(tmp_path / name, {}, "digest") as store:
            for run in order:
                store.commit([run])
    first, second = load_results(tmp_path / "a"), load_results(tmp_path / "b")
    for name in TABLES:
        assert_frame_equal(getattr(first, name), getattr(second, name))


def test_tables_have_the_schemas_columns_and_fixed_types(tmp_path):
    with ResultsStore.create_or_open(tmp_path, {}, "digest"):
        pass
    empty, full = load_results(tmp_path), some_results()
    for name, columns in zip(
        TABLES,
        (CAPTURED_COLUMNS, ACCURACY_COLUMNS, SCORE_COLUMNS, ALONG_COLUMNS, RUN_COLUMNS),
        strict=True,
    ):
        assert tuple(getattr(full, name).columns) == columns
        assert len(getattr(empty, name)) == 0
        assert getattr(empty, name).dtypes.equals(getattr(full, name).dtypes)
    assert full.captured["unique_ratio"].dtype == "float64"
    assert full.captured["n_eval"].dtype == "int64"


def test_json_has_records_with_nested_specs_and_null_for_nan(tmp_path):
    results = some_results()
    paths = export_results(results, tmp_path, "json")
    assert [path.name for path in paths] == [
        "captured.json",
        "accuracy.json",
        "scores.json",
        "along.json",
        "runs.json",
        "sweep.json",
        "SHA256SUMS",
    ]
    captured = json.loads((tmp_path / "captured.json").read_text())
    assert len(captured) == len(results.captured)
    assert captured[-1]["value_bits"] is None
    runs = json.loads((tmp_path / "runs.json").read_text())
    assert runs[0]["spec"]["training"]["method"] == "raw"
    assert runs[0]["warnings"] == ["3 dead units in z_u1"]


def test_parquet_without_pyarrow_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="needs pyarrow") as error:
        export_results(some_results(), tmp_path / "out", "parquet")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_parquet_reads_back(tmp_path):
    pytest.importorskip("pyarrow")
    export_results(some_results(), tmp_path, "parquet")
    back = pd.read_parquet(tmp_path / "captured.parquet")
    assert list(back.columns) == list(CAPTURED_COLUMNS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "xml"}, "format: expected one of csv, json, parquet, hf, got 'xml'"),
        ({"format": "json", "compress": True}, "compress: expected format 'csv' with it"),
    ],
)
def test_export_refuses_nonsense(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        export_results(some_results(), tmp_path, **options)


def test_an_interrupted_write_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    target = tmp_path / "captured.csv"
    target.write_text("old")

    def full(source, destination):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fctestbed.results.files.os.replace", full)
    with pytest.raises(ValueError, match=r"captured\.csv: expected a place .* No space left"):
        write_atomically(target, b"new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_directory_without_results_is_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"expected results\.sqlite or captured\.csv"):
        load_results(tmp_path / "nowhere")


def test_two_copies_of_one_table_are_refused(tmp_path):
    export_results(some_results(), tmp_path)
    export_results(some_results(), tmp_path, compress=True)
    with pytest.raises(ValueError, match=r"expected one of .*captured\.csv and captured\.csv\.gz"):
        load_results(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("value_bits", "bits", "got no value_bits"),
        ("0.3,0,", "much,0,", "expected a number in unique_ratio"),
    ],
)
def test_a_damaged_table_is_one_line(tmp_path, old, new, message):
    export_results(some_results(), tmp_path)
    path = tmp_path / "captured.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=message) as error:
        load_results(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b damaged"])
def test_a_file_that_is_no_table_is_one_line(tmp_path, content):
    export_results(some_results(), tmp_path, compress=True)
    (tmp_path / "captured.csv.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"captured\.csv\.gz: expected a table in CSV, got"):
        load_results(tmp_path)


@pytest.mark.parametrize("content", ["{", "[1]"])
def test_a_damaged_sweep_file_is_one_line(tmp_path, content):
    export_results(some_results(), tmp_path)
    (tmp_path / "sweep.json").write_text(content)
    with pytest.raises(ValueError, match=r"sweep\.json: expected (a )?JSON"):
        load_results(tmp_path)


@pytest.mark.parametrize("name", ["captured.csv", "accuracy.csv", "runs.csv", "sweep.json"])
def test_an_exported_file_that_changed_is_refused(tmp_path, name):
    export_results(some_results(), tmp_path)
    path = tmp_path / name
    # Another number, which is as good a number.
    text = path.read_text()
    place = max(text.rfind("2"), text.rfind("1,"))
    path.write_text(f"{text[:place]}3{text[place + 1 :]}")
    with pytest.raises(ValueError, match=rf"{name}: expected the content .* SHA256SUMS, got other"):
        load_results(tmp_path)
    (tmp_path / "SHA256SUMS").unlink()
    load_results(tmp_path)


@pytest.mark.parametrize("compress", [False, True])
def test_an_exported_file_cut_off_anywhere_is_refused_without_checksums_too(tmp_path, compress):
    export_results(some_results(), tmp_path, compress=compress)
    (tmp_path / "SHA256SUMS").unlink()
    path = tmp_path / ("accuracy.csv.gz" if compress else "accuracy.csv")
    whole = path.read_bytes()
    for length in range(1, len(whole), 13):
        if whole[length - 1 : length] == b"\n" and not compress:
            continue
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"accuracy\.csv(\.gz)?: expected ") as error:
            load_results(tmp_path)
        assert "\n" not in str(error.value)


def test_an_exported_file_cut_off_after_a_row_is_refused_by_its_checksum(tmp_path):
    export_results(some_results(), tmp_path)
    path = tmp_path / "accuracy.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(ValueError, match="SHA256SUMS"):
        load_results(tmp_path)


def test_rows_of_other_lengths_are_refused(tmp_path):
    export_results(some_results(), tmp_path)
    path = tmp_path / "accuracy.csv"
    header, *rows = path.read_text().splitlines()
    for ending, message in ((",", "expected 14 values in each row, got 15"), ("", "cut off")):
        lines = [f"{row}{ending}" if ending else row.rpartition(",")[0] for row in rows]
        path.write_text("\n".join([header, *lines, ""]))
        with pytest.raises(ValueError, match=message):
            load_results(tmp_path)


def test_checksums_of_files_of_another_format_stay(tmp_path):
    export_results(some_results(), tmp_path)
    export_results(some_results(), tmp_path, "json")
    lines = (tmp_path / "SHA256SUMS").read_text().splitlines()
    names = [f"{name}.{ending}" for name in TABLES for ending in ("csv", "json")]
    assert sorted(line.split("  ")[1] for line in lines) == sorted([*names, "sweep.json"])


def test_a_checksum_file_that_cannot_be_read_is_one_line(tmp_path):
    export_results(some_results(), tmp_path)
    (tmp_path / "SHA256SUMS").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"SHA256SUMS: expected lines of sha256sum"):
        load_results(tmp_path)


def test_runs_of_machines_that_round_differently_are_noted(tmp_path):
    alike = records(ratios=(0.3,), methods=("raw",), seeds=(0, 1))
    other = record("raw", 0.3, 2, provenance={"threads": 4, "cpu": "Z80"})
    for name, runs in (("alike", alike), ("mixed", [*alike, other])):
        with ResultsStore.create_or_open(tmp_path / name, {}, "digest") as store:
            store.commit(runs)
    assert load_results(tmp_path / "alike").notes == ()
    assert load_results(tmp_path / "mixed").notes == (
        "runs of different numbers of threads, which round differently: 1 (2 runs), 4 (1 runs)",
    )
