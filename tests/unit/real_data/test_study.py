"""Studies on real data: rows, what is stored, and what is refused."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from real_files import FAST, affect_pickle, affect_tree
from scipy import stats

from fctestbed.objectives import METHODS
from fctestbed.real_data import (
    KNOWN,
    PUBLISHED,
    Multimodal,
    RealSpec,
    load_multimodal,
    published_of,
    real_spec,
    study,
    train_real,
)
from fctestbed.results import StoreRefused


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Multimodal:
    return load_multimodal(affect_pickle(tmp_path_factory.mktemp("data") / "mosi.pkl"))


def spec_of(
    data: Multimodal, *methods: str, seeds: tuple[int, ...] = (0,), **values: Any
) -> RealSpec:
    return real_spec(data, {**FAST, "methods": methods, "seeds": seeds, **values})


def test_rows_and_summary_say_what_a_probe_finds(data: Multimodal) -> None:
    results = train_real(data, spec_of(data, "simclr", "raw", seeds=(0, 1, 2)))
    assert list(results.rows["readout"].unique()) == ["z1", "z2", "joint"]
    joint = results.rows.query("method == 'simclr' and readout == 'joint'")
    own = results.summary.set_index("method").loc["simclr"]
    values = 100 * joint["accuracy"].to_numpy()
    assert own["accuracy_percent"] == pytest.approx(values.mean())
    low, high = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    np.testing.assert_allclose([own["low"], own["high"]], np.clip([low, high], 0, 100))
    assert own["paper_percent"] == 47.8
    assert own["certified_bits"] == joint["certified_bits"].min()
    assert (results.rows["certified_bits"] <= results.rows["entropy_bits"]).all()
    assert (results.rows["usable_low"] <= results.rows["usable_bits"]).all()
    assert results.is_ok
    assert set(results.published["kind"]) == {"paper", "re-run", "stored"}
    # The label is the sign of what every number has added: a probe finds it.
    assert results.rows.query("method == 'raw'")["accuracy"].min() > 0.7


def test_one_training_serves_the_methods_that_share_it(
    data: Multimodal, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []
    train = study.train_method

    def counted(name: str, *arguments: Any, **options: Any) -> Any:
        trained.append(name)
        return train(name, *arguments, **options)

    monkeypatch.setattr(study, "train_method", counted)
    results = train_real(data, spec_of(data, "factorcl-sup", "ourcl-sup"))
    assert trained == ["factorcl-sup"]
    assert set(results.rows.query("method == 'ourcl-sup'")["readout"]) == {"z1", "z2", "joint"}
    both = {"factorcl-sup": {"counting": "sum"}}
    train_real(data, spec_of(data, "factorcl-sup", "ourcl-sup", settings=both))
    assert trained[1:] == ["factorcl-sup", "ourcl-sup"]


def test_a_directory_grows_by_methods_and_seeds_and_keeps_what_it_has(
    data: Multimodal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "runs"
    first = train_real(data, spec_of(data, "simclr"), out=out)
    lines: list[str] = []
    whole = spec_of(data, "simclr", "supcon", seeds=(0, 1))
    grown = train_real(data, whole, out=out, report=lines.append)
    done = [line.partition(":")[0] for line in lines if "accuracy" in line]
    assert done == ["supcon, seed 0", "simclr, seed 1", "supcon, seed 1"]
    pd.testing.assert_frame_equal(
        grown.rows.query("method == 'simclr' and seed == 0").reset_index(drop=True), first.rows
    )
    pd.testing.assert_frame_equal(pd.read_csv(out / "rows.csv"), grown.rows, check_dtype=False)
    # The same runs in one go have the same numbers.
    pd.testing.assert_frame_equal(train_real(data, whole).rows, grown.rows)
    monkeypatch.setattr(study, "train_method", None)
    pd.testing.assert_frame_equal(train_real(data, whole, out=out).rows, grown.rows)


def test_an_interrupted_study_keeps_the_runs_that_are_done(
    data: Multimodal, tmp_path: Path
) -> None:
    def stopping(line: str) -> None:
        if line.startswith("simclr, seed 0"):
            raise KeyboardInterrupt

    spec = spec_of(data, "simclr", "supcon")
    with pytest.raises(KeyboardInterrupt):
        train_real(data, spec, out=tmp_path / "runs", report=stopping)
    assert [path.name for path in (tmp_path / "runs" / "runs").iterdir()] == ["simclr-0.json"]
    lines: list[str] = []
    train_real(data, spec, out=tmp_path / "runs", report=lines.append)
    assert lines[-1].startswith("supcon, seed 0")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"train": {"steps": 4, "batch_size": 16}}, r"settings\.train\.steps: stored 3, asked 4"),
        ({"settings": {"simclr": {"temperature": 0.5}}}, "temperature: stored 0.1, asked 0.5"),
        ({"variant": "official"}, "normalize: stored True, asked False"),
    ],
)
def test_other_settings_in_one_directory_are_refused_by_name(
    data: Multimodal, tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    out = tmp_path / "runs"
    train_real(data, spec_of(data, "simclr"), out=out)
    before = {path: path.read_bytes() for path in out.rglob("*.*")}
    with pytest.raises(ValueError, match=f"out: expected .*{message}"):
        train_real(data, spec_of(data, "simclr", **values), out=out)
    assert {path: path.read_bytes() for path in out.rglob("*.*")} == before


def test_other_data_in_one_directory_are_refused(data: Multimodal, tmp_path: Path) -> None:
    train_real(data, spec_of(data, "raw"), out=tmp_path / "runs")
    other = tmp_path / "mosi.pkl"
    other.write_bytes(pickle.dumps(affect_tree(1)))
    changed = load_multimodal(other)
    with pytest.raises(ValueError, match=r"out: expected the data and settings.*sha256"):
        train_real(changed, spec_of(changed, "raw"), out=tmp_path / "runs")


@pytest.mark.parametrize("damage", ["digest", "text", "shape"])
@pytest.mark.parametrize("file", ["study.json", "runs/raw-0.json"])
def test_a_damaged_file_is_refused(
    data: Multimodal, tmp_path: Path, file: str, damage: str
) -> None:
    out = tmp_path / "runs"
    train_real(data, spec_of(data, "raw"), out=out)
    path = out / file
    text = path.read_text(encoding="utf-8")
    content = json.loads(text)
    content["content"]["more"] = 1
    path.write_text(
        {"digest": json.dumps(content), "text": text[:-20], "shape": "[]"}[damage],
        encoding="utf-8",
    )
    with pytest.raises(StoreRefused, match="damaged"):
        train_real(data, spec_of(data, "raw"), out=out)


def test_a_run_that_diverges_or_fails_has_a_status_and_the_others_go_on(
    data: Multimodal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = study.train_method

    def failing(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "supcon":
            raise RuntimeError("no such thing")
        return train(name, *arguments, **options)

    monkeypatch.setattr(study, "train_method", failing)
    fast = {"train": {"steps": 8, "batch_size": 16, "learning_rate": 1e30}}
    spec = spec_of(data, "simclr", "supcon", "raw", **fast)
    results = train_real(data, spec, out=tmp_path / "runs")
    runs = results.runs.set_index("method")
    assert runs["status"].to_dict() == {"simclr": "diverged", "supcon": "failed", "raw": "ok"}
    assert runs.loc["supcon", "alarms"] == "RuntimeError: no such thing"
    assert not results.is_ok
    assert results.summary.set_index("method")["seeds"].to_dict() == {
        "simclr": 0,
        "supcon": 0,
        "raw": 1,
    }
    # What failed is tried again; what diverged would diverge again.
    stored = {path.name for path in (tmp_path / "runs" / "runs").iterdir()}
    assert stored == {"simclr-0.json", "raw-0.json"}


def test_a_method_of_a_user_s_own_has_a_file_of_its_own(data: Multimodal, tmp_path: Path) -> None:
    method = "users_methods:Mine"
    results = train_real(data, spec_of(data, method), out=tmp_path / "runs")
    assert results.is_ok
    (path,) = (tmp_path / "runs" / "runs").iterdir()
    assert json.loads(path.read_text())["content"]["settings"]["source"]


def test_an_unknown_device_is_refused_before_anything_is_written(
    data: Multimodal, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="device: expected auto"):
        train_real(data, spec_of(data, "raw"), out=tmp_path / "runs", device="tpu")
    assert not (tmp_path / "runs").exists()


def test_reported_numbers_are_of_known_methods_and_data_sets() -> None:
    assert {one.dataset for one in PUBLISHED} == set(KNOWN)
    assert {one.method for one in PUBLISHED} <= set(METHODS)
    assert all(0 < one.percent < 100 and one.source for one in PUBLISHED)
    kinds = [one.kind for one in published_of("mosi", "factorcl-sup")]
    assert kinds == ["paper", "re-run", "stored"]
    assert published_of("mosi", "raw") == []


def test_a_directory_with_other_files_is_refused(data: Multimodal, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("mine")
    with pytest.raises(ValueError, match="out: expected a new directory"):
        train_real(data, spec_of(data, "raw"), out=tmp_path)
    assert (tmp_path / "rows.csv").read_text() == "mine"
