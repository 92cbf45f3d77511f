"""Numbers that need no label: what is watched in pre-training, as functions of embeddings.

May import torch only. Every function computes in float64 on the arrays' device and leaves them as
they are. A value that is 0 / 0 is NaN.
"""

import math

import torch
from torch import Tensor

# Pairs whose kernel is computed at once.
_BLOCK_PAIRS = 1 << 20
_TEMPERATURE = 2.0


def alignment(z1: Tensor, z2: Tensor) -> float:
    """Mean squared distance of positive pairs: mean over i of ||u1_i - u2_i||^2.

    u1_i and u2_i are the rows of ``z1`` and ``z2`` at unit length: the two modalities of sample i
    are the positive pair. All samples count as one batch.

    Args:
        z1: embeddings of the first modality, [n, width].
        z2: embeddings of the second modality for the same samples, [n, width].

    Returns:
        A number from 0, where pairs coincide, to 4; 2 for unrelated pairs around the origin. NaN if
        a row is zero.

    Raises:
        ValueError: one line, for arrays that are not of one shape [n, width].

    Source:
        Wang and Isola 2020, section 4.1, with alpha = 2.
    """
    _check_pair(z1, z2)
    _check_width(z1, z2)
    return float((_unit_rows(z1) - _unit_rows(z2)).square().sum(1).mean())


def uniformity(z: Tensor) -> float:
    """log of the mean Gaussian kernel: log of the mean over i < j of exp(-2 ||u_i - u_j||^2).

    u_i are the rows of ``z`` at unit length. The mean is over all pairs of different samples, not
    over batches.

    Args:
        z: embeddings, [n, width], n at least 2.

    Returns:
        A number from -8 to 0 (0 where all rows have one direction); the lower, the more uniform are
        the directions. NaN if a row is zero.

    Raises:
        ValueError: one line, for an array that is not [n, width] with two rows or more.

    Source:
        Wang and Isola 2020, section 4.1, with t = 2.
    """
    _check(z, "z", least=2)
    unit = _unit_rows(z)
    n = len(unit)
    block = max(1, _BLOCK_PAIRS // n)
    total = 0.0
    for start in range(0, n, block):
        rows = unit[start : start + block]
        # The squared distance of unit rows is 2 - 2 cos.
        cosines = rows @ unit[start:].T
        kernel = cosines.sub_(1.0).mul_(2.0 * _TEMPERATURE).exp_()
        total += float(kernel.triu_(diagonal=1).sum())
    return math.log(total / (n * (n - 1) / 2))


def effective_rank(z: Tensor) -> float:
    """RankMe: exp of the entropy of the singular values, exp(-sum_k p_k log p_k).

    p_k = s_k / sum_l s_l, with s the singular values of ``z`` as it is, neither centred nor scaled.
    The paper adds 1e-7 to each p_k, which float64 does not need.

    Args:
        z: embeddings, [n, width].

    Returns:
        A number of dimensions from 1 to min(n, width). NaN for zeros.

    Raises:
        ValueError: one line, for an array that is not [n, width].

    Source:
        Garrido et al. 2023, section 3 (RankMe); Roy and Vetterli 2007.
    """
    _check(z, "z")
    wide = z.double()
    gram = wide.T @ wide if wide.shape[1] <= len(wide) else wide @ wide.T
    singular = torch.linalg.eigvalsh(gram).clamp(min=0.0).sqrt()
    shares = singular / singular.sum()
    return math.exp(float(torch.special.entr(shares).sum()))


def modality_gap(z1: Tensor, z2: Tensor) -> float:
    """Distance between the modalities' mean embeddings: ||mean_i u1_i - mean_i u2_i||.

    Args:
        z1: embeddings of the first modality, [n1, width]; u1 are its rows at unit length.
        z2: embeddings of the second modality, [n2, width]; u2 are its rows at unit length.

    Returns:
        A number from 0 to 2. NaN if a row is zero.

    Raises:
        ValueError: one line, for arrays of different widths.

    Source:
        Liang et al. 2022 ("Mind the gap"), the norm of its Delta_gap.
    """
    _check(z1, "z1")
    _check(z2, "z2")
    _check_width(z1, z2)
    return float((_unit_rows(z1).mean(0) - _unit_rows(z2).mean(0)).norm())


def linear_cka(z1: Tensor, z2: Tensor) -> float:
    """Linear centred kernel alignment: ||C2' C1||^2 / (||C1' C1|| ||C2' C2||), Frobenius norms.

    C1 and C2 are ``z1`` and ``z2`` with centred columns. It does not change under rotations of
    either array, nor under a factor.

    Args:
        z1: embeddings of the first modality, [n, width1].
        z2: embeddings of the second modality for the same samples, [n, width2].

    Returns:
        A number from 0 to 1. NaN if all rows of an array are equal.

    Raises:
        ValueError: one line, for arrays of different numbers of samples.

    Source:
        Kornblith et al. 2019, Table 1 (linear CKA).
    """
    _check_pair(z1, z2)
    c1, c2 = _centred(z1), _centred(z2)
    cross = float((c2.T @ c1).square().sum())
    own = float((c1.T @ c1).norm() * (c2.T @ c2).norm())
    return cross / own if own > 0 else math.nan


def _unit_rows(z: Tensor) -> Tensor:
    wide = z.double()
    unit: Tensor = wide / wide.norm(dim=1, keepdim=True)
    return unit


def _centred(z: Tensor) -> Tensor:
    wide = z.double()
    constant = (z == z[:1]).all(0)
    # The mean of equal numbers may differ from them by rounding.
    return torch.where(constant, 0.0, wide - wide.mean(0))


def _check(z: Tensor, name: str, least: int = 1) -> None:
    if z.ndim != 2 or len(z) < least or not z.shape[1]:
        raise ValueError(
            f"{name}: expected shape (samples, width) of at least {least} and 1, "
            f"got {tuple(z.shape)}"
        )


def _check_pair(z1: Tensor, z2: Tensor) -> None:
    _check(z1, "z1")
    _check(z2, "z2")
    if len(z1) != len(z2):
        raise ValueError(f"z2: expected {len(z1)} samples as in z1, got {len(z2)}")


def _check_width(z1: Tensor, z2: Tensor) -> None:
    if z1.shape[1] != z2.shape[1]:
        raise ValueError(f"z2: expected {z1.shape[1]} columns as in z1, got {z2.shape[1]}")
