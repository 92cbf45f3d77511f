"""Which cluster is used, which is refused, and how: no unit runs here."""

import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest
from dask.utils import key_split
from dask_clusters import scheduler_with
from tiny_sweeps import TINY_OPTIONS, tiny_sweep, tiny_units

from fctestbed._dask_setup import Software, software
from fctestbed.cli.main import run
from fctestbed.sweep import (
    dask_cluster as cluster_module,
    describe_plan,
    resources as resources_module,
    run_sweep,
)
from fctestbed.sweep.dask_cluster import (
    Cluster,
    check_address,
    connected,
    local_cluster,
    quiet_dask,
)
from fctestbed.sweep.dask_executor import unit_key
from fctestbed.sweep.resources import Resources


def ignore(line):
    raise AssertionError(line)


@pytest.fixture(scope="module")
def scheduler():
    with scheduler_with(1) as made:
        yield made.scheduler_address


@pytest.fixture
def nobody():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def refusal(capsys, *arguments):
    assert run(["sweep", *TINY_OPTIONS, *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


def test_an_address_where_nobody_listens_is_one_line_and_writes_nothing(capsys, tmp_path, nobody):
    out = tmp_path / "rows"
    began = time.monotonic()
    said = refusal(capsys, "--engine=dask", f"--address={nobody}", f"--out={out}")
    assert said == (
        f"fctestbed: --address: expected a Dask scheduler that listens, got none at {nobody} "
        "(Connection refused)\n"
    )
    assert time.monotonic() - began < 10
    assert not out.exists()


@pytest.mark.parametrize(
    ("said", "problem"), [(b"", "no answer within 0.2 s"), (b"SSH-2.0-x", "it answers otherwise")]
)
def test_a_listener_that_is_no_scheduler_is_one_line(monkeypatch, said, problem):
    monkeypatch.setattr(cluster_module, "_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        accepted = pool.submit(lambda: listener.accept()[0])
        pool.submit(lambda: accepted.result().sendall(said))
        with (
            pytest.raises(ValueError, match=rf"^address: .* listens, .*{address} \({problem}\)$"),
            connected(address, "cpu", ignore),
        ):
            pass
        accepted.result().close()


def test_a_scheduler_without_workers_is_one_line(monkeypatch):
    monkeypatch.setattr(cluster_module, "_SECONDS", 0.5)
    with (
        scheduler_with(0) as made,
        pytest.raises(ValueError, match=r"^address: expected a scheduler with workers, got none"),
        connected(made.scheduler_address, "cpu", ignore),
    ):
        pass


def test_a_gpu_that_no_worker_has_is_one_line_before_anything_is_written(
    capsys, tmp_path, scheduler
):
    out = tmp_path / "rows"
    said = refusal(
        capsys, "--engine=dask", f"--address={scheduler}", "--device=cuda", f"--out={out}"
    )
    assert said.startswith("fctestbed: --device: expected workers with a CUDA device that torch ")
    assert not out.exists()


def test_a_gpu_is_a_resource_where_workers_declare_it(monkeypatch):
    with scheduler_with(1, resources={"GPU": 1}) as made:
        address = made.scheduler_address
        with (
            pytest.raises(ValueError, match=r"^device: expected workers with a CUDA device"),
            connected(address, "auto", ignore),
        ):
            pass
        with connected(address, "cpu", ignore) as cluster:
            assert (cluster.device, list(cluster.needs)) == ("cpu", [software().resource])
    monkeypatch.setattr(cluster_module.Cluster, "_on_workers", answers(software(), True))
    with (
        scheduler_with(2, resources={"GPU": 1}) as made,
        connected(made.scheduler_address, "auto", ignore) as cluster,
    ):
        assert cluster.device == "cuda"
        assert cluster.needs == {"GPU": 1.0, software().resource: 1.0}
        assert list(cluster.slots.values()) == [1, 1]


def answers(*values):
    """What a cluster's workers answer, by call."""
    left = list(values)

    async def on_workers(self, function, workers):
        value = left.pop(0) if len(left) > 1 else left[0]
        return dict.fromkeys(workers, value)

    return on_workers


@pytest.mark.parametrize("field", ["fctestbed", "source", "torch", "python"])
def test_workers_with_other_software_are_refused_with_both_named(
    capsys, tmp_path, monkeypatch, scheduler, field
):
    mine = replace(software(), **{field: "0.0"})
    monkeypatch.setattr(cluster_module.Cluster, "_on_workers", answers(mine))
    out = tmp_path / "rows"
    said = refusal(capsys, "--engine=dask", f"--address={scheduler}", f"--out={out}")
    assert f"expected workers with {software()}, got tcp://127.0.0.1:" in said
    assert said.endswith(f" with {mine}\n")
    assert not out.exists()


def test_workers_that_cannot_import_this_version_are_refused_with_what_they_have(
    monkeypatch, scheduler
):
    monkeypatch.setattr(
        cluster_module.Cluster, "_on_workers", answers(ModuleNotFoundError("fctestbed"))
    )
    with (
        pytest.raises(
            ValueError, match=rf"with fctestbed \S+, torch 2\S+, Python {software().python}"
        ),
        connected(scheduler, "cpu", ignore),
    ):
        pass


def test_a_worker_takes_units_as_soon_as_its_software_is_the_driver_s(scheduler):
    with connected(scheduler, "cpu", ignore) as cluster:
        ((worker, slots),) = cluster.slots.items()
        assert slots == 1
        there = cluster.client.scheduler_info()["workers"][worker]["resources"]
        assert there == {software().resource: 1.0}


def test_software_is_compared_without_the_build_of_torch():
    mine = software()
    assert isinstance(mine, Software)
    assert "+" not in mine.torch
    assert mine.python.count(".") == 1
    assert mine.resource != replace(mine, torch="1.0").resource


@pytest.mark.parametrize(
    "address", ["", "host", "host:", "host:70000", "http://h:1", ":8786", "a b:1", 8786]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match=r"^address: expected HOST:PORT of a Dask scheduler"):
        check_address(address)


@pytest.mark.parametrize(
    "address", ["node-1.lab:8786", "tcp://10.0.0.1:8786", "tls://n:1", "[::1]:8786"]
)
def test_addresses_have_a_host_and_a_port(address):
    assert check_address(address) == address


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (
            {"engine": "dusk"},
            r"^engine: expected one of auto, .*, got 'dusk': did you mean dask\?$",
        ),
        ({"address": "h:1"}, "^address: expected none without the engine dask, got 'h:1'$"),
        (
            {"engine": "dask", "address": "h:1", "workers": 2},
            "^workers: expected none with an address, got 2$",
        ),
        (
            {"engine": "dask", "address": "h:1", "device": "cuda:1"},
            "^device: expected auto, cpu or cuda with an address, got 'cuda:1'$",
        ),
        ({"engine": "process", "workers": 2}, "^workers: expected none with the engine process"),
    ],
)
def test_engines_that_cannot_be_are_refused(tmp_path, given, match):
    for refuses in (run_sweep, describe_plan):
        with pytest.raises(ValueError, match=match):
            refuses(tiny_sweep(), tmp_path / "rows", **given)
    assert not (tmp_path / "rows").exists()


def test_an_engine_that_is_not_installed_is_refused_with_the_command(monkeypatch):
    monkeypatch.setattr(resources_module, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'fctestbed\[cluster\]'"):
        Resources.resolved("cpu", None, None, "dask")


def test_a_dry_run_does_not_ask_the_cluster(tmp_path, nobody):
    lines = describe_plan(tiny_sweep(), tmp_path / "rows", engine="dask", address=nobody)
    assert lines[-1].startswith(f"device: auto, the workers of the Dask scheduler at {nobody}")
    local = describe_plan(tiny_sweep(), tmp_path / "rows", engine="dask", workers=3, device="cpu")
    assert local[-1].startswith("device: cpu, 3 workers by Dask")


def test_dask_s_dashboard_groups_units_by_their_method():
    for method, named in (("simclr", "simclr"), ("factorcl-sup", "factorcl-sup")):
        (unit, *_) = tiny_units(9, methods=[method], seeds=[0, 3])
        key = unit_key(unit, "a")
        assert key.startswith(f"{named}-ratio=0..1,seed=0..3-")
        assert key_split(key) == named
        assert unit_key(unit, "b") != key
        assert unit_key(unit, "a") == key


def test_dask_s_log_has_its_levels_back():
    with quiet_dask():
        pass
    before = logging.getLogger("distributed").level
    with quiet_dask():
        assert not logging.getLogger("distributed.worker").isEnabledFor(logging.ERROR)
    assert logging.getLogger("distributed").level == before


def test_a_scheduler_that_was_started_anew_at_the_address_is_another_one():
    client = SimpleNamespace(status="running", scheduler_comm=object())
    cluster = Cluster(client, "h:1", "cpu")
    assert not cluster.is_lost
    # Dask's client connects to it by itself.
    client.scheduler_comm = object()
    assert cluster.is_lost


def test_a_cluster_of_this_machine_has_its_workers_and_ends():
    with local_cluster(3, "cpu", ignore) as cluster:
        assert list(cluster.slots.values()) == [1, 1, 1]
        assert cluster.place == "by Dask of this machine, 3 at a time"
        assert not cluster.is_lost
    assert cluster.is_lost
