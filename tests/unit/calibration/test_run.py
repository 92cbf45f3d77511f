"""Repeated estimates on laws: what a row is, and what it may depend on."""

import gzip
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import unordered

from fctestbed.calibration import (
    CALIBRATION_COLUMNS,
    calibrate,
    merged,
    read_calibration,
    run as run_module,
    tolerance_bits,
)
from fctestbed.estimators import Estimate, Estimator, make_estimator
from fctestbed.laws import LAWS, BitChannel, GaussianCommonCause, GaussianPair, Xor

BSC, XOR, NORMAL = BitChannel("symmetric", 0.1, 1), Xor(), GaussianPair((0.5,))
GIVEN = GaussianCommonCause(0.8)
PLUGIN, GAUSSIAN = make_estimator("plugin"), make_estimator("gaussian")


@dataclass(frozen=True)
class Stubborn(Estimator):
    """Reads the first sample, refuses some repetitions, and waits."""

    name: ClassVar[str] = "stubborn"
    bound: ClassVar[str] = "lower"
    refuses_below: float = 0.0
    seconds: float = 0.0

    def estimate(self, x, y, given=None):
        import time

        time.sleep(self.seconds)
        value = float(np.ravel(x)[0])
        if value < self.refuses_below:
            raise ValueError(f"x: expected more,\ngot {value}")
        return Estimate(
            estimator=self.name, bound="lower", value_bits=value, low_bits=value - 1,
            high_bits=value + 1, ceiling_bits=9.0, n_samples=len(x),
        )  # fmt: skip


def test_each_row_is_an_estimate_of_that_repetitions_samples():
    rows = calibrate({"plugin": PLUGIN}, laws=[BSC], n=(60,), repetitions=3, cell_seconds=60)
    assert tuple(rows.columns) == CALIBRATION_COLUMNS
    assert list(rows["repetition"]) == [0, 1, 2]
    for repetition, row in enumerate(rows.itertuples()):
        rng = np.random.default_rng([0, 60, repetition, *BSC.name.encode()])
        expected = PLUGIN.estimate(*BSC.sample(60, rng))
        assert row.value_bits == expected.value_bits
        assert (row.low_bits, row.high_bits) == (expected.low_bits, expected.high_bits)
        assert row.se_bits == expected.se_bits
        assert (row.bound, row.target, row.refusal) == ("none", "information", "")
        assert row.true_bits == BSC.true_bits
        assert np.isnan(row.tolerance_bits)
    assert rows["value_bits"].nunique() == 3


def test_rows_do_not_depend_on_workers_nor_on_the_grid_around_them(monkeypatch):
    both = {"plugin": PLUGIN, "gaussian": GAUSSIAN}
    options = {"n": (50, 80), "repetitions": 3, "cell_seconds": 60.0}
    alone = calibrate(both, laws=[BSC, NORMAL, GIVEN], workers=1, **options)
    # Processes are those of sweeps, and are tested there.
    with monkeypatch.context() as patched:
        patched.setattr(run_module, "results_as_completed", unordered.results_as_completed)
        pool = calibrate(both, laws=[BSC, NORMAL, GIVEN], workers=2, **options)
    drop = ["seconds"]
    pd.testing.assert_frame_equal(alone.drop(columns=drop), pool.drop(columns=drop))
    part = calibrate({"gaussian": GAUSSIAN}, laws=[NORMAL], **options)
    same = alone[(alone["case"] == NORMAL.name) & (alone["estimator"] == "gaussian")]
    pd.testing.assert_frame_equal(
        part.drop(columns=drop), same.drop(columns=drop).reset_index(drop=True)
    )
    other = calibrate({"gaussian": GAUSSIAN}, laws=[NORMAL], seed=1, **options)
    assert not np.isin(other["value_bits"], part["value_bits"]).any()


def test_estimators_are_asked_what_they_are_made_for():
    rows = calibrate(
        {"plugin": PLUGIN, "gaussian": GAUSSIAN, "ksg1": make_estimator("ksg1")},
        laws=[BSC, XOR, NORMAL, GIVEN],
        n=(50,),
        repetitions=1,
    )
    asked = set(zip(rows["estimator"], rows["case"], strict=True))
    assert asked == {
        ("plugin", BSC.name),
        ("plugin", XOR.name),
        ("gaussian", NORMAL.name),
        ("gaussian", GIVEN.name),
        ("ksg1", NORMAL.name),
    }
    exact = rows[rows["estimator"] == "gaussian"].set_index("case")["tolerance_bits"]
    assert exact[NORMAL.name] == tolerance_bits(NORMAL, "gaussian", 50)


def test_a_refused_cell_is_one_row_with_the_message_of_the_refusal():
    rows = calibrate({"ksg1": make_estimator("ksg1", k=60)}, laws=[NORMAL], n=(50,), repetitions=5)
    (row,) = rows.itertuples()
    assert row.refusal == "x: expected at least 61 samples, got 50"
    assert np.isnan(row.value_bits)
    assert row.bound == "none"


def test_a_repetition_that_is_refused_does_not_end_the_others():
    # Found by trying seeds: the first of these samples is above -1, some later one is not.
    rows = calibrate(
        {"mine": Stubborn(refuses_below=-0.3)}, laws=[NORMAL], n=(5,), repetitions=30, seed=2
    )
    refused = rows["refusal"] != ""
    assert 0 < refused.sum() < 30
    assert len(rows) == 30
    assert rows.loc[refused, "value_bits"].isna().all()
    assert (rows.loc[refused, "refusal"].str.startswith("x: expected more, got -")).all()
    assert (rows["estimator"] == "mine").all()


def test_a_cell_has_three_repetitions_whatever_the_time_and_no_more_after_it():
    slow = Stubborn(refuses_below=-9.0, seconds=0.02)
    rows = calibrate({"slow": slow}, laws=[NORMAL], n=(5,), repetitions=50, cell_seconds=0.0)
    assert len(rows) == 3
    assert (rows["seconds"] >= 0.02).all()


def test_progress_is_told_cell_by_cell():
    told = []
    calibrate(
        {"plugin": PLUGIN},
        laws=[BSC, XOR],
        n=(50,),
        repetitions=1,
        report=lambda *numbers: told.append(numbers),
    )
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n": ()}, "n: expected at least one, got none"),
        ({"n": (50, 0)}, "n: expected at least 1, got 0"),
        ({"repetitions": 0}, "repetitions: expected at least 1, got 0"),
        ({"workers": 0}, "workers: expected at least 1, got 0"),
        ({"cell_seconds": -1.0}, r"cell_seconds: expected at least 0, got -1\.0"),
        ({"seed": -1}, "seed: expected at least 0, got -1"),
        ({"estimators": {}}, "estimators: expected at least one, got none"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        calibrate(**{"estimators": {"plugin": PLUGIN}, "laws": [BSC], **settings})


def test_rows_come_back_from_their_file(tmp_path):
    rows = calibrate(
        {"plugin": PLUGIN, "ksg1": make_estimator("ksg1", k=60)},
        laws=[BSC, NORMAL],
        n=(50,),
        repetitions=2,
    )
    text = rows.to_csv(index=False)
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "rows.csv").write_text(text)
    for name in ("rows.csv", "rows.csv.gz"):
        pd.testing.assert_frame_equal(read_calibration(tmp_path / name), rows)


def test_cells_are_kept_as_they_come_and_not_asked_again(tmp_path):
    asked = {"laws": [BSC, XOR], "n": (50, 60), "repetitions": 2, "parts": tmp_path / "parts"}
    whole = calibrate({"plugin": PLUGIN}, **(asked | {"parts": None}))
    first = calibrate({"plugin": PLUGIN}, **(asked | {"n": (50,)}))
    kept = sorted((tmp_path / "parts").iterdir())
    assert len(kept) == 2
    # Told apart from a new answer.
    marked = first.assign(seconds=-1.0)
    for case, own in marked.groupby("case"):
        path = next(path for path in kept if case in path.read_text())
        own.to_csv(path, index=False)
    told = []
    both = calibrate(
        {"plugin": PLUGIN}, **asked, report=lambda *numbers: told.append(numbers), workers=1
    )
    assert told == [(3, 4), (4, 4)]
    pd.testing.assert_frame_equal(both.drop(columns="seconds"), whole.drop(columns="seconds"))
    assert (both["seconds"] == -1.0).to_list() == (both["n"] == 50).to_list()
    # Other settings of anything are other cells.
    for change in ({"seed": 1}, {"repetitions": 3}, {"cell_seconds": 9.0}):
        calibrate({"plugin": PLUGIN}, **(asked | {"n": (50,)} | change))
    calibrate({"plugin": make_estimator("miller-madow")}, **(asked | {"n": (50,)}))
    assert len(list((tmp_path / "parts").iterdir())) == 4 + 4 * 2


def test_parts_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="file/parts"):
        calibrate({"plugin": PLUGIN}, laws=[BSC], repetitions=1, parts=tmp_path / "file" / "parts")


def test_files_that_are_no_calibration_are_refused(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "text.csv").write_text(",".join(CALIBRATION_COLUMNS) + "\n" + "x," * 16 + "x\n")
    (tmp_path / "bytes.csv.gz").write_bytes(b"no gzip")
    for name, reason in (
        ("none.csv", "No such file"),
        ("other.csv", "no column case"),
        ("text.csv", "Unable to parse"),
        ("bytes.csv.gz", "Not a gzipped file"),
    ):
        with pytest.raises(ValueError, match=f"{name}: expected rows of a calibration.*{reason}"):
            read_calibration(tmp_path / name)


def test_new_rows_replace_those_of_the_same_cells_and_keep_the_others():
    old = calibrate({"plugin": PLUGIN}, laws=[LAWS[1], XOR], n=(50,), repetitions=2)
    new = calibrate(
        {"plugin": PLUGIN, "miller-madow": make_estimator("miller-madow")},
        laws=[LAWS[1]],
        n=(50, 60),
        repetitions=1,
        seed=1,
    )
    both = merged(old, new)
    found = list(zip(both["n"], both["case"], both["estimator"], both["repetition"], strict=True))
    bsc = LAWS[1].name
    assert found == [
        (50, bsc, "plugin", 0),
        (50, bsc, "miller-madow", 0),
        (50, XOR.name, "plugin", 0),
        (50, XOR.name, "plugin", 1),
        (60, bsc, "plugin", 0),
        (60, bsc, "miller-madow", 0),
    ]
    assert both["value_bits"].iloc[0] == new["value_bits"].iloc[0]
    pd.testing.assert_frame_equal(merged(old, old), merged(both.iloc[:0], old))
