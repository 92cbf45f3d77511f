"""Every method by name."""

from fctestbed.objectives.base import Method
from fctestbed.objectives.comm import CoMM
from fctestbed.objectives.contrastive import SimCLR, SupCon
from fctestbed.objectives.controls import Raw, Supervised, Untrained
from fctestbed.objectives.cross_self import CrossSelf, CrossSelfFact
from fctestbed.objectives.disentangled import DisentangledSSL
from fctestbed.objectives.factorcl import FactorCLSsl, FactorCLSup
from fctestbed.objectives.focal import Focal
from fctestbed.objectives.ourcl import OurCLSsl, OurCLSup
from fctestbed.objectives.unimodal import UnimodalSsl, UnimodalSup

METHODS: dict[str, type[Method]] = {
    "simclr": SimCLR,
    "supcon": SupCon,
    "cross-self": CrossSelf,
    "cross-self-fact": CrossSelfFact,
    "ourcl-sup": OurCLSup,
    "ourcl-ssl": OurCLSsl,
    "factorcl-sup": FactorCLSup,
    "factorcl-ssl": FactorCLSsl,
    "unimodal-sup": UnimodalSup,
    "unimodal-ssl": UnimodalSsl,
    "comm": CoMM,
    "focal": Focal,
    "disentangled-ssl": DisentangledSSL,
    "supervised": Supervised,
    "untrained": Untrained,
    "raw": Raw,
}
