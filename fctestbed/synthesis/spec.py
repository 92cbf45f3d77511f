"""The specification of a world: latents, observation, label, sizes. Draws nothing.

May import ``record``, ``latents``, ``observation`` and ``labels``. Every record is frozen and
rejects unknown keys.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, PositiveInt, model_validator

from fctestbed.synthesis.labels import LABELS, BitsLabel, Label, LabelRule, ThresholdLabel
from fctestbed.synthesis.latents import BitLatents, GaussianLatents
from fctestbed.synthesis.observation import BitsObservation, LinearObservation, MlpObservation
from fctestbed.synthesis.record import Option, Spec, alternatives, digest

# No machine holds more; a larger number in a file is a mistake.
MOST_BYTES = 1 << 40


class WorldSpec(Spec):
    """A world: the law, observation and label of its latents, and the numbers of samples."""

    latents: Annotated[
        BitLatents | GaussianLatents,
        Field(discriminator="kind", description="Latents."),
        Option("--latents"),
    ] = BitLatents()
    observation: Annotated[
        LinearObservation | MlpObservation | BitsObservation,
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
        """A table without a kind has the default kind."""
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
        return self.latents.sizes

    @property
    def dims(self) -> tuple[int, int]:
        """Coordinates of the two modalities."""
        return self.observation.dims(self.block_sizes)

    @property
    def map_bytes(self) -> int:
        """Bytes of the observation maps while they are drawn, in double precision."""
        n_shared, *n_unique = self.block_sizes
        return 8 * sum(
            self.observation.map_numbers(n_shared + n, dim)
            for n, dim in zip(n_unique, self.dims, strict=True)
        )

    @property
    def sample_bytes(self) -> int:
        """Bytes of all training and held-out samples: x1, x2, y and the latents."""
        numbers = sum(self.dims)
        latents = sum(self.block_sizes) * self.latents.dtype.itemsize
        return (self.n_train + self.n_test) * (4 * numbers + 8 + latents)

    def without_label_digest(self) -> str:
        """Digest of everything except the label: worlds that differ in the label share their x."""
        return digest(self.model_dump(mode="json", exclude={"label"}))

    def with_label(self, label: LabelRule) -> "WorldSpec":
        """The same world with another label."""
        return WorldSpec.model_validate({**self.model_dump(), "label": label.model_dump()})

    def without_label(self) -> "WorldSpec":
        """The part of the specification that x depends on: equal for all worlds with the same x.

        A record needs a label; this one has the smallest, which every world admits.
        """
        return self.with_label(ThresholdLabel(n_relevant=1, unique_ratio=0.0))

    def with_ratio(self, unique_ratio: float) -> "WorldSpec":
        """The same world with another unique ratio of its label."""
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
    def _arrays_are_possible(self) -> Self:
        widths = sum(self.dims)
        blocks = ("n_shared", "n_unique1", "n_unique2")
        largest = f"latents.{max(blocks, key=lambda block: getattr(self.latents, block))}"
        many_latents = sum(self.block_sizes) > widths
        for field, what, given in (
            (largest if many_latents else "observation", "maps", self.map_bytes),
            ("n_train", "samples", self.sample_bytes),
        ):
            if given > MOST_BYTES:
                raise ValueError(
                    f"{field}: expected {what} that fit into memory, at most {MOST_BYTES} bytes, "
                    f"got {given} bytes ({self.n_train} and {self.n_test} samples, "
                    f"{sum(self.block_sizes)} latents, {widths} coordinates)"
                )
        return self

    @model_validator(mode="after")
    def _truth_is_known(self) -> Self:
        if not self.label.admits(self.latents):
            fitting = [kind for kind, rule in LABELS.items() if rule.admits(self.latents)]
            raise ValueError(
                f"label: expected {alternatives(fitting)} with {self.latents.kind} latents (the "
                f"truth of a {self.label.kind} label is known for bit latents only), "
                f"got {self.label.kind}"
            )
        return self

    @model_validator(mode="after")
    def _maps_are_injective(self) -> Self:
        """Refuse maps that cannot be injective on continuous latents; bits need no least width."""
        if self.latents.is_finite:
            return self
        for modality, n_unique in enumerate(self.block_sizes[1:], start=1):
            n_inputs = self.latents.n_shared + n_unique
            for field, needed in self.observation.injective_widths(modality, n_inputs).items():
                given = getattr(self.observation, field)
                if given < needed:
                    raise ValueError(
                        f"observation.{field}: expected at least {needed}, because modality "
                        f"{modality} has {n_inputs} {self.latents.kind} latents and the truth "
                        f"needs an injective map, got {given}"
                    )
        return self
