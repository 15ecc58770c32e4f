"""Which passwords are taken, and that each is compared whole (THREATS B3)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyberth_common.settings import SCHEMA
from tinyberth_hub.link_authenticator import LinkAuthenticator
from tinyberth_hub.passwords import (
    MAX_BYTES,
    MIN_CHARACTERS,
    hash_password,
    password_matches,
    problem_with,
)

LONG = "".join(chr(random.Random(n).randrange(33, 127)) for n in range(MAX_BYTES))

# Whatever a client can send: NUL, lone surrogates and letters of every plane among it.
ANY_TEXT = st.text(st.characters(codec=None), max_size=1100)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "пароль-из-слов",
        "🐢🚢⚓🧭🐙🪸🐚🦀🐡🐠🦑🐋",
        "ⓔmoji 🐢 and 73 bytes and more " * 4,
        "  spaces at both ends  ",
        LONG,
        "a" * 500 + "then four words of mine",
        "correct horse battery staple" + "a" * 500,
        "\ud800 is half of something",
        "a\x00b with a NUL in it",
    ],
)
def test_long_enough_passwords_of_any_letters_are_taken(password: str) -> None:
    assert problem_with(password, "alice") is None


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "at least 12"),
        ("short", "at least 12"),
        ("elevenchars", "at least 12"),
        ("aaaaaaaaaaaaaaaa", "easy to guess"),
        ("alice1234567", "easy to guess"),
        ("123456789012", "easy to guess"),
        ("qwertyuiop12", "easy to guess"),
        ("P@ssw0rd1234", "easy to guess"),
        ("iloveyou1234", "easy to guess"),
        ("passwordpassword", "easy to guess"),
        ("tinyberth2024", "easy to guess"),
        ("x1y2" * (MAX_BYTES // 4), "easy to guess"),
        ("\x00" * 12, "easy to guess"),
        (LONG + "z", "at most 1024 bytes"),
        ("🐢" * 257, "at most 1024 bytes"),
    ],
)
def test_other_passwords_are_refused_with_the_reason(password: str, reason: str) -> None:
    assert reason in (problem_with(password, "alice") or "")


def test_a_password_matches_itself_and_nothing_near_it() -> None:
    password = "correct horse battery"
    stored = hash_password(password)
    assert password_matches(password, stored)
    assert not password_matches(password + " ", stored)
    assert not password_matches(password.upper(), stored)
    assert not password_matches("", stored)


def test_nothing_is_cut_off_after_72_bytes() -> None:
    long = "0123456789abcdef" * 8
    stored = hash_password(long + "one")
    assert password_matches(long + "one", stored)
    assert not password_matches(long + "two", stored)


def test_the_same_letters_in_another_unicode_form_are_the_same_password() -> None:
    stored = hash_password("caf\u00e9 au lait d'hier")
    assert password_matches("cafe\u0301 au lait d'hier", stored)


def test_a_lone_surrogate_is_compared_and_not_a_crash() -> None:
    assert not password_matches("\ud800 is half of something", hash_password("twelve letters!"))


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$broken"])
def test_no_password_opens_an_account_that_has_none(stored: str | None) -> None:
    assert not password_matches("correct horse battery", stored)


def test_hashes_are_argon2id_with_a_salt_of_their_own() -> None:
    first, second = hash_password("correct horse battery"), hash_password("correct horse battery")
    assert first.startswith("$argon2id$")
    assert first != second


@settings(deadline=None, max_examples=200)
@given(ANY_TEXT)
def test_b3_any_text_is_accepted_or_refused_by_a_sentence(password: str) -> None:
    problem = problem_with(password, "alice")
    assert problem is None or (problem.endswith(".") and "\n" not in problem)
    if len(password) < MIN_CHARACTERS // 2:
        assert problem


@settings(deadline=None, max_examples=15)  # each is three hashes of 46 MiB
@given(ANY_TEXT, st.characters(codec=None))
def test_b3_what_is_accepted_is_compared_whole(password: str, last: str) -> None:
    if problem_with(password, "alice") is not None:
        return
    stored = hash_password(password)
    assert password_matches(password, stored)
    assert not password_matches(password[:-1], stored)
    assert not password_matches(password + "." + last, stored)


@pytest.mark.parametrize("minimum", [8, 12, 64])
def test_the_least_length_is_a_setting(minimum: int) -> None:
    assert problem_with(LONG[: minimum - 1], "alice", minimum) == (
        f"Please choose a password of at least {minimum} characters."
    )
    assert problem_with(LONG[:minimum], "alice", minimum) is None


def test_the_setting_the_trait_and_the_rule_agree() -> None:
    [setting] = [setting for setting in SCHEMA if setting.name == "PASSWORD_MIN"]
    trait = LinkAuthenticator.password_min
    assert int(setting.default) == trait.default_value == MIN_CHARACTERS
    for number in (trait.min, trait.max):
        assert setting.parse(str(number)) == number
    for number in (trait.min - 1, trait.max + 1):
        with pytest.raises(ValueError, match="from 8 to 64"):
            setting.parse(str(number))
