"""How many trainings a device's memory holds, with a device that is faked."""

import pytest
import torch
from tiny_sweeps import tiny_sweep

import fctestbed.sweep.driver as driver_module
import fctestbed.sweep.resources as resources_module
from fctestbed.sweep import make_plan, merge, run_sweep, sweep_spec
from fctestbed.sweep.memory import (
    MOST_IN_A_STACK,
    fitting_stack,
    free_bytes,
    is_out_of_memory,
    need_in_words,
    training_bytes,
)
from fctestbed.sweep.resources import Resources

GIB = 1 << 30


def one_training(method="factorcl-sup", preset="quick", **values):
    values = merge({"methods": [method], "unique_ratio": [0.5], "seeds": [0]}, values)
    (run,) = sweep_spec(values, preset=preset).runs()
    return run.training


@pytest.fixture
def gpu(monkeypatch):
    """A CUDA device with some free memory."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    memory = {"free": 80 * GIB}
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (memory["free"], 90 * GIB))
    return memory


def test_the_estimate_holds_what_a_training_keeps_and_is_no_multiple_of_it():
    training = one_training()
    # Parameters, gradients, moments and the data of one official run take 0.1 to 1 GB.
    assert 100e6 < training_bytes(one_training(preset="official")) < 1e9
    assert 1e6 < training_bytes(training) < 100e6
    larger = one_training(train={"batch_size": 4096})
    assert training_bytes(larger) > 16**2 * training_bytes(training) / 10
    exact = one_training("factorcl-ssl", settings={"factorcl-ssl": {"conditioning": "exact"}})
    assert training_bytes(exact) > training_bytes(one_training("factorcl-ssl"))


@pytest.mark.parametrize("method", ["raw", "untrained", "simclr", "comm"])
def test_every_method_has_an_estimate(method):
    assert training_bytes(one_training(method)) > 0


def test_more_memory_holds_more_trainings_and_none_holds_less_than_one():
    training = one_training(preset="official")
    sizes = [fitting_stack(training, n * GIB) for n in (0, 1, 3, 8, 16, 32, 80, 10_000)]
    assert sizes == sorted(sizes)
    assert sizes[0] == 1
    assert 1 < sizes[3] < sizes[-1] == MOST_IN_A_STACK


def test_a_little_less_memory_leaves_most_stacks_as_they_are():
    training = one_training(preset="official")
    sizes = [fitting_stack(training, n * GIB // 64) for n in range(16 * 64, 17 * 64)]
    assert len(set(sizes)) <= 2


def test_stacks_on_a_gpu_are_those_that_its_free_memory_holds(gpu):
    spec = tiny_sweep(methods=["supcon"], seeds=list(range(40)), unique_ratio=[0.5])
    gpu["free"] = 3 * GIB
    resources = Resources.resolved("cuda", None, None)
    training = spec.runs()[0].training
    expected = fitting_stack(training, 3 * GIB)
    assert resources.stack_size(training) == expected
    gpu["free"] = 2 * GIB + 9 * training_bytes(training)
    few = Resources.resolved("cuda:0", 1, None)
    units = make_plan(spec, max_stack=few.stack_size).units
    assert max(len(unit.jobs) for unit in units) == few.stack_size(training) == 6
    # Workers share the memory.
    assert Resources.resolved("cuda", 3, None).stack_bytes == gpu["free"] // 3


def test_a_number_that_is_asked_for_is_taken_whatever_the_memory(gpu):
    gpu["free"] = 0
    assert Resources.resolved("cuda", None, 50).stack_size(one_training()) == 50
    assert free_bytes("cpu") is None


def test_a_need_is_one_line_with_the_bytes(gpu):
    training = one_training()
    assert need_in_words(training, "cuda") == (
        f"one training with batches of 128 needs about {training_bytes(training):,} bytes, and "
        f"cuda has {80 * GIB:,} bytes free"
    )
    raw = one_training("raw")
    assert need_in_words(raw, "cpu") == f"one training needs about {training_bytes(raw):,} bytes"


def test_only_errors_of_memory_are_errors_of_memory():
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(torch.OutOfMemoryError("x"))
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not is_out_of_memory(RuntimeError("CUDA error: invalid argument"))
    assert not is_out_of_memory(ValueError("can't allocate memory"))


def test_the_driver_keeps_no_record_once_it_is_stored(tmp_path, monkeypatch):
    """Of every unit before the last, nothing is in memory."""
    living, most = set(), []

    class Counted(list):
        def __init__(self, records):
            super().__init__(records)
            living.add(id(self))
            most.append(len(living))

        def __del__(self):
            living.discard(id(self))

    executor_of = driver_module.executor_of

    def counting(*arguments):
        executor = executor_of(*arguments)

        class Counting:
            def run(self, units, report):
                for place, result in executor.run(units, report):
                    yield place, type(result)(Counted(result.records), result.encoders)

        return Counting()

    monkeypatch.setattr(driver_module, "executor_of", counting)
    spec = tiny_sweep(methods=["raw", "untrained"], seeds=[0, 1, 2], unique_ratio=[0.5])
    outcome = run_sweep(spec, tmp_path, device="cpu", workers=1, max_stack=1)
    assert outcome.n_new == 6
    assert len(most) == 6
    assert max(most) <= 2
    assert not living


def test_the_default_number_of_a_gpu_is_not_the_cpus():
    assert resources_module.default_max_stack("cuda:1", 1) == MOST_IN_A_STACK
