# ruff: noqa: E501
"""A directory of files that a careless or hostile user might have, for the list of bad inputs."""

import io
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from synthetic_results import as_results, records

from fctestbed.results import export_results
from fctestbed.synthesis import WorldSpec, make_dataset

DEEP = 10_000
DIGITS = 5_000

WORLD = {
    "latents": {"n_shared": 2, "n_unique1": 1, "n_unique2": 1},
    "observation": {"kind": "linear", "dim1": 6, "dim2": 6},
    "n_train": 64,
    "n_test": 32,
}

_GOOD = """
from torch import nn
from fctestbed import Method
from fctestbed.nets import StackedLinear
class Parts(nn.Module):
    def __init__(self, stack, shape):
        super().__init__()
        self.first = StackedLinear(stack, shape.dim1, 4)
        self.second = StackedLinear(stack, shape.dim2, 4)
class Mine(Method):
    def build(self, stack, shape, nets):
        return Parts(stack, shape)
    def loss(self, module, batch):
        {loss}
        return {{"apart": (module.first(batch.x1) - module.second(batch.x2)).square().mean((1, 2))}}
    def readouts(self, module, x1, x2):
        {readouts}
        return {{"z1": module.first(x1), "z2": module.second(x2)}}
"""
_SEGFAULT = "import ctypes; ctypes.string_at(0)"
_FAULTS = {
    "raises": "raise RuntimeError('a\\nfault')",
    "exits": "raise SystemExit(0)",
    "ends": "import os; os._exit(0)",
    "interrupts": "raise KeyboardInterrupt",
    "hangs": "import time; time.sleep(1000)",
    "crashes": _SEGFAULT,
}

MODULES = {
    **{f"import_{name}": fault for name, fault in _FAULTS.items()},
    **{f"loss_{name}": _GOOD.format(loss=fault, readouts="") for name, fault in _FAULTS.items()},
    "marks": "open('imported', 'w').close()\n" + _GOOD.format(loss="", readouts=""),
    "long_error": "raise ValueError('x' * 20_000)",
    "wrong_readouts": _GOOD.format(loss="", readouts="return {'z1': x1[0], 'z2': x2}"),
    "text_readouts": _GOOD.format(loss="", readouts="return 'z1'"),
    "number_loss": _GOOD.format(loss="return 0.0", readouts=""),
    "none_loss": _GOOD.format(loss="return None", readouts=""),
    "other": "Mine = 3\nclass Other: pass\ndef function(): pass\n",
    "syntax": "class Mine(:\n",
    "abstract": "from fctestbed import Method\nclass Mine(Method): pass\n",
    "labels": "\n".join(
        [
            "import numpy as np",
            "def good(rows): return (rows[:, 0] > 0).astype(int)",
            "def floats(rows): return rows[:, 0]",
            "def matrix(rows): return rows.astype(int)",
            "def large(rows): return np.full(len(rows), 99)",
            "def text(rows): return 'classes'",
            *(
                f"def {name}(rows):\n    {fault}"
                for name, fault in _FAULTS.items()
            ),
        ]
    ),
    "marks_label": "open('imported', 'w').close()\ndef good(rows): return (rows[:, 0] > 0) * 1\n",
}  # fmt: skip

_NESTED = "[" * DEEP + "]" * DEEP

CLAIM = """id = "a"
source = "b"
statement = "c"
smallest_effect_bits = 0.1
sweep = { unique_ratio = [0.5], seeds = [0, 1] }
[[predictions]]
left = "simclr"
relation = "<"
right = "raw"
[assumptions.long]
statement = "d"
broken = { train = { steps = 2 } }
"""
# A text of the claim and what stands in its place.
CLAIM_FILES: dict[str, tuple[str, str]] = {
    "claim_id.toml": ('id = "a"', 'id = "../a"'),
    "claim_number_id.toml": ('id = "a"', "id = 3"),
    "claim_key.toml": ('source = "b"', 'source = "b"\ncolour = 1'),
    "claim_effect.toml": ("= 0.1", "= nan"),
    "claim_text_effect.toml": ("= 0.1", '= "0.1"'),
    "claim_text_sweep.toml": ("{ unique_ratio = [0.5], seeds = [0, 1] }", '"quick.toml"'),
    "claim_ratio.toml": ("[0.5]", "[5]"),
    "claim_grid.toml": ("[0.5]", '"0:1:1e-9"'),
    "claim_seeds.toml": ("[0, 1]", f"[{'9' * 4000}]"),
    "claim_steps.toml": ("seeds = [0, 1]", "train = { steps = 0 }"),
    "claim_axis.toml": ("seeds = [0, 1]", 'axes = { "train.stops" = [1, 2] }'),
    "claim_methods.toml": ("seeds = [0, 1]", 'methods = ["raw"]'),
    "claim_method.toml": ('"simclr"', '"simclear"'),
    "claim_plugin.toml": ('"simclr"', '"marks_imported:Method"'),
    "claim_nested.toml": ('"simclr"', f"{'[' * 300}{']' * 300}"),
    "claim_list.toml": ('"simclr"', "[1, 2]"),
    "claim_date.toml": ('"simclr"', "2020-01-01"),
    "claim_bool.toml": ('"raw"', "true"),
    "claim_infinite.toml": ('"raw"', "inf"),
    "claim_impossible.toml": ('"raw"', "-3"),
    "claim_certain.toml": ('"raw"', "30"),
    "claim_quantity.toml": ('"raw"', '{ method = "raw", quantity = [] }'),
    "claim_unknown_quantity.toml": ('"raw"', '{ method = "raw", quantity = "w_9[0]" }'),
    "claim_readout.toml": ('"raw"', '{ method = "raw", readout = "z_s1" }'),
    "claim_rate.toml": ('"raw"', '{ method = "raw", rate_bits = 5 }'),
    "claim_same.toml": ('"raw"', '"simclr"'),
    "claim_relation.toml": ('"<"', '"=="'),
    "claim_broken.toml": ("{ train = { steps = 2 } }", "{ train = { steps = -2 } }"),
    "claim_unbroken.toml": ("{ train = { steps = 2 } }", "{}"),
}

SWEEP_FILES: dict[str, bytes] = {
    "empty_key.toml": b"= 3\n",
    "binary.toml": bytes(range(256)) * 8,
    "latin.toml": "methods = ['été']\n".encode("latin-1"),
    "nul.toml": b"seeds = [0]\x00\n",
    "utf16.toml": "seeds = [0]\n".encode("utf-16"),
    "json.toml": b'{"seeds": [0]}\n',
    "nested_list.toml": f"seeds = {_NESTED}\n".encode(),
    "nested_table.toml": ("x = " + "{a = " * DEEP + "1" + "}" * DEEP + "\n").encode(),
    "dotted.toml": (".".join(["a"] * DEEP) + " = 1\n").encode(),
    "header.toml": ("[" + ".".join(["world"] * DEEP) + "]\na = 1\n").encode(),
    "nested_200.toml": f"seeds = {'[' * 200}{']' * 200}\n".encode(),
    "nested_setting.toml": f"[settings.simclr]\ntemperature = {'[' * 300}{']' * 300}\n".encode(),
    "nested_axis.toml": f"[axes]\n'train.steps' = {'[' * 300}{']' * 300}\n".encode(),
    "digits.toml": f"[world]\nn_train = {'9' * DIGITS}\n".encode(),
    "digits_4000.toml": f"[world]\nn_train = {'9' * 4000}\n".encode(),
    "hex_digits.toml": f"[world]\nn_train = 0x{'f' * DIGITS}\n".encode(),
    "float_digits.toml": f"[world.observation]\nnoise = {'9' * DIGITS}.0\n".encode(),
    "digits_seed.toml": f"seeds = [{'9' * DIGITS}]\n".encode(),
    "digits_grid.toml": f"unique_ratio = '{'9' * DIGITS}'\n".encode(),
    "duplicate.toml": b"seeds = [0]\nseeds = [1]\n",
    "duplicate_table.toml": b"[world]\nn_test = 9\n[world]\nn_train = 9\n",
    "unclosed.toml": b"seeds = [0\n",
    "text_table.toml": b"world = 'large'\n",
    "list_table.toml": b"world = [1, 2]\n",
    "number_table.toml": b"train = 3\n",
    "text_settings.toml": b"settings = 'fast'\n",
    "text_of_settings.toml": b"[settings]\nsimclr = 'fast'\n",
    "number_methods.toml": b"methods = 3\n",
    "nested_methods.toml": b"methods = [['raw']]\n",
    "text_methods.toml": b"methods = 'raw'\n",
    "no_methods.toml": b"methods = []\n",
    "bool_seeds.toml": b"seeds = true\n",
    "float_seeds.toml": b"seeds = [0.5]\n",
    "text_seeds.toml": b"seeds = ['one']\n",
    "date_seeds.toml": b"seeds = [2020-01-01]\n",
    "date_setting.toml": b"[settings.simclr]\ntemperature = 2020-01-01\n",
    "infinite.toml": b"[train]\nlearning_rate = inf\n",
    "nan.toml": b"unique_ratio = [nan]\n",
    "no_ratio.toml": b"unique_ratio = []\n",
    "large_ratio.toml": b"unique_ratio = [0, 2]\n",
    "table_ratio.toml": b"[unique_ratio]\na = 1\n",
    "preset.toml": b"preset = 'fast'\n",
    "preset_number.toml": b"preset = 3\n",
    "preset_list.toml": b"preset = ['quick']\n",
    "unknown.toml": b"[world]\ncolour = 'red'\n",
    "unknown_long.toml": f"[world]\n{'k' * 20_000} = 1\n".encode(),
    "long_text.toml": f"critic = '{'c' * 20_000}'\n".encode(),
    "long_list.toml": f"seeds = {[-1] * 20_000}\n".encode(),
    "steps.toml": b"[train]\nsteps = 10.5\n",
    "steps_text.toml": b"[train]\nsteps = '10'\n",
    "steps_bool.toml": b"[train]\nsteps = true\n",
    "axes_list.toml": b"axes = [1, 2]\n",
    "axes_text.toml": b"axes = 'train.steps'\n",
    "axes_empty.toml": b"[axes]\n'train.steps' = []\n",
    "axes_unknown.toml": b"[axes]\n'train.colour' = [1]\n",
    "axes_table.toml": b"[axes]\n'train.steps' = [{a = 1}]\n",
    "axes_empty_name.toml": b"[axes]\n'' = [1]\n",
    "variants_list.toml": b"variants = [3]\n",
    "variants_number.toml": b"variants = 3\n",
    "variants_none.toml": b"[variants]\n",
    "variants_text.toml": b"[variants]\nmine = 'paper'\n",
    "variants_unknown.toml": b"[variants.mine]\ncolour = 1\n",
    "variants_long.toml": f"[variants.{'v' * 20_000}]\ncolour = 1\n".encode(),
    "world_kind.toml": b"[world.label]\nkind = 3\n",
    "world_label.toml": b"[world]\nlabel = 'bits'\n",
    "label_bits.toml": b"[world.label]\nlabel_bits = 1000000000\n",
    "relevant.toml": b"unique_ratio=[0]\n[world.label]\nkind='threshold'\nn_relevant=1000000000\n",
    "shared.toml": b"[world.latents]\nn_shared = 1000000000\n",
    "hidden.toml": b"[world.observation]\nhidden_dim = 1000000000000\n",
    "label_ratio.toml": b"[world.label]\nunique_ratio = 0.5\n",
    "settings_ghost.toml": b"[settings.ghost]\na = 1\n",
    "plugin_method.toml": b"methods = ['marks:Mine']\n",
    "plugin_setting.toml": b"[settings.'marks:Mine']\na = 1\n",
    "plugin_variant.toml": b"[variants.v]\nmethods = ['marks:Mine']\n",
    "plugin_axis.toml": b"""[axes]\n'settings."marks:Mine".a' = [1]\n""",
    "plugin_label.toml": b"unique_ratio=[0]\n[world.label]\nkind='function'\npath='marks_label:good'\nn_relevant=2\n",
    "plugin_label_axis.toml": b"unique_ratio=[0]\n[world.label]\nkind='function'\nn_relevant=2\n[axes]\n'world.label.path'=['marks_label:good']\n",
    "deep_string.toml": f"methods = ['{'a.' * 5_000}b:C']\n".encode(),
    "large.toml": b"# " + b"x" * 3_000_000 + b"\nseeds = [0]\n",
}  # fmt: skip


class _Runs:
    """Runs a command where a pickle is executed."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch executed",)


def _make_real_data(directory: Path) -> None:
    """A small file of real data, one that is cut off, and one that runs a command."""
    rng = np.random.default_rng(0)
    splits: dict[str, Any] = {
        name: {"a": rng.random((40, 2)), "b": rng.random((40, 3)), "y": np.arange(40) % 2}
        for name in ("train", "valid", "test")
    }
    whole = pickle.dumps(splits)
    (directory / "real.pkl").write_bytes(whole)
    (directory / "cut.pkl").write_bytes(whole[: len(whole) // 2])
    (directory / "evil.pkl").write_bytes(pickle.dumps({**splits, "more": _Runs()}))


def make_place(directory: Path) -> None:
    """Fill an empty directory."""
    (directory / "FILE").write_text("mine")
    (directory / "DIR").mkdir()
    (directory / "DIR" / "inner").write_text("mine")
    (directory / "dangling").symlink_to("nowhere/at/all")
    (directory / "dangling.npz").symlink_to("nowhere/at/all.npz")
    (directory / "loop").symlink_to("loop")
    (directory / "loop.npz").symlink_to("loop.npz")
    (directory / "loop.toml").symlink_to("loop.toml")
    (directory / "taken.npz").mkdir()
    os.mkfifo(directory / "pipe.toml")
    (directory / "toml_directory.toml").mkdir()
    for name, content in SWEEP_FILES.items():
        (directory / name).write_bytes(content)
    for name, (old, new) in CLAIM_FILES.items():
        assert old in CLAIM
        (directory / name).write_text(CLAIM.replace(old, new, 1))
    (directory / "good_claim.toml").write_text(CLAIM)
    for name, code in MODULES.items():
        (directory / f"{name}.py").write_text(code)
    _make_data(directory)
    export_results(as_results(records((0.5,), ("raw", "simclr"), (0, 1))), directory / "rows")
    _make_rows(directory)


def _make_rows(directory: Path) -> None:
    """Exported rows in which one thing is wrong."""
    good = {path.name: path.read_bytes() for path in (directory / "rows").iterdir()}
    for name, (file, content) in {
        "rows_empty": ("captured.csv", b""),
        "rows_binary": ("captured.csv", bytes(range(256))),
        "rows_words": ("captured.csv", b"a,b\n1,2\n"),
    }.items():
        other = directory / name
        other.mkdir()
        for known, text in good.items():
            (other / known).write_bytes(content if known == file else text)


def _make_data(directory: Path) -> None:
    """Data sets and representations, good ones and ones in which one thing is wrong."""
    _make_real_data(directory)
    make_dataset(WorldSpec.model_validate(WORLD), 0).save(directory / "world.npz")
    with np.load(directory / "world.npz") as file:
        good = dict(file)
    spec = json.loads(str(good["spec_json"]))

    def changed(**parts):
        """The specification with fields replaced in its parts."""
        return np.array(
            json.dumps({**spec, **{key: {**spec[key], **new} for key, new in parts.items()}})
        )

    label = {"unique_ratio": 0.0, "balance": 0.5}
    texts = {
        "nested": np.array(_NESTED),
        "nested_object": np.array('{"label": ' * DEEP + "1" + "}" * DEEP),
        "digits": np.array(f'{{"n_train": {"9" * DIGITS}}}'),
        "no_json": np.array("spec"),
        "list_json": np.array("[1, 2]"),
        "no_text": np.array(""),
        "null": np.array("null"),
        "unknown": np.array('{"colour": 1}'),
        "label_bits": changed(label={"label_bits": 10**9}),
        "relevant": np.array(
            json.dumps({**spec, "label": {**label, "kind": "threshold", "n_relevant": 10**9}})
        ),
        "parity": np.array(
            json.dumps({**spec, "label": {**label, "kind": "parity", "n_relevant": 10**9}})
        ),
        "planar": np.array(
            json.dumps({**spec, "label": {**label, "kind": "planar", "n_relevant": 10**9}})
        ),
        "shared": changed(latents={"n_shared": 10**9}),
        "dim": changed(observation={"dim1": 10**12}),
        "hidden": np.array(
            json.dumps(
                {
                    **spec,
                    "observation": {"kind": "mlp", "dim1": 6, "dim2": 6, "hidden_dim": 10**11},
                }
            )
        ),
        "function": np.array(
            json.dumps(
                {
                    **spec,
                    "label": {
                        **label,
                        "kind": "function",
                        "path": "marks_label:good",
                        "n_relevant": 2,
                    },
                }
            )
        ),
        "nan": np.array(json.dumps({**spec, "label": {"unique_ratio": float("nan")}})),
    }
    wrong = {f"spec_{name}": {"spec_json": text} for name, text in texts.items()} | {
        "classes": {"train_y": np.full(64, 10**9)},
        "negative": {"test_y": np.full(32, -1)},
        "float_y": {"train_y": np.zeros(64)},
        "short": {"train_x1": good["train_x1"][:5]},
        "wide": {"train_x1": np.zeros((64, 7), np.float32)},
        "double": {"test_x2": np.zeros((32, 6))},
        "text_x": {"test_x2": np.full((32, 6), "a")},
        "seed": {"seed": np.array(-1)},
        "seeds": {"seed": np.array([1, 2])},
        "nan_x": {"train_x1": np.full((64, 6), np.nan, np.float32)},
        "latents": {"train_w_s": np.full((64, 2), 7, np.uint8)},
        "extra": {"colour": np.array(1)},
    }
    for name, arrays in wrong.items():
        np.savez(directory / f"{name}.npz", **{**good, **arrays})
    np.savez(directory / "missing.npz", **{k: v for k, v in good.items() if k != "train_y"})
    pickled = io.BytesIO()
    np.savez(pickled, **{**good, "train_y": np.array([None] * 64)}, allow_pickle=True)
    (directory / "pickled.npz").write_bytes(pickled.getvalue())
    (directory / "text.npz").write_text("text")
    (directory / "empty.npz").write_bytes(b"")
    whole = (directory / "world.npz").read_bytes()
    (directory / "cut.npz").write_bytes(whole[: len(whole) // 2])
    with zipfile.ZipFile(directory / "zip.npz", "w") as archive:
        archive.writestr("train_x1.npy", b"text")
    np.save(directory / "array.npy", np.zeros((5, 2)))
    codes = {"train_z1": good["train_x1"], "test_z1": good["test_x1"]}
    wrong_codes = {
        "codes": {},
        "codes_nan": {"train_z1": np.full((64, 6), np.nan)},
        "codes_infinite": {"test_z1": np.full((32, 6), np.inf)},
        "codes_short": {"train_z1": np.zeros((3, 6))},
        "codes_text": {"train_z1": np.full((64, 6), "a")},
        "codes_complex": {"train_z1": np.zeros((64, 6), complex)},
        "codes_deep": {"train_z1": np.zeros((64, 6, 2))},
        "codes_widths": {"train_z1": np.zeros((64, 5))},
        "codes_none": {"train_z1": np.zeros((64, 0)), "test_z1": np.zeros((32, 0))},
        "codes_name": {"validation_z1": np.zeros((64, 6))},
        "codes_words": {"codewords_z1": np.zeros((3, 6))},
    }
    for name, arrays in wrong_codes.items():
        np.savez(directory / f"{name}.npz", **{**codes, **arrays})
    np.savez(directory / "codes_half.npz", train_z1=good["train_x1"])
