"""Every method by name."""

from fctestbed.objectives.base import Method
from fctestbed.objectives.contrastive import SimCLR, SupCon
from fctestbed.objectives.controls import Raw, Supervised, Untrained
from fctestbed.objectives.factorcl import FactorCLSsl, FactorCLSup
from fctestbed.objectives.unimodal import UnimodalSsl, UnimodalSup

METHODS: dict[str, type[Method]] = {
    "simclr": SimCLR,
    "supcon": SupCon,
    "factorcl-sup": FactorCLSup,
    "factorcl-ssl": FactorCLSsl,
    "unimodal-sup": UnimodalSup,
    "unimodal-ssl": UnimodalSsl,
    "supervised": Supervised,
    "untrained": Untrained,
    "raw": Raw,
}
