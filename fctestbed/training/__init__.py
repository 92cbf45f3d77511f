"""Training of stacks of runs."""

from fctestbed.training.optimiser import StackedAdam
from fctestbed.training.spec import TrainingSpec, TrainSpec
from fctestbed.training.trainer import Progress, TrainedStack, train_stack

__all__ = ["Progress", "StackedAdam", "TrainSpec", "TrainedStack", "TrainingSpec", "train_stack"]
