"""A bad input: a command line or a call in Python, and what its refusal has to say.

Texts that are too long, too deep or no number at all are here too, as many inputs use them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

USAGE, REFUSED = 2, 4

LONG = "n" * 300
HUGE = "x" * 20_000
DIGITS = "9" * 5_000
NEST = "[" * 10_000 + "]" * 10_000
TINY = [
    *("--n-train=64", "--n-test=32", "--shared=2", "--unique=1", "--observation=linear"),
    *("--set=train.steps=2", "--set=train.batch_size=16", "--seeds=0", "--workers=1"),
]


@dataclass(frozen=True)
class Bad:
    """A bad input.

    Attributes:
        kind: the table's row.
        call: arguments of the command line, or a Python function of no arguments.
        names: a regular expression that the message has to hold.
        code: the exit code; a ``ValueError`` or ``TypeError`` counts as 2.
        quick: whether it can be run in the tests' own process.
    """

    kind: str
    call: tuple[str, ...] | Callable[[], Any]
    names: str
    code: int = USAGE
    quick: bool = False
    name: str = ""

    @property
    def what(self) -> str:
        """The input as text."""
        if isinstance(self.call, tuple):
            return " ".join(part if len(part) < 60 else part[:40] + "..." for part in self.call)
        return self.name


def cli(kind: str, line: str | list[str], names: str, **how: Any) -> Bad:
    """A bad command line; a text is split at spaces."""
    return Bad(kind, tuple(line.split(" ") if isinstance(line, str) else line), names, **how)
