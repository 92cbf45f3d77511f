"""The encoders and projection heads that methods are built from.

May import ``fctestbed.nets`` and the objectives' own modules.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.nets import Stack, StackedMLP, StackedTable
from fctestbed.objectives.base import (
    MLP_ENCODER,
    TABLE_ENCODER,
    DataShape,
    EncoderMaker,
    NetSpec,
)
from fctestbed.objectives.user_encoders import UserEncoder, encoder_class


def build_encoder(
    stack: Stack,
    nets: NetSpec,
    dim: int,
    n_context: int = 0,
    *,
    maker: EncoderMaker | None = None,
) -> nn.Module:
    """One modality's encoder, of the kind that ``nets.encoder`` names: [K, n, dim + n_context] ->
    [K, n, embed_dim].

    Args:
        stack: the runs.
        nets: kind and widths.
        dim: width of the modality.
        n_context: width of what is appended to it, a function of the modality; a table, which
            tells all patterns apart anyway, does not read it.
        maker: makes the encoder of one run, in the place of ``nets.encoder``: ``DataShape`` has it
            for data whose encoders depend on more than widths.

    Raises:
        ValueError: for a table of too many patterns, or a path that leads to no encoder.
    """
    if maker is not None:
        return UserEncoder(stack, maker, dim + n_context, nets.embed_dim)
    if nets.encoder == MLP_ENCODER:
        return StackedMLP(stack, (dim + n_context, *nets.encoder_hidden, nets.embed_dim))
    if nets.encoder == TABLE_ENCODER:
        return StackedTable(stack, dim, nets.embed_dim)
    return UserEncoder(stack, encoder_class(nets.encoder), dim + n_context, nets.embed_dim)


class Encoders(nn.Module):
    """One encoder for each modality: z_m = e_m(x_m)."""

    def __init__(self, stack: Stack, shape: DataShape, nets: NetSpec) -> None:
        super().__init__()
        self.modality1, self.modality2 = (
            build_encoder(stack, nets, dim, maker=maker) for dim, maker in shape.modalities
        )

    def forward(
        self, x1: Float[Tensor, "stack n dim1"], x2: Float[Tensor, "stack n dim2"]
    ) -> tuple[Float[Tensor, "stack n embed"], Float[Tensor, "stack n embed"]]:
        """Representations (z1, z2)."""
        return self.modality1(x1), self.modality2(x2)


class HeadBank(nn.Module):
    """Several MLP heads on one representation, computed together.

    The heads are further entries of the stack's axis, [stack * heads, ...], so that a bank needs as
    many operations as one head.

    Args:
        stack: the runs.
        names: of the heads.
        nets: widths; the hidden layers are ``head_hidden`` wide, since narrow ReLU layers often
            give zeros for every sample.
    """

    def __init__(self, stack: Stack, names: Sequence[str], nets: NetSpec) -> None:
        super().__init__()
        self.names = tuple(names)
        repeated = Stack(
            generators=tuple(g for g in stack.generators for _ in self.names), dtype=stack.dtype
        )
        self.width = nets.head_dim
        dims = (nets.embed_dim, *nets.head_hidden, self.width)
        self.heads = StackedMLP(repeated, dims)

    def forward(
        self, z: Float[Tensor, "stack n embed"], names: Sequence[str] | None = None
    ) -> dict[str, Tensor]:
        """The projections of ``z``, [stack, n, head_dim], by all heads or by those named."""
        stack, n, _ = z.shape
        chosen = self.names if names is None else tuple(names)
        own = None if chosen == self.names else [self.names.index(name) for name in chosen]
        out = self.heads(z, len(self.names), own)
        return dict(zip(chosen, out.view(stack, len(chosen), n, -1).unbind(1), strict=True))


def concatenate(parts: Sequence[Tensor]) -> Tensor:
    """Arrays ``[stack, n, *]`` concatenated along the last axis."""
    return torch.cat(list(parts), dim=-1)
