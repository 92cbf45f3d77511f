"""The keys of sweep files: their table, their schema, and the file to start from."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from fctestbed._toml import parse_toml_value
from fctestbed.cli.main import run
from fctestbed.sweep import (
    build_sweep,
    merge,
    read_grids,
    split_path,
    sweep_schema,
    sweep_settings,
    sweep_spec,
    sweep_template,
)

FILES = sorted((Path(__file__).parents[3] / "sweeps").glob("*.toml"))
KINDS = {"bits", "mlp", "optimal"}


def problems(value, schema, whole, at="file"):  # noqa: PLR0912
    """What of a value a JSON Schema refuses; the keywords that the schema of sweeps has."""
    if "$ref" in schema:
        return problems(value, whole["$defs"][schema["$ref"].rpartition("/")[2]], whole, at)
    types = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
    kind = schema.get("type")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    right = number if kind == "number" else isinstance(value, types.get(kind, object))
    if kind == "integer":
        right = right and number
    bad = [] if right else [f"{at}: no {kind}"]
    if "anyOf" in schema:
        found = [problems(value, part, whole, at) for part in schema["anyOf"]]
        bad += [] if any(not one for one in found) else min(found, key=len)
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        bad.append(f"{at}: not one of {schema.get('enum', schema.get('const'))}")
    if "pattern" in schema and not re.search(schema["pattern"], str(value)):
        bad.append(f"{at}: not of the form")
    limits = {"minimum": "<", "maximum": ">", "exclusiveMinimum": "<=", "exclusiveMaximum": ">="}
    if number:
        for name, sign in limits.items():
            if name in schema and eval(f"{value} {sign} {schema[name]}"):
                bad.append(f"{at}: beyond {name}")
    if isinstance(value, list):
        for part in value:
            bad += problems(part, schema.get("items", {}), whole, at)
    if isinstance(value, dict):
        for key, part in value.items():
            known = schema.get("properties", {})
            rest = schema.get("additionalProperties", {})
            if key not in known and rest is False:
                bad.append(f"{at}.{key}: unknown")
            else:
                rest = rest if isinstance(rest, dict) else {}
                bad += problems(part, known.get(key, rest), whole, f"{at}.{key}")
    return bad


def refused(text, schema):
    return problems(tomllib.loads(text), schema, schema)


def test_every_key_has_a_meaning_a_default_and_a_range():
    found = sweep_settings()
    assert len({(one.key, one.of) for one in found}) == len(found) > 100
    for one in found:
        assert len(one.meaning) > 5, one.key
        assert one.default, one.key
        assert one.range not in ("", "value"), one.key


def test_the_defaults_that_are_listed_are_those_of_the_default_sweep():
    values = {}
    for one in sweep_settings():
        kinds = set(one.of.split(", "))
        if one.default in ("none", "on", "off", "paper") or one.key.startswith("settings."):
            continue
        # Of a field that several kinds have, the default kind's.
        if one.of and not kinds & KINDS:
            continue
        nested = parse_toml_value(one.default)
        for key in reversed(split_path(one.key)):
            nested = {key: nested}
        values = merge(values, nested)
    assert values["train"]["batch_size"] == 128
    off = {one.key for one in sweep_settings() if one.default == "off"}
    assert "measurement.channel" in off
    # Tables of meters that are off by default would switch them on.
    for key in off:
        values["measurement"].pop(key.rpartition(".")[2], None)
    spec = sweep_spec(read_grids(values, source=""))
    assert spec.grid.runs.keys() == sweep_spec().grid.runs.keys()


def test_the_file_to_start_from_is_a_sweep_and_its_schema_accepts_it(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    assert run(["init", str(path)]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    spec = build_sweep(config=path, options={})
    assert len(spec.runs()) == 90
    schema = sweep_schema()
    assert refused(path.read_text(), schema) == []
    assert run(["init", str(path)]) == 2
    assert "expected a new file (or --force)" in capsys.readouterr().err
    assert run(["init", str(path), "--force"]) == 0


def test_every_key_of_the_file_to_start_from_can_be_used():
    """Each commented table with its keys, alone in a file with the lines that are no comments."""
    text = sweep_template("x.toml")
    head = text.partition("\n# # ")[0]
    tables = re.findall(r"^# \[[^\n]*\n(?:# [^\n]*\n)+", text, re.MULTILINE)
    assert len(tables) > 12
    schema = sweep_schema()
    for table in tables:
        plain = re.sub(r"^# (?!#)", "", table, flags=re.MULTILINE)
        lines = plain.splitlines()
        for line in lines[1:]:
            if not line.startswith("#"):
                assert refused(f"{head}\n{lines[0]}\n{line}", schema) == []


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_schema_accepts_the_published_sweep_files(path):
    assert refused(path.read_text(), sweep_schema()) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("step = 5", "file.step: unknown"),
        ("[train]\nstep = 5", "file.train.step: unknown"),
        ("[train]\nsteps = 0", "file.train.steps: beyond exclusiveMinimum"),
        ("[train]\nsteps = '5'", "file.train.steps: no integer"),
        ("[world.label]\nunique_ratio = 0.5", "unknown"),
        ("preset = 'quikc'", "file.preset: not one of"),
        ("[settings.simclr]\nwarmth = 1", "file.settings.simclr.warmth: unknown"),
        ("methods = ['simclrr']", "file.methods: not"),
        ("[measurement]\nrate = 3", "file.measurement.rate: no"),
    ],
)
def test_the_schema_refuses_what_a_sweep_refuses(text, problem, tmp_path):
    assert any(problem in one for one in refused(text, sweep_schema()))
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"bad\.toml"):
        build_sweep(config=path, options={})


def test_the_schema_says_what_keys_mean():
    schema = sweep_schema()
    assert schema["$defs"]["TrainSpec"]["properties"]["steps"]["description"].startswith("number")
    assert json.loads(json.dumps(schema)) == schema


def test_keys_are_listed_by_their_beginning(capsys):
    assert run(["settings", "train"]) == 0
    printed = capsys.readouterr().out
    assert "train.steps = 600\n    Number of training steps. [whole number > 0]\n" in printed
    assert "world" not in printed
    assert run(["settings", "settings.simclr", "--json"]) == 0
    assert {one["of"] for one in json.loads(capsys.readouterr().out)} == {"simclr"}
    assert run(["settings", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == sweep_schema()
    assert run(["settings", "tran.steps"]) == 2
    assert capsys.readouterr().err.rstrip().endswith("got 'tran.steps': did you mean train.steps?")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "preset = 'quick'\n\n[train]\nstepz = 5",
            r"line 4: train\.stepz: .*: did you mean steps\?",
        ),
        ("seeds = '0:2'\npreset = 'quikc'", r"line 2: preset: .*: did you mean quick\?"),
        ("methods = ['supcom']", r"line 1: methods: .*: did you mean supcon\?"),
        ("[world]\nlabel = { kind = 'plannar' }", r"line 2: world\.label\.kind: .*mean planar\?"),
        ("[settings.simclr]\ntemprature = 1", r"line 1: settings\.simclr: .*temperature\?"),
        ("# first\nunique_ratio = '0:2:1'", r"line 2: unique_ratio: "),
        ("[train]\nsteps = 5\nbatch_size = 1", r"line 3: train\.batch_size: "),
    ],
)
def test_errors_of_a_file_name_its_line_and_what_is_near(tmp_path, text, line):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"mine\.toml, {line}"):
        build_sweep(config=path, options={})
