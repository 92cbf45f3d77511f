"""The command line: Typer commands of a few lines each. Heavy imports happen inside the
commands."""

from fctestbed.cli.main import app, main

__all__ = ["app", "main"]
