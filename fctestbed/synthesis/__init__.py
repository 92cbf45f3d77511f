"""Worlds with exactly known information: specifications, data and truth, without torch.

Augmentations need torch and live in ``fctestbed.synthesis.augmentation``.
"""

from fctestbed.synthesis.codewords import bit_patterns, modality_codewords
from fctestbed.synthesis.dataset import SPLITS, Dataset, Split, make_dataset
from fctestbed.synthesis.dataset_file import load_dataset
from fctestbed.synthesis.labels import (
    LabelRule,
    label_rule,
    planar_labels,
    slots_of,
    threshold_labels,
    word_of,
)
from fctestbed.synthesis.latents import Latents
from fctestbed.synthesis.maps import LinearMap, MlpMap
from fctestbed.synthesis.options import WorldOption, nested_values, world_options
from fctestbed.synthesis.spec import (
    AugmentationSpec,
    BitLatents,
    BitsLabel,
    GaussianLatents,
    Label,
    LinearObservation,
    MlpObservation,
    NoiselessLabel,
    OfficialAugmentation,
    OptimalAugmentation,
    PlanarLabel,
    QualityAugmentation,
    ThresholdLabel,
    UniqueAugmentation,
    WorldSpec,
)
from fctestbed.synthesis.spec_errors import spec_error_lines
from fctestbed.synthesis.streams import stream
from fctestbed.synthesis.truth import Pid, Truth, world_truth
from fctestbed.synthesis.world import World

__all__ = [
    "SPLITS",
    "AugmentationSpec",
    "BitLatents",
    "BitsLabel",
    "Dataset",
    "GaussianLatents",
    "Label",
    "LabelRule",
    "Latents",
    "LinearMap",
    "LinearObservation",
    "MlpMap",
    "MlpObservation",
    "NoiselessLabel",
    "OfficialAugmentation",
    "OptimalAugmentation",
    "Pid",
    "PlanarLabel",
    "QualityAugmentation",
    "Split",
    "ThresholdLabel",
    "Truth",
    "UniqueAugmentation",
    "World",
    "WorldOption",
    "WorldSpec",
    "bit_patterns",
    "label_rule",
    "load_dataset",
    "make_dataset",
    "modality_codewords",
    "nested_values",
    "planar_labels",
    "slots_of",
    "spec_error_lines",
    "stream",
    "threshold_labels",
    "word_of",
    "world_options",
    "world_truth",
]
