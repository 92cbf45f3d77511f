"""The command ``check-method``."""

from typing import Annotated

import typer

from fctestbed.cli import options
from fctestbed.cli.checks import usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.cli.output import emit
from fctestbed.objectives import find_method
from fctestbed.testing import METHOD_CLAUSES, method_failures


def check_method(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A method: package.module:ClassName, or an installed one's name."
        ),
    ],
    pairs: options.Settings = None,
) -> int:
    """Check that a method keeps the contract that sweeps rely on, clause by clause.

    Modules of the current directory are found. A method of your own is checked in a process of its
    own, which it cannot end or block (fctestbed --plugin-seconds 300 check-method NAME sets the
    time limit, 120 s by default). Exit code 2 if it breaks a clause.

    Example: fctestbed check-method my_pkg.my_module:MyMethod
    """
    with usage_errors("NAME"):
        find_method(name)
    values = options.settings_of_pairs(pairs, "temperature=0.2")
    broken, clauses = [], []
    with usage_errors():
        for clause, failure in method_failures(name, values):
            summary = (METHOD_CLAUSES[clause].__doc__ or "").partition("\n\n")[0]
            state = "passed" if failure is None else "BROKEN"
            typer.echo(f"{state}  {clause:13} {' '.join(summary.split())}")
            clauses.append({"clause": clause, "failure": failure})
            if failure is not None:
                broken.append(failure)
    emit(method=name, clauses=clauses)
    if broken:
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        raise UsageError(f"{broken[0]}{more}")
    return 0
