"""Settings of every test: one thread, a deterministic hypothesis profile, guarded torch globals."""

import gc
import os
from collections.abc import Iterator

# Before numpy loads: small matrices on every core at once are slower than on one.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import pytest
import torch
from hypothesis import settings

# Before triton loads: without a GPU its kernels are interpreted.
if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that no process ends long after the others."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """What is imported by now lives to the end, and no search for garbage looks at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _torch_globals_stay() -> Iterator[None]:
    """No test, and nothing that it calls, may change torch's global state."""
    before = torch.get_default_dtype(), torch.initial_seed(), torch.get_rng_state()
    precision = torch.get_float32_matmul_precision()
    yield
    assert torch.get_default_dtype() == before[0]
    assert torch.initial_seed() == before[1]
    assert torch.get_float32_matmul_precision() == precision
    assert torch.equal(torch.get_rng_state(), before[2]), "the global generator was used"


@pytest.fixture(autouse=True)
def _denormals_come_back() -> Iterator[None]:
    """Commands are their own process and take denormals as zero; tests call them in this one."""
    yield
    torch.set_flush_denormal(False)
