"""A sweep whose files find no space: one line, exit code 4, and the same command completes it.

The space is a limit on the size of each file, which needs no privilege; ``full_disk.py`` makes
disks that are full.
"""

import contextlib
import resource

import pytest
from tiny_sweeps import TINY_OPTIONS

from fctestbed.cli.main import run
from fctestbed.results import load_results

SWEEP = [
    *("sweep", "--unique-ratio=0,1", "--seeds=0", "--methods=supcon,raw", "--max-stack=1"),
    *("--workers=1", "--device=cpu", "--no-report", "--no-figures", "--checkpoint-seconds=1e-9"),
    *TINY_OPTIONS,
    "--set=measurement.channel=false",
]


@contextlib.contextmanager
def files_of_at_most(n_bytes):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def rows(out):
    found = load_results(out)
    assert (found.runs["status"] == "ok").all()
    return found.captured.to_csv(index=False), found.accuracy.to_csv(index=False)


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    out = tmp_path_factory.mktemp("calm") / "rows"
    assert run([*SWEEP, f"--out={out}"]) == 0
    return out


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.02, 0.8])
def test_a_sweep_without_space_says_so_in_one_line_and_goes_on_once_there_is_some(
    tmp_path, capsys, calm, share
):
    out = tmp_path / "rows"
    most = int(share * (calm / "results.sqlite").stat().st_size)
    with files_of_at_most(most):
        assert run([*SWEEP, f"--out={out}"]) == 4
    error = capsys.readouterr().err
    assert "Traceback" not in error
    (line,) = (line for line in error.splitlines() if line.startswith("fctestbed: "))
    assert line.startswith(f"fctestbed: --out: {out}")
    assert run([*SWEEP, f"--out={out}"]) == 0
    assert rows(out) == rows(calm)
    assert not (out / "checkpoints").exists()
