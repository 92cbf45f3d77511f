"""Names that a shell completes as values of options: methods, figures, estimators, presets.

Imports nothing but the standard library; what has the names is imported when a shell asks for
them.
"""

from collections.abc import Callable
from importlib import import_module


def names_in(place: str) -> Callable[[str], list[str]]:
    """The completion of an option whose value is a name, or several, comma-separated.

    Args:
        place: ``module:NAME`` of a collection of the names.

    Returns:
        A function from what is typed to what it may become: the last name is completed, and none
        that is there already.
    """
    module, _, attribute = place.partition(":")

    def completed(incomplete: str) -> list[str]:
        given, comma, begun = incomplete.rpartition(",")
        return [
            f"{given}{comma}{name}"
            for name in getattr(import_module(module), attribute)
            if name.startswith(begun) and name not in given.split(",")
        ]

    return completed


estimator_names = names_in("fctestbed.estimators:ESTIMATORS")
figure_names = names_in("fctestbed.plotting:FIGURES")
method_names = names_in("fctestbed.objectives:METHODS")
preset_names = names_in("fctestbed.sweep:PRESETS")
