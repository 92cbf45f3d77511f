# ruff: noqa: E501
"""Methods and label functions of a user's own that fail, end the process or hang."""

from collections.abc import Iterator

from bad import DIGITS, HUGE, NEST, TINY, Bad, cli


def plugins() -> Iterator[Bad]:
    """Methods and label functions of a user's own."""
    quickly = ["--plugin-seconds=8"]
    faults = ("raises", "exits", "ends", "interrupts", "hangs", "crashes")
    for fault in faults:
        limit = quickly if fault == "hangs" else []
        for where in ("import", "loss"):
            name = f"{where}_{fault}:Mine"
            yield cli(
                "method plug-in",
                [*limit, "check-method", name],
                where if where == "import" else "Mine",
            )
            yield cli(
                "method plug-in",
                [*limit, "sweep", f"--methods={name}", *TINY, "--out=new"],
                "--methods",
            )
        yield cli(
            "method plug-in",
            [*limit, "sweep", "--dry-run", f"--methods=loss_{fault}:Mine"],
            "--methods",
        )
        line = ["truth", "--label=function", f"--label-path=labels:{fault}"]
        yield cli("label plug-in", [*limit, *line], "--label-path")
        line = ["truth", "--label=function", f"--label-path=import_{fault}:good"]
        yield cli("label plug-in", [*limit, *line], "--label-path")
    for name in ("none_such:Mine", "other:None", "other:Mine", "other:Other", "abstract:Mine",
                 "syntax:Mine", "long_error:Mine", "wrong_readouts:Mine", "text_readouts:Mine",
                 "number_loss:Mine", "none_loss:Mine", "os:path", "a b:C", HUGE + ":Mine"):  # fmt: skip
        yield cli("method plug-in", ["check-method", name], "expected")
        yield cli("method plug-in", ["sweep", "--dry-run", f"--methods={name}"], "--methods")
    for name in ("floats", "matrix", "large", "text", "nothing"):
        yield cli(
            "label plug-in",
            ["truth", "--label=function", f"--label-path=labels:{name}"],
            "--label-path",
        )
    for path in ("none_such:f", "other:Mine", "x", "", HUGE):
        yield cli(
            "label plug-in", ["truth", "--label=function", f"--label-path={path}"], "--label-path"
        )
    yield cli("label plug-in", "truth --label=function", "--label-path")
    yield cli(
        "label plug-in",
        "truth --label=function --label-path=labels:good --classes=99999",
        "--classes",
    )
    for seconds in ("0", "-1", "nan", "x", "inf"):
        yield cli(
            "method plug-in",
            [f"--plugin-seconds={seconds}", "truth"],
            "--plugin-seconds",
            quick=True,
        )
    for line in (["check-method", "raw", "--set", f"a={NEST}"], ["check-method", "raw", "--set", f"a={DIGITS}"],
                 ["check-method", "simclr", "--set", "temperature=x"], ["check-method", ""]):  # fmt: skip
        yield cli("method plug-in", line, "--set|settings|NAME", quick=True)
