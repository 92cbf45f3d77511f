# ruff: noqa: E501
"""Bad names and places to write to, and directories without results."""

from collections.abc import Iterator

from bad import HUGE, LONG, REFUSED, TINY, USAGE, Bad, cli


def paths() -> Iterator[Bad]:
    """Names and places to write to."""
    sweep = ["sweep", "--methods", "raw", "--unique-ratio=0", *TINY]
    for name in ("../../x", "/tmp/absolute-name", "", ".", "..", "a/b", LONG, "a\0b", "a\nb", "a\\b",
                 " ", HUGE):  # fmt: skip
        quick = len(name) < 500
        yield cli("name", [*sweep, "--name", name], "--name: expected", quick=quick)
    yield cli("name", [*sweep, "--dry-run", "--name", "../x"], "--name: expected", quick=True)
    outs = ("", "FILE", "FILE/x", "dangling", "dangling/x", "loop", "loop/x", LONG, f"x/{LONG}",
            "/proc/nowhere", "/dev/null", "/dev/null/x", "a\0b")  # fmt: skip
    commands = {
        "sweep": sweep,
        "calibrate": ["calibrate", "--estimators=plugin", "--n=50", "--repetitions=1", "--workers=1"],
        "gaussian": ["gaussian", "--dims=2", "--levels=1", "--steps=2", "--batch-size=8", "--workers=1"],
        "conditional": ["conditional", "--cells=100x2", "--steps=2", "--workers=1"],
        "export": ["export", "rows"],
        "figures": ["figures", "rows"],
        "calibrate-readouts": ["calibrate-readouts", "--methods=raw", "--estimators=mixed-ksg", *TINY[5:7],
                               "--repetitions=1", "--n=60", "--set=world.n_train=64",
                               "--set=world.n_test=32", "--workers=1"],
    }  # fmt: skip
    for command, line in commands.items():
        for out in outs:
            empty = out == "" or "\0" in out
            store = command == "sweep" and not empty and LONG not in out
            yield cli("out", [*line, "--out", out], "--out", code=REFUSED if store else USAGE,
                      quick=command in ("sweep", "gaussian") and not out.startswith("/"))  # fmt: skip
    for out in ("FILE", "dangling/x", "loop/x", "/proc/nowhere", "", LONG):
        for command in ("sweep", "calibrate", "calibrate-readouts"):
            line = [*commands[command], "--out", "new", "--figures", out]
            yield cli("figures", line, "--figures", quick=command == "sweep" and out != LONG)
    world = ["generate", "--n-train=8", "--n-test=8"]
    for out in ("", "x", ".npz/", "FILE/x.npz", "taken.npz", "loop.npz", "loop/x.npz", f"{LONG}.npz",
                "none/x.npz", "/proc/x.npz", "world.npz", "dangling.npz/x.npz", "a\0.npz"):  # fmt: skip
        force = ["--force"] if out == "taken.npz" else []
        yield cli("generate", [*world, *force, "--out", out], "--out", quick=True)
        both = [*world, *force, "--out=new.npz", "--codewords", out]
        yield cli("generate", both, "--codewords", quick=True)
        other = [*world, *force, "--codewords=new.npz", "--out", out]
        yield cli("generate", other, "--out", quick=True)
    yield cli("generate", [*world, "--out=a.npz", "--codewords=./DIR/../a.npz"], "--codewords")
    yield cli(
        "generate", [*world, "--out=a.npz", "--codewords=b.npz", "--shared=20"], "--codewords"
    )
    yield cli(
        "generate", [*world, "--out=a.npz", "--codewords=b.npz", "--latents=gaussian"], "expected"
    )
    for directory in ("", "FILE", "DIR", "none", "loop", "dangling", LONG, "/dev/zero", "rows_empty",
                      "rows_binary", "rows_words", "world.npz"):  # fmt: skip
        code = REFUSED if directory in ("FILE", "world.npz") else USAGE
        for command in ("figures", "export"):
            yield cli(
                "directory",
                [command, directory, "--out", "new"],
                "expected|not a results store",
                code=code,
            )
        yield cli("directory", ["figures-gaussian", directory, "--out=new"], "expected")
        yield cli("directory", ["figures-calibration", directory, "--out=new"], "expected")
        yield cli("directory", ["figures-readouts", directory, "--out=new"], "expected")
    yield cli("directory", ["figures-readouts", "FILE", "--out=new", "--joined=j.csv"], "FILE")
