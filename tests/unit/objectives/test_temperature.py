"""Methods whose cosine critics learn their temperature."""

import pytest
import torch
from tiny_stacks import TRAINED, trained, training

from fctestbed.nets import learned_temperatures
from fctestbed.objectives import CriticSettings, find_method
from fctestbed.sweep.losses import logged_temperatures

LEARNED = {"critic": "cosine", "learn_temperature": True, "temperature": 0.2}
SCORING = [name for name in TRAINED if issubclass(find_method(name).Settings, CriticSettings)]


def test_methods_that_score_pairs_can_learn_it():
    assert len(SCORING) >= 12


@pytest.mark.parametrize("name", SCORING)
def test_each_run_of_a_stack_learns_its_own_as_it_does_alone(name):
    # FactorCL's trainings enlarge differences of rounding, so that few steps are compared.
    train = training(name).train.model_copy(update={"steps": 4})
    specs = [training(name, seed=seed, settings=LEARNED, train=train) for seed in (0, 1)]
    together, alone = trained(specs), trained(specs[1:])
    assert together.diverged == [None, None]
    found, own = learned_temperatures(together.module), learned_temperatures(alone.module)
    assert found
    for critic, values in found.items():
        assert (values - 0.2).abs().min() > 1e-5, critic
        torch.testing.assert_close(values[1:], own[critic], rtol=1e-4, atol=1e-5)


def test_it_is_recorded_by_critic_where_it_is_learned():
    train = training("simclr").train.model_copy(update={"steps": 2})
    learned = trained([training("simclr", settings=LEARNED, train=train)])
    fixed = trained([training("simclr", train=train)])
    (value,) = learned_temperatures(learned.module)["critic"].tolist()
    assert logged_temperatures(learned, 0) == {
        "temperatures": {"critic": pytest.approx(value, rel=1e-4)}
    }
    assert logged_temperatures(fixed, 0) == {}


def test_settings_that_do_not_learn_it_have_the_identity_that_they_had():
    assert "learn_temperature" not in training("simclr").settings
    assert training("simclr", settings={"learn_temperature": False}) == training("simclr")
    assert training("simclr", settings=LEARNED).settings["learn_temperature"] is True


def test_it_is_refused_for_critics_without_a_temperature_and_below_the_limit():
    line = "learn_temperature: expected false with the critic concat, which has no temperature"
    with pytest.raises(ValueError, match=line):
        training("factorcl-sup", settings={"learn_temperature": True})
    with pytest.raises(ValueError, match=r"temperature: expected at least 0\.01 where it is learn"):
        training("simclr", settings={"learn_temperature": True, "temperature": 0.001})
