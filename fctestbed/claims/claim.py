"""What a claim is: its fields, its predictions, and the sweeps that it needs.

May import ``fctestbed.sweep``, ``fctestbed.synthesis`` and ``reading``.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from fctestbed.claims.reading import Reading, Side, as_side
from fctestbed.sweep import SweepSpec, merge, parse_grid, read_grids, sweep_spec
from fctestbed.synthesis import PositiveFloat, Ratio, Spec

Relation = Literal["<", "<=", "=", ">=", ">"]


def _as_ratios(value: object) -> object:
    """Ratios also as a number, or as on the command line."""
    if isinstance(value, str):
        return parse_grid(value, low=0.0, high=1.0, option="unique_ratio")
    return (value,) if isinstance(value, int | float) else value


Ratios = Annotated[tuple[Ratio, ...], Field(min_length=1), BeforeValidator(_as_ratios)]


class Prediction(Spec):
    """An order of two sides, or their equality, up to the smallest effect that matters.

    Attributes:
        left: a method's name, or a table.
        relation: ``<``, ``<=``, ``=``, ``>=`` or ``>``.
        right: a method's name, a number of bits, or a table.
        unique_ratio: where it is predicted; by default at every ratio of the sweep.
        average: whether it is about the mean over these ratios, in place of each of them.
        smallest_effect_bits: as the claim's, for this prediction.
    """

    left: Annotated[Side, BeforeValidator(as_side)]
    relation: Relation
    right: Annotated[Side, BeforeValidator(as_side)]
    unique_ratio: Ratios | None = None
    average: bool = False
    smallest_effect_bits: PositiveFloat | None = None

    @model_validator(mode="after")
    def _compares(self) -> Self:
        if self.left.method is None:
            raise ValueError("left: expected a method to compare, got none")
        if self.left == self.right:
            raise ValueError("right: expected another side than left, got the same")
        pinned = [side.unique_ratio for side in (self.left, self.right)]
        if self.average and any(ratio is not None for ratio in pinned):
            raise ValueError("average: expected false where a side has a unique_ratio, got true")
        return self

    @property
    def sides(self) -> tuple[Side, Side]:
        """Left and right."""
        return self.left, self.right

    def text(self, usual: Reading) -> str:
        """Such as ``simclr < untrained at 1``."""
        text = f"{self.left.text(usual)} {self.relation} {self.right.text(usual)}"
        return f"{text}, mean over ratios" if self.average else text


class Assumption(Spec):
    """An assumption of a claim, and how it is broken.

    Attributes:
        statement: what is assumed.
        broken: fields of the sweep with which it does not hold.
    """

    statement: Annotated[str, Field(min_length=1)]
    broken: Annotated[dict[str, Any], Field(min_length=1)]

    @field_validator("broken", mode="before")
    @classmethod
    def _without_methods(cls, values: object) -> object:
        return _without_methods(values)


def _without_methods(values: object) -> object:
    if isinstance(values, Mapping) and "methods" in values:
        raise ValueError(
            f"methods: expected none, because they are those of the predictions, got "
            f"{values['methods']!r}"
        )
    return values


class OptimumSpec(Spec):
    """The world in which a claim is judged at the optimum of the objectives, small enough to be
    enumerated.

    Attributes:
        latents: fields of ``sweep.world.latents``; by default each block has at most two bits.
        unique_ratio: the ratios; by default those of the sweep.
        starts: of each search.
    """

    latents: dict[str, Any] | None = None
    unique_ratio: Ratios | None = None
    starts: Annotated[int, Field(ge=2, le=64)] = 4


_MOST_BLOCK_BITS = 2
_BLOCKS = ("n_shared", "n_unique1", "n_unique2")


class Claim(Spec):
    """A claim that runs can decide.

    Attributes:
        id: short name, of lower case letters, digits and hyphens.
        source: paper, theorem, figure or table; or the page that makes it.
        statement: what is claimed, in words.
        smallest_effect_bits: the smallest difference that matters.
        sweep: fields of the sweep that has the runs, without methods.
        reading: what is read where a prediction does not say.
        predictions: what has to be so, all of it.
        assumptions: by name.
        optimum: the world in which it is judged at the optimum.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    source: Annotated[str, Field(min_length=1)]
    statement: Annotated[str, Field(min_length=1)]
    smallest_effect_bits: PositiveFloat
    sweep: dict[str, Any] = Field(default_factory=dict)
    reading: Reading = Reading()
    predictions: Annotated[tuple[Prediction, ...], Field(min_length=1)]
    assumptions: dict[str, Assumption] = Field(default_factory=dict)
    optimum: OptimumSpec = OptimumSpec()

    @field_validator("sweep", mode="before")
    @classmethod
    def _methods_are_those_of_the_predictions(cls, values: object) -> object:
        return _without_methods(values)

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of all predictions, each once."""
        sides = (side for prediction in self.predictions for side in prediction.sides)
        return tuple(dict.fromkeys(side.method for side in sides if side.method is not None))

    def smallest_effect(self, prediction: Prediction) -> float:
        """The smallest difference that matters in a prediction, in bits."""
        own = prediction.smallest_effect_bits
        return self.smallest_effect_bits if own is None else own

    def sweep_spec(self, broken: str | None = None) -> SweepSpec:
        """The sweep that has the claim's runs.

        Args:
            broken: the name of an assumption that is broken; None for none.

        Raises:
            ValueError: one line that begins with the claim's field.
        """
        values, changed = self._fields(broken)
        merged = {**merge(values, changed), "methods": list(self.methods)}
        try:
            spec = sweep_spec(merged)
            # Expanded here, so that an impossible run is found before any is done.
            spec.runs()
        except ValueError as error:
            first = str(error).partition(".")[0].partition(":")[0]
            if broken is None:
                raise ValueError(f"sweep.{error}") from None
            field = f"assumptions.{broken}.broken"
            if first in changed:
                raise ValueError(f"{field}.{error}") from None
            raise ValueError(
                f"{field}: expected fields that go with the claim's sweep, got: {error}"
            ) from None
        return spec

    def optimum_spec(self, broken: str | None = None) -> SweepSpec:
        """The sweep whose objectives are searched for their optima, with one seed.

        Args:
            broken: as for ``sweep_spec``.

        Raises:
            ValueError: one line that begins with ``optimum``.
        """
        values, changed = self._fields(broken)
        latents = self.optimum.latents
        if latents is None:
            sizes = self.sweep_spec(broken).world.latents.model_dump()
            latents = {name: min(sizes[name], _MOST_BLOCK_BITS) for name in _BLOCKS}
        ratios = self.optimum.unique_ratio
        own = {} if ratios is None else {"unique_ratio": list(ratios)}
        world = {"world": {"latents": latents}, "methods": list(self.methods), "seeds": [0]}
        merged = merge(merge(merge(values, own), changed), world)
        try:
            spec = sweep_spec(merged)
            spec.runs()
        except ValueError as error:
            raise ValueError(
                f"optimum: expected a world in which the claim's methods can be, got: {error}"
            ) from None
        return spec

    def _fields(self, broken: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Fields of the sweep, and those that a broken assumption changes."""
        values = _grids(self.sweep, "sweep.")
        if broken is None:
            return values, {}
        return values, _grids(self.assumptions[broken].broken, f"assumptions.{broken}.broken.")


def _grids(values: Mapping[str, Any], source: str) -> dict[str, Any]:
    return read_grids(values, source=source)
