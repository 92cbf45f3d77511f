"""Variants: which methods they apply to, what they change, and how they are refused."""

import pytest
from tiny_sweeps import TINY, tiny_sweep

from fctestbed.sweep import SpecError, build_sweep, make_plan, merge, sweep_spec


def runs_of(**values):
    return {
        (run.training.method, run.variant): run.training
        for run in tiny_sweep(unique_ratio=[0.5], **values).runs()
    }


def test_the_paper_s_equations_are_the_only_variant_unless_asked():
    assert {variant for _, variant in runs_of(methods=["simclr", "raw"])} == {"paper"}


def test_official_sets_every_departure_of_a_method():
    official = runs_of(methods=["factorcl-sup"], variants="official")["factorcl-sup", "official"]
    assert official.settings == {
        "critic": "concat",
        "temperature": 0.1,
        "counting": "once",
        "club_diagonal": "kept",
        "contrast": "first",
        "inner_batch": "same",
        "inner_steps": 1,
        "inner_rate": 30.0,
        "conditioning": "batch",
        "condition_on": "first",
        "label_input": "scalar",
    }


def test_a_departure_can_be_switched_on_alone():
    variants = {"paper": {}, "diagonal": {"departures": ["club_diagonal"]}}
    runs = runs_of(methods=["factorcl-sup"], variants=variants)
    paper, diagonal = (runs["factorcl-sup", name].settings for name in variants)
    assert {key for key in paper if paper[key] != diagonal[key]} == {"club_diagonal"}


def test_variants_by_name_leave_out_default_methods_that_have_none():
    spec = sweep_spec(
        merge({key: TINY[key] for key in TINY if key != "methods"}, {"variants": "official"})
    )
    assert "factorcl-ssl" in spec.methods
    assert not {"raw", "untrained", "supervised"} & set(spec.methods)


def test_a_critic_for_all_leaves_methods_without_one_alone():
    runs = runs_of(methods=["simclr", "factorcl-ssl", "supervised"], critic="bilinear")
    assert runs["simclr", "paper"].settings["critic"] == "bilinear"
    assert runs["factorcl-ssl", "paper"].settings["critic"] == "bilinear"
    assert runs["supervised", "paper"].settings == {}


def test_a_variant_applies_to_the_methods_that_it_can_change():
    variants = {
        "paper": {},
        "cosine": {"critic": "cosine"},
        "views": {"augmentation": {"kind": "official"}},
    }
    runs = runs_of(methods=["factorcl-ssl", "unimodal-sup", "raw"], variants=variants)
    assert set(runs) == {
        ("factorcl-ssl", "paper"),
        ("factorcl-ssl", "cosine"),
        ("factorcl-ssl", "views"),
        ("unimodal-sup", "paper"),
        ("unimodal-sup", "cosine"),
        ("raw", "paper"),
    }
    assert runs["factorcl-ssl", "views"].augmentation.kind == "official"


def test_a_variant_s_settings_go_over_the_sweep_s():
    variants = {"hot": {"settings": {"simclr": {"temperature": 0.5}}}}
    runs = runs_of(methods=["simclr"], settings={"simclr": {"temperature": 0.2}}, variants=variants)
    assert runs["simclr", "hot"].settings["temperature"] == 0.5


def test_the_variant_is_no_part_of_a_run_s_identity():
    paper = tiny_sweep(methods=["simclr"]).runs()
    other = tiny_sweep(methods=["simclr"], variants={"other": {}}).runs()
    assert [run.run_id for run in paper] == [run.run_id for run in other]


def test_a_method_that_shares_a_training_is_done_with_it():
    spec = tiny_sweep(methods=["factorcl-sup", "ourcl-sup"], unique_ratio=[0.5])
    plan = make_plan(spec, max_stack=6)
    assert (plan.n_runs, plan.n_trainings) == (2, 1)
    settings = [run.training.settings for run in spec.runs()]
    assert settings[0] == settings[1]
    assert settings[1]["inner_rate"] == 30.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"methods": ["raw"], "variants": "official"},
            "variants: expected one that raw has, got official",
        ),
        ({"variants": "offical"}, "variants: expected some of paper, official, or a table"),
        ({"variants": {}}, "variants: "),
        (
            {"variants": {"x": {"methods": ["supcon"]}}},
            "variants.x: expected some of simclr, raw, got 'supcon'",
        ),
        (
            {"variants": {"x": {"departures": ["counting"]}}, "methods": ["simclr"]},
            "variants.x.departures: expected some of simclr's (normalize, temperature), got",
        ),
        (
            {
                "variants": {"paper": {}, "x": {"methods": ["raw"], "departures": "all"}},
                "methods": ["raw"],
            },
            "variants.x.departures: expected a method that has some, got raw",
        ),
        (
            {"variants": {"a": {}, "b": {}}},
            "variants: expected different runs, got the same simclr in a and b",
        ),
        ({"variants": {"x": {"temperature": 1}}}, "variants.x.temperature: "),
        ({"critic": "euclidean"}, "critic: expected 'concat', 'separable', 'bilinear' or 'cosine'"),
    ],
)
def test_variants_that_cannot_be_are_refused_in_one_line(values, message):
    with pytest.raises(SpecError) as refused:
        build_sweep(options=merge(TINY, values))
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(message)
