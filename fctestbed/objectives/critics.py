"""The critic of a method's settings, and NT-Xent with any critic.

May import ``fctestbed.bounds``, ``fctestbed.nets`` and the objectives' base.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from fctestbed.bounds import nt_xent_nats
from fctestbed.nets import (
    BilinearCritic,
    ConcatCritic,
    CosineCritic,
    Critic,
    SeparableCritic,
    Stack,
)
from fctestbed.objectives.base import CriticSettings, NetSpec


def build_critic(
    settings: CriticSettings,
    stack: Stack,
    nets: NetSpec,
    dims: tuple[int, int],
    *,
    one_space: bool,
) -> Critic:
    """A critic of two arguments.

    Args:
        settings: the critic's family.
        stack: the runs.
        nets: widths of the networks.
        dims: widths of the two arguments.
        one_space: whether both arguments are outputs of heads, which can be compared directly. If
            not (a label, or a projection with a condition), the cosine critic first maps each
            linearly to ``head_dim`` dimensions.
    """
    if settings.critic == "concat":
        return ConcatCritic(stack, *dims, nets.critic_hidden)
    if settings.critic == "separable":
        return SeparableCritic(stack, *dims, nets.critic_hidden)
    if settings.critic == "bilinear":
        return BilinearCritic(stack, *dims)
    return CosineCritic(
        stack,
        *dims,
        temperature=settings.temperature,
        learn_temperature=settings.learn_temperature,
        # Some settings lack this field; they use the cosine.
        normalize=getattr(settings, "normalize", True),
        width=None if one_space else nets.head_dim,
    )


def nt_xent_of_critic_nats(
    critic: Critic,
    view1: Float[Tensor, "stack n dim"],
    view2: Float[Tensor, "stack n dim"],
    *,
    labels: Int[Tensor, "stack n"] | None = None,
) -> Float[Tensor, " stack"]:
    """NT-Xent (SupCon, where labels are given) over the 2n anchors of two views, scored by a
    critic, in nats."""
    anchors = torch.cat((view1, view2), 1)
    return nt_xent_nats(critic(anchors, anchors), labels=labels)
