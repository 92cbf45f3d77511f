"""The data sets of the FactorCL paper: where their files have what, and the paper's settings.

May import pydantic, ``fctestbed.objectives``' records and ``settings``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fctestbed.objectives import NetSpec
from fctestbed.real_data.labels import LabelRule
from fctestbed.real_data.settings import PAPER_NETS, EncoderSpec, RealTrainSpec


@dataclass(frozen=True, kw_only=True)
class KnownData:
    """A data set whose files circulate.

    Attributes:
        title: as the paper writes it; its columns of results have this name.
        files: beginnings of the names of its files, in lower case.
        modality1: the array of modality 1.
        modality2: the array of modality 2.
        label: the array of the label; ``name:3`` is its column 3.
        label_rule: how numbers become classes.
        standardise: whether features get mean 0 and variance 1 over the training samples.
        mimic_split: whether samples are shuffled and split as MultiBench's loader of MIMIC does.
        encoder1: the paper's encoder of modality 1.
        encoder2: the paper's encoder of modality 2.
        nets: the paper's widths.
        train: the paper's optimisation; the official notebook's batch size.
        departures: in which ways these settings are not the paper's.
    """

    title: str
    files: tuple[str, ...]
    modality1: str
    modality2: str
    label: str
    label_rule: LabelRule
    standardise: bool = False
    mimic_split: bool = False
    encoder1: EncoderSpec = field(default_factory=EncoderSpec)
    encoder2: EncoderSpec = field(default_factory=EncoderSpec)
    nets: NetSpec
    train: RealTrainSpec
    departures: tuple[str, ...] = ()


_ALL = (
    "encoders have no dropout",
    "steps of zeros before a sequence are not attended to",
    "all trainings of a data set have the same number of epochs and learning rate",
)


def _affect(title: str, files: tuple[str, ...], rule: LabelRule, batch_size: int) -> KnownData:
    return KnownData(
        title=title,
        files=files,
        modality1="vision",
        modality2="text",
        label="labels",
        label_rule=rule,
        nets=PAPER_NETS,
        train=RealTrainSpec(batch_size=batch_size),
        departures=_ALL,
    )


_PLAIN_ENCODER = EncoderSpec(kind="mlp")

KNOWN: Mapping[str, KnownData] = {
    "mosi": _affect("MOSI", ("mosi",), "sign", 32),
    "mosei": _affect("MOSEI", ("mosei",), "sign", 32),
    "ur-funny": _affect("UR-FUNNY", ("humor", "ur_funny", "ur-funny", "urfunny"), "values", 128),
    "mustard": _affect("MUStARD", ("sarcasm", "mustard"), "values", 128),
    "mimic": KnownData(
        title="MIMIC",
        files=("im.pk", "mimic"),
        modality1="adm_features_all",
        modality2="ep_tdata",
        label="y_icd9:7",
        label_rule="values",
        standardise=True,
        mimic_split=True,
        encoder1=_PLAIN_ENCODER,
        encoder2=EncoderSpec(kind="gru"),
        nets=NetSpec(
            encoder_hidden=(10,),
            embed_dim=15,
            head_hidden=(15,),
            head_dim=15,
            critic_hidden=(512,),
        ),
        train=RealTrainSpec(batch_size=40),
        departures=(
            *_ALL,
            "both representations are 15 wide (the paper: 10 and 15)",
            "features are standardised by the training samples (MultiBench: by all samples)",
        ),
    ),
    "irfl": KnownData(
        title="IRFL",
        files=("irfl",),
        modality1="image",
        modality2="caption",
        label="labels",
        label_rule="values",
        encoder1=_PLAIN_ENCODER,
        encoder2=_PLAIN_ENCODER,
        nets=NetSpec(
            encoder_hidden=(512,),
            embed_dim=128,
            head_hidden=(128,),
            head_dim=128,
            critic_hidden=(512,),
        ),
        train=RealTrainSpec(epochs=10, batch_size=16),
        departures=(
            *_ALL,
            "CLIP's features stay as they are and an MLP is trained on them (the paper trains CLIP "
            "further, at learning rate 1e-6)",
        ),
    ),
}


def known_by_file(path: Path) -> str | None:
    """The data set that a file's name says it is, or None."""
    name = path.name.lower()
    for key, data in KNOWN.items():
        if name.startswith(data.files):
            return key
    return None
