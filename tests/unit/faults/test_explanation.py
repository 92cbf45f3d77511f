"""Explanations: levels, steps, culprits, files, and the command."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fctestbed.faults import culprit, explain, steps_of
from fctestbed.plotting import overview_figure, waterfall_figure

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


def test_a_level_that_does_not_exist_is_passed_over() -> None:
    rows = _rows({"truth": [2, 2], "objective": [math.nan] * 2, "batch": [1.0, 1.0]})
    assert [step.name for step in steps_of(rows)] == ["batch"]


@pytest.mark.slow
def test_every_level_of_a_method_has_rows_and_files_are_not_made_again(tmp_path: Path) -> None:
    lines: list[str] = []
    spec = {**TINY, "methods": ["simclr", "raw"]}
    rows = explain(spec, tmp_path, n_starts=2, long=1, report=lines.append)
    assert len(rows) == 2 * 2 * 7
    trained = rows[rows["method"] == "simclr"].set_index(["name", "seed"])
    assert trained["label_bits"].notna().all()
    assert trained.loc[("truth", 0), "label_bits"] == pytest.approx(2.0)
    # SimCLR's objective holds the shared label bits alone.
    assert trained.loc[("objective", 0), "label_bits"] == pytest.approx(1.0, abs=0.05)
    control = rows[rows["method"] == "raw"].set_index(["name", "seed"])
    assert control.loc[("objective", 0), "note"] == "the method is not trained"
    assert control.loc[("run", 1), "label_bits"] > 0
    done = len(lines)
    again = explain(spec, tmp_path, n_starts=2, long=1, report=lines.append)
    assert len(lines) == done
    pd.testing.assert_frame_equal(again, rows, check_dtype=False)
    with pytest.raises(ValueError, match="expected an explanation of these settings"):
        explain(spec, tmp_path, n_starts=3, long=1)


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
    level = explain(spec, n_starts=2, long=1).set_index("name")
    for name in ("objective", "batch", "samples"):
        assert level.loc[name, "shared_bits"] > 1.7, name
        # Codes of shuffled patterns would hold most of the 2 unique label bits.
        assert level.loc[name, "label_bits"] < 0.4, name


@pytest.mark.slow
def test_a_world_too_large_for_the_exact_level_starts_at_level_2() -> None:
    world = {**TINY["world"], "latents": {"n_shared": 6, "n_unique1": 6, "n_unique2": 6}}
    rows = explain({**TINY, "methods": ["simclr"], "seeds": [0], "world": world}, long=1)
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
    figure = waterfall_figure(rows)
    (axes,) = figure.axes
    bars = [patch for patch in axes.patches if patch.get_height()]
    assert [bar.get_height() for bar in bars] == pytest.approx([2.0, 1.5, 1.1])
    assert [bool(bar.get_hatch()) for bar in bars] == [False, True, True]
    overview = overview_figure({("simclr", 0.5): ("objective", 0.5), ("raw", 0.5): (None, 0.0)})
    assert len(overview.axes[0].patches) == 2
    assert [text.get_text() for text in overview.axes[0].texts] == ["0.50"]
