"""Adam's fused update, without what ``torch.optim.Adam`` imports.

May import torch only. An optimiser object of torch imports its compiler (``torch._dynamo``), which
costs each process that trains some two seconds; torch's function of the same update does not.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.adam import adam


class FusedAdam:
    """Adam (Kingma and Ba 2015, algorithm 1) with torch's default decay rates and epsilon.

    The digits are those of ``torch.optim.Adam(parameters, lr=rate, fused=True)``.

    Args:
        parameters: what is updated, by their ``grad``; those without one are left as they are.
        rate: learning rate; a tensor on the parameters' device where updates are captured as a
            CUDA graph.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], rate: float | Tensor) -> None:
        self._parameters = list(parameters)
        self._means = [torch.zeros_like(part) for part in self._parameters]
        self._squares = [torch.zeros_like(part) for part in self._parameters]
        self._steps = [
            torch.zeros((), dtype=torch.float32, device=part.device) for part in self._parameters
        ]
        self.rate = rate

    @property
    def state(self) -> dict[str, list[Tensor]]:
        """What an update changes besides the parameters, one tensor for each of them: the number of
        updates and both moments."""
        return {"step": self._steps, "exp_avg": self._means, "exp_avg_sq": self._squares}

    def zero_grad(self) -> None:
        """Remove the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """One update by the parameters' gradients."""
        places, gradients = [], []
        for place, parameter in enumerate(self._parameters):
            if parameter.grad is not None:
                places.append(place)
                gradients.append(parameter.grad)
        adam(
            [self._parameters[place] for place in places],
            gradients,
            [self._means[place] for place in places],
            [self._squares[place] for place in places],
            [],
            [self._steps[place] for place in places],
            fused=True,
            capturable=isinstance(self.rate, Tensor),
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self.rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )
