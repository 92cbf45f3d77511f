"""Adam for a stack of runs, whose rounding does not depend on the stack.

Owns the layout of parameters for the optimiser. May import torch and the fused update only.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from fctestbed._adam import FusedAdam

# More floats than the widest vector register holds, and a multiple of every such width.
_ALIGNMENT = 64


class StackedAdam:
    """Adam on all parameters of a stack, as one array [stack, width].

    A vectorised update uses other instructions for the last few numbers of an array, which round
    differently. With one array per parameter the size of the stack decides which numbers these
    are. Here every run's numbers fill whole vectors, so the rounding of a run does not depend on
    the stack.

    Args:
        parameters: of the stack.
        stack_size: number of runs.
        rate: learning rate of the first step.
        capturable: whether an update may be captured as a CUDA graph. The learning rate is then a
            tensor on the parameters' device.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter],
        stack_size: int,
        rate: float,
        *,
        capturable: bool = False,
    ) -> None:
        self._parameters = list(parameters)
        self._rows = [parameter.detach().view(stack_size, -1) for parameter in self._parameters]
        width = sum(rows.shape[1] for rows in self._rows)
        like = self._rows[0]
        self._flat = nn.Parameter(like.new_zeros(stack_size, width + -width % _ALIGNMENT))
        self._flat.grad = torch.zeros_like(self._flat)
        places = [rows.shape[1] for rows in self._rows]
        self._values = self._flat.detach()[:, :width].split(places, 1)
        self._gradients = self._flat.grad[:, :width].split(places, 1)
        torch._foreach_copy_(list(self._values), self._rows)
        self._rate = torch.tensor(rate, device=like.device) if capturable else None
        self._adam = FusedAdam([self._flat], rate if self._rate is None else self._rate)

    def state(self) -> dict[str, Tensor]:
        """The number of steps and both moments, as they are; zeros before the first step."""
        return {name: own for name, (own,) in self._adam.state.items()}

    def go_on(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a state, and from the parameters as they are now.

        Args:
            state: what ``state`` returned.
        """
        for name, tensor in self.state().items():
            tensor.copy_(state[name])
        torch._foreach_copy_(list(self._values), self._rows)

    def step(self, losses: Tensor, rate: float) -> None:
        """One step on the sum of the losses: the gradient of a run is that of its own loss."""
        self.set_rate(rate)
        self.update(losses)

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the updates that follow."""
        if self._rate is None:
            self._adam.rate = rate
        else:
            self._rate.fill_(rate)

    def update(self, losses: Tensor) -> None:
        """``step`` at the learning rate that is set."""
        for parameter in self._parameters:
            parameter.grad = None
        losses.sum().backward()
        gradients = []
        for parameter, rows in zip(self._parameters, self._rows, strict=True):
            # A parameter that this batch's loss does not depend on has no gradient.
            gradient = torch.zeros_like(rows) if parameter.grad is None else parameter.grad
            gradients.append(gradient.view_as(rows))
            # Not kept until the next step, nor after the last one.
            parameter.grad = None
        torch._foreach_copy_(list(self._gradients), gradients)
        self._adam.step()
        torch._foreach_copy_(self._rows, list(self._values))
