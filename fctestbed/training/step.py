"""One step of a stack's training: losses, their gradients, and the update of the parameters.

Owns what a step computes. May import ``fctestbed.objectives``.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from fctestbed.nets import Precision, products_in
from fctestbed.objectives import Batch, Method
from fctestbed.training.optimiser import StackedAdam

# A run whose loss exceeds this many nats does not recover.
_EXPLODED_NATS = 1e6


class TrainingStep:
    """The steps of one training.

    Nothing in a step depends on values of its batches but numbers: no shape, and no choice.

    Args:
        method: the method.
        module: the parameters of the stack.
        size: number of runs.
        rate: learning rate of the first step.
        precision: of matrix products.
        capturable: whether steps may be captured as a CUDA graph.

    Attributes:
        n_batches: batches that a step takes.
        alive: for each run, whether its losses were finite and have not exploded.
        losses: the terms of the last step's losses and their ``total``, [runs] each.
    """

    def __init__(
        self,
        method: Method,
        module: nn.Module,
        size: int,
        *,
        rate: float,
        precision: Precision,
        capturable: bool = False,
    ) -> None:
        self._method, self._module, self._precision = method, module, precision
        self._inner = (
            list(module.get_submodule("inner").parameters()) if method.has_inner_loop else []
        )
        own = {id(parameter) for parameter in self._inner}
        outer = [parameter for parameter in module.parameters() if id(parameter) not in own]
        self._adams = [
            StackedAdam(part, size, rate, capturable=capturable)
            for part in (outer, self._inner)
            if part
        ]
        self._inner_steps = method.settings.inner_steps if self._inner else 0
        fresh = bool(self._inner) and method.settings.inner_batch == "fresh"
        self.n_batches = 1 + self._inner_steps if fresh else 1
        self.alive = torch.ones(size, dtype=torch.bool, device=next(module.parameters()).device)
        self.losses: Mapping[str, Tensor] = {}

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the next step."""
        self._adams[0].set_rate(rate)
        if self._inner:
            self._adams[1].set_rate(rate * self._method.settings.inner_rate)

    def __call__(self, batches: Sequence[Batch]) -> None:
        """One step.

        Args:
            batches: ``n_batches`` of them, the outer loss's first.
        """
        first, *others = batches
        with products_in(self._precision):
            # The inner loop's parameters are constants of the outer loss.
            for parameter in self._inner:
                parameter.requires_grad_(False)
            terms = self._method.loss(self._module, first)
            total = torch.stack(list(terms.values())).sum(0)
            self.alive &= total.detach().abs() < _EXPLODED_NATS
            self._adams[0].update(total)
            for parameter in self._inner:
                parameter.requires_grad_(True)
            for batch in others or [first] * self._inner_steps:
                self._adams[1].update(self._method.inner_loss(self._module, batch))
        # Detached: a kept autograd graph would tie gradients to the stream that it was made on.
        self.losses = {name: values.detach() for name, values in {**terms, "total": total}.items()}

    def state(self) -> dict[str, Tensor]:
        """What the next steps depend on besides parameters and batches, by name."""
        moments = {
            f"adam.{place}.{name}": tensor
            for place, adam in enumerate(self._adams)
            for name, tensor in adam.state().items()
        }
        return {"alive": self.alive, **moments}

    def go_on(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a state, and from the parameters as they are now.

        Args:
            state: what ``state`` returned.
        """
        self.alive.copy_(state["alive"])
        for place, adam in enumerate(self._adams):
            prefix = f"adam.{place}."
            adam.go_on(
                {
                    name.removeprefix(prefix): tensor
                    for name, tensor in state.items()
                    if name.startswith(prefix)
                }
            )

    def mark_finite(self) -> None:
        """Note which runs have finite parameters: no loss includes the last update."""
        for parameter in self._module.parameters():
            self.alive &= parameter.detach().reshape(len(self.alive), -1).isfinite().all(1)
