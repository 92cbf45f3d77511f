"""Losses in exact expectation against plainer forms of themselves."""

import pytest
import torch

from fctestbed.bounds import Contrast
from fctestbed.faults import (
    population_conditional_club_nats,
    population_conditional_infonce_nats,
    population_nt_xent_nats,
    population_self_nt_xent_nats,
)

GENERATOR = torch.Generator()


def _law(*shape: int) -> torch.Tensor:
    table = torch.rand(*shape, generator=GENERATOR.manual_seed(1), dtype=torch.float64)
    return table / table.sum()


def _scores(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=GENERATOR.manual_seed(2), dtype=torch.float64)


@pytest.mark.parametrize("contrast", ["first", "second"])
# Exponentials of scores so far apart are 0 in float64.
@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_scores_that_groups_share_give_what_a_copy_for_each_group_gives(
    contrast: Contrast, scale: float
) -> None:
    joint, scores = _law(3, 4, 5), scale * _scores(2, 1, 4, 5)
    copied = scores.expand(2, 3, 4, 5)
    torch.testing.assert_close(
        population_conditional_infonce_nats(scores, joint, contrast=contrast),
        population_conditional_infonce_nats(copied, joint, contrast=contrast),
    )
    torch.testing.assert_close(
        population_conditional_club_nats(scores, joint),
        population_conditional_club_nats(copied, joint),
    )


def test_two_views_of_one_set_of_patterns_need_each_pair_once() -> None:
    joint, scores = _law(5, 5), _scores(2, 5, 5)
    scores = scores + scores.transpose(1, 2)
    torch.testing.assert_close(
        population_self_nt_xent_nats(scores, joint),
        population_nt_xent_nats(scores.repeat(1, 2, 2), joint),
    )
