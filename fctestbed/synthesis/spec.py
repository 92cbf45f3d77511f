"""What a world is: latents, observation, label, sizes. Owns its specification, nothing random.

May import ``record``, ``label_spec`` and ``augmentation_spec``. Every record is frozen and rejects
unknown keys.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveInt, model_validator

from fctestbed.synthesis.augmentation_spec import (
    AugmentationSpec,
    LabelAugmentation,
    OfficialAugmentation,
    OptimalAugmentation,
    QualityAugmentation,
    UniqueAugmentation,
)
from fctestbed.synthesis.label_spec import (
    BitsLabel,
    Label,
    NoiselessLabel,
    PlanarLabel,
    SlotLayout,
    ThresholdLabel,
)
from fctestbed.synthesis.record import Option, PositiveFloat, Spec, digest

__all__ = [
    "MAX_ENUMERATED_BITS",
    "AugmentationSpec",
    "BitLatents",
    "BitsLabel",
    "GaussianLatents",
    "Label",
    "LabelAugmentation",
    "LinearObservation",
    "MlpObservation",
    "NoiselessLabel",
    "OfficialAugmentation",
    "OptimalAugmentation",
    "PlanarLabel",
    "QualityAugmentation",
    "SlotLayout",
    "Spec",
    "ThresholdLabel",
    "UniqueAugmentation",
    "WorldSpec",
    "digest",
]

MAX_ENUMERATED_BITS = 22

_Shared = Annotated[PositiveInt, Field(description="Latents in w_s."), Option("--shared")]
_Unique = Annotated[
    PositiveInt, Field(description="Latents in each of w_1 and w_2."), Option("--unique")
]
_Dim = Annotated[PositiveInt, Field(description="Coordinates of a modality.")]
_Noise = Annotated[
    NonNegativeFloat,
    Field(description="Standard deviation of the observation noise."),
    Option("--noise"),
]


class BitLatents(Spec):
    """Independent fair bits: ``n_shared`` in w_s, ``n_unique1`` in w_1, ``n_unique2`` in w_2."""

    kind: Literal["bits"] = "bits"
    n_shared: _Shared = 6
    n_unique1: _Unique = 6
    n_unique2: _Unique = 6


class GaussianLatents(Spec):
    """The paper's latents: every coordinate of w_s, w_1, w_2 ~ N(0, variance)."""

    kind: Literal["gaussian"] = "gaussian"
    n_shared: _Shared = 6
    n_unique1: _Unique = 6
    n_unique2: _Unique = 6
    variance: Annotated[PositiveFloat, Field(description="Variance of each latent.")] = 0.5


class LinearObservation(Spec):
    """x_m = [w_m, w_s] T_m + noise * N(0, 1), T_m of shape (n_inputs, dim).

    Entries of T_m are N(0, 1 / n_inputs) for ``normal`` and the paper's U(0, 1) for ``uniform``.
    """

    kind: Literal["linear"] = "linear"
    dim1: _Dim = 100
    dim2: _Dim = 100
    entries: Annotated[
        Literal["normal", "uniform"], Field(description="Distribution of the matrix's entries.")
    ] = "normal"
    noise: _Noise = 0.0


class MlpObservation(Spec):
    """A random tanh network: x_m = tanh(gain * [w_m, w_s] A_m + a_m) B_m + noise * N(0, 1).

    Entries of A_m, shape (n_inputs, hidden_dim), are N(0, 1 / n_inputs), of a_m N(0, 1) and of
    B_m, shape (hidden_dim, dim), N(0, 1 / hidden_dim).
    """

    kind: Literal["mlp"] = "mlp"
    dim1: _Dim = 100
    dim2: _Dim = 100
    hidden_dim: Annotated[PositiveInt, Field(description="Hidden units.")] = 100
    gain: Annotated[PositiveFloat, Field(description="Factor on the inputs.")] = 1.5
    noise: _Noise = 0.0


class WorldSpec(Spec):
    """A world: how latents are drawn, observed and labelled, and how many samples there are."""

    latents: Annotated[
        BitLatents | GaussianLatents,
        Field(discriminator="kind", description="Latents."),
        Option("--latents"),
    ] = BitLatents()
    observation: Annotated[
        LinearObservation | MlpObservation,
        Field(discriminator="kind", description="Observation map."),
        Option("--observation"),
    ] = MlpObservation()
    label: Annotated[Label, Field(description="Label rule."), Option("--label")] = BitsLabel()
    n_train: Annotated[PositiveInt, Field(description="Training samples."), Option("--n-train")] = (
        16384
    )
    n_test: Annotated[PositiveInt, Field(description="Held-out samples."), Option("--n-test")] = (
        8192
    )

    @model_validator(mode="before")
    @classmethod
    def _default_kinds(cls, values: Any) -> Any:
        """A table that names no kind is one of the default kind."""
        if not isinstance(values, Mapping):
            return values
        filled = dict(values)
        for part, kind in (("latents", "bits"), ("observation", "mlp"), ("label", "bits")):
            if isinstance(filled.get(part), Mapping):
                filled[part] = {"kind": kind, **filled[part]}
        return filled

    @property
    def relevant(self) -> tuple[int, int, int]:
        """Number of relevant latents in (w_s, w_1, w_2); they are the first of each block."""
        return self.label.relevant

    @property
    def n_classes(self) -> int:
        """Number of values of the label."""
        return self.label.n_classes

    @property
    def block_sizes(self) -> tuple[int, int, int]:
        """Number of latents in (w_s, w_1, w_2)."""
        return (self.latents.n_shared, self.latents.n_unique1, self.latents.n_unique2)

    def without_label_digest(self) -> str:
        """Digest of everything but the label: worlds that differ in the label share their x."""
        return digest(self.model_dump(mode="json", exclude={"label"}))

    def with_label(self, label: Label) -> "WorldSpec":
        """The same world with another label."""
        return WorldSpec.model_validate({**self.model_dump(), "label": label.model_dump()})

    def with_ratio(self, unique_ratio: float) -> "WorldSpec":
        """The same world at another unique ratio of its label."""
        return self.with_label(self.label.with_ratio(unique_ratio))

    @model_validator(mode="after")
    def _blocks_hold_the_label(self) -> Self:
        names = (("w_s", "n_shared"), ("w_1", "n_unique1"), ("w_2", "n_unique2"))
        for (block, field), asked, held in zip(names, self.relevant, self.block_sizes, strict=True):
            if asked > held:
                raise ValueError(
                    f"latents.{field}: expected at least {asked}, because the {self.label.kind} "
                    f"label at unique_ratio {self.label.unique_ratio:g} reads {asked} relevant "
                    f"latents of {block} (raise latents.{field} or ask for a smaller label), "
                    f"got {held}"
                )
        return self

    @model_validator(mode="after")
    def _truth_is_known(self) -> Self:
        if not isinstance(self.label, PlanarLabel):
            return self
        if isinstance(self.latents, GaussianLatents):
            raise ValueError(
                "label: expected bits, noiseless or threshold with gaussian latents (the truth of "
                "a planar label is known for bit latents only), got planar"
            )
        if self.label.n_relevant > MAX_ENUMERATED_BITS:
            raise ValueError(
                f"label.n_relevant: expected at most {MAX_ENUMERATED_BITS} for a planar label, "
                f"whose truth is enumerated, got {self.label.n_relevant}"
            )
        return self

    @model_validator(mode="after")
    def _gaussian_latents_survive(self) -> Self:
        """Refuse maps that cannot be injective on Gaussian latents; bits survive any width."""
        if isinstance(self.latents, BitLatents):
            return self
        observation = self.observation
        n_shared = self.latents.n_shared
        for modality, n_unique in ((1, self.latents.n_unique1), (2, self.latents.n_unique2)):
            n_inputs = n_shared + n_unique
            least = {f"dim{modality}": n_inputs}
            if isinstance(observation, MlpObservation):
                # A generic linear map is injective on an n-dimensional surface from 2n + 1 on.
                embedded = min(observation.hidden_dim, 2 * n_inputs + 1)
                least = {"hidden_dim": n_inputs, f"dim{modality}": embedded}
            for field, needed in least.items():
                given = getattr(observation, field)
                if given < needed:
                    raise ValueError(
                        f"observation.{field}: expected at least {needed}, because modality "
                        f"{modality} has {n_inputs} gaussian latents and the truth needs an "
                        f"injective map, got {given}"
                    )
        return self
