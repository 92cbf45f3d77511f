"""Losses of one run written from the papers' equations, with torch's own layers.

Every pair that a critic scores is a row [u_i, v_j] of its own, and a condition is a mask over all
pairs. Nothing here knows of stacks, groups, tiles or factored critics.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from fctestbed.training import TrainingSpec

HEADS = ("nce_x1x2", "club_x1x2_cond", "unimodal", "club_x1x2", "nce_x1x2_cond")
INNER = ("club_x1x2", "club_x1x2_cond")


def mlp(dims: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(dims):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def all_pairs(critic: nn.Module, u: Tensor, v: Tensor) -> Tensor:
    """f(u_i, v_j) of all pairs, [n, n]: a row of the critic's input for each."""
    n = len(u)
    scores: Tensor = critic(torch.cat([u.repeat_interleave(n, 0), v.repeat(n, 1)], 1))
    return scores.view(n, n)


def infonce(scores: Tensor, same: Tensor) -> Tensor:
    """Eqs. 10, 13 and 15: the bound inside each sample's condition, a mean over samples."""
    partition = scores.masked_fill(~same, -torch.inf).logsumexp(1)
    return (scores.diagonal() - partition + same.sum(1).to(scores).log()).mean()


def nce_club(scores: Tensor, same: Tensor, *, keep_diagonal: bool) -> Tensor:
    """Eqs. 11, 14 and 16; a sample alone in its condition has no product of marginals."""
    itself = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    others = same if keep_diagonal else same & ~itself
    count = others.sum(1)
    mean = (scores * others).sum(1) / count.clamp(min=1)
    return ((scores.diagonal() - mean) * (count > 0)).mean()


def nt_xent(z1: Tensor, z2: Tensor, y: Tensor | None, temperature: float) -> Tensor:
    """Chen et al. 2020, Eq. 1; Khosla et al. 2020, Eq. 2, where there are labels."""
    z = nn.functional.normalize(torch.cat([z1, z2]), dim=1)
    n = len(z1)
    itself = torch.eye(2 * n, dtype=torch.bool, device=z.device)
    logs = (z @ z.T / temperature).masked_fill(itself, -torch.inf).log_softmax(1)
    names = torch.arange(n, device=z.device) if y is None else y
    names = names.repeat(2)
    positive = (names[:, None] == names) & ~itself
    return -(logs.masked_fill(~positive, 0.0).sum(1) / positive.sum(1)).mean()


class Networks(nn.Module):
    """Encoders and heads of both modalities, and critics by name."""

    def __init__(
        self, training: TrainingSpec, heads: tuple[str, ...], critics: Mapping[str, int]
    ) -> None:
        super().__init__()
        nets, shape = training.nets, training.data_shape
        assert nets is not None
        self.encoders = nn.ModuleList(
            mlp((dim, *nets.encoder_hidden, nets.embed_dim)) for dim in (shape.dim1, shape.dim2)
        )
        head_dims = (nets.embed_dim, *nets.head_hidden, nets.head_dim)
        self.heads = nn.ModuleList(
            nn.ModuleDict({name: mlp(head_dims) for name in heads}) for _ in range(2)
        )
        self.critics = nn.ModuleDict(
            {name: mlp((width, *nets.critic_hidden, 1)) for name, width in critics.items()}
        )

    def project(self, x1: Tensor, x2: Tensor) -> list[dict[str, Tensor]]:
        found = []
        for x, encoder, heads in zip((x1, x2), self.encoders, self.heads, strict=True):
            z = encoder(x)
            found.append({name: head(z) for name, head in heads.items()})
        return found


class Plain(ABC):
    """A method's loss of one run; ``inner_loss`` is None where it has no inner loop."""

    def __init__(self, training: TrainingSpec) -> None:
        self.training = training
        self.settings = training.settings
        # torch's layers draw from the global generator, which stays as it is.
        with torch.random.fork_rng(devices=[]):
            self.networks = self.build()

    @abstractmethod
    def build(self) -> Networks: ...

    @abstractmethod
    def loss(self, batch: "PlainBatch") -> Tensor: ...

    def inner_loss(self, batch: "PlainBatch") -> Tensor | None:
        return None


class PlainBatch:
    """One run's batch; the copies and their condition where the method uses views."""

    def __init__(
        self,
        x1: Tensor,
        x2: Tensor,
        y: Tensor,
        views: tuple[Tensor, Tensor] | None = None,
        condition: Tensor | None = None,
    ) -> None:
        self.x1, self.x2, self.y, self.views, self.condition = x1, x2, y, views, condition


class Contrastive(Plain):
    def build(self) -> Networks:
        return Networks(self.training, ("projection",), {})

    def loss(self, batch: PlainBatch) -> Tensor:
        one, two = self.networks.project(batch.x1, batch.x2)
        y = batch.y if self.training.method == "supcon" else None
        return nt_xent(one["projection"], two["projection"], y, self.settings["temperature"])


class Factor(Plain):
    """Appendix D.1, minimised, with labels or with augmented copies; the paper's settings, and
    whole-batch conditioning."""

    @property
    def supervised(self) -> bool:
        return self.training.method == "factorcl-sup"

    def build(self) -> Networks:
        assert self.training.nets is not None
        width, classes = self.training.nets.head_dim, self.training.data_shape.n_classes
        condition = 2 * (classes if self.supervised else width)
        unimodal = width + (classes if self.supervised else width)
        return Networks(
            self.training,
            HEADS,
            {
                "nce_x1x2": 2 * width,
                "unimodal1": unimodal,
                "unimodal2": unimodal,
                "club_x1x2": 2 * width,
                "nce_x1x2_cond": 2 * width + condition,
                "club_x1x2_cond": 2 * width + condition,
            },
        )

    def loss(self, batch: PlainBatch) -> Tensor:
        one, two, given = self._projected(batch)
        everyone, same = self._masks(batch)
        loss = torch.zeros((), dtype=batch.x1.dtype, device=batch.x1.device)
        scores = self._scores("nce_x1x2", one, two)
        loss = loss - infonce(scores, everyone)
        for m, own in enumerate((one, two), 1):
            target = given["labels"][0] if self.supervised else given["views"][m - 1]["unimodal"]
            pairs = all_pairs(self.networks.critics[f"unimodal{m}"], own["unimodal"], target)
            loss = loss - infonce(pairs, everyone)
        club = self._scores("club_x1x2", one, two)
        loss = loss + nce_club(club, everyone, keep_diagonal=False)
        conditional = self._conditional("club_x1x2_cond", one, two, given)
        loss = loss + nce_club(conditional, same, keep_diagonal=False)
        return loss - infonce(self._conditional("nce_x1x2_cond", one, two, given), same)

    def inner_loss(self, batch: PlainBatch) -> Tensor:
        with torch.no_grad():
            one, two, given = self._projected(batch)
        everyone, same = self._masks(batch)
        club = self._scores("club_x1x2", one, two)
        conditional = self._conditional("club_x1x2_cond", one, two, given)
        return -infonce(club, everyone) - infonce(conditional, same)

    def _projected(self, batch: PlainBatch):
        one, two = self.networks.project(batch.x1, batch.x2)
        if self.supervised:
            labels = one_hot(batch.y, self.training.data_shape.n_classes).to(batch.x1)
            return one, two, {"labels": (labels, labels)}
        assert batch.views is not None
        return one, two, {"views": self.networks.project(*batch.views)}

    def _masks(self, batch: PlainBatch) -> tuple[Tensor, Tensor]:
        condition = batch.y if self.supervised else batch.condition
        assert condition is not None
        everyone = torch.ones(len(batch.y), len(batch.y), dtype=torch.bool, device=batch.y.device)
        within = self.settings["conditioning"] == "within"
        return everyone, (condition[:, None] == condition if within else everyone)

    def _scores(self, head: str, one: dict[str, Tensor], two: dict[str, Tensor]) -> Tensor:
        return all_pairs(self.networks.critics[head], one[head], two[head])

    def _conditional(self, head: str, one, two, given) -> Tensor:
        first, second = (
            given["labels"] if self.supervised else [view[head] for view in given["views"]]
        )
        u, v = torch.cat([one[head], first], 1), torch.cat([two[head], second], 1)
        return all_pairs(self.networks.critics[head], u, v)


class Unimodal(Plain):
    """The two unimodal losses, with labels or with augmented copies."""

    @property
    def supervised(self) -> bool:
        return self.training.method == "unimodal-sup"

    def build(self) -> Networks:
        assert self.training.nets is not None
        width, classes = self.training.nets.head_dim, self.training.data_shape.n_classes
        both = width + (classes if self.supervised else width)
        return Networks(self.training, ("unimodal0",), {"critics1": both, "critics2": both})

    def loss(self, batch: PlainBatch) -> Tensor:
        own = [part["unimodal0"] for part in self.networks.project(batch.x1, batch.x2)]
        if self.supervised:
            targets = [one_hot(batch.y, self.training.data_shape.n_classes).to(batch.x1)] * 2
        else:
            assert batch.views is not None
            targets = [part["unimodal0"] for part in self.networks.project(*batch.views)]
        everyone = torch.ones(len(batch.y), len(batch.y), dtype=torch.bool, device=batch.y.device)
        bounds = [
            infonce(all_pairs(self.networks.critics[f"critics{m}"], u, v), everyone)
            for m, u, v in zip((1, 2), own, targets, strict=True)
        ]
        return -bounds[0] - bounds[1]


PLAIN: dict[str, Callable[[TrainingSpec], Plain]] = {
    "simclr": Contrastive,
    "supcon": Contrastive,
    "factorcl-sup": Factor,
    "factorcl-ssl": Factor,
    "unimodal-sup": Unimodal,
    "unimodal-ssl": Unimodal,
}
