"""OurCL: FactorCL's training, with the encoders' outputs as readouts.

May import the objectives' own modules.
"""

from typing import cast

from torch import Tensor, nn

from fctestbed.objectives.base import FACTORISED_READOUT
from fctestbed.objectives.factorcl import FactorCLSsl, FactorCLSup
from fctestbed.objectives.factorcl_networks import FactorCLModule


def _without_factors(terms: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(term for term in terms if term != FACTORISED_READOUT)


def _encoder_outputs(module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
    z1, z2 = cast(FactorCLModule, module).encoders(x1, x2)
    return {"z1": z1, "z2": z2}


class OurCLSup(FactorCLSup):
    """FactorCL-SUP's loss, with encoder outputs for representations.

    Source:
        The FactorCL paper's "OurCL-SUP" row (arXiv 2306.05268, section 4).
    """

    trains_as = "factorcl-sup"
    terms = _without_factors(FactorCLSup.terms)

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Encoder outputs ``z1`` and ``z2``."""
        return _encoder_outputs(module, x1, x2)


class OurCLSsl(FactorCLSsl):
    """FactorCL-SSL's loss, with encoder outputs for representations.

    Source:
        The FactorCL paper's "OurCL-SSL" row.
    """

    trains_as = "factorcl-ssl"
    terms = _without_factors(FactorCLSsl.terms)

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Encoder outputs ``z1`` and ``z2``."""
        return _encoder_outputs(module, x1, x2)
