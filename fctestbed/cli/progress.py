"""How far a command is, as plain lines on stderr. Imports typer and the standard library only."""

from collections.abc import Callable

import typer


def lines_of(what: str) -> Callable[[int, int], None]:
    """A report that is called with the number done and the number in all, and prints a line for
    each twentieth: a log stays readable.

    Args:
        what: what is counted, in the plural.
    """

    def report(done: int, total: int) -> None:
        if done * 20 // total > (done - 1) * 20 // total:
            typer.echo(f"{done} of {total} {what} done", err=True)

    return report
