"""The commands ``check-method`` and ``check-estimator``."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from fctestbed.cli import options
from fctestbed.cli.checks import usage_errors
from fctestbed.cli.completion import estimator_names, method_names
from fctestbed.cli.errors import UsageError
from fctestbed.cli.output import emit
from fctestbed.estimators import make_estimator
from fctestbed.objectives import find_method, how_computed
from fctestbed.testing import (
    ESTIMATOR_CLAUSES,
    METHOD_CLAUSES,
    estimator_failures,
    method_failures,
)


def check_method(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A method: package.module:ClassName, a plain package.module:loss, or an installed "
            "one's name.",
            autocompletion=method_names,
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
        how = how_computed(find_method(name))
    values = options.settings_of_pairs(pairs, "temperature=0.2")
    broken: list[Exception] = []
    clauses = []
    with usage_errors():
        for clause, failure in method_failures(name, values):
            _say("passed" if failure is None else "BROKEN", clause, METHOD_CLAUSES[clause])
            clauses.append({"clause": clause, "failure": failure})
            if failure is not None:
                broken.append(failure)
    emit(method=name, how_computed=how or None, clauses=clauses)
    _raise_broken(broken)
    if how:
        typer.echo(f"note: {how}", err=True)
    return 0


def check_estimator(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="An estimator: package.module:ClassName, or a name of estimate --list.",
            autocompletion=estimator_names,
        ),
    ],
    pairs: options.Settings = None,
    n_samples: Annotated[
        int, typer.Option("--n", help="Samples in each data set; there are some 20 to 40.")
    ] = 1000,
    seed: options.SampleSeed = 0,
) -> int:
    """Check that an estimator keeps the contract of estimators, the claims of its class, and laws
    of information, clause by clause. All clauses that it breaks are listed; "none" is a clause that
    does not concern it.

    Modules of the current directory are found. Exit code 2 if it breaks a clause.

    Example: fctestbed check-estimator my_pkg.my_module:MyEstimator
    """
    values = options.settings_of_pairs(pairs, "k=5")
    broken: list[Exception] = []
    clauses = []
    with usage_errors():
        try:
            estimator = make_estimator(name, **values)
        except ValueError as error:
            setting = str(error).partition(":")[0] in values
            raise UsageError(f"--set {error}" if setting else str(error)) from error
        for clause, applies, failure in estimator_failures(
            estimator, n_samples=n_samples, seed=seed
        ):
            state = "BROKEN" if failure else "passed" if applies else "none  "
            _say(state, clause, ESTIMATOR_CLAUSES[clause])
            clauses.append({"clause": clause, "applies": applies, "failure": failure})
            if failure is not None:
                broken.append(failure)
    emit(estimator=name, clauses=clauses)
    _raise_broken(broken)
    return 0


def _say(state: str, clause: str, check: Callable[..., object]) -> None:
    summary = (check.__doc__ or "").partition("\n\n")[0]
    typer.echo(f"{state}  {clause:15} {' '.join(summary.split())}")


def _raise_broken(broken: Sequence[Exception]) -> None:
    if broken:
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        raise UsageError(f"{broken[0]}{more}")
