"""Sweeps with a user's method: what identifies its runs, and what its code may not do unseen."""

import itertools
import json
import sys
from importlib import invalidate_caches

import numpy as np
import pytest
from tiny_sweeps import tiny_sweep, tiny_units

from fctestbed import load_encoder
from fctestbed.objectives import method_source
from fctestbed.objectives.registry import _plugin
from fctestbed.results import StoreRefused, load_results
from fctestbed.sweep import (
    check_plugins,
    describe_plan,
    measure_sweep,
    run_sweep,
    sweep_digest,
)
from fctestbed.sweep.execute import execute
from fctestbed.sweep.executors import WorkerProcesses

TEXT = """
from fctestbed.objectives.contrastive import SimCLR

class Mine(SimCLR):
    relative_cost = 1.0
"""
_NUMBERS = itertools.count()
X = np.zeros((3, 6)), np.zeros((3, 6))


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Writes a method of a user's, as if in a new process, and gives its name."""
    monkeypatch.syspath_prepend(tmp_path)
    module = f"swept_{next(_NUMBERS)}"

    def write(text=TEXT):
        # Another size, so that no compiled file is taken for the new one.
        (tmp_path / f"{module}.py").write_text(text)
        sys.modules.pop(module, None)
        _plugin.cache_clear()
        invalidate_caches()
        return f"{module}:Mine"

    yield write
    sys.modules.pop(module, None)
    _plugin.cache_clear()


def test_a_plug_in_s_runs_are_named_after_its_source(plugin):
    name = plugin()
    (run, *_) = tiny_sweep(methods=[name]).runs()
    assert run.source == method_source(name)
    assert run.model_copy(update={"source": "other"}).run_id != run.run_id
    key = run.training.key
    (changed, *_) = tiny_sweep(methods=[plugin(TEXT + "# changed\n")]).runs()
    assert changed.run_id != run.run_id
    # Its random numbers are the same, so that a change's effect can be seen.
    assert changed.training.key == key


def test_other_runs_have_no_source_in_their_identity():
    (run, *_) = tiny_sweep(methods=["simclr"]).runs()
    assert run.source is None
    assert "sources" not in sweep_digest(tiny_sweep())[0]


def test_a_plug_in_s_source_is_kept_with_its_runs(plugin, tmp_path):
    name = plugin()
    outcome = run_sweep(tiny_sweep(methods=[name, "raw"]), tmp_path / "out", workers=1)
    assert outcome.n_new == 4
    runs = load_results(tmp_path / "out").runs.set_index("method")
    assert set(runs["status"]) == {"ok"}
    kept = runs["provenance"].map(json.loads)
    assert {about["source"] for about in kept[name]} == {method_source(name)}
    assert not any("source" in about for about in kept["raw"])


def test_a_store_of_a_plug_in_s_older_code_is_refused(plugin, tmp_path):
    name = plugin()
    run_sweep(tiny_sweep(methods=[name]), tmp_path / "out", workers=1)
    again = run_sweep(tiny_sweep(methods=[plugin()]), tmp_path / "out", workers=1)
    assert again.n_new == 0
    changed = tiny_sweep(methods=[plugin(TEXT + "# changed\n")])
    with pytest.raises(StoreRefused, match=rf"holds another sweep.*sources\.{name}: stored "):
        run_sweep(changed, tmp_path / "out", workers=1)


@pytest.mark.parametrize("how", [run_sweep, describe_plan])
def test_a_plug_in_that_breaks_its_contract_is_refused_before_anything_is_written(tmp_path, how):
    spec = tiny_sweep(methods=["raw", "broken_methods:NoJoint"])
    with pytest.raises(ValueError, match="breaks the clause shapes") as refused:
        how(spec, tmp_path / "out", device="cpu", workers=1)
    assert str(refused.value).startswith("methods: broken_methods:NoJoint: breaks the clause ")
    assert not (tmp_path / "out").exists()


def test_a_plug_in_is_checked_with_every_value_of_an_axis(tmp_path):
    path = 'settings."broken_methods:JointIfWide".width'
    for widths, refused in (([3, 4], False), ([3, 0], True)):
        spec = tiny_sweep(methods=["broken_methods:JointIfWide"], axes={path: widths})
        if refused:
            with pytest.raises(ValueError, match="breaks the clause shapes"):
                check_plugins(spec)
        else:
            check_plugins(spec)


def test_a_plug_in_that_changed_after_the_sweep_began_is_not_run(plugin):
    (unit,) = tiny_units(methods=[plugin()])
    plugin(TEXT + "# changed\n")
    records = execute(unit, device="cpu").records
    assert {record.status for record in records} == {"failed"}
    assert all("its file changed after the sweep began" in record.reason for record in records)


RAISES = """
from fctestbed.objectives.contrastive import SimCLR

class Odd(BaseException):
    pass

class Mine(SimCLR):
    relative_cost = 1.0

    def loss(self, module, batch):
        # Not in the checks, whose batches are others.
        if batch.x1.shape[1] == 64:
            {statement}
        return super().loss(module, batch)
"""


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("import sys; sys.exit()", "SystemExit:"),
        ("raise Odd('no more')", "Odd: no more"),
        ("raise GeneratorExit", "GeneratorExit:"),
    ],
)
def test_a_plug_in_that_ends_the_process_is_a_failed_run_and_the_sweep_goes_on(
    plugin, tmp_path, monkeypatch, statement, reason
):
    monkeypatch.setattr("fctestbed.sweep.driver.check_plugins", lambda spec: None)
    name = plugin(RAISES.format(statement=statement))
    spec = tiny_sweep(methods=[name, "raw"], seeds=[0, 1])
    outcome = run_sweep(spec, tmp_path / "out", device="cpu", workers=1)
    assert (outcome.n_new, outcome.n_failed) == (8, 4)
    runs = load_results(tmp_path / "out").runs.set_index("method")
    assert set(runs["status"][name]) == {"failed"}
    assert set(runs["reason"][name]) == {reason}
    assert set(runs["status"]["raw"]) == {"ok"}


def test_an_interrupt_in_a_plug_in_s_training_interrupts_the_sweep(plugin, tmp_path, monkeypatch):
    monkeypatch.setattr("fctestbed.sweep.driver.check_plugins", lambda spec: None)
    name = plugin(RAISES.format(statement="raise KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        run_sweep(tiny_sweep(methods=[name]), tmp_path / "out", device="cpu", workers=1)


@pytest.mark.slow
def test_in_a_worker_an_interrupt_that_a_plug_in_raises_is_a_failed_run(plugin):
    name = plugin(RAISES.format(statement="raise KeyboardInterrupt"))
    units = tiny_units(methods=[name], unique_ratio=[0.5])
    done = dict(WorkerProcesses("cpu", 1).run(units, lambda progress: None))
    assert [(record.status, record.reason) for record in done[0].records] == [
        ("failed", "KeyboardInterrupt:")
    ]


def test_a_plug_in_that_ends_the_process_in_its_check_is_refused(plugin, tmp_path):
    text = RAISES.format(statement="pass").replace("if batch.x1.shape[1] == 64:", "if True:")
    name = plugin(text.replace("            pass", "            raise SystemExit(0)"))
    with pytest.raises(ValueError, match=r"breaks the clause .*got SystemExit: 0"):
        run_sweep(tiny_sweep(methods=[name]), tmp_path / "out", device="cpu", workers=1)
    assert not (tmp_path / "out").exists()


def test_a_plug_in_s_sweep_is_measured_again_with_permission_while_its_file_is_the_same(
    plugin, tmp_path
):
    name, out = plugin(), tmp_path / "rows"
    run_sweep(tiny_sweep(methods=[name]), out, device="cpu", workers=1)
    run_id = load_results(out).runs["run_id"][0]
    how = {"device": "cpu", "workers": 1}
    with pytest.raises(ValueError, match="expected --allow-plugins"):
        measure_sweep(out, out=tmp_path / "new", **how)
    with pytest.raises(ValueError, match="expected --allow-plugins"):
        load_encoder(out, run_id)
    assert measure_sweep(out, out=tmp_path / "new", allow_plugins=True, **how).n_new == 2
    assert set(load_encoder(out, run_id, allow_plugins=True)(*X)) == {"z1", "z2", "joint"}
    plugin(TEXT + "# changed\n")
    with pytest.raises(ValueError, match="its file changed after the sweep"):
        measure_sweep(out, out=tmp_path / "newer", allow_plugins=True, **how)
    with pytest.raises(ValueError, match="its file changed after the sweep"):
        load_encoder(out, run_id, allow_plugins=True)
    assert not (tmp_path / "newer").exists()
