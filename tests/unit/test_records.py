"""Records of fields: what they cannot have is one line, however they are made."""

import json

import pytest
from pydantic import BaseModel

import fctestbed
from fctestbed._records import InvalidSpec, Record
from fctestbed.measurement import MeasureSpec
from fctestbed.objectives import METHODS, MethodSettings, NetSpec
from fctestbed.sweep import RunSpec, SweepSpec
from fctestbed.synthesis import WorldSpec
from fctestbed.training import TrainingSpec, TrainSpec

WRONG = [
    (NetSpec, {"embed_dim": 0}, "embed_dim: expected greater than 0, got 0"),
    (NetSpec, {"embed_dim": "8"}, "embed_dim: expected a number, got '8'"),
    (NetSpec, {"critic_hidden": [64, -1]}, "critic_hidden.1: expected greater than 0, got -1"),
    (NetSpec, {"width": 3}, "width: expected one of encoder_hidden, embed_dim, "),
    (METHODS["simclr"].Settings, {"temperature": 0.0}, "temperature: expected greater than 0, "),
    (METHODS["raw"].Settings, {"foo": 1}, "foo: expected one of , got the unknown key 'foo'"),
    (TrainSpec, {"steps": -1, "batch_size": 1}, "steps: expected greater than 0, got -1 (and 1 "),
    (WorldSpec, {"latents": {"kind": "foo"}}, "latents.kind: expected one of bits, gaussian, "),
    (WorldSpec, {"latents": {"n_shared": -1}}, "latents.n_shared: expected "),
    (WorldSpec, {"observation": {"foo": 1}}, "observation.foo: expected one of kind, "),
    (TrainingSpec, {"method": "foo"}, "method: expected one of simclr, "),
    (TrainingSpec, {"method": "simclr", "augmentation": {"kind": "quality", "foo": 1}},
     "augmentation.foo: expected one of kind, "),
    (RunSpec, {}, "training: expected a value, got none"),
    (SweepSpec, {"variants": {"mine": {"foo": 1}}}, "variants.mine.foo: expected one of "),
    (MeasureSpec, {"foo": 1}, "foo: expected one of "),
]  # fmt: skip


@pytest.mark.parametrize(("record", "fields", "said"), WRONG)
def test_a_wrong_field_is_one_line_however_the_record_is_made(record, fields, said):
    for make in (
        lambda: record(**fields),
        lambda: record.model_validate(fields),
        lambda: record.model_validate_json(json.dumps(fields)),
    ):
        with pytest.raises(InvalidSpec) as refused:
            make()
        line = str(refused.value)
        assert line.startswith(said)
        assert "\n" not in line
        assert len(line) <= 300


def test_a_record_of_a_user_s_own_is_refused_in_one_line_as_well():
    class Mine(MethodSettings):
        width: int
        depth: int = 2

    with pytest.raises(InvalidSpec, match=r"^width: expected a value, got none$"):
        Mine()
    with pytest.raises(ValueError, match=r"^depth: expected a number, got True$"):
        Mine.model_validate({"width": 1, "depth": True})
    with pytest.raises(InvalidSpec, match=r"^width: expected a number, got '1'$"):
        Mine.model_validate_strings({"width": "1"})


def test_every_public_record_is_one():
    found = [value for name in fctestbed.__all__ for value in [getattr(fctestbed, name)]]
    records = [kind for kind in found if isinstance(kind, type) and issubclass(kind, BaseModel)]
    assert records
    assert all(issubclass(kind, Record) for kind in records)
