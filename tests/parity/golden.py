"""The published codes' numbers on fixed inputs, and their parameters put into our modules.

``tests/data/official_values.json``: values that FactorCL's official code (0f9f740) and its
contemporaries give on random inputs of ours, in float64 and nats. Their linear layers are [out,
in]; ours are [stack, in, out].
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fctestbed.nets import Stack, StackedLinear

GOLDEN = Path(__file__).parents[1] / "data" / "official_values.json"


@cache
def cases() -> dict[str, dict[str, Any]]:
    """Every case of the file, by its id."""
    content = json.loads(GOLDEN.read_text())
    assert content["units"] == "nats"
    assert content["dtype"] == "float64"
    return {case["id"]: case for case in content["cases"]}


def tensor(values: Any) -> Tensor:
    """A float64 tensor with a leading stack axis of 1."""
    return torch.tensor(values, dtype=torch.float64).unsqueeze(0)


def stack_of_one() -> Stack:
    """One run, in float64."""
    return Stack(generators=(torch.Generator().manual_seed(0),), dtype=torch.float64)


def set_linear(layer: StackedLinear, weight: Any, bias: Any, member: int = 0) -> None:
    """Put a published layer into one member of a stacked one."""
    with torch.no_grad():
        layer.weight[member] = torch.tensor(weight, dtype=torch.float64).T
        layer.bias[member] = torch.tensor(bias, dtype=torch.float64)
