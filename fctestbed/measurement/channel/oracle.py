"""The oracle: how many bits a representation holds through noise, exactly up to Monte Carlo error.

Owns the draws and the loop that makes their error small enough. May import torch and this package.

For an encoder of finitely many latent bits, z = c_w + tau e is a mixture of 2^n Gaussians with
known components. p(w | z) is therefore known, and so is I(Z; A) = H(A) - E H(A | Z = z) for every
group A of bits. The average is over posterior entropies, the Rao-Blackwell form of the average of
-log p(w_true | z), with a standard error 2 to 5 times smaller.

Two representations of one world share the bits w_s and are independent given them, so
p(w_s | z1, z2) is proportional to p(w_s | z1) p(w_s | z2), and no alphabet of all bits is needed.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import torch

from fctestbed.measurement.channel.codebooks import Codebook
from fctestbed.measurement.channel.draws import CodewordDraws
from fctestbed.measurement.channel.moments import Moments
from fctestbed.measurement.channel.posteriors import product_dtype
from fctestbed.measurement.channel.result import ChannelInformation, Group
from fctestbed.measurement.channel.tiles import Tiles

# The most draws whose noise is in memory at once.
_CHUNK_DRAWS = 8192


def channel_information(
    books: Codebook | Sequence[Codebook],
    groups: Mapping[str, Group],
    *,
    tau: float,
    target_bits: float = 0.02,
    targets: Iterable[str] | None = None,
    max_draws: int = 1 << 17,
    seed: int = 0,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> ChannelInformation:
    """What one or two noisy representations, Z_m + tau N, hold of groups of bits and of labels.

    ``channel_curve`` at the one noise ``tau``; all else is as there.
    """
    (found,) = channel_curve(
        books,
        groups,
        taus=(tau,),
        target_bits=target_bits,
        targets=targets,
        max_draws=max_draws,
        seed=seed,
        device=device,
        dtype=dtype,
    )
    return found


def channel_curve(
    books: Codebook | Sequence[Codebook],
    groups: Mapping[str, Group],
    *,
    taus: Sequence[float],
    target_bits: float = 0.02,
    targets: Iterable[str] | None = None,
    first_draws: int = 1024,
    max_draws: int = 1 << 17,
    seed: int = 0,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> tuple[ChannelInformation, ...]:
    """What one or two noisy representations hold, at several noises from the same draws.

    Every codeword is drawn once before any is drawn again. The standard errors treat draws as
    independent, so they are too large rather than too small.

    Args:
        books: one codebook, or two whose common bits lead in both.
        groups: columns or labels, by name. Columns that no representation depends on hold 0 bits.
        taus: standard deviations of the noise in each direction. Draws of a codeword and of
            standard normal noise serve all of them, until each has its target.
        target_bits: draws go on until no standard error of an I(Z; group), of any of the
            representations or both, exceeds this.
        targets: names of the groups whose standard errors count, and from which others are
            computed; all by default. Other groups do not change their numbers.
        first_draws: draws before standard errors are looked at.
        max_draws: most draws. If they do not suffice, the result has a larger error.
        seed: of codewords and noise, drawn on the CPU.
        device: where to compute.
        dtype: of the posteriors, float32 or float64. The products that float32 posteriors come
            from are in float64 where their rounding would reach 0.001 nat.

    Returns:
        A result for each noise, in their order.

    Raises:
        ValueError: one line, for no noise, a tau, a target or a number of draws that is not above
            0, no codebook or more than two, or common bits that do not lead.

    Source:
        Goldfeld et al. 2019 (noise in the representation); the densities are exact here because
        every codeword is known.
    """
    books = (books,) if isinstance(books, Codebook) else tuple(books)
    if not taus:
        raise ValueError("taus: expected one noise or more, got none")
    settings = [*(("tau", tau) for tau in taus), ("target_bits", target_bits)]
    settings += [("first_draws", first_draws), ("max_draws", max_draws)]
    for name, value in settings:
        if not 0 < value < math.inf:
            raise ValueError(f"{name}: expected a number above 0, got {value}")
    kinds = {dtype, *(product_dtype(book, min(taus)) for book in books)}
    names = tuple(groups if targets is None else targets)
    tiles = Tiles(
        books,
        groups,
        sources=names,
        device=torch.device(device),
        dtype=dtype,
        products=torch.float64 if torch.float64 in kinds else torch.float32,
    )
    draws = CodewordDraws(books, torch.Generator().manual_seed(seed))
    moments = [Moments(len(tiles.places), device) for _ in taus]
    found: dict[int, ChannelInformation] = {}
    # The number of draws after which each noise that has not its target yet is looked at.
    wanted = dict.fromkeys(range(len(taus)), min(first_draws, max_draws))
    n = 0
    while wanted:
        active = list(wanted)
        stop = min(wanted.values())
        while n < stop:
            more = min(stop - n, _CHUNK_DRAWS)
            drawn = draws.next(more)
            tiles.read(drawn, [taus[at] for at in active], [moments[at] for at in active])
            n += more
        for at in [at for at in active if wanted[at] == n]:
            found[at] = ChannelInformation(
                tau=taus[at],
                n_draws=n,
                groups=dict(groups),
                columns=tuple(book.columns for book in books),
                places=tiles.places,
                mean=moments[at].mean.numpy(),
                covariance=moments[at].covariance_of_mean.numpy(),
            )
            error = found[at].largest_error_bits(names)
            if error <= target_bits or n >= max_draws:
                del wanted[at]
                continue
            # A little more than the square of the ratio, which avoids a tiny last round.
            enough = math.ceil(1.05 * n * (error / target_bits) ** 2)
            wanted[at] = min(max(enough, n + 256), max_draws)
    return tuple(found[at] for at in range(len(taus)))
