"""The data-set card of exported results."""

import pandas as pd
import pytest
from synthetic_results import RATES, as_results, records

from fctestbed.cli.main import run
from fctestbed.results import export_results
from fctestbed.results.card import column_meaning, dataset_card
from fctestbed.results.schema import TABLE_COLUMNS


@pytest.fixture(scope="module")
def results():
    return as_results(records((0.0, 1.0), ("simclr", "raw"), (0, 1), rates=RATES))


def header(card):
    """The YAML header's keys at its top, with the lines below each."""
    first, *lines = card.partition("\n---\n")[0].splitlines()
    assert first == "---"
    found = {}
    for line in lines:
        if not line.startswith(("-", " ")):
            key, _, value = line.partition(":")
            found[key] = [value.strip()] if value.strip() else []
        else:
            found[key].append(line)
    return found


def test_every_column_of_every_table_has_a_meaning(results):
    for table in TABLE_COLUMNS:
        for column in getattr(results, table).columns:
            assert len(column_meaning(table, column)) > 5, (table, column)
    assert "train.steps" in column_meaning("runs", "train.steps", ["train.steps"])
    assert column_meaning("runs", "nothing") == ""


def test_the_card_says_what_the_files_are(results, tmp_path):
    paths = export_results(results, tmp_path, "hf")
    names = {path.name for path in paths}
    assert names == {*(f"{name}.parquet" for name in TABLE_COLUMNS), "README.md", "sweep.json"} | {
        "SHA256SUMS"
    }
    card = (tmp_path / "README.md").read_text()
    configs = [line.split()[-1] for line in header(card)["configs"] if "config_name" in line]
    full = [name for name in TABLE_COLUMNS if len(getattr(results, name))]
    assert configs == full
    for name in full:
        assert f"  data_files: {name}.parquet" in card
        frame = pd.read_parquet(tmp_path / f"{name}.parquet")
        assert f"{len(frame)} rows." in card
        assert all(f"| `{column}` |" in card for column in frame.columns)
    assert header(card)["size_categories"] == ["- 1K<n<10K"]
    assert card.count("default: true") == 1


def test_the_card_has_the_sweep_s_grid(results):
    card = dataset_card(
        {"runs": (list(results.runs), len(results.runs))}, {"seeds": [0, 1], "fctestbed": "9.9"}
    )
    assert "- seeds: `[0, 1]`" in card
    assert "Made by fctestbed 9.9." in card


def test_a_command_writes_it_and_an_unknown_format_is_answered(results, tmp_path, capsys):
    export_results(results, tmp_path / "rows")
    export = ["export", str(tmp_path / "rows"), "--out", str(tmp_path / "hf")]
    assert run([*export, "--format=parquett"]) == 2
    assert "did you mean parquet?" in capsys.readouterr().err
    assert run([*export, "--format=hf"]) == 0
    assert (tmp_path / "hf" / "README.md").exists()
