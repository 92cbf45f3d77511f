"""The command ``new-method``: a method's file, its test and a sweep to start from."""

import keyword
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from fctestbed.cli.checks import check_places
from fctestbed.cli.errors import UsageError

_LOSS = '''"""{name}: a loss of the outputs of the two encoders."""

import torch
from torch.nn.functional import cross_entropy, normalize

TEMPERATURE = 0.1


def loss(z1, z2):
    """InfoNCE between the modalities, in both directions, in nats.

    With a third parameter y, the labels [n], a loss is supervised.

    Args:
        z1: outputs of the encoder of modality 1, [n, width].
        z2: outputs of the encoder of modality 2, [n, width]; row i of both is one sample.

    Returns:
        A scalar.
    """
    scores = normalize(z1, dim=1) @ normalize(z2, dim=1).T / TEMPERATURE
    own = torch.arange(len(z1), device=z1.device)
    return (cross_entropy(scores, own) + cross_entropy(scores.T, own)) / 2
'''

_CLASS = '''"""{name}: a method, with networks and settings of its own."""

import torch
from pydantic import PositiveFloat
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from fctestbed.objectives import Encoders, HeadBank, Method, MethodSettings


class {kind}Settings(MethodSettings):
    temperature: PositiveFloat = 0.1


class {kind}(Method):
    """InfoNCE between projections of the modalities. The first axis of every tensor is the runs."""

    Settings = {kind}Settings

    def build(self, stack, shape, nets):
        heads = {{f"head{{m}}": HeadBank(stack, ("projection",), nets) for m in (1, 2)}}
        return nn.ModuleDict({{"encoders": Encoders(stack, shape, nets), **heads}})

    def loss(self, module, batch):
        z1, z2 = module["encoders"](batch.x1, batch.x2)
        p1, p2 = module["head1"](z1)["projection"], module["head2"](z2)["projection"]
        scores = normalize(p1, dim=2) @ normalize(p2, dim=2).mT / self.settings.temperature
        own = torch.arange(scores.shape[1], device=scores.device).expand(scores.shape[:2])
        losses = [cross_entropy(s, own, reduction="none").mean(1) for s in (scores, scores.mT)]
        return {{"infonce": (losses[0] + losses[1]) / 2}}

    def readouts(self, module, x1, x2):
        z1, z2 = module["encoders"](x1, x2)
        return {{"z1": z1, "z2": z2}}
'''

_LOSS_TEST = '''"""Tests of {name}: pip install pytest, then python -m pytest test_{name}.py"""

import torch

from fctestbed import check_method
from {name} import loss


def test_the_loss_keeps_what_sweeps_rely_on():
    check_method("{path}")


def test_the_loss_is_lower_for_pairs_that_match():
    z = torch.randn(64, 8, generator=torch.Generator().manual_seed(0))
    assert loss(z, z) < loss(z, z.flip(0))
'''

_CLASS_TEST = '''"""Tests of {name}: pip install pytest, then python -m pytest test_{name}.py"""

from fctestbed import check_method


def test_the_method_keeps_what_sweeps_rely_on():
    check_method("{path}")
'''

_SWEEP = """# fctestbed sweep --config {name}.toml --allow-plugins
# A small sweep: a third of the steps, one seed, three ratios. Leave out [train] for the whole one.
unique_ratio = [0, 0.5, 1]
methods = ["{path}", "simclr", "supcon", "supervised", "untrained", "raw"]
seeds = [0]

[train]
steps = 200
"""


def new_method(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The module's name: letters, digits and _.")
    ],
    is_class: Annotated[
        bool,
        typer.Option(
            "--class", help="A class with networks and settings of its own, not a plain loss."
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Where to write; default the current directory.")
    ] = None,
) -> None:
    """Write NAME.py with a loss(z1, z2) to change, its test, and a sweep with it.

    Nothing that exists is overwritten.

    Example: fctestbed new-method mine
    """
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name):
        raise UsageError(f"NAME: expected the name of a Python module, got {name!r}")
    kind = "".join(part.capitalize() for part in name.split("_")) or "Mine"
    words = {"name": name, "kind": kind, "path": f"{name}:{kind if is_class else 'loss'}"}
    texts = {
        f"{name}.py": _CLASS if is_class else _LOSS,
        f"test_{name}.py": _CLASS_TEST if is_class else _LOSS_TEST,
        f"{name}.toml": _SWEEP,
    }
    place = Path() if out is None else out
    for file in texts:
        if os.path.lexists(place / file):
            raise UsageError(
                f"NAME: expected a name of new files, got {name}: {place / file} exists"
            )
    if find_spec(name) is not None:
        raise UsageError(
            f"NAME: expected another name than that of an installed module, got {name!r}"
        )
    check_places({"--out": out})
    written: list[Path] = []
    try:
        place.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            # Fails where the file exists.
            with (place / file).open("x", encoding="utf-8") as target:
                written.append(place / file)
                target.write(text.format(**words))
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise UsageError(
            f"--out: expected a place to write, got {place} ({error.strerror})"
        ) from error
    for path in written:
        typer.echo(path)
    where = "" if out is None else f"cd {out} && "
    typer.echo(f"try it: {where}fctestbed check-method {words['path']}")
    typer.echo(f"        {where}fctestbed sweep --config {name}.toml --allow-plugins")
