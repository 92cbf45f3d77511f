"""A model in the style of Hugging Face, measured: python examples/hugging_face_style.py

Such a model returns an object with ``last_hidden_state`` and ``pooler_output``. A function that
picks one of them makes it an encoder; replace ``Model`` by your ``AutoModel``.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fctestbed import WorldSpec, make_dataset, measure


@dataclass
class ModelOutput:
    """What a model's ``forward`` returns."""

    last_hidden_state: Tensor
    pooler_output: Tensor


class Model(nn.Module):
    """Patches of the input as tokens, one layer of a transformer, a pooler."""

    def __init__(self, dim, patch=10, width=16):
        super().__init__()
        self.patch = patch
        self.embed = nn.Linear(patch, width)
        self.places = nn.Parameter(0.02 * torch.randn(dim // patch, width))
        self.layer = nn.TransformerEncoderLayer(width, 2, 32, batch_first=True)
        self.pooler = nn.Linear(width, width)

    def forward(self, inputs_embeds):
        """Inputs [n, dim] to tokens [n, dim / patch, width] and their pooled value [n, width]."""
        tokens = inputs_embeds.unflatten(1, (-1, self.patch))
        hidden = self.layer(self.embed(tokens) + self.places)
        return ModelOutput(hidden, torch.tanh(self.pooler(hidden.mean(1))))


def encoder(model):
    """A model as a function from arrays of numpy to arrays of numpy."""

    @torch.no_grad()
    def encode(x):
        return model(inputs_embeds=torch.from_numpy(x)).pooler_output.numpy()

    return encode


def measured(data, **how):
    """The measurement of two models as they come; further arguments are those of ``measure``."""
    torch.manual_seed(0)
    models = [Model(dim).eval() for dim in data.spec.dims]
    return measure(data, *map(encoder, models), name="models", **how)


if __name__ == "__main__":
    print(measured(make_dataset(WorldSpec().with_ratio(0.5), seed=0)).page())
