"""Encoders of sequences: plain modules from rows to representations.

Each is made for one run and knows nothing of stacks. Imports torch, ``settings`` and ``features``.
"""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.objectives import EncoderMaker, check_user_encoder, encoder_class
from fctestbed.real_data.features import ModalityShape
from fctestbed.real_data.settings import EncoderSpec


class _SequenceEncoder(nn.Module):
    """From [n, steps * features + context] to [n, width], by a network of the steps and a linear
    map of its last output and the context.

    Args:
        dim: numbers of a row.
        width: of the representation.
        shape: of the sequence that a row begins with.
    """

    def __init__(self, dim: int, width: int, shape: ModalityShape, state: int) -> None:
        super().__init__()
        self._steps, self._features = shape.steps or 1, shape.features
        self._n_context = dim - shape.dim
        self.out = nn.Linear(state + self._n_context, width)

    def parts(self, x: Float[Tensor, "n dim"]) -> tuple[Tensor, Tensor]:
        """Sequences [n, steps, features] and context [n, n_context]."""
        cut = self._steps * self._features
        return x[:, :cut].reshape(len(x), self._steps, self._features), x[:, cut:]

    def joined(self, state: Tensor, context: Tensor) -> Float[Tensor, "n width"]:
        """The representation."""
        out: Tensor = self.out(torch.cat([state, context], 1) if self._n_context else state)
        return out


class SequenceTransformer(_SequenceEncoder):
    """A linear map of each step, transformer layers, the output at the last step.

    Without positions and dropout. Steps of zeros are not attended to, but the last one always is.

    Source:
        ``Transformer`` of MultiBench's common_models, which FactorCL's notebook uses (5 layers, 5
        heads, width 40); it has dropout 0.1, attends to padding, and has no linear map at the end.
    """

    def __init__(self, dim: int, width: int, *, shape: ModalityShape, spec: EncoderSpec) -> None:
        super().__init__(dim, width, shape, width)
        self.step = nn.Linear(shape.features, width, bias=False)
        layer = nn.TransformerEncoderLayer(
            width, spec.heads, spec.feedforward, dropout=0.0, batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, spec.layers, enable_nested_tensor=False)

    def forward(self, x: Float[Tensor, "n dim"]) -> Float[Tensor, "n width"]:
        """Representations."""
        steps, context = self.parts(x)
        empty = (steps == 0).all(2)
        last = torch.zeros_like(empty[:, :1])
        empty = torch.cat([empty[:, :-1], last], 1)
        states: Tensor = self.layers(self.step(steps), src_key_padding_mask=empty)
        return self.joined(states[:, -1], context)


class SequenceGru(_SequenceEncoder):
    """A gated recurrent unit over the steps, and a linear map of its last state.

    Source:
        FactorCL (arXiv 2306.05268), appendix D.2: state 30 for MIMIC's series.
    """

    def __init__(self, dim: int, width: int, *, shape: ModalityShape, spec: EncoderSpec) -> None:
        super().__init__(dim, width, shape, spec.hidden)
        self.gru = nn.GRU(shape.features, spec.hidden, batch_first=True)

    def forward(self, x: Float[Tensor, "n dim"]) -> Float[Tensor, "n width"]:
        """Representations."""
        steps, context = self.parts(x)
        _, state = self.gru(steps)
        return self.joined(state[-1], context)


def encoder_maker(
    field: str, spec: EncoderSpec, shape: ModalityShape, width: int
) -> EncoderMaker | None:
    """What makes a modality's encoder; None for an MLP on all numbers of a sample.

    Args:
        field: for errors.
        spec: kind and sizes.
        shape: of a sample.
        width: of the representation.

    Raises:
        ValueError: one line, for a sequence encoder of vectors, or a module that is no function of
            each sample.
    """
    if spec.kind == "mlp":
        return None
    kinds = {"transformer": SequenceTransformer, "gru": SequenceGru}
    if spec.kind in kinds:
        if shape.steps is None:
            raise ValueError(
                f"{field}.kind: expected mlp for vectors of {shape} numbers, got {spec.kind}"
            )
        return partial(kinds[spec.kind], shape=shape, spec=spec)
    try:
        check_user_encoder(spec.kind, shape.dim, width)
    except ValueError as error:
        raise ValueError(f"{field}.kind: {error}") from error
    return encoder_class(spec.kind)
