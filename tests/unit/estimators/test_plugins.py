"""A user's own estimator: found by import path or entry point, estimated with, calibrated."""

import itertools
import json
import sys
from dataclasses import dataclass
from importlib import invalidate_caches
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from untried import without_trials

import fctestbed
from fctestbed import ESTIMATORS, Estimate, Estimator, estimate, find_estimator, make_estimator
from fctestbed._messages import one_line
from fctestbed.calibration import calibrate
from fctestbed.cli.main import run
from fctestbed.estimators import estimate_of, make_estimators, settings_of
from fctestbed.estimators.base import Direction
from fctestbed.laws import LAWS

_NUMBERS = itertools.count()

MINE = '''
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fctestbed import Estimate, Estimator


@dataclass(frozen=True, kw_only=True)
class Correlation(Estimator):
    """Gaussian information of the correlation of two columns."""

    name: ClassVar[str] = "correlation"
    bound: ClassVar[str] = "none"
    kinds: ClassVar[frozenset] = frozenset({"continuous"})
    factor: float = 1.0
    seed: int = 0

    def estimate(self, x, y, given=None):
        rho = np.corrcoef(np.ravel(x), np.ravel(y))[0, 1]
        value = -0.5 * np.log2(1 - rho**2) * self.factor + self.seed
        nan = float("nan")
        return Estimate(
            estimator=self.name, bound=self.bound, value_bits=float(value), low_bits=nan,
            high_bits=nan, ceiling_bits=float("inf"), n_samples=len(x), note="not tried",
        )


@dataclass(frozen=True, kw_only=True)
class Needs(Correlation):
    width: int


class Plain(Correlation):
    pass


class Part(Estimator):
    pass


class NoEstimator:
    pass


a_number = 3
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module of a user's and gives its name, which no other test has."""
    monkeypatch.syspath_prepend(tmp_path)
    written = []

    def write(text=MINE):
        name = f"own_{next(_NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(text)
        written.append(name)
        invalidate_caches()
        return name

    yield write
    for name in written:
        sys.modules.pop(name, None)


@pytest.fixture
def pair():
    x, noise = np.random.default_rng(0).standard_normal((2, 200))
    return x, x + noise


def refusal(found, *arguments, **settings):
    with pytest.raises(ValueError, match="expected") as refused:
        found(*arguments, **settings)
    line = str(refused.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize("name", ESTIMATORS)
def test_registered_estimators_are_found_by_their_names(name):
    assert find_estimator(name) is ESTIMATORS[name]


def test_an_estimator_is_found_by_its_import_path(module, pair):
    name = f"{module()}:Correlation"
    assert find_estimator(name) is sys.modules[name.partition(":")[0]].Correlation
    assert settings_of(name) == {"factor": 1.0, "seed": 0}
    made = make_estimator(name, factor=2.0)
    assert made.factor == 2.0
    assert made.estimate(*pair).value_bits == pytest.approx(
        2 * estimate(*pair, estimator=name).value_bits
    )


def test_an_estimator_is_found_by_its_entry_point(module, tmp_path):
    name = module()
    information = tmp_path / "pack-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Name: pack\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        f"[fctestbed.estimators]\ncorrelation-of-{name} = {name}:Correlation\n"
    )
    invalidate_caches()
    assert find_estimator(f"correlation-of-{name}") is sys.modules[name].Correlation
    assert f"correlation-of-{name} or an import path" in refusal(find_estimator, "foo")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("ksg3", ": did you mean ksg2?"),
        ("", ""),
        ("my_pkg.Mine", ""),
        ("a:b:c", ""),
        (":Mine", ": did you mean mine?"),
        ("mine:", ": did you mean mine?"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(name, near):
    # There are too many names for one line.
    assert refusal(find_estimator, name) == one_line(
        f"estimator: expected one of {', '.join(ESTIMATORS)} or an import path "
        f"package.module:ClassName, got {name!r}{near}"
    )


def test_what_is_no_whole_estimator_is_refused_by_what_it_is(module):
    expected = "expected an estimator, got none (ModuleNotFoundError: No module named 'no_such')"
    assert refusal(find_estimator, "no_such:Mine") == f"estimator: no_such:Mine: {expected}"
    name = module()
    for attribute, reason in (
        ("NoEstimator", "a subclass of fctestbed.Estimator, got the class NoEstimator"),
        ("a_number", "a subclass of fctestbed.Estimator, got int"),
        ("Part", "a whole estimator, got one without estimate"),
    ):
        path = f"{name}:{attribute}"
        assert refusal(find_estimator, path) == f"estimator: {path}: expected {reason}"


def test_settings_are_checked_by_name_and_those_without_default_are_needed(module):
    name = module()
    needs = f"{name}:Needs"
    assert refusal(make_estimator, needs) == (
        f"width: expected a value for {needs}, which has no default, got none"
    )
    assert make_estimator(needs, width=3).width == 3
    line = refusal(make_estimator, f"{name}:Correlation", width=3)
    assert line.startswith("width: expected one of factor, seed for ")
    # The default of a factory is what the factory makes.
    assert settings_of("usable-mlp")["probe"].steps == 1500


def test_several_estimators_are_made_by_name(module):
    name = f"{module()}:Correlation"
    made = make_estimators(["ksg1", name])
    assert list(made) == ["ksg1", name]
    assert made["ksg1"] == make_estimator("ksg1")
    assert list(make_estimators()) == list(ESTIMATORS)
    mixed = make_estimators(kind="mixed")
    assert {type(found) for found in mixed.values()} == {
        kind for kind in ESTIMATORS.values() if "mixed" in kind.kinds
    }


def test_several_estimators_are_refused_by_the_first_that_cannot_be(module):
    name = f"{module()}:Correlation"
    assert refusal(make_estimators, ["ksg1", "foo"]).startswith(
        "estimators: expected some of plugin, "
    )
    assert refusal(make_estimators, ["no_such:Mine"]).startswith("estimators: no_such:Mine: expec")
    for unfit in ("ksg1", name):
        line = refusal(make_estimators, [unfit], kind="mixed")
        assert line.startswith("estimators: expected some of ross, ")
        assert "which support mixed pairs, or import paths package.module:ClassName" in line
        assert line.endswith(f"got {unfit!r}")


def test_an_estimate_by_name_is_that_of_the_estimator(pair):
    expected = make_estimator("ksg1", k=5, seed=2).estimate(*pair)
    assert estimate(*pair, estimator="ksg1", k=5, seed=2) == expected
    assert fctestbed.estimate is estimate
    assert isinstance(expected, Estimate)
    x, y = pair
    given = estimate(x, y, x**3, estimator="gaussian")
    assert given.value_bits == make_estimator("gaussian").estimate(x, y, x**3).value_bits
    assert given.value_bits < estimate(x, y, estimator="gaussian").value_bits
    # Lists are arrays too.
    assert estimate([0, 1, 0, 1], [0, 1, 0, 1], estimator="plugin").value_bits == 1.0


def test_the_command_estimates_with_an_import_path(module, pair, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for key, array in zip("xy", pair, strict=True):
        np.save(f"{key}.npy", array)
    name = f"{module()}:Correlation"
    line = ["estimate", "x.npy", "y.npy", "--estimator", name, "--set", "factor=3", "--json"]
    assert run([*line, "--seed", "1"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["estimator"] == "correlation"
    assert content["value_bits"] == estimate(*pair, estimator=name, factor=3, seed=1).value_bits
    assert run([*line[:3], "--estimator", "no_such:Mine"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("fctestbed: --estimator: no_such:Mine: expected an estimator, got none")


def test_the_command_calibrates_an_import_path(module, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # The test below has its trials.
    without_trials(monkeypatch)
    name = f"{module()}:Correlation"
    line = ["calibrate", "--out", "out", "--groups", "gaussian", "--n", "50", "--repetitions", "2"]
    assert run([*line, "--workers", "1", "--estimators", f"gaussian,{name}"]) == 0
    rows = pd.read_csv("out/rows.csv.gz")
    assert set(rows["estimator"]) == {"gaussian", name}
    assert rows.loc[rows["estimator"] == name, "value_bits"].notna().any()
    capsys.readouterr()
    assert run([*line, "--estimators", "no_such:Mine"]) == 2
    assert capsys.readouterr().err.startswith("fctestbed: --estimators: no_such:Mine: expected an")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import os; os._exit(0)", "expected a process that goes on, got one that ended with"),
        ("import sys; sys.exit(0)", "expected no error, got SystemExit: 0"),
    ],
)
def test_a_plug_in_whose_estimate_ends_its_process_is_refused_in_one_line(
    tmp_path, monkeypatch, capsys, body, said
):
    name = f"ends_{next(_NUMBERS)}"
    monkeypatch.syspath_prepend(str(tmp_path))
    call = f"    def estimate(self, x, y, given=None):\n        {body}\n"
    head, _, _ = MINE.partition("    def estimate")
    (tmp_path / f"{name}.py").write_text(head + call)
    np.save(tmp_path / "x.npy", np.arange(9.0))
    file = str(tmp_path / "x.npy")
    place = f"{name}:Correlation"
    # Both commands make their estimators alike; a trial takes a second. What else may happen in one
    # is tested with the trials.
    command = ["estimate", file, file, "--estimator", place]
    if "os" in body:
        command = ["calibrate", "--estimators", place, "--out", str(tmp_path / "out")]
    assert run(["--plugin-seconds", "200", *command]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert f"{place}: {said}" in err
    assert not (tmp_path / "out").exists()


@dataclass(frozen=True, kw_only=True)
class Leaves(Estimator):
    """Behaves on few samples only."""

    name: ClassVar[str] = "leaves"
    bound: ClassVar[Direction] = "none"
    returns: bool = False

    def estimate(self, x, y, given=None):
        return 3.0 if self.returns else sys.exit(f"{len(x)} samples")


@pytest.mark.parametrize(
    ("returns", "said"),
    [(False, "an estimate, got SystemExit: 60 samples"), (True, "an Estimate, got 3.0")],
)
def test_what_a_plug_in_does_on_the_samples_themselves_is_a_refusal(returns, said):
    x = np.arange(60.0)
    with pytest.raises(ValueError, match=rf"^leaves: expected {said}$"):
        estimate_of(Leaves(returns=returns), x, x)
    rows = calibrate({"mine": Leaves(returns=returns)}, laws=[LAWS[0]], n=(60,), repetitions=3)
    assert list(rows["refusal"]) == [f"leaves: expected {said}"]
