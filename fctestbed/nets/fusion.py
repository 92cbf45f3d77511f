"""Fusion of two modalities' representations into one code, of both or of one alone.

Owns the two families. May import torch and ``fctestbed.nets.stack``.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from fctestbed.nets.stack import Stack, StackedLinear, StackedMLP

FusionKind = Literal["mlp", "transformer"]


class Fusion(nn.Module, ABC):
    """One code of two representations, for a stack of runs."""

    @abstractmethod
    def forward(
        self,
        z1: Float[Tensor, "stack n dim"] | None,
        z2: Float[Tensor, "stack n dim"] | None,
    ) -> Float[Tensor, "stack n width"]:
        """The code. None stands for an absent modality; at most one may be absent."""


class MlpFusion(Fusion):
    """MLP([z1, z2]); an absent modality is a vector of zeros.

    Args:
        stack: the runs.
        dim: width of each representation.
        hidden_dims: widths of the hidden layers.
        width: of the code.
    """

    def __init__(self, stack: Stack, dim: int, hidden_dims: Sequence[int], width: int) -> None:
        super().__init__()
        self.mlp = StackedMLP(stack, (2 * dim, *hidden_dims, width))

    def forward(
        self,
        z1: Float[Tensor, "stack n dim"] | None,
        z2: Float[Tensor, "stack n dim"] | None,
    ) -> Float[Tensor, "stack n width"]:
        """The code."""
        present = z1 if z1 is not None else z2
        assert present is not None
        both = [torch.zeros_like(present) if z is None else z for z in (z1, z2)]
        out: Tensor = self.mlp(torch.cat(both, -1))
        return out


class _LayerNorm(nn.Module):
    """Layer normalisation with a gain and an offset for each run; keeps any axes between."""

    def __init__(self, stack: Stack, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(stack.size, width, dtype=stack.dtype))
        self.offset = nn.Parameter(torch.zeros(stack.size, width, dtype=stack.dtype))

    def forward(self, x: Tensor) -> Tensor:
        width = x.shape[-1]
        shape = (x.shape[0], *(1 for _ in x.shape[1:-1]), width)
        return layer_norm(x, (width,)) * self.gain.view(shape) + self.offset.view(shape)


class TransformerFusion(Fusion):
    """One pre-norm transformer layer over a learnt class token and a token for each modality that
    is present; the code is the normalised output at the class token.

    As there is a single layer, the outputs at the other tokens are not needed, and only the class
    token has a query. An absent modality has no token. Each modality has a converter, a linear map
    to the token width.

    Args:
        stack: the runs.
        dim: width of each representation.
        width: of the tokens and the code. There are eight attention heads if it is divisible by
            eight, else the greatest common divisor of eight and the width.

    Source:
        Dufumier, Castillo-Navarro et al., CoMM (arXiv 2409.07402), section 3: one layer, eight
        heads. ReLU replaces its GELU, as in all networks here.
    """

    def __init__(self, stack: Stack, dim: int, width: int) -> None:
        super().__init__()
        self.n_heads = math.gcd(8, width)
        self.token = nn.Parameter(stack.uniform(1, 1, width, bound=width**-0.5))
        self.converter1, self.converter2 = (StackedLinear(stack, dim, width) for _ in range(2))
        self.before_attention = _LayerNorm(stack, width)
        self.query = StackedLinear(stack, width, width)
        self.key_value = StackedLinear(stack, width, 2 * width)
        self.attended = StackedLinear(stack, width, width)
        self.before_mlp = _LayerNorm(stack, width)
        self.mlp = StackedMLP(stack, (width, 4 * width, width))
        self.last = _LayerNorm(stack, width)

    def forward(
        self,
        z1: Float[Tensor, "stack n dim"] | None,
        z2: Float[Tensor, "stack n dim"] | None,
    ) -> Float[Tensor, "stack n width"]:
        """The code."""
        tokens = [
            converter(z)
            for converter, z in ((self.converter1, z1), (self.converter2, z2))
            if z is not None
        ]
        stack, n, width = tokens[0].shape
        class_token = self.token.expand(stack, n, 1, width)
        normed = self.before_attention(torch.cat([class_token, torch.stack(tokens, 2)], 2))
        code = class_token.squeeze(2) + self._attend(normed)
        out: Tensor = self.last(code + self.mlp(self.before_mlp(code)))
        return out

    def _attend(
        self, tokens: Float[Tensor, "stack n tokens width"]
    ) -> Float[Tensor, "stack n width"]:
        """The output of attention at the class token, which is the first."""
        stack, n, count, width = tokens.shape
        split = self.n_heads, width // self.n_heads
        query = self.query(tokens[:, :, 0]).view(stack, n, 1, *split)
        flat = self.key_value(tokens.reshape(stack, n * count, width))
        key, value = flat.view(stack, n, count, 2, *split).unbind(3)
        scores = (query * key).sum(-1) / math.sqrt(split[1])
        weights = scores.softmax(2).unsqueeze(-1)
        gathered: Tensor = self.attended((weights * value).sum(2).view(stack, n, width))
        return gathered
