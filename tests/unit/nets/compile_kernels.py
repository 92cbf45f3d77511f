"""Compile each launch of a pair critic of official widths for a GPU that need not be there.

    compile_kernels.py PRODUCT:CAPABILITY...

It prints the product, the capability, each kernel's name and the bytes of shared memory that a
thread block needs.
"""

import sys
from collections.abc import Callable
from typing import Any, cast

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from fctestbed.nets import Precision, triton_kernels, triton_relu_dot
from fctestbed.nets.triton_pairs import one_layer_scores, two_layer_scores
from fctestbed.objectives import group_by_condition

_POINTERS = {torch.float32: "*fp32", torch.bfloat16: "*bf16", torch.int32: "*i32"}
_OPTIONS = ("num_warps", "num_stages")


class Compiled:
    """In place of a kernel: a launch compiles it, and runs nothing."""

    def __init__(self, kernel: Any, product: Precision, capability: int) -> None:
        self.kernel, self.product, self.capability = kernel, product, capability

    def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., None]:
        return self._compile

    def _compile(self, *args: Any, **options: Any) -> None:
        names = self.kernel.arg_names
        constants = {name: value for name, value in options.items() if name not in _OPTIONS}
        kinds = dict.fromkeys(names, "constexpr")
        aligned = {}
        for place, value in enumerate(args):
            tensor = isinstance(value, torch.Tensor)
            kinds[names[place]] = _POINTERS[value.dtype] if tensor else "i32"
            # As a launch finds out: pointers, and numbers that 16 divides.
            if tensor or value % 16 == 0:
                aligned[(place,)] = [["tt.divisibility", 16]]
        source = ASTSource(
            fn=self.kernel,
            signature=kinds,
            constexprs={(names.index(name),): value for name, value in constants.items()},
            attrs=aligned,
        )
        binary = triton.compile(
            source,
            target=GPUTarget("cuda", self.capability, 32),
            options={name: options[name] for name in _OPTIONS if name in options},
        )
        assert binary.asm["cubin"]
        print(self.product, self.capability, self.kernel.__name__, binary.metadata.shared)


_KERNELS = {
    (module, name): getattr(module, name)
    for module in (triton_kernels, triton_relu_dot)
    for name in vars(module)
    if name.endswith("_kernel")
}


def main(product: Precision, capability: int) -> None:
    """Compile the kernels of critics with two hidden layers, over all pairs and a list, and one."""
    for (module, name), kernel in _KERNELS.items():
        setattr(module, name, Compiled(kernel, product, capability))
    shapes = (1, 16, 512), (1, 16, 512), (1, 512, 512), (1, 512), (1, 512)
    leaves = [torch.zeros(shape, requires_grad=True) for shape in shapes]
    listed = group_by_condition(torch.arange(16).unsqueeze(0) // 4).pair_list
    for pairs in (None, listed):
        two_layer_scores(*leaves, pairs, product=product).sum().backward()
    one_layer_scores(leaves[0], leaves[1], leaves[4]).sum().backward()


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        asked, _, number = argument.partition(":")
        main(cast(Precision, asked), int(number))
