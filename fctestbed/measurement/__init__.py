"""The measurement of readouts: readouts of a training, or any arrays, to rows."""

from fctestbed.measurement.along import along_steps, measure_along
from fctestbed.measurement.codes import (
    Form,
    ReadoutCode,
    readout_codes,
    readout_information,
    readout_information_at_rates,
)
from fctestbed.measurement.label_free import (
    alignment,
    effective_rank,
    linear_cka,
    modality_gap,
    uniformity,
)
from fctestbed.measurement.measuring import measure_arrays, measure_readouts
from fctestbed.measurement.meters import (
    ChannelSpec,
    FewShotMeter,
    KnnProbeMeter,
    Measured,
    Meter,
    MlpProbeMeter,
    ProbeMeter,
    RateSpec,
    ScoreMeter,
    why_no_channel,
)
from fctestbed.measurement.quantity import quantities
from fctestbed.measurement.spec import MeasureSpec

__all__ = [
    "ChannelSpec",
    "FewShotMeter",
    "Form",
    "KnnProbeMeter",
    "MeasureSpec",
    "Measured",
    "Meter",
    "MlpProbeMeter",
    "ProbeMeter",
    "RateSpec",
    "ReadoutCode",
    "ScoreMeter",
    "alignment",
    "along_steps",
    "effective_rank",
    "linear_cka",
    "measure_along",
    "measure_arrays",
    "measure_readouts",
    "modality_gap",
    "quantities",
    "readout_codes",
    "readout_information",
    "readout_information_at_rates",
    "uniformity",
    "why_no_channel",
]
