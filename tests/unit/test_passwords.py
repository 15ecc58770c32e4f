"""Which passwords are taken, and that each is compared whole (THREATS B3)."""

from __future__ import annotations

import pytest

from tinyberth_hub.passwords import MAX_BYTES, hash_password, password_matches, problem_with


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "пароль-из-слов",
        "🐢🚢⚓🧭" * 3,
        "  spaces at both ends  ",
        "x1y2" * (MAX_BYTES // 4),
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
        ("x1y2" * (MAX_BYTES // 4) + "z", "at most 1024 bytes"),
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
