"""A sweep file as the argument of ``sweep``, and the ratio of a heat map."""

from synthetic_results import as_results, records

from fctestbed.cli.main import run
from fctestbed.results import export_results

SWEEP = 'methods = ["raw"]\nunique_ratio = [0.5]\nseeds = [0]\n'


def test_a_file_as_the_argument_is_that_of_config(tmp_path, capsys):
    file = tmp_path / "mine.toml"
    file.write_text(SWEEP)
    printed = []
    for given in ([str(file)], ["--config", str(file)]):
        assert run(["sweep", *given, "--dry-run", "--device=cpu"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "methods: raw" in printed[0]
    assert run(["sweep", str(file), "--config", str(file), "--dry-run"]) == 2
    assert capsys.readouterr().err.startswith(
        "fctestbed: --config: expected none with the sweep file"
    )


def test_the_ratio_that_a_heat_map_took_is_printed(tmp_path, capsys):
    export_results(as_results(records((0.0, 1.0), ("raw",), (0,))), tmp_path / "rows")
    options = ["--only=latent_bits", "--heatmap-ratio=0.8", "--formats=svg"]
    assert run(["figures", str(tmp_path / "rows"), f"--out={tmp_path / 'out'}", *options]) == 0
    assert "note: latent_bits: unique ratio 1\n" in capsys.readouterr().err
