"""Claim files: what they say, and what is refused, with file, line and key."""

from pathlib import Path

import pytest
from claim_files import TINY_CLAIM, write_claim

from fctestbed.claims import plan_docket, read_claim, read_docket
from fctestbed.sweep import line_of

ROOT = Path(__file__).parents[3]
DOCKET = ROOT / "sweeps" / "docket"
PUBLISHED = sorted(DOCKET.glob("*.toml"))


def test_a_claim_has_the_methods_of_its_predictions_and_a_sweep_for_each_condition(tmp_path):
    claim = read_claim(write_claim(tmp_path / "tiny.toml"))
    assert claim.methods == ("simclr", "raw")
    spec, broken = claim.sweep_spec(), claim.sweep_spec("long training")
    assert (spec.methods, spec.seeds, spec.unique_ratio) == (claim.methods, (0, 1, 2), (0.0, 1.0))
    assert (spec.train.steps, broken.train.steps) == (10, 2)
    assert broken.train.batch_size == spec.train.batch_size


def test_a_side_has_the_reading_of_the_claim_where_it_says_nothing(tmp_path):
    claim = read_claim(write_claim(tmp_path / "tiny.toml"))
    rate, probe = (one.left.reading(claim.reading) for one in claim.predictions)
    assert (rate.estimator, rate.rate_bits, rate.quantity) == ("rate", 4.0, ("label",))
    assert (probe.estimator, probe.rate_bits, probe.readout) == ("linear_probe", None, "joint")
    assert [claim.smallest_effect(one) for one in claim.predictions] == [0.05, 1.0]
    assert claim.predictions[0].text(claim.reading) == "simclr <= total_bits"
    assert "raw [label of joint by linear probe] at 1" in claim.predictions[1].text(claim.reading)


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_published_claims_can_be_judged(path):
    claim = read_claim(path)
    assert claim.id == path.stem
    assert claim.sweep_spec().preset == "quick"
    assert len(claim.sweep_spec().seeds) >= 5


def test_the_published_claims_are_one_docket_that_is_affordable():
    conditions = plan_docket(DOCKET)
    ids = list(dict.fromkeys(condition.claim.id for condition in conditions))
    assert ids
    assert ids == [path.stem for path in PUBLISHED]
    # Claims that share their grids share their runs.
    runs = {run_id for condition in conditions for run_id in condition.spec.grid.runs}
    assert len(runs) <= 1500


def test_the_published_docket_has_what_it_was_made_for():
    names = " ".join(path.stem for path in PUBLISHED)
    for part in ("theorem-1", "theorem-3", "figure-1", "table-1", "table-2", "nce-club", "optimal",
                 "unique-views", "supcon", "comm", "disentangled", "xor", "readme"):  # fmt: skip
        assert part in names


BAD = [
    ('id = "tiny"', 'id = "Tiny claim"', "line 2: id: expected string should match pattern"),
    ('source = "a test"\n', "", "source: expected a value, got none"),
    ('source = "a test"', 'source = "a test"\nby = "x"', "line 4: by: expected one of id, source"),
    ("= 0.05", "= 0", "line 5: smallest_effect_bits: expected greater than 0, got 0"),
    ("steps = 10", "step = 10", "line 25: sweep.train.step: expected one of steps,"),
    ("steps = 10", "steps = 0", "line 25: sweep.train.steps: expected greater than"),
    ('unique_ratio = "0,1"', "unique_ratio = 2", "line 8: sweep.unique_ratio.0: expected less"),
    ("[sweep]", '[sweep]\nmethods = ["raw"]', "sweep.methods: expected none, because they are"),
    ('left = "simclr"', 'left = "simclrr"', "predictions.0.left.method: expected one of"),
    ('left = "simclr"', "left = 3", "line 32: predictions.0.left: expected a method to compare"),
    ('left = "simclr"', "left = { value_bits = 3, method = 'raw' }", "left: expected one of metho"),
    ('left = "simclr"', "left = { truth = 'total_bits', rate_bits = 4 }", "rate_bits: expected no"),
    ('relation = "<="', 'relation = "=="', "line 33: predictions.0.relation: expected '<', '<='"),
    ('left = "simclr"', 'left = { method = "simclr", quantity = "labels" }', "left.quantity: expe"),
    ('left = "simclr"', 'left = { method = "simclr", readout = "z_s1" }', "left.readout: expected"),
    ('left = "simclr"', 'left = { method = "simclr", variant = "official" }', "left.variant: expe"),
    ('left = "simclr"', 'left = { method = "simclr", estimator = "probe" }', "left.estimator: exp"),
    ('left = "simclr"', 'left = { method = "simclr", rate_bits = 8 }', "rate_bits: expected one o"),
    ('left = "simclr"', 'left = { method = "simclr", unique_ratio = 0.5 }', "ratio: expected one "),
    ('left = "simclr"', 'left = { method = "simclr", estimator = "channel" }', "expected one of l"),
    ('{ truth = "total_bits" }', '{ truth = "all" }', "line 34: predictions.0.right.truth: expect"),
    ('{ truth = "total_bits" }', '"simclr"', "predictions.0.right: expected another side than lef"),
    ('{ truth = "total_bits" }', "3", "0.right: expected a prediction that can fail where"),
    ('{ truth = "total_bits" }', "-1", "line 34: predictions.0.right: expected a prediction that "),
    ('relation = "<="\nright = { truth = "total_bits" }', 'relation = ">"\nright = 2.0',
     "predictions.0.right: expected a prediction that is possible where the left side holds 0 to "),
    ("smallest_effect_bits = 1.0", "smallest_effect_bits = 3.0", "predictions.1: expected a predi"),
    ("smallest_effect_bits = 1.0", "average = true", "predictions.1.average: expected false where"),
    ("smallest_effect_bits = 1.0", "unique_ratio = 0.3", "predictions.1.unique_ratio: expected on"),
    ("{ train = { steps = 2 } }", "{}", 'line 44: assumptions.long training.broken: expected'),
    ("{ train = { steps = 2 } }", "{ train = { stop = 2 } }", "broken.train.stop: expected one of"),
    ("{ train = { steps = 2 } }", "{ train = { steps = 0 } }", "broken.train.steps: expected grea"),
    ("{ train = { steps = 2 } }", '{ methods = ["raw"] }', "broken.methods: expected none, becaus"),
    ("{ train = { steps = 2 } }", "{ measurement = { rate = false } }",
     "line 44: assumptions.long training.broken: expected a sweep that the claim can be read in,"),
    ('left = "simclr"', 'left = { method = "simclr", step = 3 }', "left.step: expected one of non"),
    ("[[predictions]]", "[optimum]\nworld = 3\n[[predictions]]",
     "line 32: optimum.world: expected one of latents, unique_ratio, starts"),
    ("[[predictions]]", "[optimum]\nstarts = 1\n[[predictions]]",
     "line 32: optimum.starts: expected greater than or equal to 2, got 1"),
    ("[[predictions]]", "[optimum]\nunique_ratio = 2\n[[predictions]]",
     "line 32: optimum.unique_ratio"),
    ("[[predictions]]", "[optimum]\nlatents = { n_shared = 0 }\n[[predictions]]",
     "line 31: optimum: expected a world in which the claim's methods can be, got: world."),
    ("[[predictions]]", "[optimum]\nlatents = { n_bits = 2 }\n[[predictions]]",
     "line 31: optimum: expected a world in which the claim's methods can be, got: world."),
    ("[[predictions]]", "[optimum]\nunique_ratio = 0\n[[predictions]]",
     "line 31: optimum: expected a world that the claim can be read in, got: predictions.1.left"),
    ("seeds = ", "seeds ", "expected TOML, got"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), BAD, ids=[message[:40] for *_, message in BAD])
def test_a_claim_that_cannot_be_is_one_line_with_file_and_key(tmp_path, old, new, message):
    path = write_claim(tmp_path / "tiny.toml", (old, new))
    with pytest.raises(ValueError, match="expected") as refused:
        read_claim(path)
    line = str(refused.value)
    assert line.startswith(str(path))
    assert "\n" not in line
    assert message in line


def test_a_step_has_to_be_one_at_which_rows_are_measured(tmp_path):
    along = ("[sweep.measurement.rate]", "[sweep.measurement]\nalong = 3\n[sweep.measurement.rate]")

    def change(step, **more):
        side = f'{{ method = "simclr", step = {step}{more.get("side", "")} }}'
        return write_claim(tmp_path / "tiny.toml", along, ('left = "simclr"', f"left = {side}"))

    with pytest.raises(ValueError, match=r"left.step: expected one of 1, 3, 10, got 4"):
        read_claim(change(4))
    with pytest.raises(ValueError, match=r"left.estimator: expected one of rate, got 'linear_pro"):
        read_claim(change(3, side=', estimator = "linear_probe"'))
    with pytest.raises(ValueError, match=r"line 46: assumptions.long training.broken: expected f"):
        read_claim(change(3))


def test_code_that_a_claim_names_is_not_imported_unasked(tmp_path):
    path = write_claim(tmp_path / "tiny.toml", ('left = "simclr"', 'left = "no_such:Method"'))
    with pytest.raises(ValueError, match="expected --allow-plugins"):
        read_claim(path)
    with pytest.raises(ValueError, match=r"left.method: expected a method, got none .*no_such"):
        read_claim(path, allow_plugins=True)


def test_a_docket_without_claims_or_with_one_id_twice_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"docket: expected claim files \(\*.toml\)"):
        read_docket(tmp_path)
    with pytest.raises(ValueError, match="expected a claim file, got none that can be read"):
        read_docket(tmp_path / "none.toml")
    with pytest.raises(ValueError, match="docket: expected the name of a directory or file"):
        read_docket(3)
    write_claim(tmp_path / "a.toml")
    write_claim(tmp_path / "b.toml")
    with pytest.raises(ValueError, match=r"b.toml, line 2: id: expected another id than a.toml's"):
        read_docket(tmp_path)


def test_claims_are_chosen_by_id(tmp_path):
    write_claim(tmp_path / "a.toml")
    write_claim(tmp_path / "b.toml", ('id = "tiny"', 'id = "other"'))
    assert [claim.id for claim in read_docket(tmp_path)] == ["tiny", "other"]
    assert [claim.id for claim in read_docket(tmp_path, ["other"])] == ["other"]
    with pytest.raises(ValueError, match="claims: expected some of tiny, other, got 'third'"):
        read_docket(tmp_path, ["third"])


def test_lines_of_keys_are_found_in_tables_arrays_and_dotted_keys():
    lines = TINY_CLAIM.splitlines()
    for path, text in {
        "id": 'id = "tiny"',
        "sweep.world.n_test": "n_test = 128",
        "sweep.world.latents.n_shared": "latents = { n_shared = 2",
        "predictions.1.left.method": 'left = { method = "raw"',
        "predictions.1.smallest_effect_bits": "smallest_effect_bits = 1.0",
        'assumptions."long training".broken.train': "broken =",
    }.items():
        assert lines[line_of(TINY_CLAIM, path) - 1].startswith(text), path
    text = '''a = """
b = 1
"""
b.c = 2
[x . "y z"]
d = 3
'''
    assert [line_of(text, path) for path in ("b.c", 'x."y z".d', 'x."y z".e', "f")] == [
        4,
        6,
        5,
        None,
    ]
