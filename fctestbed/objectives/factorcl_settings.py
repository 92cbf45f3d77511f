"""Settings of FactorCL: the points where the official code departs from the paper's equations.

Owns the settings. May import the objectives' own modules. Every default is the paper's.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fctestbed.bounds import Contrast
from fctestbed.objectives.base import CriticSettings
from fctestbed.objectives.unimodal import LabelInput


class FactorCLSettings(CriticSettings):
    """Settings of both forms of FactorCL.

    Attributes:
        counting: ``once``: six terms of weight 1 (D.1, and the official code); ``sum``: S + U1 +
            U2 of Eqs. 8 and 9, in which CLUB(X1; X2) and NCE(X1; X2 | C) count twice.
        club_diagonal: whether CLUB's mean over the product of marginals leaves out the positive
            pairs (``dropped``) or includes them (``kept``, the official code).
        contrast: which argument InfoNCE's negatives replace: ``second`` (Eq. 10) or ``first`` (the
            official code).
        inner_batch: the CLUB critics are trained on a ``fresh`` batch (Algorithm 3) or on the
            ``same`` batch as the other parameters (the official code).
        inner_steps: steps of the CLUB critics for each step of the other parameters.
        inner_rate: learning rate of the CLUB critics divided by that of the other parameters.
            NCE-CLUB is unbounded below if its critic lags behind the heads that minimise it; a
            larger rate prevents that.
    """

    counting: Literal["once", "sum"] = "once"
    club_diagonal: Literal["dropped", "kept"] = "dropped"
    contrast: Contrast = "second"
    inner_batch: Literal["fresh", "same"] = "fresh"
    inner_steps: Annotated[int, Field(ge=1)] = 1
    inner_rate: Annotated[float, Field(gt=0)] = 1.0


class FactorCLSupSettings(FactorCLSettings):
    """Settings of FactorCL-SUP.

    Attributes:
        conditioning: ``within``: the negatives of conditional terms share the label (Eqs. 13-16);
            ``batch``: they are the whole batch, as in the official code, which then estimates
            another quantity.
        condition_on: whether the critics of conditional terms receive the label with ``both``
            projections (D.1) or with the ``first`` alone (the official code).
        label_input: the label critics receive a one-hot row (``onehot``) or the class's number
            (``scalar``, the official code).
    """

    conditioning: Literal["within", "batch"] = "within"
    condition_on: Literal["both", "first"] = "both"
    label_input: LabelInput = "onehot"


class FactorCLSslSettings(FactorCLSettings):
    """Settings of FactorCL-SSL.

    Attributes:
        conditioning: ``within``: the negatives of conditional terms share what the views reveal of
            the originals; ``batch``: they are the whole batch (the official code); ``exact``: they
            are fresh draws given the views, which need a world with known latents.
        conditional_club_views: the conditional CLUB critic receives each projection with that of
            its ``augmented`` copy (Eq. 8), or with itself ``repeated`` (the official code).
        n_negatives: negatives of each anchor if ``conditioning`` is ``exact``.
    """

    conditioning: Literal["within", "batch", "exact"] = "within"
    conditional_club_views: Literal["augmented", "repeated"] = "augmented"
    n_negatives: Annotated[int, Field(ge=1)] = 7

    @model_validator(mode="after")
    def _exact_negatives_are_second_arguments(self) -> "FactorCLSslSettings":
        if self.conditioning != "exact":
            return self
        for name, expected in (("contrast", "second"), ("conditional_club_views", "augmented")):
            got = getattr(self, name)
            if got != expected:
                raise ValueError(
                    f"{name}: expected {expected} with conditioning exact, whose negatives replace "
                    f"the second argument and are conditioned on the views, got {got}"
                )
        return self
