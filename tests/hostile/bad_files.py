# ruff: noqa: E501
"""Bad files that commands read: sweep files, claims, data and representations, real data."""

import re
from collections.abc import Iterator

from bad import DIGITS, HUGE, LONG, REFUSED, USAGE, Bad, cli
from places import CLAIM_FILES, SWEEP_FILES

import fctestbed as fc


def files() -> Iterator[Bad]:
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


def claims() -> Iterator[Bad]:
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


def data() -> Iterator[Bad]:
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
    yield cli("representations", ["measure", "", "codes.npz"], "WORLD.npz")
    yield cli("representations", ["measure", "world.npz", ""], "REPRESENTATIONS.npz")
    for options, names in (([], "--out: expected"), (["--out=rows"], "--out: expected another"),
                           (["--out=new"], "results.sqlite"), (["codes.npz", "--out=new"], "REPRESENTATIONS"),
                           (["--out=new", "--tau=0.5"], "--tau"), (["--out=new", "--target=0.1"], "--target"),
                           (["--out=new", "--set=train.steps=3"], "directory|train"),
                           (["--out=new", "--set=foo"], "--set"), (["--out=new", f"--set={HUGE}=1"], "--set"),
                           (["--out=new", "--device=tpu"], "--device"), (["--out=new", "--workers=0"], "--workers"),
                           (["--out=new", "--max-stack=0"], "--max-stack"), ([f"--out={LONG}"], "--out")):  # fmt: skip
        yield cli("a sweep measured again", ["measure", "rows", *options], names, quick=True)
    for option in ("--set=measurement.n_fit=3", "--workers=2", "--max-stack=2"):
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


def real_data() -> Iterator[Bad]:
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
