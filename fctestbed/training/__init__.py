"""Training of stacks of runs."""

from fctestbed.training.spec import TrainingSpec, TrainSpec
from fctestbed.training.trainer import Progress, TrainedStack, train_stack

__all__ = ["Progress", "TrainSpec", "TrainedStack", "TrainingSpec", "train_stack"]
