"""The critic that a method's settings ask for. May import ``fctestbed.nets`` and the base."""

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
        settings: which family.
        stack: the runs.
        nets: widths; the cosine of things that are not alike is taken in ``head_dim`` dimensions.
        dims: widths of the two arguments.
        one_space: whether both arguments are outputs of heads that are to be compared as they
            are; otherwise (a label, a condition beside a projection) the cosine critic first maps
            each linearly.
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
        normalize=getattr(settings, "normalize", True),
        width=None if one_space else nets.head_dim,
    )
