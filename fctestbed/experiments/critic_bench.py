"""Benchmarks of the pair critic: forward and backward, in each precision that the device has.

May import what is below ``fctestbed.experiments``. Both sides of a ratio are timed in one run.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import get_args

import torch
from torch import Tensor

from fctestbed.bounds import infonce_lower_bound_nats
from fctestbed.experiments.timing import Timing, best_time, matrix_rate
from fctestbed.nets import ConcatCritic, Precision, Stack, check_precision, products_in

Scores = Callable[[ConcatCritic, Tensor, Tensor], Tensor]

_QUICK = (128, 8, (64,))
_OFFICIAL = (256, 128, (512, 512))
# Pairs, width of the arguments, hidden layers.
_CASES = (_QUICK, (256, 128, (512,)), (128, 128, (512, 512)), _OFFICIAL)
# What a GPU has the memory and the speed for.
_LARGE_CASES = ((1024, 128, (512, 512)),)


def critic_benchmarks(device: str, rate: float) -> Iterator[Timing]:
    """InfoNCE of a concat critic, forward and backward, beside plain code.

    The plain code is the MLP on all N^2 concatenated rows, and with two hidden layers also the
    factored MLP with all pairs in memory. Operations are those of the products, each counted once
    forward and twice backward.

    Args:
        device: a torch device.
        rate: operations per second of its float32 products.
    """
    for precision in _precisions(device):
        own_rate = rate if precision == "float32" else matrix_rate(device, precision)
        for case in (*_CASES, *(() if device == "cpu" else _LARGE_CASES)):
            yield from _timings(case, device, precision, own_rate)


def _precisions(device: str) -> Iterator[Precision]:
    for precision in get_args(Precision):
        try:
            check_precision(precision, device, name="precision")
        except ValueError:
            continue
        yield precision


def _timings(
    case: tuple[int, int, tuple[int, ...]], device: str, precision: Precision, rate: float
) -> Iterator[Timing]:
    n, dim, hidden = case
    critic, u, v = drawn_critic(n, dim, hidden, device)
    widths = "-".join(map(str, (*hidden, 1)))
    name = f"pair critic {widths}, {n}^2, {precision}, forward + backward"
    inner = sum(a * b for a, b in zip(hidden, (*hidden[1:], 1), strict=True))
    operations = 6.0 * n * n * inner + 6.0 * 2 * n * dim * hidden[0]
    references: dict[str, Scores] = {"MLP on all concatenated rows": all_rows}
    if len(hidden) > 1:
        references["factored MLP with all pairs in memory"] = all_pairs
    for reference, scores in references.items():
        # Both sides anew for each ratio, because times vary from minute to minute.
        seconds = best_time(partial(_backward, _own, critic, u, v, precision))
        plain = best_time(partial(_backward, scores, critic, u, v, precision), repeat=3)
        yield Timing(name, seconds, reference, plain, operations, rate)


def drawn_critic(
    n: int, dim: int, hidden: tuple[int, ...], device: str
) -> tuple[ConcatCritic, Tensor, Tensor]:
    """A critic of one run and n random arguments of each side."""
    stack = Stack(generators=(torch.Generator().manual_seed(0),))
    critic = ConcatCritic(stack, dim, dim, hidden).to(device)
    generator = torch.Generator().manual_seed(1)
    u, v = (
        torch.randn(1, n, dim, generator=generator).to(device).requires_grad_() for _ in range(2)
    )
    return critic, u, v


def _backward(
    scores: Scores, critic: ConcatCritic, u: Tensor, v: Tensor, precision: Precision
) -> float:
    critic.zero_grad(set_to_none=True)
    in_bf16 = precision == "bf16" and scores is not _own
    with products_in(precision):
        with torch.autocast(u.device.type, torch.bfloat16, enabled=in_bf16):
            values = scores(critic, u, v)
        loss = -infonce_lower_bound_nats(values.float()).sum()
        loss.backward()
    # Copying the number to the host waits for the GPU.
    return float(loss.detach())


def _own(critic: ConcatCritic, u: Tensor, v: Tensor) -> Tensor:
    scores: Tensor = critic(u, v)
    return scores


def all_rows(critic: ConcatCritic, u: Tensor, v: Tensor) -> Tensor:
    """Scores by plain code: the MLP on a row [u_i, v_j] for every pair."""
    n = u.shape[1]
    rows = torch.cat([u[0].repeat_interleave(n, 0), v[0].repeat(n, 1)], 1).unsqueeze(0)
    hidden = critic.first(rows)
    for layer in critic.rest:
        hidden = layer(torch.relu(hidden))
    out: Tensor = hidden
    return out.view(1, n, n)


def all_pairs(critic: ConcatCritic, u: Tensor, v: Tensor) -> Tensor:
    """Scores by plain code: the first layer once for each argument, the others for every pair."""
    n = u.shape[1]
    hidden = critic.rows(u).unsqueeze(2) + critic.columns(v).unsqueeze(1)
    out = hidden.view(1, n * n, -1)
    for layer in critic.rest:
        out = layer(torch.relu(out))
    return out.view(1, n, n)
