"""Options and arguments that several commands share, and how their texts are read.

Imports typer, ``fctestbed._messages``, ``fctestbed._toml``, completions and the standard library
only.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from fctestbed._messages import did_you_mean
from fctestbed._toml import check_key, parse_toml_value
from fctestbed.cli.completion import estimator_names, figure_names, method_names
from fctestbed.cli.errors import UsageError

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Config = Annotated[
    Path | None, typer.Option(help="A sweep file, such as sweeps/quick.toml; options go over it.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Figures = Annotated[
    Path | None, typer.Option("--figures", help="Directory of the figures; default --out.")
]
FiguresOut = Annotated[
    Path | None, typer.Option(help="Where to write; default figures/NAME of the directory.")
]
OnlyFigures = Annotated[
    str | None,
    typer.Option(
        help="Comma-separated figures to draw, such as label_bits,blocks; default all.",
        autocompletion=figure_names,
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=TEXT", help="A method's name in the figures: supcon=SupCon (ours)."),
]
Width = Annotated[
    str | None,
    typer.Option(
        help="Of the figures: column (3.25 in), page (6.75 in) or inches; default each's own."
    ),
]
MaxStack = Annotated[
    int | None,
    typer.Option(
        help="Most trainings in one stack; default what the device gains from and its memory holds."
    ),
]
Formats = Annotated[str, typer.Option(help="Comma-separated: png, pdf, svg.")]
Methods = Annotated[
    str | None,
    typer.Option(
        help="Comma-separated methods; of your own: my.module:MyMethod or a plain my.module:loss.",
        autocompletion=method_names,
    ),
]
Pairs = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any other value: --set train.steps=500."),
]
Seeds = Annotated[str | None, typer.Option(help="Grid of seeds: 0:2 is seeds 0, 1 and 2.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of it.")
]
SweepDirectory = Annotated[
    Path,
    typer.Argument(metavar="DIRECTORY", help="A sweep's directory (its store, or exported rows)."),
]
UniqueRatio = Annotated[
    float | None, typer.Option(help="Share of unique label information, 0 to 1.")
]
UniqueRatios = Annotated[
    str | None,
    typer.Option(help="Grid of ratios: 0:1:0.1 (stop included), 0,0.5,1, or both mixed."),
]
Workers = Annotated[int | None, typer.Option(help="Worker processes; default one per core.")]

Engine = Annotated[
    str,
    typer.Option(
        help="auto, process (this one), workers (processes of this machine) or dask (a cluster)."
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="With --engine dask: a Dask scheduler; default a cluster of --workers started here.",
    ),
]

CellSeconds = Annotated[
    float, typer.Option(help="No further repetitions of a cell after so long (3 are done).")
]
AllowPlugins = Annotated[
    bool,
    typer.Option(
        "--allow-plugins",
        help="Import code of your own that the file names; it runs as any Python module does.",
    ),
]
Estimators = Annotated[
    str | None,
    typer.Option(
        help="Comma-separated estimators; the default is all of them.",
        autocompletion=estimator_names,
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        help="Measured rate in bits at which the figures read; default nearest to 2 x label bits."
    ),
]
Repetitions = Annotated[int, typer.Option(help="Most repetitions of a cell.")]
SampleSeed = Annotated[int, typer.Option(help="Seed of the samples.")]
Sizes = Annotated[str, typer.Option("--n", help="Comma-separated numbers of samples.")]


def listed(text: str) -> tuple[str, ...]:
    """The parts of a comma-separated option."""
    return tuple(part.strip() for part in text.split(","))


def ratios(text: str) -> tuple[float, ...]:
    """The numbers of a comma-separated option of unique ratios.

    Raises:
        ValueError: one line, for what is no list of numbers.
    """
    try:
        return tuple(float(part) for part in listed(text))
    except ValueError:
        raise ValueError(f"curve_ratios: expected numbers such as 0,0.5,1, got {text!r}") from None


def labels_of(texts: Sequence[str] | None) -> dict[str, str]:
    """Names of methods in figures, from texts such as ``supcon=SupCon``.

    Raises:
        UsageError: for text without a name and an equals sign.
    """
    labels: dict[str, str] = {}
    for text in texts or ():
        name, equals, label = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"labels: expected NAME=TEXT such as supcon=SupCon, got {text!r}")
        labels[name.strip()] = label.strip()
    return labels


def some_of(field: str, text: str | None, known: Sequence[str], what: str = "") -> tuple[str, ...]:
    """Names of a comma-separated option, without repetitions; all that are known by default.

    Args:
        field: the option's field, for the error.
        text: the option, None if it was not given.
        known: the names that there are.
        what: added to the list of names in the error.

    Raises:
        UsageError: naming the first that is unknown.
    """
    names = tuple(known) if text is None else tuple(dict.fromkeys(listed(text)))
    for name in names:
        if name not in known:
            raise UsageError(
                f"{field}: expected some of {', '.join(known)}{what}, got {name!r}"
                f"{did_you_mean(name, known)}"
            )
    return names


def sample_sizes(text: str) -> tuple[int, ...]:
    """Numbers of samples, without repetitions.

    Raises:
        UsageError: for what is no list of whole numbers.
    """
    try:
        return tuple(dict.fromkeys(int(part) for part in listed(text)))
    except ValueError:
        raise UsageError(f"n: expected whole numbers such as 200,1000, got {text!r}") from None


def settings_of_pairs(pairs: Sequence[str] | None, example: str) -> dict[str, Any]:
    """``k=5`` as a key and a TOML value, or else text.

    Args:
        pairs: what was given by ``--set``.
        example: a pair, for the error.

    Raises:
        UsageError: for text without a key and an equals sign.
    """
    values: dict[str, Any] = {}
    for pair in pairs or ():
        key, equals, text = (part.strip() for part in pair.partition("="))
        if not equals or not key.isidentifier():
            raise UsageError(f"--set: expected KEY=VALUE such as {example}, got {pair!r}")
        try:
            check_key(key)
            values[key] = parse_toml_value(text)
        except ValueError as error:
            raise UsageError(f"--set {key}: {error}") from None
    return values
