"""THREATS B1 and B2: which names may be logins, and that two spellings are never one home."""

from __future__ import annotations

import unicodedata

import pytest

from tinyberth_common.names import (
    MAX_LOGIN_LENGTH,
    RESERVED_LOGINS,
    NameRefusedError,
    check_login,
    normalize_login,
)

GOOD = ["a", "alice", "alice-b", "alice_b", "a1", "a" * MAX_LOGIN_LENGTH, "x" + "-" * 31]

B1_NASTY = [
    "",
    ".",
    "..",
    "%2e%2e",
    "a/b",
    "a\\b",
    "-rf",
    "_a",
    "1a",
    "$(id)",
    "`id`",
    "a;b",
    "a:b",
    "{username}",
    "a b",
    " a",
    "a\n",
    "\na",
    "a\r\n",
    "a\0",
    "a\x00b",
    "a\t",
    "a.b",
    "a@b",
    "~a",
    "a" * (MAX_LOGIN_LENGTH + 1),
    "a" * 300,
    "a" * 1_000_000,
]

B2_LOOKALIKES = [
    "ALICE",
    "Alice",
    "\u212aim",  # the Kelvin sign, which str.lower() makes "k"
    "\u017fam",  # long s, which str.upper() makes "S"
    "\uff41lice",  # fullwidth a
    "\u0430lice",  # Cyrillic a
    "jos\u00e9",
    "jose\u0301",
    "\u0131van",  # dotless i
    "ali\u200bce",  # zero-width space
    "ali\u00adce",  # soft hyphen
    "\u0661a",  # an Arabic digit
    "a\u0661",
]


@pytest.mark.parametrize("name", GOOD)
def test_a_plain_name_is_a_login(name: str) -> None:
    assert check_login(name) == name
    assert normalize_login(name) == name


@pytest.mark.parametrize("name", B1_NASTY, ids=lambda name: ascii(name[:20]))
def test_b1_a_nasty_name_is_refused_in_one_bounded_sentence(name: str) -> None:
    with pytest.raises(NameRefusedError) as refusal:
        check_login(name)
    message = str(refusal.value)
    assert "\n" not in message
    assert "\0" not in message
    assert message.isascii()
    assert len(message) < 400
    assert "use 1 to 32 characters" in message


@pytest.mark.parametrize("name", ["root", "hub", "daemon", "docker", "localhost", "nobody", "api"])
def test_b1_a_reserved_name_is_refused(name: str) -> None:
    with pytest.raises(NameRefusedError, match="reserved"):
        check_login(name)


def test_every_reserved_name_would_otherwise_be_allowed_or_is_refused_anyway() -> None:
    for name in RESERVED_LOGINS:
        with pytest.raises(NameRefusedError):
            check_login(name)


@pytest.mark.parametrize("name", B2_LOOKALIKES, ids=ascii)
def test_b2_a_lookalike_is_not_a_login(name: str) -> None:
    with pytest.raises(NameRefusedError):
        check_login(name)


@pytest.mark.parametrize("name", ["ALICE", "Alice", "aLiCe"])
def test_b2_ascii_case_is_one_identity(name: str) -> None:
    assert check_login(normalize_login(name)) == "alice"


@pytest.mark.parametrize("name", [name for name in B2_LOOKALIKES if not name.isascii()], ids=ascii)
def test_b2_nothing_but_ascii_is_folded(name: str) -> None:
    assert normalize_login(name) == name
    with pytest.raises(NameRefusedError):
        check_login(normalize_login(name))


def test_b2_composed_and_decomposed_are_both_refused_not_merged() -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        with pytest.raises(NameRefusedError):
            check_login(unicodedata.normalize(form, "jos\u00e9"))
