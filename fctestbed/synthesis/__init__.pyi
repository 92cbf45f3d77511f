from .augmentation.augmenter import Augmenter as Augmenter
from .augmentation.information import (
    AugmentationInformation as AugmentationInformation,
    augmentation_information_bits as augmentation_information_bits,
    copies_given_latents as copies_given_latents,
)
from .augmentation.plan import (
    augmentation_plan as augmentation_plan,
    check_originals as check_originals,
)
from .augmentation.spec import (
    AugmentationSpec as AugmentationSpec,
    OfficialAugmentation as OfficialAugmentation,
    OptimalAugmentation as OptimalAugmentation,
    QualityAugmentation as QualityAugmentation,
    UniqueAugmentation as UniqueAugmentation,
)
from .augmentation.views import Augmented as Augmented
from .dataset import (
    MOST_SAVED_CODEWORDS as MOST_SAVED_CODEWORDS,
    Dataset as Dataset,
    Split as Split,
    draw_samples as draw_samples,
    load_dataset as load_dataset,
    make_dataset as make_dataset,
)
from .dataset_file import CODEWORDS as CODEWORDS, DIGEST as DIGEST, SPLITS as SPLITS
from .labels import (
    LABELS as LABELS,
    BitsLabel as BitsLabel,
    FunctionLabel as FunctionLabel,
    Label as Label,
    LabelRule as LabelRule,
    NoiselessLabel as NoiselessLabel,
    ParityLabel as ParityLabel,
    PlanarLabel as PlanarLabel,
    Slot as Slot,
    ThresholdLabel as ThresholdLabel,
)
from .labels.information import Pid as Pid
from .labels.planar import planar_labels as planar_labels
from .labels.slots import slots_of as slots_of, word_of as word_of
from .labels.threshold import threshold_labels as threshold_labels
from .latents import (
    BitLatents as BitLatents,
    GaussianLatents as GaussianLatents,
    LatentLaw as LatentLaw,
    Latents as Latents,
    as_bits as as_bits,
    bit_patterns as bit_patterns,
    relevant_latents as relevant_latents,
)
from .observation import (
    BitsObservation as BitsObservation,
    LinearMap as LinearMap,
    LinearObservation as LinearObservation,
    MlpMap as MlpMap,
    MlpObservation as MlpObservation,
)
from .options import (
    WorldOption as WorldOption,
    nested_values as nested_values,
    world_options as world_options,
)
from .record import (
    PositiveFloat as PositiveFloat,
    Ratio as Ratio,
    SeedDigests as SeedDigests,
    Spec as Spec,
    digest as digest,
)
from .spec import WorldSpec as WorldSpec
from .streams import stream as stream, stream_words as stream_words
from .truth import Truth as Truth, forget_truths as forget_truths, world_truth as world_truth
from .world import World as World, modality_codewords as modality_codewords
