"""The allowed mean error of an estimator on a law that the estimator's model describes.

May import ``fctestbed.laws``.
"""

import math

from fctestbed.laws import Law

_SHARE = 0.01
_BITS = 0.01
_SAMPLES = 1000
_SAMPLES_PER_CELL = 10
# These estimators from counts subtract their bias.
_COUNTS = ("miller-madow", "chao-wang-jost")


def tolerance_bits(law: Law, estimator: str, n: int) -> float:
    """The largest absolute mean error that an estimator may have on n samples of a law, in bits.

    At 1000 samples or more it is 0.01 bit and 1 % of the truth; with fewer samples it grows as a
    bias of first order does, in proportion to 1 / n.

    Args:
        law: the law.
        estimator: the estimator's registered name.
        n: number of samples.

    Returns:
        The tolerance. NaN where none is stated: the estimator's model does not describe the law, or
        a finite law has fewer than ten samples for each cell of its table.
    """
    counted = law.n_cells > 0 and n >= _SAMPLES_PER_CELL * law.n_cells
    described = (
        (estimator in _COUNTS and counted)
        or (estimator == "gaussian" and law.normality == "joint")
        or (estimator == "gaussian-copula" and law.normality != "none")
    )
    if not described:
        return math.nan
    return (_BITS + _SHARE * law.true_bits) * max(1.0, _SAMPLES / n)
