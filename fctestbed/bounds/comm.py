"""CoMM's loss of embeddings, in nats. Owns the functional. May import torch only."""

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor

PairLoss = Callable[[Tensor, Tensor], Tensor]


def comm_terms_nats(
    fused: tuple[Float[Tensor, "*stack n dim"], Float[Tensor, "*stack n dim"]],
    singles: Sequence[tuple[Float[Tensor, "*stack n dim"], Float[Tensor, "*stack n dim"]]],
    *,
    pair_loss: PairLoss,
) -> list[Float[Tensor, "*stack"]]:
    """CoMM's terms: the fused codes of two views against each other, then every modality alone
    against both, in nats.

    Args:
        fused: embeddings of both modalities together, (Z', Z'').
        singles: for each modality, the embeddings of it alone that meet Z' and Z''. In the paper
            both are Z_i; in the official code a view's fused code meets the other view's single
            one, (Z_i'', Z_i').
        pair_loss: minus a bound on the information between two embeddings, such as NT-Xent.

    Returns:
        L(Z', Z''), and L(Z_i, Z') / 2 + L(Z_i, Z'') / 2 for each modality. Their sum is the
        paper's loss, their mean the official code's.

    Source:
        Dufumier, Castillo-Navarro et al., CoMM (arXiv 2409.07402), section 3; ``CoMMLoss`` of its
        code.
    """
    first, second = fused
    alone = [
        0.5 * (pair_loss(meets_first, first) + pair_loss(meets_second, second))
        for meets_first, meets_second in singles
    ]
    return [pair_loss(first, second), *alone]
