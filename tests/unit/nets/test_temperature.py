"""A temperature that is trained: its values, its gradients, its limit."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from fctestbed.nets import CosineCritic, LearnedTemperature, Stack, learned_temperatures


def stack_of(n, dtype=torch.float64):
    generators = tuple(torch.Generator().manual_seed(seed) for seed in range(n))
    return Stack(generators=generators, dtype=dtype)


def vectors(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_scores_and_gradients_are_those_of_the_plain_form_in_each_run():
    u, v, weights = vectors(3, 5, 4), vectors(3, 6, 4, seed=1), vectors(3, 5, 6, seed=2)
    critic = CosineCritic(stack_of(3), 4, 4, temperature=0.2, learn_temperature=True)
    with torch.no_grad():
        critic.learned.log_scale.add_(vectors(3, 1, 1, seed=3).abs())
    scores = critic(u, v)
    (scores.square() * weights).sum().backward()
    for run in range(3):
        scale = critic.learned.log_scale.detach()[run, 0, 0].clone().requires_grad_(True)
        cosines = normalize(u[run], dim=-1) @ normalize(v[run], dim=-1).T
        plain = cosines * scale.exp()
        torch.testing.assert_close(scores[run], plain, rtol=1e-12, atol=1e-12)
        (plain.square() * weights[run]).sum().backward()
        found = critic.learned.log_scale.grad[run, 0, 0]
        torch.testing.assert_close(found, scale.grad, rtol=1e-12, atol=1e-12)


def test_it_begins_at_the_temperature_of_a_critic_that_does_not_learn_it():
    u, v = vectors(2, 5, 4), vectors(2, 6, 4, seed=1)
    learned = CosineCritic(stack_of(2), 4, 4, temperature=0.07, learn_temperature=True)
    fixed = CosineCritic(stack_of(2), 4, 4, temperature=0.07)
    torch.testing.assert_close(learned(u, v), fixed(u, v), rtol=1e-12, atol=1e-12)
    assert learned_temperatures(fixed) == {}
    found = learned_temperatures(torch.nn.ModuleDict({"inner": learned}))
    assert list(found) == ["inner"]
    torch.testing.assert_close(found["inner"], torch.full((2,), 0.07, dtype=torch.float64))


def test_similarities_are_multiplied_by_at_most_100_and_a_parameter_beyond_can_come_back():
    temperature = LearnedTemperature(stack_of(2), 0.01)
    with torch.no_grad():
        temperature.log_scale.copy_(torch.tensor([9.0, math.log(50)]).reshape(2, 1, 1))
    scale = temperature()
    assert scale.flatten().tolist() == pytest.approx([100.0, 50.0])
    # Against the gradient the first would grow, or come back.
    scale.sum().neg().backward()
    assert temperature.log_scale.grad.flatten().tolist() == pytest.approx([0.0, -50.0])
    temperature.log_scale.grad = None
    temperature().sum().backward()
    assert temperature.log_scale.grad.flatten().tolist() == pytest.approx([100.0, 50.0])


@pytest.mark.parametrize("given", [0.009, -1.0, math.nan])
def test_a_temperature_beyond_the_limit_is_refused(given):
    with pytest.raises(ValueError, match=r"temperature: expected at least 0\.01 where it is learn"):
        LearnedTemperature(stack_of(1), given)
