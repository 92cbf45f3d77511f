"""The specifications of augmentations. May import ``record``."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat

from fctestbed.synthesis.record import Ratio, Spec


class OfficialAugmentation(Spec):
    """The official code's: swapped halves, noise, dropped coordinates or identity, 1/4 each.

    ``noise`` is the standard deviation of the noise; ``drop`` the probability with which each
    coordinate is zeroed (the official code zeroes exactly one coordinate in ten).
    """

    kind: Literal["official"] = "official"
    noise: Annotated[
        NonNegativeFloat, Field(description="Standard deviation of the added noise.")
    ] = 0.01
    drop: Annotated[Ratio, Field(description="Chance that a coordinate is zeroed.")] = 0.1


class OptimalAugmentation(Spec):
    """X' with I(X;X') = I(X;Y) exactly: the label's information is kept, everything else redrawn.

    Source:
        Liang et al. 2023 (FactorCL), Definitions 3 and 4.
    """

    kind: Literal["optimal"] = "optimal"


class UniqueAugmentation(Spec):
    """X1' as in ``optimal``, and X2'' with ``I(X2;X2''|X1) = I(X2;Y|X1)`` exactly.

    X2'' keeps the shared block, which X1 depends on. Of the block unique to modality 2 it keeps the
    information of Y given X1, and everything else is redrawn.

    Source:
        Liang et al. 2023 (FactorCL), Eqs. 17 and 18.
    """

    kind: Literal["unique"] = "unique"


class QualityAugmentation(Spec):
    """From useless (0, 1) to optimal (1, 1); at (1, 0) only the noise of the label is lost.

    ``relevant`` is the chance that the input of a slot of the label survives: it is then written
    through the slot's own channel as in ``optimal``, else redrawn in each modality. ``irrelevant``
    is the chance that an irrelevant bit is redrawn in each modality; else it is unchanged in both.
    Both are decided once for both modalities, separately for each bit.
    """

    kind: Literal["quality"] = "quality"
    relevant: Annotated[Ratio, Field(description="Chance that a relevant bit survives.")] = 1.0
    irrelevant: Annotated[Ratio, Field(description="Chance that an irrelevant bit is redrawn.")] = (
        1.0
    )


LabelAugmentation = OptimalAugmentation | UniqueAugmentation | QualityAugmentation
"""Augmentations that depend on the label."""

AugmentationSpec = Annotated[
    OfficialAugmentation | OptimalAugmentation | UniqueAugmentation | QualityAugmentation,
    Field(discriminator="kind"),
]
