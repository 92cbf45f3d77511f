"""What each modality knows of a label that is a function of bits: p(x1, y) and p(x2, y).

All that a PID needs beside I(X1,X2;Y). Owns the tables and how far they are reduced: values of
x_m with the same p(y | x_m) count as one symbol where the rule itself says which these are. May
import numpy and this package's rules.
"""

import numpy as np
import numpy.typing as npt

from fctestbed.synthesis.label_information import at_least, enumerated, fair_binomial
from fctestbed.synthesis.labels import PlanarRule, ThresholdRule

# Decomposed in about a second: every data set carries its truth.
MAX_ENTRIES = 1 << 16

Table = npt.NDArray[np.float64]


def symbols(rule: ThresholdRule | PlanarRule) -> tuple[int, int]:
    """Numbers of symbols of x1 and x2 that the tables of ``margins`` have."""
    n_shared, n_unique1, n_unique2 = rule.relevant
    if isinstance(rule, ThresholdRule):
        return n_shared + n_unique1 + 1, n_shared + n_unique2 + 1
    return 2 ** (n_shared + n_unique1), 2 ** (n_shared + n_unique2)


def margins(rule: ThresholdRule | PlanarRule) -> tuple[Table, Table]:
    """p(x1, y) and p(x2, y) of a rule on fair bits.

    For the threshold rule x_m stands for the number of ones that modality m sees.

    Returns:
        Tables of shapes (n1, n_classes) and (n2, n_classes), for ``symbols`` (n1, n2).
    """
    if isinstance(rule, ThresholdRule):
        n_shared, n_unique1, n_unique2 = rule.relevant
        return (
            _counted(n_shared + n_unique1, n_unique2),
            _counted(n_shared + n_unique2, n_unique1),
        )
    classes = enumerated(rule).reshape([2**n for n in rule.relevant])
    return (
        _shares(classes.reshape(-1, classes.shape[2]), rule.n_classes),
        _shares(classes.transpose(0, 2, 1).reshape(-1, classes.shape[1]), rule.n_classes),
    )


def _counted(n_seen: int, n_hidden: int) -> Table:
    n = n_seen + n_hidden
    positive = at_least(n_hidden, (n + 1) // 2 - np.arange(n_seen + 1))
    return fair_binomial(n_seen)[:, None] * np.stack([1 - positive, positive], axis=1)


def _shares(rows: npt.NDArray[np.int16], n_classes: int) -> Table:
    """Share of every class among all cells, for each row."""
    cells = np.arange(len(rows))[:, None] * n_classes + rows
    counts = np.bincount(cells.ravel(), minlength=len(rows) * n_classes)
    return counts.reshape(-1, n_classes) / rows.size
