"""A LightningModule, trained by its Trainer, then measured: python examples/lightning_module.py"""

import pytorch_lightning as lightning
import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from fctestbed import WorldSpec, make_dataset, measure


class TwoTowers(lightning.LightningModule):
    """An encoder for each modality, trained by InfoNCE."""

    def __init__(self, dims, width=8):
        super().__init__()
        self.encoders = nn.ModuleList(
            nn.Sequential(nn.Linear(dim, 64), nn.ReLU(), nn.Linear(64, width)) for dim in dims
        )

    def training_step(self, batch, batch_index):
        """The loss of a batch (x1, x2, y)."""
        z1, z2 = (normalize(self.encoders[m](batch[m]), dim=1) for m in (0, 1))
        scores, own = z1 @ z2.T / 0.1, torch.arange(len(z1), device=self.device)
        return (cross_entropy(scores, own) + cross_entropy(scores.T, own)) / 2

    def configure_optimizers(self):
        """Adam."""
        return torch.optim.Adam(self.parameters(), 3e-3)


def measured(data, steps=400, **how):
    """The measurement of the trained towers; further arguments are those of ``measure``."""
    torch.manual_seed(0)
    model = TwoTowers(data.spec.dims)
    loader = torch.utils.data.DataLoader(
        data.train.torch_dataset(), 256, shuffle=True, drop_last=True
    )
    trainer = lightning.Trainer(
        max_steps=steps,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, loader)
    return measure(data, *model.eval().encoders, name="two towers", **how)


if __name__ == "__main__":
    print(measured(make_dataset(WorldSpec().with_ratio(0.5), seed=0)).page())
