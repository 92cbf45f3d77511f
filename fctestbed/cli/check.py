"""The command ``check-method``."""

from typing import Annotated, Any

import typer

from fctestbed.cli.errors import UsageError


def check_method(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A method: package.module:ClassName, or an installed one's name."
        ),
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of it: --set temperature=0.2."),
    ] = None,
) -> int:
    """Check that a method keeps the contract that sweeps rely on, clause by clause.

    Modules of the current directory are found. Exit code 2 if it breaks a clause.

    Example: fctestbed check-method my_pkg.my_module:MyMethod
    """
    from fctestbed.objectives import find_method  # noqa: PLC0415 - --help is quick
    from fctestbed.sweep import read_values  # noqa: PLC0415
    from fctestbed.testing import METHOD_CLAUSES, method_failures  # noqa: PLC0415

    broken = []
    try:
        find_method(name)
    except ValueError as error:
        raise UsageError(f"NAME: {error}") from error
    try:
        settings: dict[str, Any] = {}
        for pair in set_ or []:
            settings.update(read_values(pair))
        for clause, failure in method_failures(name, settings):
            said = " ".join((METHOD_CLAUSES[clause].__doc__ or "").split("\n\n")[0].split())
            typer.echo(f"{'passed' if failure is None else 'BROKEN'}  {clause:13} {said}")
            if failure is not None:
                broken.append(failure)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if broken:
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        raise UsageError(f"{broken[0]}{more}")
    return 0
