"""Losses of linear probes on rows that may stand for several samples each.

Owns cross-entropies of logits and their derivatives. May import torch and the kernel.
"""

from typing import Protocol

import torch
from torch import Tensor

from fctestbed.estimators.logistic_kernels import logistic_losses


class ProbeLoss(Protocol):
    """Summed cross-entropies of logits [n_outputs, rows], of one problem or more."""

    n_problems: int

    def value(self, logits: Tensor, rows: slice) -> tuple[Tensor, Tensor]:
        """Each problem's loss over some rows, float64 [n_problems], and its gradient by their
        logits, which it may overwrite."""

    def at_zero(self) -> Tensor:
        """The gradient by the logits where all of them are 0."""

    def along(self, slope_logits: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """First and second derivative of each problem's mean loss by the length of its logits,
        which are the lengths [n_problems] times ``slope_logits``."""

    def of_rows(self, stride: int) -> "ProbeLoss":
        """The losses of one row of so many."""


class LogisticLoss:
    """Binary cross-entropies, one problem for each output.

    Args:
        counts: samples of each row, [rows].
        ones: of those the samples whose bit is 1, [n_outputs, rows].
    """

    def __init__(self, counts: Tensor, ones: Tensor) -> None:
        self.counts, self.n_problems = counts.contiguous(), len(ones)
        self.ones = ones.contiguous()
        self._compiled = ones.device.type == "cpu" and ones.dtype is torch.float32

    def value(self, logits: Tensor, rows: slice) -> tuple[Tensor, Tensor]:
        """As ``ProbeLoss.value``."""
        if self._compiled:
            losses = torch.empty(self.n_problems, dtype=torch.float64)
            by_row = self.counts.numpy(), self.ones.numpy()
            logistic_losses(logits.numpy(), *by_row, rows.start, losses.numpy())
            return losses, logits
        counts, ones = self.counts[rows], self.ones[:, rows]
        softplus = torch.nn.functional.softplus
        losses = ((counts - ones) * softplus(logits) + ones * softplus(-logits)).sum(1)
        return losses.double(), logits.sigmoid_().mul_(counts).sub_(ones)

    def at_zero(self) -> Tensor:
        """As ``ProbeLoss.at_zero``."""
        return 0.5 * self.counts - self.ones

    def along(self, slope_logits: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """As ``ProbeLoss.along``."""
        shares = (slope_logits * lengths.unsqueeze(1)).sigmoid_()
        n = self.counts.sum()
        slope = ((shares * self.counts - self.ones) * slope_logits).sum(1) / n
        spread = shares * (1 - shares) * self.counts
        return slope, (spread * slope_logits.square()).sum(1) / n

    def of_rows(self, stride: int) -> "LogisticLoss":
        """As ``ProbeLoss.of_rows``."""
        return LogisticLoss(self.counts[::stride], self.ones[:, ::stride])

    def of_problems(self, problems: Tensor) -> "LogisticLoss":
        """The losses of some problems, by their indices."""
        return LogisticLoss(self.counts, self.ones[problems])

    def curvatures(self, logits: Tensor) -> Tensor:
        """Second derivatives of the mean losses by each logit, [n_outputs, rows]."""
        shares = logits.sigmoid()
        return shares * (1 - shares) * (self.counts / self.counts.sum())


class SoftmaxLoss:
    """A multinomial cross-entropy, one problem of all outputs.

    Args:
        counts: samples of each row, [rows].
        of_classes: of those the samples of each class, [n_outputs, rows].
    """

    n_problems = 1

    def __init__(self, counts: Tensor, of_classes: Tensor) -> None:
        self.counts, self.of_classes = counts, of_classes

    def value(self, logits: Tensor, rows: slice) -> tuple[Tensor, Tensor]:
        """As ``ProbeLoss.value``."""
        of_classes = self.of_classes[:, rows]
        logs = logits.log_softmax(0)
        loss = -(logs * of_classes).sum().double().unsqueeze(0)
        return loss, logs.exp_().mul_(self.counts[rows]).sub_(of_classes)

    def at_zero(self) -> Tensor:
        """As ``ProbeLoss.at_zero``."""
        return self.counts / len(self.of_classes) - self.of_classes

    def along(self, slope_logits: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """As ``ProbeLoss.along``."""
        shares = (slope_logits * lengths).softmax(0)
        means = (shares * slope_logits).sum(0)
        n = self.counts.sum()
        slope = (self.counts @ means - (self.of_classes * slope_logits).sum()) / n
        spread = (shares * slope_logits.square()).sum(0) - means.square()
        return slope.unsqueeze(0), (self.counts @ spread / n).unsqueeze(0)

    def of_rows(self, stride: int) -> "SoftmaxLoss":
        """As ``ProbeLoss.of_rows``."""
        return SoftmaxLoss(self.counts[::stride], self.of_classes[:, ::stride])
