"""Where the units of a sweep are done: the device, worker processes and the size of stacks.

May import torch and ``fctestbed.sweep.executors`` and what it imports.
"""

import re
from dataclasses import dataclass

import torch

from fctestbed.sweep.counts import checked_count
from fctestbed.sweep.executors import Executor, InProcess, WorkerProcesses
from fctestbed.sweep.memory import MOST_IN_A_STACK, fitting_stack, free_bytes
from fctestbed.sweep.plan import Plan
from fctestbed.sweep.worker import available_cores
from fctestbed.training import TrainingSpec

# Digits as torch reads them, and not too many to be a number.
_DEVICE = re.compile(r"(cpu|cuda)(:[0-9]{1,4})?")
# By `fctestbed bench` on one CPU core, a FactorCL-SUP run's step is 1.6 times as fast in a stack of
# 6 as alone, 1.8 times in one of 11, 1.9 times in one of 33; but two workers with stacks of 11 do
# the default sweep no sooner than with stacks of 6, and take 0.3 GB more.
_MAX_STACK = {"cpu": 6, "cuda": MOST_IN_A_STACK}


def resolve_device(device: str) -> str:
    """A torch device by name; ``auto`` is a CUDA device where there is one.

    Raises:
        ValueError: for an unknown name, or CUDA asked for and absent.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    known = isinstance(device, str) and _DEVICE.fullmatch(device) is not None
    kind, _, number = device.partition(":") if known else ("", "", "")
    if not known or (kind == "cpu" and number):
        raise ValueError(f"device: expected auto, cpu, cuda or cuda:N, got {device!r}")
    if kind == "cuda":
        count = torch.cuda.device_count()
        if int(number or 0) >= count:
            raise ValueError(
                f"device: expected a CUDA device that is there ({count} found), got {device!r}"
            )
    return device


def default_workers(device: str) -> int:
    """One worker for each core on a CPU; one for a GPU, which runs one stack at a time."""
    return available_cores() if device == "cpu" else 1


def default_max_stack(device: str) -> int:
    """Most trainings in a stack that the device gains from, if its memory holds them."""
    return _MAX_STACK[device.partition(":")[0]]


@dataclass(frozen=True)
class Resources:
    """Where units are done.

    Attributes:
        device: a torch device.
        workers: most worker processes.
        max_stack: most trainings in a stack.
        free_bytes: memory of the device for each worker, which stacks are to fit in; None if it
            does not limit them.
    """

    device: str
    workers: int
    max_stack: int
    free_bytes: int | None = None

    @classmethod
    def resolved(cls, device: str, workers: int | None, max_stack: int | None) -> "Resources":
        """Resources with defaults for those that are None. Stacks are as large as the free memory
        of a CUDA device allows, unless ``max_stack`` says how large.

        Raises:
            ValueError: for an unknown device, or what is no whole number of at least 1.
        """
        device = resolve_device(device)
        workers = checked_count("workers", default_workers(device) if workers is None else workers)
        if max_stack is not None:
            return cls(device, workers, checked_count("max_stack", max_stack))
        free = free_bytes(device)
        return cls(
            device, workers, default_max_stack(device), None if free is None else free // workers
        )

    def stack_size(self, training: TrainingSpec) -> int:
        """Most trainings in a stack of this one's shape."""
        if self.free_bytes is None:
            return self.max_stack
        return min(self.max_stack, fitting_stack(training, self.free_bytes))


def executor_of(device: str, workers: int, plan: Plan) -> Executor:
    """What runs the units. It depends on the whole sweep, not on what is left of it, and so do the
    threads of each training: other threads would round differently.

    A training on a CPU has one thread; one on a GPU has those that its process has, or its share.
    """
    on_cpu = device.partition(":")[0] == "cpu"
    if workers > 1 and plan.n_whole_units > 1:
        threads = 1 if on_cpu else max(1, available_cores() // workers)
        return WorkerProcesses(device, workers, threads)
    return InProcess(device, threads=1 if on_cpu else None)
