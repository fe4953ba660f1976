"""What counts as a password that everybody uses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.validators import CommonWordValidator, is_common, rules


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "Password!",
        "P@ssw0rd2024",
        "!!qwertyuiop??",
        "L3tmein#12345",
        "dragon--2026",
        "iloveyou1!",
    ],
)
def test_a_common_password_in_disguise_is_found(password: str):
    assert is_common(password)


@pytest.mark.parametrize(
    "password",
    ["Correct-horse-7-battery", "dragon", "Xq7!plumage-Otter", "monkey-4821-5530-9921", "", "----"],
)
def test_words_of_ones_own_are_left_alone(password: str):
    assert is_common(password) == (password == "dragon")


@given(st.text(max_size=200))
def test_whatever_is_typed_gets_an_answer_to_every_rule(password: str):
    found = rules(password)
    assert len(found) == 6
    assert {rule.met for rule in found} <= ({True, False} if password else {None})


def test_the_help_names_the_rule():
    assert "many people use" in CommonWordValidator().get_help_text()
