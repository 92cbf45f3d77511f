"""The command line: one Typer command a function.

Modules of commands are imported when they are called, so that ``fctestbed --help`` is quick; they
import what they need at their top.
"""

from fctestbed.cli.main import app, main, run

__all__ = ["app", "main", "run"]
