"""Adam's update: the digits of torch's optimiser, without its compiler."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from fctestbed._adam import FusedAdam


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_digits_are_those_of_torch_s_optimiser(dtype):
    def parameters():
        generator = torch.Generator().manual_seed(0)
        return [
            nn.Parameter(torch.randn(3, n, generator=generator, dtype=dtype)) for n in (1, 7, 70)
        ]

    ours, theirs = parameters(), parameters()
    adam, reference = FusedAdam(ours, 0.1), torch.optim.Adam(theirs, lr=0.1, fused=True)
    generator = torch.Generator().manual_seed(1)
    for step in range(20):
        adam.rate = reference.param_groups[0]["lr"] = 0.1 / (step + 1)
        adam.zero_grad()
        reference.zero_grad()
        # A parameter that a loss does not reach has no gradient and keeps its own step.
        reached = len(ours) - (step % 3 == 0)
        for mine, other in list(zip(ours, theirs, strict=True))[:reached]:
            mine.grad = torch.randn(mine.shape, generator=generator, dtype=dtype)
            other.grad = mine.grad.clone()
        adam.step()
        reference.step()
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.equal(mine, other)


def test_an_update_does_not_import_the_compiler_of_torch():
    code = (
        "import sys, torch; from fctestbed._adam import FusedAdam; "
        "part = torch.nn.Parameter(torch.ones(3)); part.grad = torch.ones(3); "
        "FusedAdam([part], 0.1).step(); sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
