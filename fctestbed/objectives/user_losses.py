"""Losses of a user's own: a plain ``loss(z1, z2, y) -> scalar`` as a method.

Owns the checks and the wrapping over the stack. May import ``fctestbed.nets`` and the objectives'
own modules.
"""

import inspect
import warnings
from abc import ABCMeta
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import vmap

from fctestbed._plugins import described
from fctestbed.nets import Stack
from fctestbed.objectives.base import Batch, DataShape, Method, MethodSettings, NetSpec
from fctestbed.objectives.encoders import Encoders, HeadBank

Loss = Callable[..., Tensor]
"""A function of the outputs z1 and z2, [n, width] each, and perhaps the labels y, [n], to a scalar
in nats."""

_HEAD = "projection"
_RUNS, _SAMPLES, _WIDTH, _CLASSES = 3, 128, 8, 4
_ROUNDING = 1e-4


class PlainLossSettings(MethodSettings):
    """Settings of a plain loss.

    Attributes:
        head: whether the loss sees the outputs of a projection head on each encoder, instead of the
            encoders' outputs. Encoder outputs are measured in both cases.
    """

    head: bool = False


class _Named(ABCMeta):
    """The type of the classes of plain losses: the registry pickles them by the loss's name."""

    loss_name: str


class _Networks(nn.Module):
    def __init__(
        self, stack: Stack, shape: DataShape, nets: NetSpec, settings: PlainLossSettings
    ) -> None:
        super().__init__()
        self.encoders = Encoders(stack, shape, nets)
        self.heads = nn.ModuleList(
            HeadBank(stack, (_HEAD,), nets) for _ in range(2 if settings.head else 0)
        )

    def forward(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
        z1, z2 = self.encoders(x1, x2)
        if not len(self.heads):
            return z1, z2
        head1, head2 = self.heads
        return head1(z1)[_HEAD], head2(z2)[_HEAD]


class PlainLoss(Method, metaclass=_Named):
    """Encoders that are trained with a plain loss of their outputs.

    ``loss_method`` makes a subclass for each loss.
    """

    Settings = PlainLossSettings
    function: ClassVar[Loss]
    """The loss."""
    vectorised: ClassVar[bool]
    """Whether all runs of a stack are in one call, by ``torch.func.vmap``."""

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Encoders, with a projection head each if asked for."""
        return _Networks(stack, shape, nets, self.settings)

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """The term ``loss``, in nats."""
        z1, z2 = module(batch.x1, batch.x2)
        arrays = (z1, z2, batch.y) if self.uses_label else (z1, z2)
        kind = type(self)
        return {"loss": _of_stack(kind.function, arrays, vectorised=kind.vectorised)}

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Encoder outputs ``z1`` and ``z2``."""
        z1, z2 = cast(_Networks, module).encoders(x1, x2)
        return {"z1": z1, "z2": z2}


def loss_method(name: str, function: Loss) -> type[PlainLoss]:
    """The method of a plain loss.

    Args:
        name: its name for ``find_method``.
        function: ``loss(z1, z2, y)``, or ``loss(z1, z2)`` for one that needs no label: then one
            training serves all ratios. Parameters with defaults are left at these.

    Raises:
        ValueError: one line, for a function of other parameters, that raises an error or returns no
            finite scalar that z1 and z2 have a gradient of, or a module with parameters, which
            nothing would train.
    """
    uses_label = _uses_label(name, function)
    if isinstance(function, nn.Module) and any(True for _ in function.parameters()):
        raise ValueError(
            f"{name}: expected a loss without parameters, got a module with some, which nothing "
            "would train: write a class of fctestbed.Method"
        )
    _check_scalar(name, function, uses_label)
    kind = _Named(
        "PlainLoss",
        (PlainLoss,),
        {
            "__doc__": inspect.getdoc(function) or "A plain loss.",
            "__module__": __name__,
            "function": staticmethod(function),
            "uses_label": uses_label,
            "vectorised": _can_be_vectorised(function, uses_label),
            "loss_name": name,
        },
    )
    return cast(type[PlainLoss], kind)


def how_computed(kind: type[Method]) -> str:
    """How the runs of a stack are computed by a method that is a plain loss; empty for others."""
    if not issubclass(kind, PlainLoss):
        return ""
    if kind.vectorised:
        return "the loss of all runs of a stack is one call (torch.func.vmap)"
    return (
        "the loss is called run by run, because torch.func.vmap cannot transform it or rounds "
        "otherwise"
    )


def _of_stack(function: Loss, arrays: tuple[Tensor, ...], *, vectorised: bool) -> Tensor:
    """The loss of every run, [stack]."""
    if vectorised:
        out: Tensor = vmap(function)(*arrays)
        return out
    return torch.stack([function(*of_run).reshape(()) for of_run in zip(*arrays, strict=True)])


def _uses_label(name: str, function: Loss) -> bool:
    called = function.forward if isinstance(function, nn.Module) else function
    try:
        parameters = list(inspect.signature(called).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    needed = [one for one in parameters if one.default is one.empty and one.kind in _POSITIONAL]
    keywords = [one for one in parameters if one.default is one.empty and one.kind in _KEYWORD]
    if len(needed) not in (2, 3) or keywords:
        shown = ", ".join(one.name for one in [*needed, *keywords])
        raise ValueError(f"{name}: expected a loss of (z1, z2, y) or (z1, z2), got ({shown})")
    return len(needed) == 3


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_KEYWORD = (inspect.Parameter.KEYWORD_ONLY,)


def _arrays(uses_label: bool, n_runs: int) -> tuple[Tensor, ...]:
    """Outputs of encoders for a few runs, and labels; a run's do not depend on the others."""
    found = []
    for run in range(n_runs):
        generator = torch.Generator().manual_seed(run)
        z = torch.randn(2, _SAMPLES, _WIDTH, generator=generator)
        found.append((z[0], z[1], torch.arange(_SAMPLES) % _CLASSES))
    z1, z2, y = (torch.stack(parts) for parts in zip(*found, strict=True))
    inputs = z1.requires_grad_(True), z2.requires_grad_(True)
    return (*inputs, y) if uses_label else inputs


def _check_scalar(name: str, function: Loss, uses_label: bool) -> None:
    arrays = tuple(array[0] for array in _arrays(uses_label, 1))
    with torch.random.fork_rng(devices=[]):
        try:
            out = function(*arrays)
        except KeyboardInterrupt:
            raise
        # A user's code may raise anything.
        except (Exception, SystemExit) as error:
            raise ValueError(
                f"{name}: expected a loss of outputs [{_SAMPLES}, {_WIDTH}], got {described(error)}"
            ) from error
    if not isinstance(out, Tensor) or out.numel() != 1 or not out.is_floating_point():
        got = list(out.shape) if isinstance(out, Tensor) else type(out).__name__
        raise ValueError(f"{name}: expected a scalar tensor, got {got}")
    if not bool(out.isfinite()):
        raise ValueError(f"{name}: expected a finite loss, got {out.item()}")
    if not out.requires_grad:
        raise ValueError(f"{name}: expected a loss with a gradient at z1 and z2, got one without")


def _can_be_vectorised(function: Loss, uses_label: bool) -> bool:
    """Whether vmap gives a run what it has alone: bit for bit in a stack of any size, and up to
    rounding what the function itself gives."""

    def computed(n_runs: int, *, vectorised: bool) -> list[Tensor]:
        arrays = _arrays(uses_label, n_runs)
        values = _of_stack(function, arrays, vectorised=vectorised)
        gradients = torch.autograd.grad(values.sum(), arrays[:2], allow_unused=True)
        return [values.detach(), *(g for g in gradients if g is not None)]

    threads = torch.get_num_threads()
    try:
        # On one thread, as trainings run: sums on several may depend on the size of the stack.
        torch.set_num_threads(1)
        # A warning of vmap says that it loops itself.
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            warnings.simplefilter("error")
            together, alone = (computed(n, vectorised=True) for n in (_RUNS, 1))
            plain = computed(_RUNS, vectorised=False)
    # What vmap cannot transform raises errors of several types.
    except Exception:
        return False
    finally:
        torch.set_num_threads(threads)
    if any(part.shape[0] != _RUNS for part in together) or together[0].dim() != 1:
        return False
    same_bits = all(torch.equal(a[:1], b) for a, b in zip(together, alone, strict=True))
    close = partial(torch.allclose, rtol=_ROUNDING, atol=_ROUNDING)
    return same_bits and all(close(a, b) for a, b in zip(together, plain, strict=True))
