"""Cases of the pair critic: InfoNCE forward and backward, in each precision that the device has.

May import ``fctestbed.bounds``, ``fctestbed.nets`` and the benchmark's own modules.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import get_args

import torch
from torch import Tensor

from fctestbed.bounds import infonce_lower_bound_nats
from fctestbed.experiments.bench.case import Case, GrowthCase, Prepared
from fctestbed.experiments.bench.timing import Work, timed
from fctestbed.nets import ConcatCritic, Precision, Stack, check_precision, products_in

Scores = Callable[[ConcatCritic, Tensor, Tensor], Tensor]

_QUICK = (128, 16, (64,))
_OFFICIAL = (256, 128, (512, 512))
# Pairs, width of the arguments, hidden layers.
_CASES = (_QUICK, (256, 128, (512,)), _OFFICIAL)
# 1024 x 1024 pairs with all of them in memory take 6 GB beside it.
_LARGE = (1024, 128, (512, 512))


@dataclass(frozen=True, kw_only=True)
class CriticInputs:
    """A critic of one run, n arguments of each side, [1, n, dim], and the products' precision."""

    critic: ConcatCritic
    u: Tensor
    v: Tensor
    precision: Precision


def critic_cases(device: str) -> Iterator[Case | GrowthCase]:
    """The critics of both presets, and how their time grows with batch and width."""
    for precision in precisions(device):
        for n, dim, hidden in (*_CASES, _LARGE):
            widths = "-".join(map(str, hidden))
            yield Case(
                name=f"critic/{widths}/{n}/{precision}",
                unit=f"forward and backward, {n}^2 pairs",
                prepare=partial(_prepared, (n, dim, hidden), precision),
                plain="" if (n, dim, hidden) == _LARGE and device == "cpu" else "critic",
                is_long=len(hidden) > 1,
            )
    yield GrowthCase(
        name="growth/critic/batch",
        unit="forward and backward of a critic of 64",
        axis="batch",
        sizes=(64, 128, 256, 512),
        prepare=lambda device, n: _work((n, 16, (64,)), device),
    )
    yield GrowthCase(
        name="growth/critic/width",
        unit="forward and backward of a critic of two equal layers, 64^2 pairs",
        axis="width",
        sizes=(64, 128, 256, 512),
        prepare=lambda device, width: _work((64, 16, (width, width)), device),
    )


def precisions(device: str) -> Iterator[Precision]:
    """The precisions of products that a device has."""
    for precision in get_args(Precision):
        try:
            check_precision(precision, device, name="precision")
        except ValueError:
            continue
        yield precision


def critic_operations(n: int, dim: int, hidden: tuple[int, ...]) -> float:
    """Operations of the products, each once forward and twice backward; the first layer is done
    once for each argument, the others once for each pair."""
    inner = sum(a * b for a, b in zip(hidden, (*hidden[1:], 1), strict=True))
    return 6.0 * n * n * inner + 6.0 * 2 * n * dim * hidden[0]


def critic_backward(scores: Scores, inputs: CriticInputs) -> float:
    """InfoNCE of a critic's scores, in nats, after its backward pass.

    Args:
        scores: how the scores of all pairs are computed.
        inputs: the critic and its arguments, whose gradients are replaced.
    """
    critic, u, v = inputs.critic, inputs.u, inputs.v
    critic.zero_grad(set_to_none=True)
    u.grad = v.grad = None
    with products_in(inputs.precision):
        loss = -infonce_lower_bound_nats(scores(critic, u, v).float()).sum()
        loss.backward()
    # Copying the number to the host waits for the GPU.
    return float(loss.detach())


def drawn_critic(
    n: int, dim: int, hidden: tuple[int, ...], device: str, precision: Precision = "float32"
) -> CriticInputs:
    """A critic of one run and n random arguments of each side."""
    stack = Stack(generators=(torch.Generator().manual_seed(0),))
    critic = ConcatCritic(stack, dim, dim, hidden).to(device)
    generator = torch.Generator().manual_seed(1)
    u, v = (
        torch.randn(1, n, dim, generator=generator).to(device).requires_grad_() for _ in range(2)
    )
    return CriticInputs(critic=critic, u=u, v=v, precision=precision)


def _prepared(
    case: tuple[int, int, tuple[int, ...]], precision: Precision, device: str
) -> Prepared:
    inputs = drawn_critic(*case, device, precision)
    return Prepared(
        work=timed(partial(critic_backward, _own, inputs), device),
        inputs=inputs,
        operations=critic_operations(*case),
        precision=precision,
    )


def _work(case: tuple[int, int, tuple[int, ...]], device: str) -> Work:
    return timed(partial(critic_backward, _own, drawn_critic(*case, device)), device)


def _own(critic: ConcatCritic, u: Tensor, v: Tensor) -> Tensor:
    scores: Tensor = critic(u, v)
    return scores
