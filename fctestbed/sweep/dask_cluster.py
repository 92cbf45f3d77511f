"""A connection to a Dask cluster, with its workers checked.

Workers whose software is the driver's get a resource of Dask's that units need, so that the
scheduler sends units to no others, whenever a worker joins. May import
``fctestbed.sweep.dask_worker`` and what it imports; ``distributed`` when a function is called.
"""

import contextlib
import logging
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fctestbed._dask_setup import Software, sees_cuda, software, take_units
from fctestbed.sweep.dask_worker import end_idle_processes

GPU = "GPU"
"""The resource by which a Dask worker declares a GPU: ``dask worker --resources GPU=1``."""
_SECONDS = 8.0
# Of a scheduler's first message.
_MOST_BYTES = 1 << 20
_ADDRESS = re.compile(r"((?:tcp|tls)://)?([\w.-]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})")
_LOGGERS = ("distributed", "tornado", "bokeh", "asyncio")
# A scheduler and workers that share a process with the driver, and its machine with the units: what
# they do by the clock is done rarely. As Dask has it, that takes 4 % of a core.
_LOCAL_SETTINGS = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.scheduler.work-stealing": True,
    "distributed.scheduler.work-stealing-interval": "1s",
}


class ClusterLost(RuntimeError):  # noqa: N818 - said of the cluster
    """The scheduler has gone; the message is one line."""


@dataclass
class Cluster:
    """A connection to a Dask scheduler.

    Attributes:
        client: Dask's client.
        address: the scheduler's address; None for a cluster within this process.
        device: the torch device of every unit.
        needs: resources of Dask's that every unit needs.
        slots: units that each worker takes at a time, by the worker's address.
        warn: called with a line about the cluster.
    """

    client: Any
    address: str | None
    device: str
    needs: Mapping[str, float] = field(default_factory=dict)
    slots: dict[str, int] = field(default_factory=dict)
    warn: Callable[[str], None] = print

    def __post_init__(self) -> None:
        self._connection = self.client.scheduler_comm

    @property
    def place(self) -> str:
        """Where units are done, in words."""
        count = sum(self.slots.values())
        where = "of this machine" if self.address is None else f"at {self.address}"
        return f"by Dask {where}, {count} at a time"

    @property
    def is_lost(self) -> bool:
        """Whether the scheduler has gone.

        Dask's client connects again to one that is started anew at the address; that one knows
        neither units nor workers of this sweep.
        """
        is_same = self.client.scheduler_comm is self._connection
        return self.client.status != "running" or not is_same

    async def admit(self, workers: Iterable[str]) -> dict[str, str]:
        """Let workers take units; by address, why one does not.

        To be called in the event loop of Dask's client.
        """
        workers = list(workers)
        if self.address is None:
            return {}
        there: dict[str, Any] = (await self.client.scheduler.identity(n_workers=-1))["workers"]
        asked = [worker for worker in workers if worker in there]
        mine = software()
        refused, taken = {}, {}
        found = await self._on_workers(software, asked)
        for worker in asked:
            if (theirs := found.get(worker)) == mine:
                taken[worker] = int(there[worker]["nthreads"])
            else:
                had = theirs if isinstance(theirs, Software) else await self._versions(worker)
                refused[worker] = f"expected workers with {mine}, got {worker} with {had}"
        if self.device.startswith("cuda"):
            sees = await self._on_workers(sees_cuda, taken)
            for worker in list(taken):
                labels = there[worker]["resources"]
                lacks = [name for name, count in self.needs.items() if labels.get(name, 0) < count]
                if lacks or sees.get(worker) is not True:
                    del taken[worker]
                    what = f"the resource {lacks[0]}" if lacks else "a CUDA device that torch finds"
                    refused[worker] = f"expected workers with {what}, got {worker} without"
        for worker, count in taken.items():
            await self.client.run(take_units, mine.resource, count, workers=[worker])
            self.slots[worker] = count
        return refused

    async def _on_workers(self, function: Callable[..., Any], workers: Iterable[str]) -> Any:
        workers = list(workers)
        if not workers:
            return {}
        return await self.client.run(function, workers=workers, on_error="return")

    async def _versions(self, worker: str) -> str:
        """The software of a worker on which this package's function cannot be called."""
        asked = await self.client.scheduler.broadcast(
            msg={"op": "versions", "packages": ["fctestbed", "torch"]}, workers=[worker]
        )
        found = asked[worker]["packages"]
        python = ".".join(found["python"].split(".")[:2])
        return (
            f"fctestbed {found['fctestbed'] or 'missing'}, torch {found['torch'] or 'missing'}, "
            f"Python {python}"
        )


def check_address(address: object) -> str:
    """The address of a scheduler.

    Raises:
        ValueError: one line, for what is none.
    """
    found = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if found is None or int(found[3]) > 65535:
        raise ValueError(
            "address: expected HOST:PORT of a Dask scheduler, such as 10.0.0.1:8786, "
            f"got {address!r:.80}"
        )
    return found[0]


@contextlib.contextmanager
def connected(address: str, device: str, warn: Callable[[str], None]) -> Iterator[Cluster]:
    """A connection to a scheduler whose workers are checked.

    Args:
        address: ``HOST:PORT``, ``tcp://HOST:PORT`` or ``tls://HOST:PORT``.
        device: ``cpu``, ``cuda``, or ``auto``: a GPU where workers declare one.
        warn: called with a line about the cluster while it is in use.

    Raises:
        ValueError: one line, within about 10 seconds: if nobody listens, if there is no worker, if
            workers have other software, or if none has a GPU that is asked for.
    """
    _check_listens(address)
    with quiet_dask(), _client(address) as client:
        info = client.scheduler_info()["workers"]
        if not info:
            with contextlib.suppress(TimeoutError):
                client.wait_for_workers(1, timeout=_SECONDS)
            info = client.scheduler_info()["workers"]
        if not info:
            raise ValueError(f"address: expected a scheduler with workers, got none at {address}")
        declare = any(GPU in one["resources"] for one in info.values())
        if device == "auto":
            device = "cuda" if declare else "cpu"
        needs = {GPU: 1.0} if device == "cuda" and declare else {}
        cluster = Cluster(client, address, device, needs, warn=warn)
        refused = client.sync(cluster.admit, list(info))
        _check_refused(cluster, refused)
        cluster.needs = {**needs, software().resource: 1.0}
        try:
            yield cluster
        finally:
            if not cluster.is_lost:
                with contextlib.suppress(Exception):
                    client.run(end_idle_processes, workers=list(cluster.slots), on_error="ignore")


def _check_refused(cluster: Cluster, refused: Mapping[str, str]) -> None:
    """Refuse workers with other software; and a cluster of which no worker takes units.

    Raises:
        ValueError: one line.
    """
    others = [line for line in refused.values() if "fctestbed" in line]
    if others:
        raise ValueError(f"address: {others[0]}")
    if not cluster.slots:
        raise ValueError(f"device: {next(iter(refused.values()))} (device {cluster.device})")


@contextlib.contextmanager
def local_cluster(workers: int, device: str, warn: Callable[[str], None]) -> Iterator[Cluster]:
    """A cluster within this process, each of whose workers has a worker process for its units.

    They end with this process, however it ends.
    """
    import dask  # noqa: PLC0415 - an extra
    from distributed import Client, LocalCluster  # noqa: PLC0415 - an extra

    with quiet_dask(), dask.config.set(_LOCAL_SETTINGS):
        made = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=False,
            memory_limit=0,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )
        try:
            with Client(made, set_as_default=False) as client:
                slots = dict.fromkeys(client.scheduler_info()["workers"], 1)
                yield Cluster(client, None, device, slots=slots, warn=warn)
        finally:
            made.close()
            end_idle_processes()


@contextlib.contextmanager
def _client(address: str) -> Iterator[Any]:
    """Dask's client of a scheduler.

    Raises:
        ValueError: if no scheduler answers.
    """
    from distributed import Client  # noqa: PLC0415 - an extra

    url = address if "://" in address else f"tcp://{address}"
    try:
        client = Client(url, timeout=_SECONDS, set_as_default=False)
    except Exception as error:
        raise ValueError(
            f"address: expected a Dask scheduler that answers, got none at {address} "
            f"({' '.join(f'{type(error).__name__}: {error}'.split()):.100})"
        ) from None
    try:
        yield client
    finally:
        client.close(timeout=2)


def _check_listens(address: str) -> None:
    """Refuse an address where no scheduler listens; Dask's client may wait for ever for others.

    Raises:
        ValueError: one line.
    """
    host, _, port = address.rpartition("/")[2].rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS) as found:
            # Dask sends first: the length of what follows. Over TLS the client does.
            if address.startswith("tls://"):
                return
            said = found.recv(8)
    except TimeoutError:
        problem = f"no answer within {_SECONDS:g} s"
    except OSError as error:
        problem = error.strerror or str(error)
    else:
        if 0 < int.from_bytes(said, "little") < _MOST_BYTES:
            return
        problem = "it answers otherwise"
    raise ValueError(
        f"address: expected a Dask scheduler that listens, got none at {address} ({problem})"
    )


@contextlib.contextmanager
def quiet_dask() -> Iterator[None]:
    """Keep Dask's own log off the terminal, and restore its levels afterwards: what a user has to
    know of a cluster is said in one line."""
    # Its import sets the levels.
    import distributed  # noqa: F401, PLC0415 - an extra

    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _LOGGERS]
    loggers = [logging.getLogger(name) for name in {*names, *_LOGGERS}]
    before = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in before:
            logger.setLevel(level)
