"""Encoders of a user's own: an ``nn.Module`` that knows nothing of the stack, for a stack of runs.

Owns the loading, the checks and the wrapping. May import ``fctestbed.nets``.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from fctestbed._plugins import check_allowed, described, imported, is_import_path, tried
from fctestbed.nets import Stack

_WHAT = "an nn.Module"
_SAMPLES = 4
_REPEATS = 4
_TOLERANCE = 1e-4


class UserEncoder(nn.Module):
    """K copies of a user's module: [K, n, dim] -> [K, n, width].

    ``kind``, a class or a function, is called as ``Net(dim, width)``; the module maps [n, dim] to
    [n, width], each sample on its own. Every copy is initialised from its run's own generator. All
    copies run in one vectorised call where ``torch.func.vmap`` can transform the module, else one
    after the other.

    Args:
        stack: the runs.
        kind: makes the module of one run.
        dim: width of the inputs.
        width: width of the outputs.

    Attributes:
        vectorised: whether all copies run in one call.
    """

    def __init__(
        self, stack: Stack, kind: Callable[[int, int], nn.Module], dim: int, width: int
    ) -> None:
        super().__init__()
        copies = [
            _initialised(kind, dim, width, generator).to(stack.dtype)
            for generator in stack.generators
        ]
        self.one = copies[0]
        _hold_stacked(self.one, copies)
        # One run is called as it is: what vmap cannot batch itself takes it many times as long.
        self.vectorised = stack.size > 1 and self._can_be_vectorised(dim)

    def forward(self, x: Float[Tensor, "stack n dim"]) -> Float[Tensor, "stack n width"]:
        """The outputs of every run's copy."""
        state = dict(self.one.named_parameters()) | dict(self.one.named_buffers())
        if self.vectorised:
            out: Tensor = vmap(self._of_one)(state, x)
            return out
        return torch.stack(
            [
                self._of_one({name: part[run] for name, part in state.items()}, own)
                for run, own in enumerate(x)
            ]
        )

    def _of_one(self, state: dict[str, Tensor], x: Tensor) -> Tensor:
        out: Tensor = functional_call(self.one, state, (x,))
        return out

    @torch.no_grad()
    def _can_be_vectorised(self, dim: int) -> bool:
        state = dict(self.one.named_parameters()) | dict(self.one.named_buffers())
        state = {name: part.clone() for name, part in state.items()}
        n = len(next(iter(state.values()))) if state else 1
        like = next((part for part in state.values() if part.is_floating_point()), torch.zeros(()))
        try:
            vmap(self._of_one)(state, like.new_zeros(n, 2, dim))
        # What vmap cannot transform raises errors of several types.
        except Exception:
            return False
        return bool(state)


def encoder_class(path: str) -> type[nn.Module]:
    """The class of a user's encoder.

    Args:
        path: ``package.module:ClassName``.

    Raises:
        ValueError: one line, for a text that is no import path, code that may not be imported, or
            an object that is no subclass of ``nn.Module``.
    """
    if not is_import_path(path):
        raise ValueError(
            f"expected mlp, table or an import path package.module:ClassName, got {path!r}"
        )
    check_allowed(path)
    found = imported(path, _WHAT)
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        what = f"the class {found.__name__}" if isinstance(found, type) else type(found).__name__
        raise ValueError(f"{path}: expected a subclass of torch.nn.Module, got {what}")
    return found


def check_user_encoder(path: str, dim: int, width: int) -> None:
    """Refuse a user's encoder that is no function of each sample alone.

    Args:
        path: ``package.module:ClassName``.
        dim: width of the inputs.
        width: width of the outputs.

    Raises:
        ValueError: one line, for a class that cannot be constructed as ``Net(dim, width)``, an
            output of another shape or with NaN, or one that depends on the batch's other samples
            or on chance.
    """
    if not is_import_path(path):
        encoder_class(path)
    check_allowed(path)
    _check_once(path, dim, width)


@cache
def _check_once(path: str, dim: int, width: int) -> None:
    # Every run of a sweep asks; an encoder that is refused is tried again.
    tried(f"{__name__}:_check", path, dim, width)
    _check(path, dim, width)


def _check(path: str, dim: int, width: int) -> None:
    kind = encoder_class(path)
    call = f"{path}({dim}, {width})"
    x = torch.randn(_SAMPLES, dim, generator=torch.Generator().manual_seed(0))
    module = _call(
        lambda: _initialised(kind, dim, width, torch.Generator().manual_seed(0)),
        f"{call}: expected {_WHAT}",
    )
    # Modules that draw from torch's global generator must leave it as it was.
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        out = _call(lambda: module(x.clone()), f"{call}: expected an output of inputs [n, {dim}]")
        if not isinstance(out, Tensor) or out.shape != (_SAMPLES, width):
            got = list(out.shape) if isinstance(out, Tensor) else type(out).__name__
            raise ValueError(f"{call}: expected outputs of shape [{_SAMPLES}, {width}], got {got}")
        if not out.isfinite().all():
            raise ValueError(f"{call}: expected finite outputs, got NaN or infinity")
        others = x.clone()
        others[1:] = -2 * x[1:] + 1
        again = _call(lambda: module(others), f"{call}: expected an output of inputs [n, {dim}]")
        # A small output may be the same by chance once.
        repeated = [module(x.clone()) for _ in range(_REPEATS)]
    scale = float(out.abs().max()) + 1e-30
    changes = [again[0] - out[0], *(one - out for one in repeated)]
    if max(float(change.abs().max()) for change in changes) > _TOLERANCE * scale:
        raise ValueError(
            f"{call}: expected outputs that depend on their own sample alone, got ones that depend "
            "on the batch's other samples or on chance (batch normalisation or dropout in "
            "training mode)"
        )


@cache
def how_encoded(path: str, dim: int, width: int) -> str:
    """How the runs of a stack are computed by a user's encoder.

    Args:
        path: ``package.module:ClassName``.
        dim: width of the inputs.
        width: width of the outputs.

    Raises:
        ValueError: as ``UserEncoder``.
    """
    generators = tuple(torch.Generator().manual_seed(run) for run in range(2))
    stack = Stack(generators=generators)
    if UserEncoder(stack, encoder_class(path), dim, width).vectorised:
        return "the encoders of all runs of a stack are one call (torch.func.vmap)"
    return "the encoder is called run by run, because torch.func.vmap cannot transform it"


def _call(function: Callable[[], Any], expected: str) -> Any:
    try:
        return function()
    # A user's code may raise anything.
    except Exception as error:
        raise ValueError(f"{expected}, got {described(error)}") from error


def _initialised(
    kind: Callable[[int, int], nn.Module], dim: int, width: int, generator: torch.Generator
) -> nn.Module:
    """A module whose initial values depend on one generator alone."""
    seed = int(torch.randint(2**62, (), generator=generator))
    # Modules draw from torch's global generator; its state is restored.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return kind(dim, width)


def _hold_stacked(one: nn.Module, copies: list[nn.Module]) -> None:
    """Replace the parameters and buffers of a module by those of all copies, [K, ...]."""
    if not any(True for _ in one.parameters()) and not any(True for _ in one.buffers()):
        return
    parameters, buffers = stack_module_state(copies)
    held: dict[int, nn.Parameter] = {}
    for name, part in list(one.named_parameters(remove_duplicate=False)):
        # A shared parameter stays shared.
        if id(part) not in held:
            held[id(part)] = nn.Parameter(
                parameters[name].detach().clone(), requires_grad=part.requires_grad
            )
        owner, _, own = name.rpartition(".")
        setattr(one.get_submodule(owner), own, held[id(part)])
    for name, stacked in buffers.items():
        owner, _, own = name.rpartition(".")
        setattr(one.get_submodule(owner), own, stacked.detach().clone())
