"""The names that rows carry."""

from fctestbed.results import channel_name, equal_width_name, whole_name


def test_names_of_equal_width_lead_back_to_the_readout():
    assert equal_width_name(16) == "joint@16"
    assert whole_name("joint@16") == "joint"
    assert whole_name("z_s1") == "z_s1"


def test_a_further_noise_is_in_the_estimator_s_name():
    assert channel_name(2.0) == "channel@2"
    assert channel_name(0.25) == "channel@0.25"
