"""The table of a world's command-line options, made from the records."""

import pytest

from fctestbed.synthesis import WorldSpec
from fctestbed.synthesis.options import nested_values, world_options

OPTIONS = {option.flag: option for option in world_options()}


def test_every_world_option_is_in_the_table():
    assert set(OPTIONS) >= {
        "--latents",
        "--shared",
        "--unique",
        "--observation",
        "--noise",
        "--label",
        "--label-bits",
        "--relevant",
        "--balance",
        "--synergy",
        "--n-train",
        "--n-test",
    }


def test_an_option_names_the_kinds_that_have_its_field():
    assert OPTIONS["--label-bits"].help == "C: label information in bits (bits, noiseless)."
    assert OPTIONS["--balance"].help == "Share of the unique information in modality 1."
    assert OPTIONS["--latents"].help == "Latents: bits or gaussian."


def test_an_option_knows_its_type_and_the_fields_it_sets():
    assert OPTIONS["--noise"].type is float
    assert OPTIONS["--label"].type is str
    assert OPTIONS["--unique"].type is int
    assert OPTIONS["--unique"].paths == (("latents", "n_unique1"), ("latents", "n_unique2"))


def test_option_values_become_the_nested_values_of_a_world():
    values = nested_values(
        {"unique": 3, "label": "threshold", "relevant": 3, "noise": 0.5, "shared": None}
    )
    assert values == {
        "latents": {"n_unique1": 3, "n_unique2": 3},
        "label": {"kind": "threshold", "n_relevant": 3},
        "observation": {"noise": 0.5},
    }
    assert WorldSpec.model_validate(values).block_sizes == (6, 3, 3)


def test_values_of_no_option_are_refused():
    with pytest.raises(ValueError, match=r"^options: expected some of latents, .*, got 'foo'"):
        nested_values({"foo": 1})


def _fields(record):
    for name, field in record.model_fields.items():
        kinds = getattr(field.annotation, "__args__", ()) if field.discriminator else ()
        yield record.__name__, name, field
        for kind in kinds:
            yield from _fields(kind)


def test_every_field_of_a_world_but_its_kinds_has_a_description():
    undescribed = [
        (record, name)
        for record, name, field in _fields(WorldSpec)
        if name != "kind" and not (field.description or "").endswith(".")
    ]
    assert undescribed == []
