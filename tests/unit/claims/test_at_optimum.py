"""Claims at the optimum of their objectives: what is searched, read, decided, and why not."""

import json

import numpy as np
import pandas as pd
import pytest
from claim_files import write_claim

from fctestbed.claims import INDIFFERENT, Region, Verdict, judge_at_optimum, optima, read_claim
from fctestbed.claims.at_optimum import AT_THE_END, decide_range
from fctestbed.claims.optima import objective_key, why_no_optimum, why_not_read
from fctestbed.claims.reading import Reading
from fctestbed.faults import objective_optimum
from fctestbed.training import TrainingSpec

SIMCLR_ALONE = (
    'left = { method = "raw", estimator = "linear_probe", unique_ratio = 1.0 }\n'
    'relation = ">="\n'
    'right = { method = "simclr", estimator = "linear_probe", unique_ratio = 0.0 }\n'
    "smallest_effect_bits = 1.0",
    'left = { method = "simclr", unique_ratio = 1 }\nrelation = "<"\n'
    'right = { method = "simclr", unique_ratio = 0 }',
)
SHARED_BITS = ('right = { truth = "total_bits" }', 'right = { truth = "shared_bits" }')
TWO_STARTS = ("[[predictions]]", "[optimum]\nstarts = 2\n\n[[predictions]]")


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    directory = tmp_path_factory.mktemp("optimum")
    changes = (SIMCLR_ALONE, SHARED_BITS, TWO_STARTS)
    claim = read_claim(write_claim(directory / "tiny.toml", *changes))
    return claim, directory / "out", judge_at_optimum(claim, None, directory / "out")


def test_simclr_holds_the_shared_bits_of_the_label_at_its_optimum(judged):
    _, _, found = judged
    assert (found.verdict, found.reason) == (Verdict.HOLDS, "")
    cells = found.cells
    assert cells["unique_ratio"].tolist()[:2] == [0.0, 1.0]
    assert np.isnan(cells["unique_ratio"].tolist()[2])
    assert cells["verdict"].tolist() == ["holds"] * 3
    assert cells["n_seeds"].tolist() == [2, 2, 2]
    # R = 4 lets through most of the label's two bits where they are shared, and none are unique.
    assert cells["left_bits"][0] == pytest.approx(2.0, abs=0.1)
    assert cells["left_bits"][1] == pytest.approx(0.0, abs=0.02)
    assert cells["difference_bits"][2] == pytest.approx(-2.0, abs=0.1)


def test_readings_are_those_of_the_fault_finder(judged):
    claim, out, _ = judged
    (run,) = [run for run in claim.optimum_spec().runs() if run.training.method == "simclr"][:1]
    (content,) = [
        json.loads(path.read_text())
        for path in (out / "optima").iterdir()
        if objective_key(run.training) in path.name
    ]
    own = objective_optimum(run.training, n_starts=2, rate=4.0)
    assert content["least_nats"] == pytest.approx(min(own.losses_nats), abs=1e-9)
    read = content["readings"]["label of joint at R = 4"]
    assert read["lowest_bits"] == pytest.approx(own.lowest.label, abs=0.05)
    assert read["highest_bits"] == pytest.approx(own.highest.label, abs=0.05)


def test_an_objective_is_searched_once(judged, monkeypatch):
    claim, out, found = judged
    monkeypatch.setattr(optima, "objective_optimum", None)
    again = judge_at_optimum(claim, None, out)
    pd.testing.assert_frame_equal(again.cells, found.cells)


def test_a_file_that_cannot_be_read_or_is_of_another_version_is_made_again(judged, monkeypatch):
    claim, out, _ = judged
    (path, *_) = sorted((out / "optima").iterdir())
    text = path.read_text()

    def refuse(*_arguments, **_options):
        raise ZeroDivisionError

    monkeypatch.setattr(optima, "objective_optimum", refuse)
    for damaged in ("{", "3", "{}", text.replace('"version": "', '"version": "x')):
        path.write_text(damaged)
        with pytest.raises(ZeroDivisionError):
            judge_at_optimum(claim, None, out)
    path.write_text(text)
    assert judge_at_optimum(claim, None, out).verdict == Verdict.HOLDS


def test_an_assumption_about_the_training_has_no_verdict_at_the_optimum(judged):
    claim, out, _ = judged
    found = judge_at_optimum(claim, "long training", out)
    assert (found.verdict, found.reason) == ("", "the assumption is about the training")
    assert found.cells.empty


def test_optima_of_equal_loss_on_both_sides_of_the_end_are_indifference_and_no_verdict():
    region = Region.of([">"] * 4, [0.1] * 4)
    low, high = np.array([0.2, 0.0, -0.5, 0.09]), np.array([0.9, 0.9, 0.0, 0.1])
    found = decide_range(low, high, np.full(4, 0.02), region)
    assert found == [
        (Verdict.HOLDS, ""),
        (Verdict.UNDECIDED, INDIFFERENT),
        (Verdict.FAILS, ""),
        (Verdict.UNDECIDED, AT_THE_END),
    ]


def test_an_end_of_the_region_is_not_decided_by_the_error_of_a_reading():
    rng = np.random.default_rng(0)
    standard_error, n = 0.005, 2000
    region = Region.of([">"] * n, [0.1] * n)
    # The truth is at the end, so that every verdict would be false.
    read = 0.1 + standard_error * rng.standard_normal(n)
    found = decide_range(read, read, np.full(n, 3 * standard_error), region)
    decided = np.mean([verdict != Verdict.UNDECIDED for verdict, _ in found])
    assert decided < 0.01


def found_with(judged, monkeypatch, **changed):
    """The claim's judgement where every search found something else."""
    claim, out, _ = judged
    search = optima.found_optimum

    def other(*arguments, **options):
        known = search(*arguments, **options)
        readings = {
            text: optima.OptimumReading(
                lowest_bits=changed.get("lowest", read.lowest_bits),
                highest_bits=changed.get("highest", read.highest_bits),
                standard_error_bits=read.standard_error_bits,
            )
            for text, read in known.readings.items()
        }
        fields = {name: changed[name] for name in ("n_equal", "n_converged", "note")
                  if name in changed}  # fmt: skip
        content = {**vars(known), **fields, "readings": readings}
        return optima.FoundOptimum(**content)

    monkeypatch.setattr("fctestbed.claims.at_optimum.found_optimum", other)
    return judge_at_optimum(claim, None, out)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"lowest": 0.0, "highest": 2.0}, INDIFFERENT),
        ({"n_equal": 1}, "the search for simclr has its least loss from one start alone"),
        ({"n_converged": 1}, "the search for simclr did not converge"),
        ({"note": "unbounded below"}, "the search for simclr did not converge"),
    ],
)
def test_what_is_no_single_optimum_decides_nothing(judged, monkeypatch, changed, reason):
    found = found_with(judged, monkeypatch, **changed)
    assert (found.verdict, found.reason) == (Verdict.UNDECIDED, reason)
    assert found.cells["verdict"].tolist()[1:] == ["not decided"] * 2


def test_one_cell_that_fails_is_enough(judged, monkeypatch):
    found = found_with(judged, monkeypatch, lowest=2.0, highest=2.0)
    assert (found.verdict, found.reason) == (Verdict.FAILS, "")
    assert found.cells["verdict"].tolist() == ["holds", "fails", "fails"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ('left = "raw"', "raw has no exact objective"),
        ('left = "ourcl-sup"', "ourcl-sup has no exact objective"),
        ('left = { method = "simclr", estimator = "linear_probe" }', "linear_probe needs samples"),
    ],
)
def test_why_there_is_no_verdict_is_said(tmp_path, change, reason):
    probe = (
        'right = { method = "simclr", estimator = "linear_probe", unique_ratio = 0.0 }',
        'right = { method = "raw", estimator = "linear_probe", unique_ratio = 0.0 }',
    )
    path = write_claim(tmp_path / "tiny.toml", ('left = "simclr"', change), probe)
    found = judge_at_optimum(read_claim(path), None, tmp_path / "out")
    assert (found.verdict, found.reason) == ("", reason)
    assert not (tmp_path / "out").exists()


def test_a_prediction_without_an_exact_objective_leaves_the_claim_open(tmp_path, judged):
    _, out, _ = judged
    path = write_claim(tmp_path / "tiny.toml", SHARED_BITS, TWO_STARTS)
    found = judge_at_optimum(read_claim(path), None, out)
    assert (found.verdict, found.reason) == (Verdict.UNDECIDED, "raw has no exact objective")
    assert found.cells["verdict"].tolist() == ["holds", "holds"]


def test_what_is_not_read_of_free_vectors_is_said():
    comm, simclr = (TrainingSpec(method=name).build_method() for name in ("comm", "simclr"))
    assert why_not_read(simclr, Reading()) == ""
    assert why_not_read(simclr, Reading(readout="z1")) == ""
    assert why_not_read(simclr, Reading(step=3)) == "it is read during the training"
    assert why_not_read(simclr, Reading(readout="joint@16")) == "joint@16 needs samples"
    assert why_not_read(comm, Reading()) == ""
    assert why_not_read(comm, Reading(readout="single1")).startswith("single1 is no array")
    large = TrainingSpec(method="simclr", world={"latents": {"n_shared": 12}})
    assert why_no_optimum(large) == "simclr has no exact objective"


def test_the_small_world_is_at_most_two_bits_a_block_unless_the_file_says_so(tmp_path):
    claim = read_claim(write_claim(tmp_path / "tiny.toml"))
    (world,) = {run.training.world.block_sizes for run in claim.optimum_spec().runs()}
    assert world == (2, 1, 1)
    assert claim.optimum_spec().seeds == (0,)
    table = "[optimum]\nlatents = { n_shared = 3 }\nunique_ratio = [0, 1]\n\n[[predictions]]"
    claim = read_claim(write_claim(tmp_path / "tiny.toml", ("[[predictions]]", table)))
    spec = claim.optimum_spec("long training")
    assert spec.unique_ratio == (0.0, 1.0)
    assert spec.runs()[0].training.world.block_sizes == (3, 1, 1)


def test_a_claim_that_cannot_be_in_the_small_world_of_its_own_has_no_verdict(tmp_path):
    # Three shared bits, of which two at most are in the small world.
    path = write_claim(
        tmp_path / "tiny.toml",
        ("n_shared = 2", "n_shared = 4"),
        ('right = { truth = "total_bits" }', "right = 3.0"),
        ('left = "simclr"\n', 'left = { method = "simclr", quantity = "shared" }\n'),
    )
    found = judge_at_optimum(read_claim(path), None, tmp_path / "out")
    assert (found.verdict, found.reason) == ("", "cannot be judged in a world of 2 + 1 + 1 bits")


def test_axes_have_a_cell_for_each_value(tmp_path):
    path = write_claim(
        tmp_path / "tiny.toml",
        SIMCLR_ALONE,
        SHARED_BITS,
        ("[[predictions]]", '[optimum]\nstarts = 2\n\n[sweep.axes]\n"nets.embed_dim" = [4, 6]\n\n'
         "[[predictions]]"),
        ("embed_dim = 4\n", ""),
    )  # fmt: skip
    found = judge_at_optimum(read_claim(path), None, tmp_path / "out")
    cells = found.cells[found.cells["place"] == 0]
    assert found.verdict == Verdict.HOLDS
    assert sorted(zip(cells["unique_ratio"], cells["axes"], strict=True)) == [
        (ratio, f"nets.embed_dim={width}") for ratio in (0.0, 1.0) for width in (4, 6)
    ]
