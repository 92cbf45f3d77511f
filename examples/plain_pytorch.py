"""Two encoders trained in plain PyTorch by InfoNCE, then measured: python examples/plain_pytorch.py

Plain functions and modules are enough: fctestbed calls the encoders on its own inputs.
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from fctestbed import WorldSpec, make_dataset, measure


def trained(data, steps=400, batch_size=256):
    """The two encoders, in evaluation mode."""
    torch.manual_seed(0)
    encoders = [
        nn.Sequential(nn.Linear(dim, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 8))
        for dim in data.spec.dims
    ]
    optimiser = torch.optim.Adam([p for e in encoders for p in e.parameters()], 3e-3)
    loader = torch.utils.data.DataLoader(
        data.train.torch_dataset(), batch_size, shuffle=True, drop_last=True
    )
    done = 0
    while done < steps:
        for x1, x2, _ in loader:
            z1, z2 = (normalize(e(x), dim=1) for e, x in zip(encoders, (x1, x2), strict=True))
            scores, own = z1 @ z2.T / 0.1, torch.arange(len(z1))
            loss = (cross_entropy(scores, own) + cross_entropy(scores.T, own)) / 2
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            done += 1
    # Batch normalisation must not depend on the batch any more; fctestbed refuses it otherwise.
    return [encoder.eval() for encoder in encoders]


def measured(data, steps=400, **how):
    """The measurement of the trained encoders; further arguments are those of ``measure``."""
    return measure(data, *trained(data, steps), **how)


if __name__ == "__main__":
    found = measured(make_dataset(WorldSpec().with_ratio(0.5), seed=0), name="InfoNCE")
    print(found.page())
    found.plot().savefig("infonce.png", dpi=200)
