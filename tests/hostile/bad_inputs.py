"""Bad inputs of every command and of the Python API, and whether each is handled well.

``python tests/hostile/bad_inputs.py`` runs all of them, each in a process of its own, and prints
those that are handled badly; what well and badly are is in ``outcomes.py``.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit")]

import bad_files  # noqa: E402
import bad_options  # noqa: E402
import bad_places  # noqa: E402
import bad_plugins  # noqa: E402
import bad_python  # noqa: E402
from bad import Bad  # noqa: E402
from outcomes import judged  # noqa: E402
from places import make_place  # noqa: E402

from fctestbed.cli.main import app  # noqa: E402

PARTS = (
    bad_files.files,
    bad_files.claims,
    bad_places.paths,
    bad_files.data,
    bad_options.options,
    bad_options.estimates,
    bad_plugins.plugins,
    bad_files.real_data,
    bad_python.python,
)


def bad_inputs() -> list[Bad]:
    """All of them."""
    return [bad for part in PARTS for bad in part()]


def main(only: str = "") -> int:
    """Run all, or those whose kind or text contains ``only``; the number handled badly."""
    inputs = [bad for bad in bad_inputs() if only in f"{bad.kind}: {bad.what}"]
    template = Path(tempfile.mkdtemp())
    make_place(template)
    table: dict[str, list[int]] = {}
    for command in app.commands.values():
        # Imported once, not in each process.
        command.load()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "0"
        shutil.copytree(template, place, symlinks=True, ignore=shutil.ignore_patterns("pipe.*"))
        os.mkfifo(place / "pipe.toml")
        for number, bad in enumerate(inputs, 1):
            wrong = judged(bad, place)
            counts = table.setdefault(bad.kind, [0, 0])
            counts[0] += 1
            if wrong:
                counts[1] += 1
                print(f"BAD  {bad.kind}: {bad.what}\n     {'; '.join(wrong)}", flush=True)
            if wrong and wrong[0].startswith("changed"):
                place = Path(scratch) / str(number)
                shutil.copytree(
                    template, place, symlinks=True, ignore=shutil.ignore_patterns("pipe.*")
                )
                os.mkfifo(place / "pipe.toml")
    shutil.rmtree(template)
    for kind, (count, badly) in table.items():
        print(f"{kind:22} {count:4} inputs, {badly:4} handled badly")
    print(f"{len(inputs)} inputs, {sum(badly for _, badly in table.values())} handled badly")
    return sum(badly for _, badly in table.values())


if __name__ == "__main__":
    sys.exit(min(1, main(*sys.argv[1:])))
