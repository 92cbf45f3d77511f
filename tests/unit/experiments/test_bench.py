"""The benchmark: works in turn, a limited time, references, memory, growth, operations."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from fctestbed.experiments import BenchRow, BenchSpec, GrowthRow, LeftOut, bench_report, run_bench
from fctestbed.experiments.bench import memory, run
from fctestbed.experiments.bench.case import Case, GrowthCase, Prepared
from fctestbed.experiments.bench.critic_cases import critic_operations
from fctestbed.experiments.bench.growth import fitted_exponent
from fctestbed.experiments.bench.operations import step_operations
from fctestbed.experiments.bench.references import load_references
from fctestbed.experiments.bench.registry import bench_cases, chosen_cases
from fctestbed.experiments.bench.timing import measured_in_turn, timed
from fctestbed.objectives import NetSpec
from fctestbed.synthesis import WorldSpec
from fctestbed.training import TrainingSpec, TrainSpec

CHEAP = [
    "augmentation/official",
    "augmentation/optimal",
    "critic/64/128/float32",
    "estimators/gaussian",
    "pid/noisy-16",
    "start-up/python",
    "step/simclr/quick/17",
    "step/supervised/quick/1",
]


def constant(seconds: float, **fields) -> Prepared:
    return Prepared(work=lambda: seconds, inputs=7, **fields)


def a_case(seconds: float = 1.0, name: str = "a/case", **fields) -> Case:
    fields.setdefault("prepare", lambda device: constant(seconds))
    return Case(name=name, unit="a unit", **fields)


@pytest.fixture
def cases(monkeypatch: pytest.MonkeyPatch):
    """Lets the benchmark have other cases."""

    def have(*found: Case | GrowthCase) -> None:
        for module in (run, memory):
            monkeypatch.setattr(module, "bench_cases", lambda device, steps: list(found))

    return have


def reference_file(directory: Path, body: str) -> Path:
    path = directory / "references.py"
    path.write_text(body)
    return path


def test_works_are_done_in_turn_after_a_try_that_is_not_counted() -> None:
    calls: list[str] = []

    def work(name: str) -> float:
        calls.append(name)
        return float(len(calls))

    times = measured_in_turn([partial(work, "a"), partial(work, "b")], rounds=2)
    assert calls == ["a", "b"] * 3
    assert times.tolist() == [[3.0, 4.0], [5.0, 6.0]]


def test_one_round_is_done_when_there_is_no_time_and_no_try_where_none_is_wanted() -> None:
    calls: list[int] = []

    def work() -> float:
        calls.append(1)
        return 1.0

    assert measured_in_turn([work], rounds=9, seconds=0.0, warm=False).shape == (1, 1)
    assert len(calls) == 1


def test_a_short_work_is_repeated_within_a_round_and_its_shortest_time_counts() -> None:
    times = iter(np.linspace(5.0, 1.0, 10**6))
    ((shortest,),) = measured_in_turn([lambda: next(times)], rounds=1, least_seconds=0.01)
    assert shortest < 5.0
    # That of the last repetition, as times fall.
    assert shortest == pytest.approx(next(times), abs=1e-5)


def test_a_timed_work_gives_the_seconds_of_one_call() -> None:
    calls: list[int] = []
    seconds = timed(lambda: calls.append(1), times=50)()
    assert len(calls) == 50
    assert 0 < seconds < 0.01


def test_a_row_has_the_ratio_to_each_way_of_doing_the_same(cases, tmp_path: Path) -> None:
    path = reference_file(
        tmp_path, "REFERENCES = {'plain': lambda inputs: {'a plain way': lambda: float(inputs)}}"
    )
    own = constant(2.0, references={"another way": lambda: 3.0})
    cases(a_case(prepare=lambda device: own, plain="plain"))
    rows = list(run_bench(BenchSpec(rounds=3), references=path))
    assert [(row.reference, row.ratio) for row in rows] == [
        ("another way", 1.5),
        ("a plain way", 3.5),
    ]
    assert {(row.seconds, row.rounds) for row in rows} == {(2.0, 3)}
    assert (rows[1].ratio_low, rows[1].ratio_high, rows[1].reference_seconds) == (3.5, 3.5, 7.0)


def test_a_case_without_a_reference_has_a_row_of_its_own(cases) -> None:
    cases(a_case(2.0))
    (row,) = run_bench(BenchSpec(rounds=1))
    assert (row.reference, row.ratio, row.matrix_share) == ("", None, None)


def test_a_share_of_the_matrix_rate_is_that_of_a_product_in_the_same_round(
    cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "matrix_product", lambda device, precision: (lambda: 2.0, 100.0))
    cases(a_case(prepare=lambda device: constant(4.0, operations=50.0)))
    (row,) = run_bench(BenchSpec())
    assert row.matrix_share == pytest.approx((50 / 4) / (100 / 2))
    assert row.flops == 12.5


def test_cases_that_time_does_not_reach_are_named(cases) -> None:
    cases(a_case(name="a/first"), a_case(name="a/second"))
    rows = list(run_bench(BenchSpec(seconds=1e-9)))
    assert rows == [LeftOut("a/first"), LeftOut("a/second")]


def test_what_is_left_of_the_time_is_shared_evenly(cases, monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []

    def measured(works, *, rounds, seconds, warm, least_seconds):
        shares.append(seconds)
        return np.ones((1, len(works)))

    monkeypatch.setattr(run, "measured_in_turn", measured)
    cases(a_case(name="a/first"), a_case(name="a/second"))
    list(run_bench(BenchSpec(seconds=100.0)))
    assert shares == pytest.approx([50.0, 100.0], rel=0.01)


def test_a_case_grows_with_the_exponent_of_its_times(cases) -> None:
    grown = GrowthCase(
        name="growth/a/size",
        unit="a unit",
        axis="size",
        sizes=(1, 2, 4),
        prepare=lambda device, size: lambda: 3.0 * size**1.5,
    )
    cases(grown)
    (row,) = run_bench(BenchSpec(rounds=1))
    assert isinstance(row, GrowthRow)
    assert row.seconds == pytest.approx((3.0, 3 * 2**1.5, 24.0))
    assert (row.exponent, row.last_exponent) == pytest.approx((1.5, 1.5))
    assert row.exponent_error == pytest.approx(0, abs=1e-9)


def test_two_sizes_give_an_exponent_without_an_error() -> None:
    assert fitted_exponent((2, 8), (1.0, 16.0)) == (pytest.approx(2.0), None)


def test_an_exponents_error_is_that_of_least_squares() -> None:
    x, noise = np.log([1, 2, 4, 8]), np.array([0.1, -0.2, 0.05, 0.05])
    slope, error = fitted_exponent((1, 2, 4, 8), np.exp(x + noise))
    design = np.stack([x, np.ones(4)], 1)
    (expected, _), residual, *_ = np.linalg.lstsq(design, x + noise, rcond=None)
    covariance = np.linalg.inv(design.T @ design) * residual[0] / 2
    assert (slope, error) == pytest.approx((expected, covariance[0, 0] ** 0.5))


def test_a_name_chooses_all_cases_under_it_in_their_own_order() -> None:
    found = [a_case(name=name) for name in ("b/x", "a/x/1", "a/x/2", "a/xy")]
    assert [case.name for case in chosen_cases(found, ["a/x", "b/x"])] == ["b/x", "a/x/1", "a/x/2"]
    assert chosen_cases(found, []) == found


def test_a_name_under_which_there_is_no_case_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^only: expected names under .*start-up.*, got 'foo'$"):
        run_bench(BenchSpec(only=("foo",)))


def test_long_cases_come_after_short_ones_and_growth() -> None:
    names = [case.name for case in bench_cases("cpu", 1)]
    kinds = ("step/simclr/quick/1", "growth/critic/batch", "step/simclr/official/1")
    places = [names.index(name) for name in kinds]
    assert places == sorted(places)
    assert names[0] == "start-up/python"
    assert names[-1] == "sweep/one-ratio"


def test_names_of_cases_are_different() -> None:
    names = [case.name for case in bench_cases("cpu", 1)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("body", "message"),
    [(None, "expected a Python file"), ("x = 1", "expected functions in REFERENCES of ")],
)
def test_what_is_no_file_of_references_is_refused(
    tmp_path: Path, body: str | None, message: str
) -> None:
    path = tmp_path / "none.py" if body is None else reference_file(tmp_path, body)
    with pytest.raises(ValueError, match=f"^references: {message}"):
        run_bench(BenchSpec(), references=path)


def test_a_file_of_references_imports_modules_beside_it(tmp_path: Path) -> None:
    (tmp_path / "beside_the_references.py").write_text("def plain(inputs): return {}")
    path = reference_file(
        tmp_path, "import beside_the_references as b; REFERENCES = {'x': b.plain}"
    )
    assert list(load_references(path)) == ["x"]


def test_memory_is_the_most_that_a_work_holds_above_its_inputs(cases, tmp_path: Path) -> None:
    kept = np.ones(16 * 2**17)

    def work(size: int) -> float:
        return float(np.ones(size * 2**17)[0]) + kept[0]

    path = reference_file(
        tmp_path,
        "import numpy as np\nREFERENCES = {'plain': lambda inputs: "
        "{'plain': lambda: float(np.ones(96 * 2**17)[0])}}",
    )
    prepared = Prepared(work=partial(work, 32), references={"larger": partial(work, 64)})
    cases(a_case(prepare=lambda device: prepared, plain="plain"))
    asked = {"case": "a/case", "device": "cpu", "steps": 1, "threads": torch.get_num_threads()}
    for reference, mebibytes in (("", 32), ("larger", 64), ("plain", 96)):
        told = json.dumps({**asked, "reference": reference, "references": str(path)})
        peak = memory.peak_in_this_process(told)
        assert peak / 2**20 == pytest.approx(mebibytes, abs=4)


def test_memory_that_the_system_does_not_tell_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "can_measure", lambda device: False)
    with pytest.raises(ValueError, match=r"^memory: expected a system that tells it"):
        run_bench(BenchSpec(memory=True))


@pytest.mark.slow
def test_memory_of_a_case_is_measured_in_a_process_of_its_own() -> None:
    (row,) = run_bench(BenchSpec(only=("critic/64/128/float32",), rounds=1, memory=True))
    assert row.peak_bytes is not None
    # Scores and their gradients of 128 x 128 pairs take 64 KiB each.
    assert row.peak_bytes < 64 * 2**20


@pytest.mark.parametrize("name", CHEAP)
def test_a_case_is_timed(name: str) -> None:
    rows = list(run_bench(BenchSpec(only=(name,), rounds=1, steps=1)))
    assert {row.name for row in rows} == {name}
    for row in rows:
        assert isinstance(row, BenchRow)
        assert row.seconds > 0


def test_operations_of_a_critic_are_three_products_for_each_weight_and_pair() -> None:
    # And for each weight of the first layer and row of either argument.
    assert critic_operations(5, 3, (4,)) == 6 * 25 * 4 + 6 * 2 * 5 * 3 * 4


def _training(method: str, **settings) -> TrainingSpec:
    nets = NetSpec(
        encoder_hidden=(3,), embed_dim=2, head_hidden=(4,), head_dim=5, critic_hidden=(6, 7)
    )
    world = WorldSpec(observation={"kind": "linear", "dim1": 10, "dim2": 10})
    train = TrainSpec(batch_size=64)
    return TrainingSpec(method=method, settings=settings, nets=nets, train=train, world=world)


def test_operations_of_a_simclr_step_are_its_products_once_forward_and_twice_backward() -> None:
    encoders, heads = 2 * (10 * 3 + 3 * 2), 2 * (2 * 4 + 4 * 5)
    similarities = (2 * 64) ** 2 * 5
    expected = 3 * 2 * (64 * (encoders + heads) + similarities)
    assert step_operations(_training("simclr")) == expected


def test_whole_batch_conditioning_needs_all_pairs_in_three_more_passes() -> None:
    pair = 2 * (6 * 7 + 7)
    within = step_operations(_training("factorcl-sup"))
    batch = step_operations(_training("factorcl-sup", conditioning="batch"))
    assert within is not None
    assert batch is not None
    # Two conditional terms and the inner loss of one of them, on pairs outside the 16 classes.
    assert batch - within == pytest.approx(3 * 3 * pair * 64 * 63 * (1 - 1 / 16))


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("supervised", {}),
        ("factorcl-sup", {"critic": "bilinear"}),
        ("factorcl-ssl", {"conditioning": "exact"}),
    ],
)
def test_operations_that_are_not_counted_are_none(method: str, settings: dict) -> None:
    assert step_operations(_training(method, **settings)) is None


def test_a_report_says_the_machine_and_has_the_rows_by_kind() -> None:
    row = BenchRow(name="a", unit="u", seconds=1.0, rounds=2)
    grown = GrowthRow(
        name="g",
        unit="u",
        axis="n",
        sizes=(1, 2),
        seconds=(1.0, 2.0),
        exponent=1.0,
        exponent_error=None,
        last_exponent=1.0,
    )
    report = bench_report([row, grown, LeftOut("c")], BenchSpec(), device="cpu")
    assert json.loads(json.dumps(report)) == report | {
        "growth": [{**report["growth"][0], "sizes": [1, 2], "seconds": [1.0, 2.0]}]
    }
    assert [case["name"] for case in report["cases"]] == ["a"]
    assert report["left_out"] == ["c"]
    assert {"cpu", "torch", "threads", "load"} <= set(report["machine"])
