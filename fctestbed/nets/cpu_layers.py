"""Multilayer perceptrons and a critic's first layer on a CPU, one operation each.

Owns the autograd functions around ``fctestbed.nets.layer_kernels``. May import torch, numpy,
threadpoolctl and the kernels.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor

from fctestbed.nets.layer_kernels import affine, affine_backward

# Most weights of a layer. With more, a product takes most of the time, and torch has the better
# rate: 5 % of a step of SimCLR and SupCon with layers of 512 units.
_MOST_WEIGHTS = 1 << 14


def runs_compiled(x: Tensor, weights: Iterable[Tensor]) -> bool:
    """Whether layers are computed here: narrow ones in float32 on a CPU. Others have torch's
    products.

    Args:
        x: the inputs.
        weights: of each layer, [members, in, out].
    """
    if x.device.type != "cpu" or x.dtype != torch.float32:
        return False
    return all(weight.shape[1] * weight.shape[2] <= _MOST_WEIGHTS for weight in weights)


@contextmanager
def layers_on_one_thread() -> Iterator[None]:
    """Compute the compiled layers' products on one thread inside: they are too small to be divided
    among several, which would wait for each other. Torch's own threads are as they were."""
    with threadpool_limits(1, user_api="blas"):
        yield


def _array(tensor: Tensor) -> NDArray[Any]:
    return tensor.detach().contiguous().numpy()


class _Perceptron(torch.autograd.Function):
    """An MLP with ReLU between its layers; ``layers`` are weight and bias of each."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        inputs: NDArray[np.int64],
        places: NDArray[np.int64],
        *layers: Tensor,
    ) -> Tensor:
        n_maps, n = len(places), x.shape[1]
        x = x.detach().contiguous()
        values, own = [x], inputs
        for number, (weight, bias) in enumerate(zip(layers[::2], layers[1::2], strict=True)):
            out = x.new_empty(n_maps, n, weight.shape[2])
            is_last = 2 * number + 2 == len(layers)
            arrays = _array(values[-1]), own, _array(weight), _array(bias), places
            affine(*arrays, 0, not is_last, out.numpy())
            values.append(out)
            # The later layers have one input for each map.
            own = np.arange(n_maps)
        ctx.save_for_backward(*layers, *values[:-1])
        ctx.inputs, ctx.places = inputs, places
        return values[-1]

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        grad = grad_outputs[0].contiguous()
        n_layers = len(ctx.saved_tensors) // 3
        layers = ctx.saved_tensors[: 2 * n_layers]
        values = (*ctx.saved_tensors[2 * n_layers :], grad)
        each = np.arange(len(ctx.places))
        gradients: list[Tensor] = []
        for number in reversed(range(n_layers)):
            weight, bias = layers[2 * number : 2 * number + 2]
            x, out = values[number : number + 2]
            wanted = number > 0 or ctx.needs_input_grad[0]
            grad_x = torch.zeros_like(x) if wanted else x.new_empty(0, *x.shape[1:])
            # Maps at other places have no part in the outputs.
            partial = len(ctx.places) < len(weight)
            make = torch.zeros_like if partial else torch.empty_like
            own = [make(weight), make(bias)]
            affine_backward(
                x.numpy(),
                each if number else ctx.inputs,
                _array(weight),
                ctx.places,
                0,
                out.numpy(),
                number < n_layers - 1,
                grad.numpy(),
                grad_x.numpy(),
                own[0].numpy(),
                own[1].numpy(),
            )
            gradients[:0] = own
            grad = grad_x
        return (grad if ctx.needs_input_grad[0] else None, None, None, *gradients)


def perceptron(
    x: Tensor,
    layers: Sequence[tuple[Tensor, Tensor]],
    inputs: NDArray[np.int64],
    places: NDArray[np.int64],
) -> Tensor:
    """Outputs of MLPs with ReLU between their layers, [maps, n, out].

    Args:
        x: [inputs, n, in].
        layers: weights [members, in, out] and biases [members, 1, out] of each layer.
        inputs: the input of each map.
        places: the member that each map is; no member is two maps.
    """
    apply: Callable[..., Tensor] = _Perceptron.apply
    return apply(x, inputs, places, *(tensor for layer in layers for tensor in layer))


class _FirstLayer(torch.autograd.Function):
    """u W[:dim_u] + b and v W[dim_u:]."""

    @staticmethod
    def forward(
        ctx: Any, u: Tensor, v: Tensor, weight: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        u, v = u.detach().contiguous(), v.detach().contiguous()
        each = np.arange(len(weight))
        rows = u.new_empty(*u.shape[:2], weight.shape[2])
        columns = v.new_empty(*v.shape[:2], weight.shape[2])
        w, b = _array(weight), _array(bias)
        affine(u.numpy(), each, w, b, each, 0, False, rows.numpy())
        affine(v.numpy(), each, w, b[:0], each, u.shape[2], False, columns.numpy())
        ctx.save_for_backward(u, v, weight, bias)
        return rows, columns

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        u, v, weight, bias = ctx.saved_tensors
        grad_weight, grad_bias = torch.empty_like(weight), torch.empty_like(bias)
        each = np.arange(len(weight))
        grads: list[Tensor | None] = []
        parts = (u, 0, grad_bias), (v, u.shape[2], grad_bias[:0])
        for (x, row, of_bias), grad, wanted in zip(
            parts, grad_outputs, ctx.needs_input_grad, strict=False
        ):
            grad_x = torch.zeros_like(x) if wanted else x[:0]
            affine_backward(
                x.numpy(),
                each,
                _array(weight),
                each,
                row,
                x[:0].numpy(),
                False,
                _array(grad),
                grad_x.numpy(),
                grad_weight.numpy(),
                of_bias.numpy(),
            )
            grads.append(grad_x if wanted else None)
        return (*grads, grad_weight, grad_bias)


def first_layer(u: Tensor, v: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """A critic's first layer for its first arguments alone, with the bias, and for its second
    arguments alone: [stack, n, width] each.

    Args:
        u: first arguments, [stack, n, dim_u].
        v: second arguments, [stack, m, dim_v].
        weight: [stack, dim_u + dim_v, width].
        bias: [stack, 1, width].
    """
    return cast(tuple[Tensor, Tensor], _FirstLayer.apply(u, v, weight, bias))  # type: ignore[no-untyped-call]
