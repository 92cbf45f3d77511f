# ruff: noqa: E501, PLR0912
"""Bad inputs of every command and of the Python API, and whether each is handled well.

Handled well: the documented exit code, one line on stderr of at most 300 characters that starts
with ``fctestbed: `` and names what is wrong, no change of any file, no traceback, less than 20
seconds, bounded memory. In Python: a ``ValueError``, a
``TypeError``, or an ``OSError`` of a file that cannot be opened, of one such line.

``python tests/hostile/bad_inputs.py`` runs all of them, each in a process of its own, and prints
those that are handled badly.
"""

import contextlib
import io
import os
import pickle
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit")]

from places import CLAIM_FILES, SWEEP_FILES, make_place  # noqa: E402

import fctestbed as fc  # noqa: E402
from fctestbed._messages import one_line  # noqa: E402
from fctestbed.cli.main import app, run  # noqa: E402
from fctestbed.results import StoreRefused  # noqa: E402

MOST_CHARACTERS = 300
MOST_SECONDS = 20
MOST_BYTES = 12 << 30
USAGE, REFUSED = 2, 4

LONG = "n" * 300
HUGE = "x" * 20_000
DIGITS = "9" * 5_000
NEST = "[" * 10_000 + "]" * 10_000
TINY = [
    *("--n-train=64", "--n-test=32", "--shared=2", "--unique=1", "--observation=linear"),
    *("--set=train.steps=2", "--set=train.batch_size=16", "--seeds=0", "--workers=1"),
]


@dataclass(frozen=True)
class Bad:
    """A bad input.

    Attributes:
        kind: the table's row.
        call: arguments of the command line, or a Python function of no arguments.
        names: a regular expression that the message has to hold.
        code: the exit code; a ``ValueError`` or ``TypeError`` counts as 2.
        quick: whether it can be run in the tests' own process.
    """

    kind: str
    call: tuple[str, ...] | Callable[[], Any]
    names: str
    code: int = USAGE
    quick: bool = False
    name: str = ""

    @property
    def what(self) -> str:
        """The input as text."""
        if isinstance(self.call, tuple):
            return " ".join(part if len(part) < 60 else part[:40] + "..." for part in self.call)
        return self.name


def cli(kind: str, line: str | list[str], names: str, **how: Any) -> Bad:
    """A bad command line; a text is split at spaces."""
    return Bad(kind, tuple(line.split(" ") if isinstance(line, str) else line), names, **how)


def _files() -> Iterator[Bad]:
    """Sweep files."""
    for name in SWEEP_FILES:
        gate = name.startswith("plugin")
        names = "--allow-plugins|--methods" if gate else re.escape(name)
        quick = name.startswith(("n", "dup", "dig", "bool", "text", "plugin", "steps", "var"))
        yield cli("toml", f"sweep --config {name} --dry-run", names, quick=quick)
    for name in ("plugin_method.toml", "nested_list.toml", "digits.toml", "binary.toml"):
        names = "--allow-plugins" if name.startswith("plugin") else re.escape(name)
        yield cli("toml", f"sweep --config {name} --out new", names)
        yield cli("toml", f"calibrate-readouts --config {name} --out new", names)
    for path in ("/dev/zero", "/dev/null", "/dev/stdin", "pipe.toml", "DIR", "toml_directory.toml",
                 "loop.toml", "dangling", "FILE/x.toml", f"{LONG}.toml", "none.toml", "/proc/self/mem"):  # fmt: skip
        yield cli(
            "config path", f"sweep --dry-run --config {path}", "expected", quick=path == "DIR"
        )
    yield cli("config path", ["sweep", "--dry-run", "--config", ""], "--config")
    yield cli("config path", ["sweep", "--dry-run", "--config="], "--config", quick=True)


def _claims() -> Iterator[Bad]:
    """Claim files, dockets, and sweeps that are compared."""
    for name in (*CLAIM_FILES, *SWEEP_FILES):
        names = "--allow-plugins" if name == "claim_plugin.toml" else re.escape(name)
        yield cli("claim", f"judge {name} --out new", names, quick=name in CLAIM_FILES)
    for docket in ("FILE", "/dev/zero", "/dev/null", "rows", "loop", "dangling", "none.toml",
                   f"{LONG}.toml", "world.npz"):  # fmt: skip
        yield cli("docket", ["judge", docket, "--out", "new"], "expected", quick=docket == "rows")
    good = "good_claim.toml"
    for option, names in (("--claim=b", "--claim"), ("--claim=", "--claim"), ("--device=tpu", "--device"),
                          ("--workers=0", "--workers"), ("--max-stack=0", "--max-stack"),
                          ("--formats=foo", "--formats"), (f"--claim={HUGE}", "--claim")):  # fmt: skip
        yield cli("docket", ["judge", good, "--out=new", option], names, quick=True)
    for out in ("", "FILE", "FILE/x", "dangling", "loop/x", LONG, "/proc/nowhere", "a\0b"):
        yield cli("docket", ["judge", good, "--out", out], "--out", quick=out == "FILE")
    for directory in ("", "FILE", "DIR", "none", "loop", LONG, "rows_empty", "rows_words"):
        code = REFUSED if directory == "FILE" else USAGE
        names = "expected|not a results store"
        yield cli("comparison", ["compare", "rows", directory], names, code=code)
        yield cli("comparison", ["compare", directory, "rows"], names, code=code)
    for option, names in (("--methods=foo", "--methods"), ("--quantity=", "--quantity"),
                          ("--readout=foo", "--readout"), ("--rate=x", "--rate"), ("--rate=nan", "--rate"),
                          ("--rate=4", "--rate"), ("--estimator=foo", "--estimator"),
                          ("--smallest-effect=0", "--smallest-effect"), ("--csv=FILE/x.csv", "FILE/x.csv"),
                          ("--smallest-effect=nan", "--smallest-effect"), (f"--methods={HUGE}", "--methods")):  # fmt: skip
        yield cli("comparison", ["compare", "rows", "rows", option], names, quick=True)


def _paths() -> Iterator[Bad]:
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


def _data() -> Iterator[Bad]:
    """Data files and representations."""
    for name in ("spec_nested", "spec_nested_object", "spec_digits", "spec_no_json", "spec_list_json",
                 "spec_no_text", "spec_null", "spec_unknown", "spec_label_bits", "spec_relevant",
                 "spec_parity", "spec_planar", "spec_shared", "spec_dim", "spec_hidden",
                 "spec_function", "spec_nan", "classes", "negative", "float_y", "short", "wide",
                 "double", "text_x", "seed", "seeds", "nan_x", "latents", "extra", "missing", "pickled",
                 "text", "empty", "cut", "zip", "taken", "loop", "dangling", "none", LONG):  # fmt: skip
        names = "--allow-plugins" if name == "spec_function" else re.escape(name[:40])
        yield cli("data file", ["measure", f"{name}.npz", "codes.npz"], names,
                  quick=name.startswith("spec_"))  # fmt: skip
        yield Bad("data file in Python", lambda name=name: fc.load_dataset(f"{name}.npz"), names,
                  name=f"load_dataset {name[:40]}")  # fmt: skip
    for name in ("codes_nan", "codes_infinite", "codes_short", "codes_text", "codes_complex",
                 "codes_deep", "codes_widths", "codes_none", "codes_name", "codes_words", "codes_half",
                 "world", "text", "empty", "cut", "taken", "loop", "none"):  # fmt: skip
        yield cli("representations", ["measure", "world.npz", f"{name}.npz"], "expected")
    yield cli("representations", "measure world.npz array.npy", "array.npy")
    yield cli("representations", "measure array.npy array.npy", "array.npy")
    yield cli("representations", ["measure", "", "codes.npz"], "DATA.npz")
    yield cli("representations", ["measure", "world.npz", ""], "REPRESENTATIONS.npz")
    for options, names in (([], "--out: expected"), (["--out=rows"], "--out: expected another"),
                           (["--out=new"], "results.sqlite"), (["codes.npz", "--out=new"], "REPRESENTATIONS"),
                           (["--out=new", "--tau=0.5"], "--tau"), (["--out=new", "--target=0.1"], "--target"),
                           (["--out=new", "--set=train.steps=3"], "directory|train"),
                           (["--out=new", "--set=foo"], "--set"), (["--out=new", f"--set={HUGE}=1"], "--set"),
                           (["--out=new", "--device=tpu"], "--device"), (["--out=new", "--workers=0"], "--workers"),
                           (["--out=new", "--max-stack=0"], "--max-stack"), ([f"--out={LONG}"], "--out")):  # fmt: skip
        yield cli("a sweep measured again", ["measure", "rows", *options], names, quick=True)
    for option in ("--out=new", "--set=measurement.n_fit=3", "--workers=2", "--max-stack=2"):
        yield cli("a sweep measured again", ["measure", "world.npz", "codes.npz", option],
                  f"{option.partition('=')[0]}: expected none with world.npz", quick=True)  # fmt: skip
    yield cli("a sweep measured again", "measure world.npz", "REPRESENTATIONS.npz", quick=True)
    for option, names in (("--tau=0", "--tau"), ("--tau=-1", "--tau"), ("--tau=nan", "--tau"),
                          ("--tau=inf", "--tau"), ("--target=0", "--target"), ("--target=nan", "--target"),
                          ("--device=tpu", "--device"), ("--device=cpu:²", "--device"),
                          ("--device=cpu:7", "--device"), ("--device=", "--device"),
                          ("--device=cuda:", "--device"), ("--device=" + HUGE, "--device")):  # fmt: skip
        yield cli(
            "option",
            ["measure", "world.npz", "codes.npz", option],
            names,
            quick="tpu" not in option,
        )


WORLD_OPTIONS = {
    "--label-bits": ("0", "3", "-2", "1.5", "x", "", "1000000000", DIGITS, "²", HUGE),
    "--shared": ("0", "-1", "1.5", "", "1000000000000", DIGITS),
    "--unique": ("0", "x", "10000000000000"),
    "--balance": ("2", "-1", "nan", "inf", "x", DIGITS, ""),
    "--synergy": ("2", "nan", "x"),
    "--noise": ("-1", "nan", "inf", "1e999", "x"),
    "--n-train": ("0", "-5", "1.5", "1000000000000000", DIGITS, "9" * 30),
    "--n-test": ("0", "x"),
    "--latents": ("foo", "", HUGE, "bits,gaussian"),
    "--observation": ("foo", ""),
    "--label": ("foo", "", "Bits", HUGE),
    "--unique-ratio": ("2", "-1", "nan", "x", "", DIGITS),
}


def _options() -> Iterator[Bad]:
    """Options of a wrong type, range or combination."""
    for option, values in WORLD_OPTIONS.items():
        for value in values:
            yield cli("world option", ["generate", "--out=new.npz", f"{option}={value}"], option)
            if option not in ("--n-train", "--n-test", "--shared", "--unique", "--noise"):
                quick = len(value) > 1000
                yield cli("world option", ["truth", f"{option}={value}"], option, quick=quick)
    for values in ("--label=threshold --relevant=1000000000 --unique-ratio=0 --shared=1000000000",
                   "--label=parity --relevant=1000000000 --unique-ratio=0 --shared=1000000000",
                   "--label=planar --relevant=1000000000 --unique-ratio=0 --shared=1000000000",
                   "--label=threshold --relevant=0", "--label=parity --relevant=-1"):  # fmt: skip
        yield cli("world option", f"truth {values}", "--relevant")
    for grid in ("0:1", "a", "", ",", "0,,1", "1:0:0.1", "0:1:0", "0:1:-1", "0:1:1e-9", "nan", "inf",
                 "1e400", DIGITS, f"0:1:{DIGITS}", HUGE, "0:1:0.1:2", "²", "0.5;1", "[0.5]"):  # fmt: skip
        yield cli(
            "grid",
            ["sweep", "--dry-run", f"--unique-ratio={grid}"],
            "--unique-ratio",
            quick=len(grid) > 99,
        )
    for seeds in (
        "-1",
        "0.5",
        "",
        "x",
        "0:",
        "2:0",
        DIGITS,
        "0:99999",
        "0:99999999999",
        "true",
        "²",
    ):
        yield cli("grid", ["sweep", "--dry-run", f"--seeds={seeds}"], "--seeds|--unique-ratio")
    for pair in ("train.steps=10.5", "train.steps=x", "train.steps=", "train.steps", "=3", ".=3",
                 "a..b=1", "train.steps=true", "train.steps=[1]", f"train.steps={DIGITS}",
                 f"train.steps={'9' * 4000}", f"train.steps={'9' * 30}",
                 f"train.steps={NEST}", f"settings.simclr.temperature={NEST}", f"{HUGE}=1",
                 f"train.steps={HUGE}", "train.steps=²", "train={steps=0}", "train=3", "seeds=[[0]]",
                 "train.steps=1\n[world]\nn_train=3", "critic=3", "world=3", "world.label=x",
                 "variants=3", "axes=3", "preset=3", ".".join(["a"] * 10_000) + "=1",
                 ".".join(["world"] * 2_000) + "=1", "settings.simclr=1", "settings.ghost.a=1",
                 "settings.simclr.temperature=2020-01-01", "nets.encoder_hidden=[1e30]",
                 "nets.encoder_hidden=[0]", "train.learning_rate=nan", "train.learning_rate=1e999",
                 "measurement.n_fit=-1", "augmentation.kind=3", "methods=3", '"=3', "methods=[[1]]",
                 "nets.embed_dim=-3", "train.batch_size=999999999999"):  # fmt: skip
        quick = len(pair) > 1000 or "²" in pair or "10.5" in pair
        yield cli("--set", ["sweep", "--dry-run", "--set", pair], "--set|train.batch", quick=quick)
    for axis in ("train.steps", "train.steps=", "=1", "train.steps=x", "train.steps=0", "foo=1",
                 "train.steps=1,1", f"train.steps={DIGITS}", f"train.steps={NEST}", f"{HUGE}=1",
                 f"train.steps={HUGE}", "train.steps=0:1", "train.steps=1:0:1", "seeds=1",
                 "world.label.unique_ratio=1", ".".join(["a"] * 10_000) + "=1",
                 "train.steps=0:100000:1", "world.label.path=marks_label:nothing", "train.steps=²",
                 "settings.ghost.a=1", "settings.simclr.colour=1", 'train."steps=1'):  # fmt: skip
        yield cli(
            "--axis",
            ["sweep", "--dry-run", "--methods=simclr", "--axis", axis],
            "--axis",
            quick=len(axis) > 1000,
        )
    for option, values in {
        "--methods": ("foo", "", ",", "raw,raw", HUGE, "raw;simclr", "os:getcwd", "a:b:c", ":x", "x:",
                      "../x:Y", "é:É"),
        "--preset": ("foo", "", HUGE),
        "--variant": ("foo", "", HUGE),
        "--critic": ("foo", "", HUGE),
        "--augmentation": ("foo", "", HUGE),
        "--device": ("foo", "", "cpu:²", "cpu:1", "cuda:²", "cuda:-1", "cuda:99", HUGE, "CPU",
                     f"cuda:{DIGITS}"),
        "--workers": ("0", "-1", "x", "1.5", DIGITS),
        "--max-stack": ("0", "-1", "x", DIGITS),
    }.items():  # fmt: skip
        for value in values:
            if option in ("--workers", "--max-stack") and value == DIGITS:
                continue
            yield cli("sweep option", ["sweep", "--dry-run", f"{option}={value}"], option,
                      quick=len(value) > 1000)  # fmt: skip
    calibrate = ["calibrate", "--out=new", "--estimators=plugin", "--workers=1"]
    for option in ("--n=x", "--n=0", "--n=-5", "--n=1.5", "--n=", "--n=²", f"--n={DIGITS}",
                   "--n=99999999999999", "--repetitions=0", "--repetitions=-1", "--cell-seconds=-1",
                   "--cell-seconds=nan", "--seed=-1", "--workers=0", "--workers=-1", "--groups=foo",
                   "--groups=", "--formats=foo", "--formats=", "--estimators=foo", "--estimators=",
                   "--estimators=plugin,foo", f"--groups={HUGE}", f"--formats={HUGE}", "--repetitions=x"):  # fmt: skip
        yield cli(
            "calibrate option",
            [*calibrate, option],
            option.partition("=")[0],
            quick="--f" in option,
        )
    readouts = [
        "calibrate-readouts",
        "--out=new",
        "--methods=raw",
        *TINY[5:],
        "--n=60",
        "--repetitions=1",
    ]
    for option in ("--tau=0", "--tau=nan", "--tau=inf", "--of=foo", "--of=", "--only=foo", "--only=",
                   "--n=0", "--n=x", "--repetitions=0", "--seed=-1", "--workers=0", "--estimators=plugin",
                   "--estimators=foo", "--methods=foo", "--unique-ratio=2", "--seeds=x", "--set=a",
                   f"--of={HUGE}"):  # fmt: skip
        yield cli("readouts option", [*readouts, option], option.partition("=")[0])
    gaussian = ["gaussian", "--out=new", "--dims=2", "--levels=1", "--steps=2", "--batch-size=8"]
    for option in ("--dims=x", "--dims=0", "--dims=-1", "--dims=", f"--dims={DIGITS}", "--levels=0",
                   "--levels=nan", "--levels=x", "--levels=", "--steps=0", "--steps=x", "--batch-size=0",
                   "--batch-size=1", "--seeds=0", "--seeds=-1", "--workers=-1", "--workers=x",
                   "--dims=²", "--levels=inf"):  # fmt: skip
        yield cli("gaussian option", [*gaussian, option], option.partition("=")[0])
    conditional = ["conditional", "--out=new", "--steps=2", "--cells=100x2"]
    for option in ("--cells=x", "--cells=0x1", "--cells=100", "--cells=", "--cells=100x2x3", "--steps=0",
                   "--batch-size=0", "--seeds=0", "--workers=-1", "--cells=1x1", f"--cells={DIGITS}x1",):  # fmt: skip
        yield cli("conditional option", [*conditional, option], option.partition("=")[0])
    for option in ("--heatmap-ratio=2", "--table-ratio=nan", "--estimator=foo", "--estimator=",
                   "--x=foo", "--x=", "--formats=foo", "--formats=", f"--x={HUGE}", f"--estimator={HUGE}"):  # fmt: skip
        yield cli("figures option", ["figures", "rows", "--out=new", option], option.partition("=")[0],
                  quick=HUGE in option)  # fmt: skip
    for option in ("--format=foo", "--format=", f"--format={HUGE}", "--colour"):
        yield cli(
            "figures option",
            ["export", "rows", "--out=new", option],
            option.partition("=")[0],
            quick=True,
        )
    for option in ("--threads=0", "--threads=x", "--steps=0", "--device=foo", "--device=cpu:²",
                   "--threads=-1", "--only=foo", "--only=", f"--only={HUGE}", "--rounds=0", "--seconds=0",
                   "--seconds=nan", "--references=array.npy", "--save=", "--formats=foo"):  # fmt: skip
        yield cli("bench option", ["bench", option], option.partition("=")[0], quick=True)
    for line in ("foo", HUGE, "--foo", "sweep --foo", f"sweep --{HUGE}", "sweep extra", "truth extra",
                 "generate", "measure", "export", "estimate", "sweep --config"):  # fmt: skip
        yield cli("command", line, "expected|[Nn]o such|Missing|unexpected|requires", quick=True)


def _estimates() -> Iterator[Bad]:
    """The command that estimates: what its options say."""
    xy = ["estimate", "array.npy", "array.npy", "--estimator"]
    for setting in ("k", "k=", "=1", "k=x", "k=0", "k=-1", "k=1.5", f"k={NEST}", f"k={DIGITS}",
                    f"k={HUGE}", "foo=1", "k=true", "k=[1]", f"{HUGE}=1", "k=²"):  # fmt: skip
        yield cli(
            "estimate setting", [*xy, "ksg1", "--set", setting], "--set", quick=len(setting) > 1000
        )
    for name in ("foo", "", HUGE, "a:b:c", "other:Mine", "other:Other", "none_such:Mine",
                 "import_raises:Mine", "import_exits:Mine", "import_ends:Mine", "import_interrupts:Mine",
                 "import_crashes:Mine", "syntax:Mine", "long_error:Mine"):  # fmt: skip
        yield cli("estimator plug-in", [*xy, name], "--estimator")
    yield cli(
        "estimator plug-in", ["--plugin-seconds=3", *xy, "import_hangs:Mine"], "--estimator.*3 s"
    )
    yield cli(
        "estimator plug-in",
        ["calibrate", "--out=new", "--estimators=import_ends:Mine"],
        "--estimators",
    )


def _plugins() -> Iterator[Bad]:
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


def _real_data() -> Iterator[Bad]:
    """Files and options of ``train``."""
    names = ["--modality1=a", "--modality2=b", "--label=y"]
    for path in ("evil.pkl", "cut.pkl", "text.npz", "cut.npz", "array.npy", "taken.npz", "loop.npz",
                 "dangling.npz", "none.pkl", f"{LONG}.pkl", "FILE/x.pkl", "DIR"):  # fmt: skip
        yield cli("real data", ["train", f"--data={path}", *names], "expected",
                  quick=path != "DIR")  # fmt: skip
    for option, said in (("--dataset=mossi", "--dataset"), (f"--modality1={HUGE}", "--modality1"),
                         ("--label=y:9", "--label"), ("--label=y:²", "--label"), (f"--label-rule={HUGE}", "--label-rule"),
                         ("--nonfinite=drop", "--nonfinite"), ("--max-steps=0", "--max-steps"),
                         ("--max-steps=-3", "--max-steps"), ("--valid-share=1", "--valid-share"),
                         ("--valid-share=nan", "--valid-share"), ("--test-share=inf", "--test-share"),
                         (f"--methods={HUGE}", "--methods"), ("--methods=simclr,simclr", "--methods"),
                         ("--seeds=1:", "--seeds"), ("--seeds=-1", "--seeds"), ("--variant=mine", "--variant"),
                         ("--set=train.steps=0", "train.steps"), (f"--set={HUGE}=1", "--set"),
                         ("--set=encoder1.kind=gpt", "encoder1.kind"), ("--set=encoder1=3", "encoder1"),
                         ("--set=nets=3", "nets"), ("--set=settings.simclr=3", "settings"),
                         (f"--set=train.learning_rate={DIGITS}", "--set"), ("--set=ridges=[0]", "ridges"),
                         ("--device=tpu", "--device"), ("--device=cuda:99", "--device"),
                         ("--out=FILE", "--out"), (f"--out={LONG}", "--out"), ("--out=rows", "--out")):  # fmt: skip
        yield cli(
            "real data",
            ["train", "--data=real.pkl", *names, "--dataset=plain", option],
            said,
            quick=True,
        )
    yield cli("real data", "train --data=real.pkl", "--modality1", quick=True)
    for value in (None, 3, [], "none.pkl"):
        yield Bad(
            "Python",
            lambda v=value: fc.load_multimodal(v),
            "expected|none.pkl",
            name=f"load_multimodal({value!r})",
            quick=True,
        )
        yield Bad(
            "Python",
            lambda v=value: fc.train_real(v),
            "data: expected",
            name=f"train_real({value!r})",
            quick=True,
        )
    for how in (
        {"dataset": 3},
        {"modality1": 3},
        {"label": 5},
        {"max_steps": 1.5},
        {"valid_share": "x"},
        {"test_share": True},
    ):
        yield Bad("Python", lambda h=how: fc.load_multimodal("real.pkl", **{"modality1": "a", "modality2": "b", "label": "y", **h}),
                  f"{next(iter(how))}: expected", name=f"load_multimodal({how!r})", quick=True)  # fmt: skip


def _python() -> Iterator[Bad]:
    """The same in Python."""
    spec: Any = fc.WorldSpec()
    results = []

    def loaded() -> Any:
        results[:] = results or [fc.load_results("rows")]
        return results[0]

    def api(name: str, call: Callable[[], Any], names: str, quick: bool = True) -> Bad:
        return Bad("Python", call, names, name=name, quick=quick)

    wrong: tuple[Any, ...] = (None, "x", 3, [], {"n_train": 4})
    x = np.zeros(50)
    for value in wrong:
        yield api(
            f"make_dataset({value!r}, 0)", lambda v=value: fc.make_dataset(v, 0), "spec: expected"
        )
        yield api(f"world_truth({value!r})", lambda v=value: fc.world_truth(v), "spec: expected")
        yield api(f"run_sweep({value!r})", lambda v=value: fc.run_sweep(v, "new"), "spec: expected")
        yield api(f"measure({value!r})", lambda v=value: fc.measure(v, {}), "world: expected")
        yield api(
            f"measure_sweep({value!r})",
            lambda v=value: fc.measure_sweep(v, out="new"),
            "directory: expected",
        )
        yield api(f"load_encoder({value!r})", lambda v=value: fc.load_encoder(v, "a"), "expected")
        yield api(
            f"load_encoder(rows, {value!r})",
            lambda v=value: fc.load_encoder("rows", v),
            "expected",
        )
        yield api(
            f"draw_figures({value!r})",
            lambda v=value: fc.draw_figures(v, "new"),
            "results: expected",
        )
        yield api(f"calibrate({value!r})", lambda v=value: fc.calibrate(v), "estimators: expected")
    for seed in (None, "x", 1.5, -1, 2**63, True, [0]):
        yield api(
            f"make_dataset(spec, {seed!r})",
            lambda s=seed: fc.make_dataset(spec, s),
            "seed: expected",
        )
    for value in (3, "x", [1], {"world": 3}, {3: 4}, {"seeds": None}, {"axes": 3}, {"methods": "raw"},
                  {"unique_ratio": [2]}, {"world": {"n_train": 10**400}}, {"train": {"steps": 1.5}},
                  {"settings": {"simclr": {"temperature": float("nan")}}}, {"variants": 3}):  # fmt: skip
        yield api(f"sweep_spec({value!r:.50})", lambda v=value: fc.sweep_spec(v), "expected")
    for preset in (3, b"quick", "x", ["quick"]):
        yield api(
            f"sweep_spec(preset={preset!r})",
            lambda p=preset: fc.sweep_spec(preset=p),
            "preset: expected",
        )
    for fields in ({"n_train": 0}, {"n_train": "x"}, {"colour": 1}, {"latents": 3}, {"label": {"kind": "x"}},
                   {"label": None}, {"n_train": 1.5}, {"n_train": HUGE}):  # fmt: skip
        yield api(f"WorldSpec(**{fields!r:.40})", lambda f=fields: fc.WorldSpec(**f), "expected")
    yield api("SweepSpec(seeds=3)", lambda: fc.SweepSpec(seeds=3), "seeds: expected")
    yield api("TrainSpec(steps=0)", lambda: fc.TrainSpec(steps=0), "steps: expected")
    for name in (None, 3, "x", HUGE, ["ksg1"]):
        yield api(
            f"estimate(estimator={name!r:.30})",
            lambda n=name: fc.estimate(x, x, estimator=n),
            "estimator: expected",
        )
    for value in (None, 3, "text", {"a": 1}, [[1], [1, 2]]):
        yield api(
            f"estimate({value!r}, x)",
            lambda v=value: fc.estimate(v, x, estimator="ksg1"),
            "[xX]: expected",
        )
    for how in ({"repetitions": 0}, {"repetitions": "x"}, {"repetitions": 1.5}, {"n": 5}, {"n": ["x"]}, {"n": ()},
                {"n": [1.5]}, {"workers": "x"}, {"seed": "x"}, {"seed": -1}, {"seed": 0.5}, {"laws": ["x"]},
                {"laws": 3}, {"laws": []}, {"cell_seconds": "x"}, {"parts": 3}):  # fmt: skip
        yield api(f"calibrate({how!r})",
                  lambda h=how: fc.calibrate({"plugin": fc.make_estimator("plugin")}, **h),
                  f"{next(iter(how))}: expected")  # fmt: skip
    yield api("calibrate({'a': 3})", lambda: fc.calibrate({"a": 3}), "estimators: expected")
    for how in ({"formats": "png"}, {"formats": ["foo"]}, {"formats": 3}, {"formats": []}, {"heatmap_ratio": "x"},
                {"heatmap_ratio": 2}, {"table_ratio": float("nan")}, {"estimator": 3}, {"x": 3}, {"x": "foo"}):  # fmt: skip
        yield api(f"draw_figures({how!r})", lambda h=how: fc.draw_figures(loaded(), "new", **h),
                  f"{next(iter(how))}: expected")  # fmt: skip
    yield api("draw_figures(out=3)", lambda: fc.draw_figures(loaded(), 3), "out_dir: expected")
    data = fc.make_dataset(fc.WorldSpec.model_validate(TINY_WORLD), 0)
    for codes in (
        None,
        3,
        {},
        {"a": 1},
        {"train_z1": np.zeros(3)},
        {3: np.zeros(3)},
        [np.zeros(3)],
    ):
        yield api(f"measure(data, {codes!r:.40})", lambda c=codes: fc.measure(data, c), "expected")
    for how in ({"spec": 3}, {"device": "tpu"}, {"device": 3}, {"device": "cpu:²"}):
        yield api(
            f"measure(**{how!r})",
            lambda h=how: fc.measure(data, codes_of(data), **h),
            f"{next(iter(how))}: expected",
        )
    for value in (3, None, [1]):
        yield api(f"load_dataset({value!r})", lambda v=value: fc.load_dataset(v), "path: expected")
        yield api(
            f"load_results({value!r})",
            lambda v=value: fc.load_results(v),
            "directory|path|results: expected",
        )
    for how in ({"workers": 0}, {"workers": "x"}, {"max_stack": 0}, {"device": 3}, {"device": "cpu:²"},
                {"workers": 1.5}):  # fmt: skip
        yield api(f"run_sweep({how!r})", lambda h=how: fc.run_sweep(fc.sweep_spec(TINY_SWEEP), "new", **h),
                  f"{next(iter(how))}: expected")  # fmt: skip
    for method in (3, None, "x", int):
        yield api(f"check_method({method!r})", lambda m=method: fc.check_method(m), "expected")
    for estimator in (3, None, "ksg1"):
        yield api(
            f"check_estimator({estimator!r})",
            lambda e=estimator: fc.check_estimator(e),
            "estimator: expected",
        )


TINY_WORLD = {
    "latents": {"n_shared": 2, "n_unique1": 1, "n_unique2": 1},
    "observation": {"kind": "linear", "dim1": 6, "dim2": 6},
    "n_train": 64,
    "n_test": 32,
}
TINY_SWEEP = {"unique_ratio": [0.0], "methods": ["raw"], "seeds": [0], "world": TINY_WORLD}


def codes_of(data: Any) -> dict[str, Any]:
    """Representations that can be measured."""
    return {"train_z1": data.train.x1, "test_z1": data.test.x1}


def bad_inputs() -> list[Bad]:
    """All of them."""
    parts = (_files, _claims, _paths, _data, _options, _estimates, _plugins, _real_data, _python)
    return [bad for part in parts for bad in part()]


def tree(directory: Path) -> dict[str, Any]:
    """What a directory holds: kinds, targets and contents."""
    found: dict[str, Any] = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if "__pycache__" in name:
            continue
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = path.read_bytes()
        else:
            found[name] = oct(path.stat().st_mode)
    return found


def outcome(bad: Bad) -> tuple[int, str]:
    """The exit code and what was said, in this process and the current directory."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        if isinstance(bad.call, tuple):
            code = run(list(bad.call))
        else:
            try:
                bad.call()
                code = 0
            except (ValueError, TypeError, OSError, StoreRefused) as error:
                code = REFUSED if isinstance(error, StoreRefused) else USAGE
                # The system's own errors hold the whole name of a file.
                said = one_line(str(error)) if isinstance(error, OSError) else error
                err.write(f"fctestbed: {said}\n")
    return code, err.getvalue()


def faults(bad: Bad, code: int, said: str) -> list[str]:
    """What is wrong with an answer."""
    wrong = []
    if code != bad.code:
        wrong.append(f"exit code {code}, not {bad.code}")
    if said.count("\n") != 1 or not said.startswith("fctestbed: "):
        wrong.append("not one line")
    if len(said) > MOST_CHARACTERS + len("fctestbed: \n"):
        wrong.append(f"{len(said)} characters")
    if not re.search(bad.names, said):
        wrong.append(f"does not name {bad.names[:40]!r}")
    return wrong


def judged(bad: Bad, directory: Path) -> list[str]:
    """What is wrong with how an input is handled in a new process; empty where all is well."""
    before = tree(directory)
    reading, writing = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _child(bad, directory, writing)
    os.close(writing)
    content = b""
    while select.select([reading], [], [], max(0.0, MOST_SECONDS + started - time.monotonic()))[0]:
        part = os.read(reading, 1 << 16)
        content += part
        if not part:
            break
    os.close(reading)
    took = time.monotonic() - started
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if took >= MOST_SECONDS:
        wrong = [f"more than {MOST_SECONDS} s"]
    elif not content:
        wrong = ["the process ended"]
    else:
        code, said = pickle.loads(content)
        wrong = [said] if code is None else faults(bad, code, said)
        if wrong and code is not None:
            wrong.append(said.strip()[:400])
    after = tree(directory)
    if after != before:
        changed = [n for n in {*before, *after} if before.get(n) != after.get(n)]
        wrong.insert(0, f"changed {', '.join(sorted(changed)[:3])}")
    return wrong


def _child(bad: Bad, directory: Path, writing: int) -> None:
    """Run an input, send what happened and end."""
    os.setpgid(0, 0)
    os.chdir(directory)
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    silent = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silent, stream)
    try:
        answer: tuple[int | None, str] = outcome(bad)
    except BaseException as error:
        answer = None, f"traceback: {type(error).__name__}: {str(error)[:200]}"
    os.write(writing, pickle.dumps((answer[0], answer[1][:30_000])))
    os._exit(0)


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
