"""Units as tasks of a Dask cluster.

Dask executes a unit at least once; each result is yielded once. May import
``fctestbed.sweep.dask_cluster`` and what it imports.
"""

import asyncio
import contextlib
import pickle
import queue
import secrets
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fctestbed.sweep.attempts import Attempts
from fctestbed.sweep.dask_cluster import Cluster, ClusterLost
from fctestbed.sweep.dask_worker import Attempt, run_unit
from fctestbed.sweep.execute import describe_error, failed
from fctestbed.sweep.executors import Done, Report
from fctestbed.sweep.plan import Unit
from fctestbed.sweep.worker import Death, UnitProgress, WorkersCannotStart
from fctestbed.training import Progress

# Units that a worker has at a time: the one that it executes, and the next one.
_WINDOW = 2
# Events of progress per second, of all workers together and of each.
_MOST_EVENTS, _MOST_EVENTS_EACH = 8.0, 2.0
_SECONDS_BETWEEN_CHECKS = 1.0


@dataclass(frozen=True)
class DaskTasks:
    """Runs units as tasks of a Dask cluster, each in a worker process of a Dask worker.

    A unit whose worker process ended, or whose Dask worker was lost, is tried once more, on another
    Dask worker where there is one; if that fails too, its runs are recorded as failed. Workers may
    join and leave; those that join are checked first.

    Attributes:
        cluster: the connection to the cluster.
    """

    cluster: Cluster

    @property
    def place(self) -> str:
        """Where, in words."""
        return self.cluster.place

    def run(self, units: Sequence[Unit], report: Report) -> Done:
        """Run the units, the first ones first.

        Raises:
            ClusterLost: if the scheduler has gone.
            WorkersCannotStart: if worker processes end before they have started.
        """
        tasks = _Tasks(self.cluster, units, report)
        try:
            tasks.listen()
            while tasks.left:
                tasks.submit()
                yield from tasks.received()
        finally:
            tasks.end()


def unit_key(unit: Unit, token: str) -> str:
    """The key of a unit's task. Dask's dashboard shows it, and groups tasks by what is before the
    first part that holds other characters than letters, which is the method.

    Args:
        unit: the unit.
        token: what makes it unique on a scheduler.
    """
    runs = [run for job in unit.jobs for run in job.runs]
    ratios = _span([run.unique_ratio for run in runs])
    seeds = _span([float(run.training.seed) for run in runs])
    ids = "".join(sorted(run.run_id for run in runs))
    digest = sha256(f"{ids} {token}".encode()).hexdigest()[:12]
    return f"{unit.method}-ratio={ratios},seed={seeds}-{digest}"


def _span(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g}..{high:g}"


@dataclass(frozen=True)
class _Finished:
    """A task ended: with an attempt, pickled, or an error."""

    key: str
    outcome: bytes | BaseException


@dataclass(frozen=True)
class _Event:
    """An event that the scheduler passes on."""

    content: Mapping[str, Any]


@dataclass(frozen=True)
class _Refused:
    """Workers that joined and take no units: why, by address."""

    lines: Mapping[str, str]


@dataclass
class _Task:
    """A unit on the cluster: its task, and the Dask worker that executes it."""

    place: int
    future: Any
    worker: str | None = None


class _Tasks:
    """The units of one call: those that wait, those on the cluster, and the number left.

    Whatever Dask's threads have to say comes through one queue.
    """

    def __init__(self, cluster: Cluster, units: Sequence[Unit], report: Report) -> None:
        self.left = len(units)
        self._cluster = cluster
        self._client = cluster.client
        self._units = units
        self._report = report
        self._token = secrets.token_hex(4)
        self._topic = f"fctestbed-{self._token}"
        self._waiting = deque(range(len(units)))
        self._tasks: dict[str, _Task] = {}
        self._attempts = Attempts()
        self._n_submitted = 0
        # By unit, the worker on which its last attempt ended.
        self._ended_on: dict[int, str] = {}
        self._queue: queue.SimpleQueue[_Finished | _Event | _Refused] = queue.SimpleQueue()

    def listen(self) -> None:
        """Subscribe to the units' progress, and to workers that come and go."""
        for topic in (self._topic, "all"):
            self._client.subscribe_topic(topic, self._hear)

    def submit(self) -> None:
        """Fill the window with units that wait."""
        slots = sum(self._cluster.slots.values())
        if not slots:
            self._take_back()
        while self._waiting and len(self._tasks) < _WINDOW * slots:
            place = self._waiting.popleft()
            self._n_submitted += 1
            key = unit_key(self._units[place], f"{self._token} {self._n_submitted}")
            future = self._client.submit(
                run_unit,
                place,
                pickle.dumps(self._units[place].with_encoders()),
                self._cluster.device,
                self._topic,
                max(1 / _MOST_EVENTS_EACH, slots / _MOST_EVENTS),
                key=key,
                resources=dict(self._cluster.needs) or None,
                **self._elsewhere(place),
            )
            self._tasks[key] = _Task(place, future)
            self._in_client(self._collect(key, future))

    def _take_back(self) -> None:
        """Take all units from a cluster without workers: those that join have what units need only
        when they are checked, and Dask would not look at waiting tasks again then."""
        if not self._tasks:
            return
        self._cluster.warn("no worker is left; the sweep goes on when one joins")
        self._client.cancel([task.future for task in self._tasks.values()], force=True)
        self._waiting.extendleft(task.place for task in reversed(self._tasks.values()))
        self._tasks.clear()

    def received(self) -> Done:
        """Take the next message; a unit's result, if it is done."""
        try:
            message = self._queue.get(timeout=_SECONDS_BETWEEN_CHECKS)
        except queue.Empty:
            message = None
        if self._cluster.is_lost:
            raise ClusterLost(f"lost the Dask scheduler at {self._cluster.address}")
        if isinstance(message, _Refused):
            for line in message.lines.values():
                self._cluster.warn(f"left out a worker that joined: {line}")
        elif isinstance(message, _Event):
            yield from self._heard(message.content)
        elif isinstance(message, _Finished) and message.key in self._tasks:
            task = self._tasks.pop(message.key)
            yield from self._finished(task, message.outcome)

    def end(self) -> None:
        """Cancel what is still on the cluster; its processes are killed."""
        if self._cluster.is_lost:
            return
        # The scheduler may go away at any instant.
        with contextlib.suppress(Exception):
            for topic in (self._topic, "all"):
                self._client.unsubscribe_topic(topic)
            self._client.cancel([task.future for task in self._tasks.values()], force=True)

    def _finished(self, task: _Task, outcome: bytes | BaseException) -> Done:
        from distributed import KilledWorker  # noqa: PLC0415 - an extra

        unit = self._units[task.place]
        if isinstance(outcome, bytes):
            attempt: Attempt = pickle.loads(outcome)
            if isinstance(attempt.result, bytes):
                self._attempts.note_start()
                self.left -= 1
                yield task.place, pickle.loads(attempt.result)
            elif attempt.result.in_start:
                self._attempts.check_start(attempt.result)
                self._waiting.append(task.place)
            else:
                self._ended_on[task.place] = attempt.worker
                yield from self._died(task.place, attempt.result)
        elif isinstance(outcome, WorkersCannotStart):
            raise outcome
        elif isinstance(outcome, KilledWorker):
            yield from self._died(task.place, Death("several Dask workers were lost with it"))
        elif isinstance(outcome, asyncio.CancelledError):
            # Somebody restarted the cluster's workers.
            self._waiting.append(task.place)
        else:
            self.left -= 1
            yield task.place, failed(unit, describe_error(outcome))

    def _died(self, place: int, death: Death) -> Done:
        if self._attempts.is_left(place):
            self._waiting.append(place)
        else:
            self.left -= 1
            yield place, failed(self._units[place], death.reason)

    def _heard(self, content: Mapping[str, Any]) -> Done:
        """Handle an event: a unit's start or progress, or a worker that came or went."""
        action, worker = content.get("action"), str(content.get("worker"))
        if "unit" in content:
            self._moved_on(int(content["unit"]), worker, content["progress"])
        elif action == "add-worker":
            self._in_client(self._admit(worker))
        elif action == "remove-worker" and worker in self._cluster.slots:
            del self._cluster.slots[worker]
            if not content.get("expected"):
                yield from self._lost(worker)

    def _moved_on(self, place: int, worker: str, progress: Any) -> None:
        task = next((task for task in self._tasks.values() if task.place == place), None)
        if task is None:
            return
        task.worker = worker
        if progress is not None:
            step, steps, losses = progress
            self._report(UnitProgress(place, Progress(step, steps, tuple(losses))))

    def _lost(self, worker: str) -> Done:
        """Count the attempts that ended with a Dask worker; Dask makes the next ones by itself."""
        for key, task in list(self._tasks.items()):
            if task.worker != worker:
                continue
            task.worker = None
            if not self._attempts.is_left(task.place):
                del self._tasks[key]
                self._client.cancel([task.future], force=True)
                self.left -= 1
                death = Death(f"the Dask worker {worker} was lost with it")
                yield task.place, failed(self._units[task.place], death.reason)

    def _elsewhere(self, place: int) -> dict[str, Any]:
        """Where a unit is preferred to be tried again."""
        ended_on = self._ended_on.get(place)
        others = [worker for worker in self._cluster.slots if worker != ended_on]
        if ended_on is None or not others:
            return {}
        return {"workers": others, "allow_other_workers": True}

    def _hear(self, event: tuple[float, Mapping[str, Any]]) -> None:
        self._queue.put(_Event(event[1]))

    def _in_client(self, coroutine: Any) -> None:
        """Run a coroutine in the event loop of Dask's client."""
        asyncio.run_coroutine_threadsafe(coroutine, self._client.loop.asyncio_loop)

    async def _collect(self, key: str, future: Any) -> None:
        outcome: bytes | BaseException
        try:
            outcome = await future
        except (Exception, asyncio.CancelledError) as error:
            outcome = error
        self._queue.put(_Finished(key, outcome))

    async def _admit(self, worker: str) -> None:
        try:
            self._queue.put(_Refused(await self._cluster.admit([worker])))
        except Exception as error:
            self._queue.put(_Refused({worker: f"{worker}: {describe_error(error)}"}))
