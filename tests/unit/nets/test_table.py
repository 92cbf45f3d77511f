"""Tables in the place of encoders."""

import pytest
import torch

from fctestbed.nets import Stack, StackedTable


def _stack(n: int) -> Stack:
    return Stack(generators=tuple(torch.Generator().manual_seed(seed) for seed in range(n)))


def test_each_pattern_has_its_own_row_with_the_first_bit_most_significant() -> None:
    table = StackedTable(_stack(2), 3, 5)
    x = torch.tensor([[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0]]).expand(2, 2, 3)
    out = table(x)
    assert torch.equal(out, table.vectors[:, [5, 1]])


def test_coordinates_after_the_bits_are_not_read() -> None:
    table = StackedTable(_stack(1), 2, 3)
    x = torch.tensor([[[1.0, -1.0, 7.0]]])
    assert torch.equal(table(x), table(x[..., :2]))


def test_a_row_receives_the_gradient_of_its_own_pattern_alone() -> None:
    table = StackedTable(_stack(1), 2, 3)
    table(torch.tensor([[[1.0, 1.0]]])).sum().backward()
    gradient = table.vectors.grad
    assert gradient is not None
    assert torch.equal(gradient[0, 3], torch.ones(3))
    assert not gradient[0, :3].any()


def test_too_many_patterns_are_refused_with_the_count_and_the_limit() -> None:
    line = r"nets\.encoder: expected at most 2\^16 = 65536 input patterns .* got 2\^17 = 131072"
    with pytest.raises(ValueError, match=line):
        StackedTable(_stack(1), 17, 2)
