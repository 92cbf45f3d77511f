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
    """CoMM's terms, in nats: the fused codes of two views with each other, then each modality alone
    with both.

    Args:
        fused: embeddings of both modalities together, (Z', Z'').
        singles: for each modality, the embeddings of it alone that are compared with Z' and with
            Z''. In the paper both are Z_i; in the official code a view's fused code is compared
            with the other view's single code, (Z_i'', Z_i').
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
        0.5 * (pair_loss(with_first, first) + pair_loss(with_second, second))
        for with_first, with_second in singles
    ]
    return [pair_loss(first, second), *alone]
