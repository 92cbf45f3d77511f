"""The options that describe a world, for every command that takes one.

They are made from the fields of the world's records (``fctestbed.synthesis.world_options``): a
field that is marked there as an option is an option of all these commands.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from fctestbed.cli.checks import check_ratio, usage_errors
from fctestbed.synthesis import WorldOption, WorldSpec, nested_values, world_options as table


def world_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the world's options in place of its parameter ``world``.

    The command is called with ``world``: nested values of a ``WorldSpec``, only those given.
    """
    signature = inspect.signature(command)
    own = [one for one in signature.parameters.values() if one.name != "world"]
    options = table()
    parameters = [*own, *map(_parameter, options)]

    @wraps(command)
    def called(**values: Any) -> Any:
        given = {option.name: values.pop(option.name) for option in options}
        return command(world=nested_values(given), **values)

    # Typer reads both.
    vars(called)["__signature__"] = signature.replace(parameters=parameters)
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    vars(called)["option_names"] = _option_names(options)
    return called


def world_of(values: dict[str, Any], unique_ratio: float | None) -> WorldSpec:
    """The world that options describe.

    Args:
        values: nested values of a ``WorldSpec``.
        unique_ratio: the label's, None for the default.

    Raises:
        UsageError: one line that begins with the field.
    """
    check_ratio("unique_ratio", unique_ratio)
    if unique_ratio is not None:
        values = {**values, "label": {**values.get("label", {}), "unique_ratio": unique_ratio}}
    with usage_errors():
        return WorldSpec.model_validate(values)


def _parameter(option: WorldOption) -> inspect.Parameter:
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[option.type | None, typer.Option(option.flag, help=option.help)],
    )


def _option_names(options: tuple[WorldOption, ...]) -> dict[str, str]:
    """Options by the fields that they set, those of the command ``sweep`` too; a field that is a
    record is called by the option of its kind."""
    names = {"label.unique_ratio": "--unique-ratio", "augmentation.kind": "--augmentation"}
    names["nets.encoder"] = "--encoder"
    for option in options:
        for path in option.paths:
            names[".".join(path)] = option.flag
            if path[-1] == "kind":
                names[".".join(path[:-1])] = option.flag
    return {**names, **{f"world.{field}": flag for field, flag in names.items()}}
