"""Variants: the same methods with some settings changed, under another name.

Owns what a variant can change and which methods it applies to. May import
``fctestbed.objectives``, ``fctestbed.results`` and ``fctestbed.synthesis``.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from fctestbed._messages import did_you_mean
from fctestbed.nets import CriticKind
from fctestbed.objectives import CriticSettings, Method
from fctestbed.results import PAPER
from fctestbed.synthesis import AugmentationSpec, Spec


class VariantSpec(Spec):
    """What a variant changes; nothing by default, which is the paper's equations.

    Attributes:
        methods: the methods that it is run for; empty for all that it can change.
        departures: settings that take the official code's value, or ``all`` of a method's.
        critic: the critic of every method that scores pairs.
        augmentation: how views are made.
        settings: any other settings of single methods, by name.
    """

    methods: tuple[str, ...] = ()
    departures: Literal["all"] | tuple[str, ...] = ()
    critic: CriticKind | None = None
    augmentation: AugmentationSpec | None = None
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)

    def applies_to(self, name: str, method: type[Method]) -> bool:
        """Whether the variant is run for a method."""
        if self.methods:
            return name in self.methods
        changes: tuple[tuple[object, bool], ...] = (
            (self.departures, bool(method.departures)),
            (self.critic, issubclass(method.Settings, CriticSettings)),
            (self.augmentation, method.n_views > 0),
            (self.settings, name in self.settings),
        )
        asked = [possible for asked, possible in changes if asked]
        return any(asked) or not asked

    def changed(self, name: str, method: type[Method]) -> dict[str, Any]:
        """The settings that the variant gives a method.

        Raises:
            ValueError: one line, for a departure that the method does not have.
        """
        changed: dict[str, Any] = {}
        if self.critic is not None and issubclass(method.Settings, CriticSettings):
            changed["critic"] = self.critic
        changed.update(self._departures(name, method))
        changed.update(self.settings.get(name, {}))
        return changed

    def _departures(self, name: str, method: type[Method]) -> dict[str, Any]:
        if self.departures == "all":
            if self.methods and not method.departures:
                raise ValueError(f"departures: expected a method that has some, got {name}")
            return dict(method.departures)
        for departure in self.departures:
            if departure not in method.departures:
                known = ", ".join(method.departures) or "none"
                raise ValueError(
                    f"departures: expected some of {name}'s ({known}), got {departure!r}"
                )
        return {departure: method.departures[departure] for departure in self.departures}


NAMED: dict[str, VariantSpec] = {
    PAPER: VariantSpec(),
    "official": VariantSpec(departures="all"),
}
"""Variants that can be asked for by name."""


def named_variants(value: object) -> object:
    """Variants by name: ``official``, a list of such names, or tables as they are."""
    names = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if isinstance(names, Mapping) or not isinstance(names, list | tuple):
        return value
    for name in names:
        if name not in NAMED:
            known = ", ".join(NAMED)
            raise ValueError(
                f"expected some of {known}, or a table of variants, got {name!r}"
                f"{did_you_mean(name, NAMED)}"
            )
    return {name: NAMED[name] for name in names}
