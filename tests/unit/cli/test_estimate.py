import json

import numpy as np
import pytest

from fctestbed.cli.main import run
from fctestbed.estimators import ESTIMATORS, make_estimator

FIELDS = [
    "estimator", "bound", "value_bits", "low_bits", "high_bits", "ceiling_bits", "n_samples",
    "se_bits", "note", "x_as", "y_as", "given_as",
]  # fmt: skip


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x, noise, z = rng.standard_normal((3, 200))
    np.save("x.npy", x)
    np.savez("data.npz", y=x + noise, z=z + x)
    np.save("bad.npy", np.where(x > 2, np.nan, x))
    np.save("objects.npy", np.array([1, None], dtype=object), allow_pickle=True)
    np.savetxt("labels.csv", (x > 0).astype(int), fmt="%d", header="label", comments="")
    return tmp_path


def answer(capsys, line):
    assert run(["estimate", *line.split(), "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def test_an_estimate_of_files_is_that_of_their_arrays(place, capsys):
    content = answer(capsys, "x.npy data.npz:y --estimator ksg1 --set k=5 --seed 3")
    assert list(content) == [*FIELDS, "seconds"]
    with np.load("data.npz") as data:
        expected = make_estimator("ksg1", k=5, seed=3).estimate(np.load("x.npy"), data["y"])
    assert {key: content[key] for key in FIELDS} == vars(expected)
    assert content["seconds"] >= 0


def test_a_condition_is_a_third_file(place, capsys):
    plain = answer(capsys, "x.npy data.npz:y --estimator gaussian")
    given = answer(capsys, "x.npy data.npz:y --given data.npz:z --estimator gaussian")
    assert given["value_bits"] < plain["value_bits"] - 0.1
    # JSON has no infinity.
    assert given["ceiling_bits"] is None


def test_without_json_every_field_has_a_line(place, capsys):
    assert run(["estimate", "x.npy", "labels.csv", "--estimator", "ross"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*FIELDS[:-1], "seconds"]
    assert lines[FIELDS.index("y_as")] == "y_as           classes (2)"
    assert lines[1].split() == ["bound", "none"]


def test_without_an_interval_the_note_says_why(place, capsys):
    np.save("few.npy", np.random.default_rng(1).standard_normal((2, 60)))
    np.save("a.npy", np.load("few.npy")[0])
    np.save("b.npy", np.load("few.npy")[1])
    content = answer(capsys, "a.npy b.npy --estimator ksg1")
    assert content["low_bits"] is content["high_bits"] is None
    assert content["note"].startswith("60 samples, under 100")
    assert run(["estimate", "a.npy", "b.npy", "--estimator", "ksg1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[FIELDS.index("low_bits")].split() == ["low_bits", "none"]
    assert "60 samples, under 100" in lines[FIELDS.index("note")]
    assert run(["estimate", "x.npy", "data.npz:y", "--estimator", "gaussian"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[FIELDS.index("note")].split() == ["note", "none"]


def test_how_tables_are_written_can_be_said(place, capsys):
    rows = [f"{'äö'[bit]};{bit}" for bit in np.loadtxt("labels.csv", dtype=int, skiprows=1)]
    (place / "t.csv").write_bytes("\n".join(["wörd;b", *rows]).encode("latin-1"))
    options = ["--separator", ";", "--encoding", "latin-1"]
    content = answer(capsys, "t.csv:wörd t.csv:b --estimator plugin " + " ".join(options))
    assert content["value_bits"] == pytest.approx(1, abs=0.01)
    content = answer(capsys, "t.csv:0 t.csv:0 --estimator plugin --no-header " + " ".join(options))
    assert content["n_samples"] == 201


def test_classes_and_amounts_can_be_named(place, capsys):
    np.save("floats.npy", np.digitize(np.load("x.npy"), [-0.5, 0, 0.5]) + 1.0)
    line = "floats.npy labels.csv --estimator usable-linear"
    content = answer(capsys, line)
    assert (content["x_as"], content["y_as"]) == ("amounts", "classes (2)")
    assert content["note"].startswith("x: floats of few values (4)")
    content = answer(capsys, f"{line} --classes x,y")
    assert (content["x_as"], content["note"]) == ("classes (4)", "")
    assert answer(capsys, f"{line} --amounts x")["note"] == ""


def test_a_seed_is_ignored_by_estimators_that_draw_nothing(place, capsys):
    assert answer(capsys, "x.npy data.npz:y --estimator gaussian --seed 5")["n_samples"] == 200


def test_the_list_has_every_estimator_with_its_bound(place, capsys):
    assert run(["estimate", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[n, k.bound] for n, k in ESTIMATORS.items()]
    assert run(["estimate", "--list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["estimator"] for row in rows] == list(ESTIMATORS)
    assert all(row["summary"].endswith(".") for row in rows)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "X: expected a value (or --list), got none"),
        ("x.npy", "Y: expected a value (or --list), got none"),
        ("x.npy x.npy", "--estimator: expected a value (or --list), got none"),
        ("x.npy x.npy --estimator magic", "--estimator: expected one of plugin, "),
        ("none.npy x.npy --estimator ksg1", "X: expected a file that is there, got 'none.npy'"),
        ("x.npy objects.npy --estimator ksg1", "Y: objects.npy: expected an array of numbers or"),
        ("x.npy bad.npy --estimator ksg1", "Y: expected finite numbers, got NaN"),
        ("bad.npy x.npy --estimator ksg1", "X: expected finite numbers, got NaN"),
        ("x.npy data.npz:y --given bad.npy --estimator gaussian", "--given: expected finite numb"),
        ("x.npy data.npz:y --given x.npy --estimator ksg1", "--given: expected none, because ksg"),
        ("x.npy data.npz:y --estimator ksg1 --set k=0", "--set k: expected a whole number of at"),
        ("x.npy data.npz:y --estimator ksg1 --set k=500", "X: expected at least 501 samples, got "),
        ("x.npy data.npz:y --estimator ksg1 --set j=1", "--set j: expected one of k, margins, se"),
        ("x.npy data.npz:y --estimator ksg1 --set k", "--set: expected KEY=VALUE such as k=5, got"),
        ("x.npy data.npz:y --estimator ksg1 --set margins=odd", "--set margins: expected one of u"),
        ("x.npy data.npz:y --estimator ksg1 --classes x", "--classes: expected none, because ksg1"),
        ("x.npy labels.csv --estimator ross --classes z", "--classes: expected some of x, y, giv"),
        ("x.npy labels.csv --estimator ross --amounts x,y", "--amounts: expected one of x, y for"),
        ("x.npy labels.csv --estimator ross --separator ;;", "--separator: expected one characte"),
        ("x.npy labels.csv --estimator ross --encoding latin-0", "--encoding: expected one that"),
        ("x.npy data.npz:y --estimator ksg1 --seed -1", "--seed: expected a whole number from 0"),
    ],
)
def test_what_cannot_be_estimated_is_refused_in_one_line(place, capsys, line, message):
    assert run(["estimate", *line.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"fctestbed: {message}")
