from .certified import certified_lower_bound_bits as certified_lower_bound_bits
from .copies import copy_of as copy_of
from .encoders import (
    SequenceGru as SequenceGru,
    SequenceTransformer as SequenceTransformer,
    encoder_maker as encoder_maker,
)
from .features import ModalityShape as ModalityShape, features_of as features_of
from .known import KNOWN as KNOWN, KnownData as KnownData
from .labels import LABEL_RULES as LABEL_RULES
from .loading import load_multimodal as load_multimodal
from .multimodal import Multimodal as Multimodal, RealSplit as RealSplit
from .pickles import read_pickle as read_pickle
from .probing import ProbeRow as ProbeRow
from .published import PUBLISHED as PUBLISHED, Published as Published, published_of as published_of
from .settings import (
    CopySpec as CopySpec,
    EncoderSpec as EncoderSpec,
    RealSpec as RealSpec,
    RealTrainSpec as RealTrainSpec,
)
from .study import real_spec as real_spec, train_real as train_real
from .tables import RealResults as RealResults
