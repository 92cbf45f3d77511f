"""Commands whose modules are imported when they are called, and the names of their options in
errors.

May import typer and nothing else of ``fctestbed`` but ``cli.errors`` and ``cli.output``: the list
of commands is shown without importing any of them.
"""

import os
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any, get_args

import typer
from typer.core import TyperCommand

from fctestbed.cli.errors import UsageError, with_option_name
from fctestbed.cli.output import with_output

_MOST_NAME_BYTES = 255


class LazyCommand(TyperCommand):
    """A name and one line of help; the command itself is imported when it is called, when its own
    help is printed or when its options are completed."""

    def __init__(self, name: str, place: str, summary: str, moved: Mapping[str, str]) -> None:
        """The command called ``name``.

        Args:
            name: as users write it.
            place: ``module:function`` of the command.
            summary: one line for the list of commands.
            moved: former options of this command, and the commands that replace them.
        """
        super().__init__(name, short_help=summary, help=summary)
        self._place = place
        self._moved = moved

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """The context of the imported command.

        Raises:
            UsageError: for a former option, naming the command that replaces it.
        """
        for argument in args:
            option = argument.partition("=")[0]
            if option in self._moved:
                raise UsageError(
                    f"{option}: expected the command {self._moved[option]}, "
                    f"got {self.name} {option}"
                )
        return self.load().make_context(info_name, args, parent, **extra)

    def load(self) -> Any:
        """The command, imported."""
        module, _, function = self._place.partition(":")
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        callback = with_output(getattr(import_module(module), function))
        _read_paths(callback)
        app.command(self.name)(callback)
        command = typer.main.get_command(app)
        if command.callback is not None:
            command.callback = _naming_options(command.callback, option_names(command.params))
        return command


def _read_paths(callback: Callable[..., Any]) -> None:
    """Let all paths of a command be read by ``_path``."""
    for parameter in signature(callback).parameters.values():
        annotation, *information = get_args(parameter.annotation) or (None,)
        if Path in (annotation, *get_args(annotation)):
            for about in information:
                about.parser = _path
                about.metavar = about.metavar or "PATH"


def _path(text: str) -> Path:
    """A path that a file system can have.

    Raises:
        typer.BadParameter: for an empty text, or a name that is too long or cannot be one.
    """
    path = Path(text)
    if not text:
        raise typer.BadParameter("expected a path, got an empty text")
    if not text.isprintable():
        raise typer.BadParameter(f"expected a path of printable characters, got {text!r}")
    if max((len(os.fsencode(part)) for part in path.parts), default=0) > _MOST_NAME_BYTES:
        raise typer.BadParameter(
            f"expected names of at most {_MOST_NAME_BYTES} bytes, got {text!r}"
        )
    return path


def option_names(params: list[Any]) -> dict[str, str]:
    """Names of options and arguments by the parameters of the command, which are named as the
    Python API names the same values."""
    return {
        str(param.name): param.opts[0]
        if param.param_type_name == "option"
        else (param.metavar or str(param.name).upper())
        for param in params
    }


def _naming_options(callback: Callable[..., Any], names: Mapping[str, str]) -> Callable[..., Any]:
    """The callback, with fields in its usage errors replaced by options."""
    # Fields that an option sets are not always named as its parameter: options of a world.
    names = {**names, **getattr(callback, "option_names", {})}

    @wraps(callback)
    def called(*args: Any, **values: Any) -> Any:
        try:
            return callback(*args, **values)
        except UsageError as error:
            raise UsageError(with_option_name(str(error), names)) from error

    return called
