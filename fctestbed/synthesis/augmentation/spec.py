"""How augmented copies are made: the specifications of augmentations. May import ``record``."""

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
    """X' with I(X;X') = I(X;Y) exactly: the label's information kept, all else redrawn.

    Source:
        Liang et al. 2023 (FactorCL), Definitions 3 and 4.
    """

    kind: Literal["optimal"] = "optimal"


class UniqueAugmentation(Spec):
    """X1' as in ``optimal``, and X2'' with I(X2;X2''|X1) = I(X2;Y|X1) exactly.

    What X1 refers to, the shared block, is left alone in X2''; of the block unique to modality 2
    what Y says of it given X1 is kept, all else redrawn.

    Source:
        Liang et al. 2023 (FactorCL), Eqs. 17 and 18.
    """

    kind: Literal["unique"] = "unique"


class QualityAugmentation(Spec):
    """From useless (0, 1) to optimal (1, 1); at (1, 0) nothing is lost but the label's own noise.

    ``relevant`` is the chance that what a slot of the label reads survives: it is then written
    through the slot's own channel as in ``optimal``, else drawn afresh in each modality.
    ``irrelevant`` is the chance that an irrelevant bit is drawn afresh in each modality; else it
    is left as it is in both. Both are decided once for both modalities, bit by bit.
    """

    kind: Literal["quality"] = "quality"
    relevant: Annotated[Ratio, Field(description="Chance that a relevant bit survives.")] = 1.0
    irrelevant: Annotated[
        Ratio, Field(description="Chance that an irrelevant bit is drawn afresh.")
    ] = 1.0


LabelAugmentation = OptimalAugmentation | UniqueAugmentation | QualityAugmentation
"""Augmentations that know the label."""

AugmentationSpec = Annotated[
    OfficialAugmentation | OptimalAugmentation | UniqueAugmentation | QualityAugmentation,
    Field(discriminator="kind"),
]
