"""TOML from outside: its limits."""

import pytest

from fctestbed._toml import MAX_DEPTH, NotToml, check_key, parse_toml, parse_toml_value


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 10_000 + "]" * 10_000,
        "a = " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        ".".join(["a"] * 10_000) + " = 1",
        "a = " + "{b = " * 40 + "1" + "}" * 40,
    ],
)
def test_values_nested_too_deeply_are_refused(text):
    with pytest.raises(ValueError, match=r"nested at most 16 deep|keys of at most 200 characters"):
        parse_toml(text)


@pytest.mark.parametrize("digits", [20, 4_000, 5_000])
def test_whole_numbers_of_more_than_64_bits_are_refused(digits):
    with pytest.raises(ValueError, match=r"^expected whole numbers from -2\^63 to 2\^63 - 1, got"):
        parse_toml(f"a = [{'9' * digits}]")
    assert parse_toml_value(str(2**63 - 1)) == 2**63 - 1


def test_text_that_is_no_toml_is_said_in_one_line():
    with pytest.raises(NotToml, match=r"^expected TOML, got "):
        parse_toml("a = 1\na = 2")


def test_a_value_is_toml_or_else_text():
    assert parse_toml_value("[64, 64]") == [64, 64]
    assert parse_toml_value("cosine") == "cosine"
    assert parse_toml_value("1\nb = 2") == "1\nb = 2"


def test_a_key_that_is_too_long_is_refused():
    check_key("world.observation.noise")
    with pytest.raises(ValueError, match=r"at most 200 characters, got 300"):
        check_key("n" * 300)


def test_a_key_with_a_quote_that_is_not_closed_is_refused():
    check_key('settings."my.module:Mine".width')
    with pytest.raises(ValueError, match=r"^expected quotes in pairs"):
        check_key('train."steps')
