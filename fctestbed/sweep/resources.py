"""Where the units of a sweep are done: the engine, the device, workers and the size of stacks.

May import torch, ``fctestbed.sweep.executors``, ``fctestbed.sweep.dask_executor`` and what they
import.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec

import torch

from fctestbed._messages import did_you_mean
from fctestbed.sweep.counts import checked_count
from fctestbed.sweep.dask_cluster import Cluster, check_address, connected, local_cluster
from fctestbed.sweep.dask_executor import DaskTasks
from fctestbed.sweep.executors import Executor, InProcess, WorkerProcesses
from fctestbed.sweep.memory import (
    MOST_IN_A_STACK,
    fitting_stack,
    free_bytes,
    training_bytes,
)
from fctestbed.sweep.plan import Plan
from fctestbed.sweep.worker import available_cores
from fctestbed.training import TrainingSpec

ENGINES = ("auto", "process", "workers", "dask")
"""Engines: what suits the device and the sweep, this process, worker processes, a Dask cluster."""

# Digits as torch reads them, and not too many to be a number.
_DEVICE = re.compile(r"(cpu|cuda)(:[0-9]{1,4})?")
# On one CPU core, a step of the quick preset takes 0.75 (FactorCL-SUP) to 0.9 (FactorCL-SSL) of its
# time in a stack of 6 where the stack has 17 runs, and no less in larger ones. A method's 33
# trainings of the default sweep are two such stacks; more workers share them evenly.
_CPU_STACKS, _CPU_TRAININGS = (6, 17), 34
# Stacks of more than 6 are for networks that are small: calls of torch then take a third of a step.
_CPU_STACK_BYTES = 640 << 20


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


def default_max_stack(device: str, workers: int | None) -> int:
    """Most trainings in a stack that the device gains from, if its memory holds them.

    Args:
        device: a torch device.
        workers: worker processes of the machine; None if nobody knows.
    """
    if device.partition(":")[0] != "cpu":
        return MOST_IN_A_STACK
    least, most = _CPU_STACKS
    return least if workers is None else max(least, min(most, _CPU_TRAININGS // workers))


@dataclass(frozen=True)
class Resources:
    """Where units are done.

    Attributes:
        device: a torch device; of a cluster ``auto`` until it is connected.
        workers: most worker processes; on an existing cluster not used.
        max_stack: most trainings in a stack.
        stack_bytes: memory that stacks are to fit in: on a GPU what is free for each worker; on a
            CPU, where small stacks need not fit, what keeps those of large networks small. None if
            it does not limit them.
        engine: one of ``ENGINES``.
        address: of the scheduler of an existing cluster.
        cluster: the connection to Dask, once there is one.
    """

    device: str
    workers: int
    max_stack: int
    stack_bytes: int | None = None
    engine: str = "auto"
    address: str | None = None
    cluster: Cluster | None = None

    @classmethod
    def resolved(
        cls,
        device: str,
        workers: int | None,
        max_stack: int | None,
        engine: str = "auto",
        address: str | None = None,
    ) -> "Resources":
        """Resources with defaults for those that are None. Unless ``max_stack`` says how large
        stacks are, they are as large as a CPU gains from, or as the free memory of a CUDA device
        allows; on a cluster's GPUs, whose memory is not known here, they are halved where it runs
        out.

        Raises:
            ValueError: for an unknown device or engine, what is no whole number of at least 1, an
                engine that is not installed, or an address that is none or has no engine.
        """
        _check_engine(engine, address)
        if address is not None:
            return cls._of_cluster(device, workers, max_stack, check_address(address))
        device = resolve_device(device)
        if engine == "process" and workers not in (None, 1):
            raise ValueError(f"workers: expected none with the engine process, got {workers}")
        default = 1 if engine == "process" else default_workers(device)
        workers = checked_count("workers", default if workers is None else workers)
        if max_stack is not None:
            return cls(device, workers, checked_count("max_stack", max_stack), engine=engine)
        free = free_bytes(device)
        room = _CPU_STACK_BYTES if free is None else free // workers
        return cls(device, workers, default_max_stack(device, workers), room, engine)

    @classmethod
    def _of_cluster(
        cls, device: str, workers: int | None, max_stack: int | None, address: str
    ) -> "Resources":
        if workers is not None:
            raise ValueError(f"workers: expected none with an address, got {workers!r}")
        if device not in ("auto", "cpu", "cuda"):
            raise ValueError(f"device: expected auto, cpu or cuda with an address, got {device!r}")
        most = (
            default_max_stack("cpu" if device == "auto" else device, None)
            if max_stack is None
            else checked_count("max_stack", max_stack)
        )
        return cls(device, 1, most, engine="dask", address=address)

    @contextmanager
    def opened(self, warn: Callable[[str], None]) -> Iterator["Resources"]:
        """These resources with a connection to Dask, if their engine is Dask.

        Args:
            warn: called with a line about the cluster while it is in use.

        Raises:
            ValueError: one line, if the cluster cannot do the units.
        """
        if self.engine != "dask":
            yield self
        elif self.address is None:
            with local_cluster(self.workers, self.device, warn) as cluster:
                yield replace(self, cluster=cluster)
        else:
            with connected(self.address, self.device, warn) as cluster:
                yield replace(self, cluster=cluster, device=cluster.device)

    def stack_size(self, training: TrainingSpec) -> int:
        """Most trainings in a stack of this one's shape."""
        if self.stack_bytes is None:
            return self.max_stack
        if self.device == "cpu":
            least, _ = _CPU_STACKS
            return max(least, min(self.max_stack, self.stack_bytes // training_bytes(training)))
        return min(self.max_stack, fitting_stack(training, self.stack_bytes))


def _check_engine(engine: object, address: str | None) -> None:
    """Refuse an engine that is unknown or not installed, and an address that has none.

    Raises:
        ValueError: one line.
    """
    if engine not in ENGINES:
        raise ValueError(
            f"engine: expected one of {', '.join(ENGINES)}, got {engine!r:.80}"
            f"{did_you_mean(engine, ENGINES)}"
        )
    if address is not None and engine != "dask":
        raise ValueError(f"address: expected none without the engine dask, got {address!r:.80}")
    if engine == "dask" and find_spec("distributed") is None:
        raise ValueError(
            "engine: expected the package distributed to be installed "
            "(pip install 'fctestbed[cluster]'), got none"
        )


def executor_of(resources: Resources, plan: Plan) -> Executor:
    """What runs the units. It depends on the whole sweep, not on what is left of it, and so do the
    threads of each training: other threads would round differently.

    A training on a CPU has one thread; one on a GPU has those that its process has, or its share,
    or one on a cluster.
    """
    device, workers = resources.device, resources.workers
    if resources.cluster is not None:
        return DaskTasks(resources.cluster)
    on_cpu = device.partition(":")[0] == "cpu"
    several = workers > 1 and plan.n_whole_units > 1
    if resources.engine == "workers" or (resources.engine == "auto" and several):
        threads = 1 if on_cpu else max(1, available_cores() // workers)
        return WorkerProcesses(device, workers, threads)
    return InProcess(device, threads=1 if on_cpu else None)
