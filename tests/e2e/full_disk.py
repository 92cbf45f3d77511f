"""Runs a small sweep on disks that are full at random points, or cannot be written.

``python tests/e2e/full_disk.py 10`` makes 10 trials and one with a read-only disk. Each trial has a
file system of its own in memory, in a name space of its own (Linux; where a user may have none, as
root). It has space for a random part of what the sweep writes. The sweep must then end with exit
code 4 and one line, or with 0 where all had space, and no traceback; after space is made, the same
command completes it. Its rows must be those of an undisturbed sweep, to the last digit.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import kills

ROOT = Path(__file__).parents[2]
# Every stack is saved at each step, so that checkpoints meet the full disk too.
OPTIONS = ["--workers=1", "--checkpoint-seconds=1e-9"]
_FULL, _DONE = 4, 0


def sweep(out: Path, log: Path) -> int:
    """Run the sweep; its exit code."""
    with open(log, "wb") as stream:
        return subprocess.run(
            [*kills.command(out), *OPTIONS],
            stdout=stream,
            stderr=stream,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=600,
            check=False,
        ).returncode


def mount(place: Path, options: str) -> None:
    """Mount a file system in memory, or change one."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)


def size_of(directory: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def refused(log: Path, code: int, expected: str) -> str:
    """The line with which a sweep was refused.

    Raises:
        AssertionError: for another exit code, another line, or a traceback.
    """
    said = log.read_text()
    assert code == _FULL, f"exit code {code}: {said}"
    assert "Traceback" not in said, said
    (line,) = (line for line in said.splitlines() if line.startswith("fctestbed: "))
    assert expected in line, line
    return line


def full(place: Path, log: Path, n_bytes: int, expected: object) -> str:
    """A trial with a disk of so many bytes; what the sweep said."""
    mount(place, f"size={n_bytes}")
    try:
        code = sweep(place / "rows", log)
        if code == _DONE:
            line = "had space for all rows"
            assert "Traceback" not in log.read_text(), log.read_text()
        else:
            line = refused(log, code, "")
        mount(place, "remount,size=1g")
        assert sweep(place / "rows", log) == _DONE, log.read_text()
        assert "Traceback" not in log.read_text()
        assert kills.rows_of(place / "rows") == expected, "the rows are others"
        assert not (place / "rows" / "checkpoints").exists()
    finally:
        subprocess.run(["umount", str(place)], check=True)
    return line


def read_only(place: Path, log: Path, expected: object) -> str:
    """A trial with a disk that cannot be written; what the sweep said."""
    mount(place, "size=1g,ro")
    try:
        line = refused(log, sweep(place / "rows", log), "Read-only file system")
        mount(place, "remount,size=1g,rw")
        assert sweep(place / "rows", log) == _DONE, log.read_text()
        assert kills.rows_of(place / "rows") == expected, "the rows are others"
        mount(place, "remount,size=1g,ro")
        refused(log, sweep(place / "rows", log), "cannot be written")
    finally:
        subprocess.run(["umount", str(place)], check=True)
    return line


def main(n_trials: int, seed: int) -> int:
    """Make trials; the number that failed."""
    rng = random.Random(seed)
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        place, log = directory / "disk", directory / "log"
        place.mkdir()
        calm = directory / "calm"
        assert sweep(calm, log) == _DONE, log.read_text()
        expected, whole = kills.rows_of(calm), size_of(calm)
        print(f"the sweep writes {whole:,} bytes", flush=True)
        # A disk has whole pages; the last trials have space for the rows, but no checkpoints.
        sizes = [rng.randrange(4096, int(1.2 * whole)) for _ in range(n_trials)]
        for number, n_bytes in enumerate([*sizes, None]):
            began = time.monotonic()
            try:
                if n_bytes is None:
                    line = read_only(place, log, expected)
                else:
                    line = full(place, log, n_bytes, expected)
            except AssertionError as error:
                failures += 1
                line = f"FAILED: {error}"
            what = "read-only" if n_bytes is None else f"{n_bytes:,} bytes"
            print(f"{number}: {what}: {line} ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"{n_trials + 1} trials, {failures} failed")
    return failures


if __name__ == "__main__":
    if os.environ.get("FULL_DISK_NAME_SPACE") is None:
        os.environ["FULL_DISK_NAME_SPACE"] = "1"
        options = ["--mount"] if os.geteuid() == 0 else ["--mount", "--map-root-user"]
        os.execvp("unshare", ["unshare", *options, sys.executable, *sys.argv])
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*(arguments + [10, 0][len(arguments) :])) > 0)
