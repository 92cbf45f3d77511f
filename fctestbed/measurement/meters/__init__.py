"""Meters, one file each: from the readouts of a training to rows."""

from fctestbed.measurement.meters.base import Measured, Meter
from fctestbed.measurement.meters.channel import ChannelSpec
from fctestbed.measurement.meters.few_shot import FewShotMeter
from fctestbed.measurement.meters.knn_probe import KnnProbeMeter
from fctestbed.measurement.meters.linear_probe import LinearProbeMeter
from fctestbed.measurement.meters.mlp_probe import MlpProbeMeter
from fctestbed.measurement.meters.oracle_rows import why_no_channel
from fctestbed.measurement.meters.probe import ProbeMeter
from fctestbed.measurement.meters.rate import RateSpec
from fctestbed.measurement.meters.scores import ScoreMeter

__all__ = [
    "ChannelSpec",
    "FewShotMeter",
    "KnnProbeMeter",
    "LinearProbeMeter",
    "Measured",
    "Meter",
    "MlpProbeMeter",
    "ProbeMeter",
    "RateSpec",
    "ScoreMeter",
    "why_no_channel",
]
