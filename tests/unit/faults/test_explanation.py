"""Explanations: levels, steps, culprits, files, and the command."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fctestbed._toml import parse_toml
from fctestbed.faults import all_steps, culprit, explain, steps_of
from fctestbed.plotting.figures import draw_overview, draw_waterfall

FAULTS = Path(__file__).parents[3] / "sweeps" / "faults.toml"
_NAMES = ("truth", "objective", "batch", "samples", "network", "run", "reader")
TINY: dict[str, Any] = {
    "unique_ratio": [0.5],
    "seeds": [0, 1],
    "world": {
        "latents": {"n_shared": 2, "n_unique1": 1, "n_unique2": 1},
        "observation": {"kind": "mlp", "dim1": 6, "dim2": 6, "hidden_dim": 8},
        "n_train": 256,
        "n_test": 64,
    },
    "nets": {"encoder_hidden": [8], "embed_dim": 4, "head_hidden": [8], "head_dim": 4},
    "train": {"steps": 4, "batch_size": 64},
}


def _rows(levels: dict[str, list[float]], converged: bool = True) -> pd.DataFrame:
    names = ["truth", "objective", "batch", "samples", "network", "run", "reader"]
    return pd.DataFrame(
        [
            {
                "method": "simclr",
                "unique_ratio": 0.5,
                "seed": seed,
                "level": names.index(name),
                "name": name,
                "label_bits": value,
                "lowest_label_bits": value - 0.1,
                "highest_label_bits": value,
                "lowest_whitened_bits": value - 0.3,
                "highest_whitened_bits": value,
                "rate_bits": 4.0,
                "converged": None if name in ("truth", "reader") else converged,
                "criterion": "",
                "note": "",
            }
            for name, values in levels.items()
            for seed, value in enumerate(values)
        ]
    )


def test_the_culprit_is_the_first_large_drop() -> None:
    rows = _rows({"truth": [2, 2, 2], "objective": [1.95] * 3, "run": [1.0, 1.1, 0.9]})
    assert culprit(rows) == "run"
    first, second = steps_of(rows)
    assert (first.name, second.name) == ("objective", "run")
    assert first.lost_bits == pytest.approx(0.05)
    assert first.half_width == pytest.approx(0.0)
    # Student's t with two degrees of freedom.
    assert second.half_width == pytest.approx(4.302653 * 0.1 / math.sqrt(3))


def test_a_drop_within_its_interval_is_no_culprit() -> None:
    assert culprit(_rows({"truth": [2, 2], "run": [1.0, 2.4]})) is None
    assert culprit(_rows({"truth": [2.0], "run": [1.0]})) == "run"


def test_a_drop_that_the_run_regains_is_no_culprit() -> None:
    rows = _rows(
        {"truth": [2, 2, 2], "objective": [1.0] * 3, "network": [1.8] * 3, "run": [1.95] * 3}
    )
    assert culprit(rows) is None
    first, second, last = steps_of(rows)
    assert (first.lost_bits, first.kept_bits) == pytest.approx((1.0, 0.05))
    assert (second.kept_bits, last.kept_bits) == pytest.approx((-0.95, -0.15))
    # What the reader loses comes after the run.
    assert culprit(_rows({"truth": [2, 2], "run": [2.0, 2.0], "reader": [1.0, 1.0]})) == "reader"


def test_a_level_that_does_not_exist_is_passed_over() -> None:
    rows = _rows({"truth": [2, 2], "objective": [math.nan] * 2, "batch": [1.0, 1.0]})
    assert [step.name for step in steps_of(rows)] == ["batch"]


def test_networks_that_start_from_the_best_code_are_no_step() -> None:
    rows = _rows({"truth": [2, 2], "network": [1.0, 1.0], "run": [1.0, 1.0]})
    extra = rows[rows["name"] == "network"].assign(name="continued", label_bits=2.0)
    rows = pd.concat([rows, extra], ignore_index=True)
    assert [step.name for step in steps_of(rows)] == ["network", "run"]


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fctestbed.faults.searches._ADAM_STEPS", 40)
    monkeypatch.setattr("fctestbed.faults.distilled._REGRESSION_STEPS", 40)
    monkeypatch.setattr("fctestbed.faults.distilled._ADAPTATION_STEPS", 10)


def _effort() -> dict[str, Any]:
    return {"n_starts": 2, "long": 1, "n_restarts": 2}


@pytest.mark.slow
@pytest.mark.usefixtures("few_steps")
def test_every_level_of_a_method_has_rows_and_cells_are_not_made_again(tmp_path: Path) -> None:
    lines: list[str] = []
    spec = {**TINY, "methods": ["simclr", "raw"], "seeds": [0]}
    rows = explain(spec, tmp_path, **_effort(), report=lines.append)
    assert len(rows) == 2 * 9
    trained = rows[rows["method"] == "simclr"].set_index("name")
    assert trained["label_bits"].notna().all()
    assert trained.loc["truth", "label_bits"] == pytest.approx(2.0)
    # SimCLR's objective holds the shared label bits alone.
    assert trained.loc["objective", "label_bits"] == pytest.approx(1.0, abs=0.05)
    assert trained.drop(["truth", "reader"])["loss_nats"].notna().all()
    # The optimum's loss is the least.
    assert trained["loss_nats"].min() == trained.loc["objective", "loss_nats"]
    assert trained.loc["distilled", "note"].startswith("level 1's code with an error of ")
    assert trained.loc["continued", "note"].split(";")[0].startswith(("stays", "leaves"))
    control = rows[rows["method"] == "raw"].set_index("name")
    assert control.loc["objective", "note"] == "the method is not trained"
    assert control.loc["run", "label_bits"] > 0
    lines.clear()
    again = explain(spec, tmp_path, **_effort(), report=lines.append)
    assert not lines
    pd.testing.assert_frame_equal(again, rows)
    with pytest.raises(ValueError, match="expected an explanation of these settings"):
        explain(spec, tmp_path, **{**_effort(), "n_starts": 3})
    # Another method, ratio and seed: what is there is not made again.
    wider = {**TINY, "methods": ["raw"], "unique_ratio": [0.5, 1.0], "seeds": [0, 1]}
    found = explain(wider, tmp_path, **_effort(), report=lines.append)
    assert lines == [f"raw: {name}, 3 of 4 cells" for name in _NAMES if name != "reader"]
    known = found[(found["unique_ratio"] == 0.5) & (found["seed"] == 0)]
    pd.testing.assert_frame_equal(
        known.reset_index(drop=True), rows[rows["method"] == "raw"].reset_index(drop=True)
    )


@pytest.mark.usefixtures("few_steps")
def test_a_level_that_ends_in_an_error_says_so_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = {**TINY, "methods": ["raw"], "seeds": [0]}

    def broken(*_: object, **__: object) -> None:
        raise SystemExit("gone")

    with monkeypatch.context() as patched:
        patched.setattr("fctestbed.faults.networks.stack_readouts", broken)
        rows = explain(spec, tmp_path).set_index("name")
    assert rows.loc["run", "note"] == rows.loc["reader", "note"] == "failed: SystemExit: gone"
    assert rows["failed"].sum() == 2
    lines: list[str] = []
    again = explain(spec, tmp_path, report=lines.append).set_index("name")
    assert lines == ["raw: run, 1 of 1 cells"]
    assert again.loc["run", "label_bits"] > 0
    assert not again["failed"].any()


def test_what_was_done_before_an_interrupt_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = {**TINY, "methods": ["raw"], "seeds": [0]}

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("fctestbed.faults.networks.stack_readouts", interrupted)
        with pytest.raises(KeyboardInterrupt):
            explain(spec, tmp_path)
    lines: list[str] = []
    assert len(explain(spec, tmp_path, report=lines.append)) == 9
    assert lines == ["raw: run, 1 of 1 cells"]


METHODS = parse_toml(FAULTS.read_text())["methods"]
LATER: list[tuple[str, dict[str, Any], str]] = [
    ("ourcl-sup", {}, "a method whose heads alone are scored"),
    ("ourcl-ssl", {}, "a method whose heads alone are scored"),
    ("users_methods:Mine", {}, "got users_methods:Mine, a method of a user's own"),
    ("factorcl-ssl", {"augmentation": {"kind": "unique"}}, "got unique, whose copies do not"),
    (
        "factorcl-ssl",
        {"settings": {"factorcl-ssl": {"conditioning": "exact"}}},
        "got exact, whose negatives are of a finite number",
    ),
]
SMALLEST = {**TINY["world"], "latents": {"n_shared": 2, "n_unique1": 1, "n_unique2": 1}}


def _explained(method: str, changes: dict[str, Any]) -> pd.DataFrame:
    spec = {**TINY, "methods": [method], "seeds": [0], "world": SMALLEST, **changes}
    rows = explain(spec, n_starts=1, long=1, n_restarts=1).set_index("name")
    assert not rows["failed"].any(), rows["note"].to_list()
    for name in ("batch", "samples", "network", "run", "reader"):
        assert rows.loc[name, "label_bits"] > -0.5, name
    return rows


@pytest.mark.slow
@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_explained_from_its_objective_on(method: str) -> None:
    rows = _explained(method, {})
    for name in ("objective", "distilled", "continued"):
        assert rows.loc[name, "label_bits"] > -0.05, name
        assert math.isfinite(rows.loc[name, "loss_nats"]), name
    assert rows.loc["objective", "lowest_whitened_bits"] > -0.05


@pytest.mark.slow
@pytest.mark.usefixtures("few_steps")
def test_a_user_s_encoder_is_distilled_too() -> None:
    rows = _explained("simclr", {"nets": {**TINY["nets"], "encoder": "users_methods:Line"}})
    assert rows.loc["continued", "label_bits"] > -0.05


@pytest.mark.slow
@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize(("method", "changes", "why"), LATER)
def test_what_has_no_exact_level_starts_at_level_2_and_says_why(
    method: str, changes: dict[str, Any], why: str
) -> None:
    rows = _explained(method, changes)
    assert math.isnan(rows.loc["objective", "label_bits"])
    assert why in rows.loc["objective", "note"]
    assert "levels from 2 on serve" in rows.loc["objective", "note"]
    assert rows.loc["continued", "note"].startswith("no best code is known: ")


@pytest.mark.slow
def test_tables_that_are_trained_by_batches_hold_what_the_objective_asks_for() -> None:
    spec = {
        **TINY,
        "methods": ["simclr"],
        "unique_ratio": [1.0],
        "seeds": [0],
        "train": {"steps": 150, "batch_size": 64},
        "settings": {"simclr": {"temperature": 0.5}},
    }
    level = explain(spec, n_starts=2, long=1, n_restarts=1).set_index("name")
    for name in ("objective", "batch", "samples"):
        assert level.loc[name, "shared_bits"] > 1.7, name
        # Codes of shuffled patterns would hold most of the 2 unique label bits.
        assert level.loc[name, "label_bits"] < 0.4, name


@pytest.mark.slow
def test_a_world_too_large_for_the_exact_level_starts_at_level_2() -> None:
    world = {**TINY["world"], "latents": {"n_shared": 6, "n_unique1": 6, "n_unique2": 6}}
    spec = {**TINY, "methods": ["simclr"], "seeds": [0], "world": world}
    rows = explain(spec, long=1, n_restarts=1)
    level = rows.set_index("name")
    assert "at most 16777216 cells, got 268435456" in level.loc["objective", "note"]
    assert math.isnan(level.loc["objective", "label_bits"])
    assert level.loc["batch", "label_bits"] >= 0


@pytest.mark.parametrize(
    ("changes", "settings", "line"),
    [
        (
            {"axes": {"train.warmup": [0, 1]}},
            {},
            "axes: expected none to explain, got train.warmup",
        ),
        ({}, {"n_starts": 0}, "n_starts: expected at least 1, got 0"),
        ({}, {"long": 0}, "long: expected at least 1, got 0"),
        ({}, {"n_restarts": 0}, "n_restarts: expected at least 1, got 0"),
        ({}, {"rate": -1.0}, "rate: expected a number of bits above 0, got -1.0"),
    ],
)
def test_what_cannot_be_explained_is_refused(
    changes: dict[str, Any], settings: dict[str, Any], line: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=line):
        explain({**TINY, "methods": ["simclr"], **changes}, tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()


def test_figures_have_a_bar_for_each_level_and_a_cell_for_each_method() -> None:
    rows = _rows({"truth": [2, 2], "objective": [1.5, 1.5], "run": [1.0, 1.2]}, converged=False)
    drawn = draw_waterfall(rows)
    (axes,) = drawn.figure.axes
    bars = [patch for patch in axes.patches if patch.get_height()]
    assert [bar.get_height() for bar in bars] == pytest.approx([2.0, 1.5, 1.1])
    assert [bool(bar.get_hatch()) for bar in bars] == [False, True, True]
    assert len(drawn.numbers) == len(rows)
    steps = all_steps(pd.concat([rows, _rows({"truth": [2], "run": [2]}).assign(method="raw")]))
    assert steps["is_culprit"].to_list() == [True, False, False]
    overview = draw_overview(steps)
    assert len(overview.figure.axes[0].patches) == 2
    # Brackets: the level that is blamed did not converge.
    assert [text.get_text() for text in overview.figure.axes[0].texts] == ["(0.50)"]
