"""Readers: probes of one pair of representations, to fit on and to be evaluated on, for any number
of variables.

A reader gives each variable's held-out losses and probabilities, where the usable-information
estimators give one number. May import torch, ``features``, ``linear_probe`` and ``probes``.
"""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.estimators.features import varying_columns
from fctestbed.estimators.inputs import Codes
from fctestbed.estimators.linear_probe import check_bits, check_classes, check_representations
from fctestbed.estimators.probes import (
    Alphabet,
    Bits,
    ProbeSettings,
    Sample,
    column_scale,
    fitted_mlp,
    most_neighbours,
    nearest_rows,
    neighbour_numbers,
    vote_bits,
    vote_priors,
    vote_shares,
)


class Reader(Protocol):
    """Probes that are fitted on some representations and evaluated on others."""

    def bits(self, w_fit: Tensor, w_eval: Tensor) -> NDArray[np.float64]:
        """Held-out cross-entropies, one for each bit.

        Args:
            w_fit: bits of the samples to fit on, 0 or 1, [n_fit, n_bits].
            w_eval: bits of the held-out samples, [n_eval, n_bits].

        Returns:
            -log2 q(bit | z), in bits, [n_eval, n_bits]; under 1 where a probe predicts the bit.

        Raises:
            ValueError: one line, for arrays of other shapes, or targets other than 0 and 1.
        """
        ...

    def classes(self, y_fit: Tensor, n_classes: int) -> NDArray[np.float64]:
        """Held-out probabilities of classes.

        Args:
            y_fit: classes of the samples to fit on, [n_fit].
            n_classes: number of classes.

        Returns:
            log2 q(class | z), in bits, [n_eval, n_classes].

        Raises:
            ValueError: one line, for another shape, or classes outside [0, n_classes).
        """
        ...


class _Stopped:
    """Representations to fit on, of which the last fifth is a stop sample, and held-out ones.

    Args:
        z_fit: representations to fit on, [n_fit, dim], n_fit at least 2.
        z_eval: held-out representations, [n_eval, dim].

    Raises:
        ValueError: one line, for arrays of other shapes or numbers that are not finite.
    """

    def __init__(self, z_fit: Tensor, z_eval: Tensor) -> None:
        check_representations(z_fit, z_eval)
        if len(z_fit) < 2:
            raise ValueError(f"z_fit: expected at least 2 samples, got {len(z_fit)}")
        self.n_fit, self.n_eval = len(z_fit), len(z_eval)
        self.cut = len(z_fit) - max(1, len(z_fit) // 5)
        # A column that varies by rounding alone would be scaled up to noise.
        varying = varying_columns(z_fit)
        fit, self.held_out = (
            torch.where(varying, z.double(), 0.0).cpu().numpy() for z in (z_fit, z_eval)
        )
        self.train, self.stop = fit[: self.cut], fit[self.cut :]

    def bit_codes(self, w_fit: Tensor, w_eval: Tensor) -> tuple[Codes, Codes]:
        """Checked bits as codes."""
        check_bits("w_fit", w_fit, self.n_fit)
        check_bits("w_eval", w_eval, self.n_eval, w_fit.shape[1])
        return _codes(w_fit), _codes(w_eval)

    def class_codes(self, y_fit: Tensor, n_classes: int) -> Codes:
        """Checked classes as one column of codes."""
        check_classes(y_fit, self.n_fit, n_classes)
        return _codes(y_fit)[:, None]


class MlpReader(_Stopped):
    """``Reader`` of MLPs, one for all bits of a call, stopped by the last fifth of the samples.

    Args:
        z_fit: representations to fit on, [n_fit, dim], n_fit at least 2.
        z_eval: held-out representations, [n_eval, dim].
        settings: ``hidden``, ``dropout``, ``steps`` and ``seed`` of the MLP.

    Raises:
        ValueError: one line, for arrays of other shapes or numbers that are not finite.
    """

    def __init__(self, z_fit: Tensor, z_eval: Tensor, settings: ProbeSettings) -> None:
        super().__init__(z_fit, z_eval)
        self._settings = settings

    def bits(self, w_fit: Tensor, w_eval: Tensor) -> NDArray[np.float64]:
        """As ``Reader.bits``."""
        fit, held_out = self.bit_codes(w_fit, w_eval)
        columns = self._log_probabilities(fit, (2,) * fit.shape[1])
        rows = np.arange(self.n_eval)
        return np.stack([-logs[rows, held_out[:, k]] for k, logs in enumerate(columns)], axis=1)

    def classes(self, y_fit: Tensor, n_classes: int) -> NDArray[np.float64]:
        """As ``Reader.classes``."""
        (logs,) = self._log_probabilities(self.class_codes(y_fit, n_classes), (n_classes,))
        return logs

    def _log_probabilities(self, w: Codes, sizes: tuple[int, ...]) -> tuple[Bits, ...]:
        train, stop, held_out = (
            _sample(z, own)
            for z, own in (
                (self.train, w[: self.cut]),
                (self.stop, w[self.cut :]),
                (self.held_out, w[:0]),
            )
        )
        fitted = fitted_mlp(train, stop, Alphabet(sizes, 1), self._settings)
        return fitted.log_probabilities(fitted.inputs(held_out))


class KnnReader(_Stopped):
    """``Reader`` of shares among nearest neighbours in scaled columns.

    The neighbours are found once. Their number is chosen for each variable, as the one with the
    least loss on the last fifth of the samples to fit on. The known samples' frequencies count as
    one more neighbour, so that nothing has probability 0.

    Args:
        z_fit: representations to fit on, [n_fit, dim], n_fit at least 2.
        z_eval: held-out representations, [n_eval, dim].

    Raises:
        ValueError: one line, for arrays of other shapes or numbers that are not finite.
    """

    def __init__(self, z_fit: Tensor, z_eval: Tensor) -> None:
        super().__init__(z_fit, z_eval)
        most, scale = most_neighbours(self.cut), column_scale(self.train)
        self._tried = neighbour_numbers(most)
        self._near_stop, self._near_held_out = (
            nearest_rows(self.train, z, scale, most) for z in (self.stop, self.held_out)
        )

    def bits(self, w_fit: Tensor, w_eval: Tensor) -> NDArray[np.float64]:
        """As ``Reader.bits``."""
        fit, held_out = self.bit_codes(w_fit, w_eval)
        priors = vote_priors(fit[: self.cut], (2,) * fit.shape[1])
        chosen = self._chosen(fit, priors)
        losses = np.empty(held_out.shape)
        for k in sorted(set(chosen)):
            own = np.flatnonzero(chosen == k)
            votes = fit[self._near_held_out[:, :k]][:, :, own]
            losses[:, own] = vote_bits(votes, k, [priors[i] for i in own], held_out[:, own])
        return losses

    def classes(self, y_fit: Tensor, n_classes: int) -> NDArray[np.float64]:
        """As ``Reader.classes``."""
        fit = self.class_codes(y_fit, n_classes)
        priors = vote_priors(fit[: self.cut], (n_classes,))
        (k,) = self._chosen(fit, priors)
        votes = fit[self._near_held_out[:, :k], 0]
        # Each row's votes are counted in a range of codes of its own.
        own = votes + n_classes * np.arange(len(votes))[:, None]
        counts = np.bincount(own.ravel(), minlength=n_classes * len(votes))
        return np.log2(vote_shares(counts.reshape(len(votes), n_classes), k, priors[0]))

    def _chosen(self, fit: Codes, priors: list[Bits]) -> NDArray[np.int64]:
        """The number of neighbours of each column."""
        votes, stop = fit[self._near_stop], fit[self.cut :]
        losses = [vote_bits(votes, k, priors, stop).mean(0) for k in self._tried]
        return np.array(self._tried)[np.argmin(losses, axis=0)]


def _codes(values: Tensor) -> Codes:
    return values.cpu().numpy().astype(np.int64)


def _sample(z: Bits, w: Codes) -> Sample:
    return Sample(z, w, np.zeros(len(z), dtype=np.int64))
