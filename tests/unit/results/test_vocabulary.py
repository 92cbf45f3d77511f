"""The names that rows carry."""

from fctestbed.results import channel_name, equal_width_name


def test_the_width_is_in_the_name_of_a_joint_readout_of_equal_width():
    assert equal_width_name(16) == "joint@16"


def test_a_further_noise_is_in_the_estimator_s_name():
    assert channel_name(2.0) == "channel@2"
    assert channel_name(0.25) == "channel@0.25"


def test_noises_that_are_equal_to_six_digits_have_names_of_their_own():
    assert channel_name(0.5) == "channel@0.5"
    assert channel_name(0.50000001) == "channel@0.50000001"
    assert channel_name(1 / 3) == "channel@0.3333333333333333"
