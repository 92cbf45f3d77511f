"""Precisions are those that a device has, and torch's settings are as before afterwards."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from fctestbed.nets import Precision, check_precision, pairs, products_in
from fctestbed.nets.precision import critic_precision

HERE = torch.zeros(1)


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_precisions_of_tensor_cores_are_refused_elsewhere(
    precision: Precision, device: str
) -> None:
    with pytest.raises(ValueError, match="expected") as refused:
        check_precision(precision, device, name="train.precision")
    expected = f"train.precision: expected float32 on {device}, got {precision!r}"
    assert str(refused.value) == expected


def test_every_device_has_float32_and_a_gpu_by_its_capability(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for device in ("cpu", "mps", "cuda"):
        check_precision("float32", device, name="precision")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    for precision in ("tf32", "bf16"):
        check_precision(precision, "cuda:1", name="precision")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    message = "precision: expected float32 on cuda:1, of compute capability 7.5, got 'tf32'"
    with pytest.raises(ValueError, match="expected") as refused:
        check_precision("tf32", "cuda:1", name="precision")
    assert str(refused.value) == message


def _settings() -> tuple[str, ...]:
    mkldnn: Any = torch.backends.mkldnn
    backends = torch.backends.cuda.matmul.fp32_precision, mkldnn.matmul.fp32_precision
    return (torch.get_float32_matmul_precision(), *backends)


@pytest.mark.parametrize("ambient", ["highest", "high"])
@pytest.mark.parametrize("precision", ["float32", "tf32", "bf16"])
def test_torchs_settings_are_as_before_afterwards_and_after_an_error(
    ambient: str, precision: Precision
) -> None:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(ambient)
    try:
        outside = _settings()
        with products_in(precision):
            expected = "ieee" if precision == "float32" else "tf32"
            assert torch.backends.cuda.matmul.fp32_precision == expected
            assert critic_precision(HERE) == precision
        assert _settings() == outside
        with pytest.raises(KeyError), products_in(precision):
            raise KeyError
        assert _settings() == outside
        assert critic_precision(HERE) == "float32"
    finally:
        torch.set_float32_matmul_precision(before)


def test_a_critic_alone_has_the_precision_that_torch_is_set_to() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert critic_precision(HERE) == "bf16"
        with products_in("float32"):
            assert critic_precision(HERE) == "float32"
    gpu: Any = SimpleNamespace(device=torch.device("cuda"))
    assert critic_precision(gpu) == "float32"
    with products_in("tf32"):
        inside = critic_precision(gpu)
    assert inside == "tf32"


def test_torchs_tiles_round_products_to_bf16_and_return_float32() -> None:
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).requires_grad_()

    a, c, w = drawn(1, 5, 8), drawn(1, 6, 8), drawn(1, 4)
    layers = [(drawn(1, 8, 8), drawn(1, 1, 8)), (drawn(1, 8, 4), drawn(1, 1, 4))]
    exact = pairs.mlp_pairs(a, c, layers, w)
    with products_in("bf16"):
        rounded = pairs.mlp_pairs(a, c, layers, w)
        assert torch.autograd.grad(rounded.sum(), a)[0].dtype == torch.float32
    assert rounded.dtype == torch.float32
    # Three products, each rounded to 2^-8 of its size.
    assert 0 < (rounded - exact).norm() / exact.norm() < 3 * 2**-7


@pytest.mark.parametrize(
    ("change", "has_kernels"),
    [
        ({}, True),
        ({"major": 7}, False),
        ({"shared_memory_per_block_optin": 100 << 10}, False),
    ],
    ids=["an A100", "too old", "too little shared memory"],
)
def test_triton_takes_pairs_on_devices_that_can_run_its_kernels(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, int], has_kernels: bool
) -> None:
    a100 = {"major": 8, "minor": 0, "shared_memory_per_block_optin": 163 << 10}
    properties = SimpleNamespace(**{**a100, **change})
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    gpu = torch.device("cuda")
    assert (pairs._triton_pairs(gpu) is not None) == has_kernels
    assert pairs._triton_pairs(torch.device("cpu")) is None
    monkeypatch.setattr(pairs, "find_spec", lambda name: None)
    assert pairs._triton_pairs(gpu) is None
