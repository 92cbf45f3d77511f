# ruff: noqa: E501, PLR0912
"""Options of a wrong type, range or combination."""

from collections.abc import Iterator

from bad import DIGITS, HUGE, NEST, TINY, Bad, cli

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


def options() -> Iterator[Bad]:
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
                   "--batch-size=1", "--seeds=x", "--seeds=-1", "--workers=-1", "--workers=x",
                   "--dims=²", "--levels=inf"):  # fmt: skip
        yield cli("gaussian option", [*gaussian, option], option.partition("=")[0])
    conditional = ["conditional", "--out=new", "--steps=2", "--cells=100x2"]
    for option in ("--cells=x", "--cells=0x1", "--cells=100", "--cells=", "--cells=100x2x3", "--steps=0",
                   "--batch-size=0", "--seeds=-1", "--workers=-1", "--cells=1x1", f"--cells={DIGITS}x1",):  # fmt: skip
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


def estimates() -> Iterator[Bad]:
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
