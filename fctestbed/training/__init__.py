"""Training of stacks of runs, and the readouts of trained encoders or of any arrays."""

from fctestbed.training.checkpoints import Checkpoints
from fctestbed.training.data import batch_order
from fctestbed.training.encoder import Encoder, load_encoder
from fctestbed.training.encoding import head_spreads, stack_readouts
from fctestbed.training.kept import kept_arrays, kept_encoders, load_stack
from fctestbed.training.optimiser import StackedAdam
from fctestbed.training.patterns import fused_patterns, pattern_columns, why_no_codewords
from fctestbed.training.randomness import torch_stream
from fctestbed.training.readout_arrays import load_readouts, readouts_from_arrays
from fctestbed.training.readouts import Readout, Readouts
from fctestbed.training.spec import TrainingSpec, TrainSpec
from fctestbed.training.stack import TrainedStack, initial_stack
from fctestbed.training.state import Visitor
from fctestbed.training.step import TrainingStep
from fctestbed.training.trainer import Progress, scheduled_share, train_stack

__all__ = [
    "Checkpoints",
    "Encoder",
    "Progress",
    "Readout",
    "Readouts",
    "StackedAdam",
    "TrainSpec",
    "TrainedStack",
    "TrainingSpec",
    "TrainingStep",
    "Visitor",
    "batch_order",
    "fused_patterns",
    "head_spreads",
    "initial_stack",
    "kept_arrays",
    "kept_encoders",
    "load_encoder",
    "load_readouts",
    "load_stack",
    "pattern_columns",
    "readouts_from_arrays",
    "scheduled_share",
    "stack_readouts",
    "torch_stream",
    "train_stack",
    "why_no_codewords",
]
