"""THREATS B1 and B2 for names from a provider: one stable login each, never two in one home."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyberth_common.names import RESERVED_LOGINS, NameRefusedError, check_login
from tinyberth_hub.provider_names import (
    is_slug,
    login_for,
    login_of_typed,
    team_for,
)

PLAIN = [
    ("alice", "alice"),
    ("ALICE", "alice"),
    ("Ada-L_2", "ada-l_2"),
    ("a", "a"),
    ("x" * 32, "x" * 32),
    ("a--b", "a--b"),  # two hyphens, but no hash behind them
    ("a--" + "b" * 15, "a--" + "b" * 15),
]

# The name, and what its login begins with.
SLUGGED = [
    ("José.García@uni.example", "jose-garcia--"),
    ("ada.lovelace@uni.example", "ada-lovelace--"),
    ("maximilian.mustermann@uni.example", "maximilian-mus--"),
    ("x" * 33, "x" * 14 + "--"),
    ("x" * 300, "x" * 14 + "--"),
    ("x" * 1024, "x" * 14 + "--"),
    ("root", "root--"),
    ("Hub", "hub--"),
    ("..", "user--"),
    (".", "user--"),
    ("%2e%2e", "user-2e-2e--"),
    ("a/b", "a-b--"),
    ("a\\b", "a-b--"),
    ("-rf", "user-rf--"),
    ("$(id)", "user-id--"),
    ("a:b", "a-b--"),
    ("{username}", "username--"),
    ("1and1", "user-1and1--"),
    (" alice", "alice--"),
    ("alice ", "alice--"),
    ("xn.", "user-xn--"),  # "xn--" would be an encoded host name
    ("ab@uni.example", "user-ab--"),
    ("@uni.example", "user--"),
    ("\u212aim", "kim--"),  # the Kelvin sign
    ("\uff41lice", "alice--"),  # fullwidth
    ("\u0430lice", "lice--"),  # Cyrillic a
    ("\u0131van", "van--"),  # dotless i
    ("ali\u200bce", "alice--"),  # zero-width space
    ("李雷", "user--"),
    ("🐢", "user--"),
    ("alice--" + "b" * 16, "alice-bbbbbbbb--"),  # looks like a slug
    ("alice--mzxw6ytboi4dq2lt", "alice-mzxw6ytb--"),
]

NO_NAMES = ["", " ", "\t", "a\n", "\na", "a\0b", "a\x7f", "a\ud800", "x" * 1025, "x" * 10**6]


@pytest.mark.parametrize(("name", "login"), PLAIN)
def test_a_plain_name_stays(name: str, login: str) -> None:
    assert login_for(name) == login_of_typed(name) == login


@pytest.mark.parametrize(("name", "begins"), SLUGGED, ids=lambda text: ascii(text[:20]))
def test_every_other_name_becomes_a_readable_slug(name: str, begins: str) -> None:
    login = login_for(name)
    assert login.startswith(begins)
    assert re.fullmatch(r"[a-z2-7]{16}", login.removeprefix(begins))
    assert check_login(login) == login
    assert is_slug(login)


def test_slugs_are_the_same_in_every_version() -> None:
    """A home hangs on each: a change here would give people new ones."""
    assert login_for("José.García@uni.example") == "jose-garcia--ooipcc62u6emf34y"
    assert login_for("root") == "root--n4x47uu4jhoitmjx"
    assert team_for("Physics 101") == "physics-101--bwhflku7gu25rwpd"


def test_all_of_the_table_are_different_people() -> None:
    names = [name for name, _ in [*PLAIN, *SLUGGED] if name != "ALICE"]
    assert len({login_for(name) for name in names}) == len(names)


@pytest.mark.parametrize("name", NO_NAMES, ids=lambda name: ascii(name[:10]))
def test_what_is_no_name_is_refused_in_one_bounded_sentence(name: str) -> None:
    with pytest.raises(NameRefusedError) as refusal:
        login_for(name)
    assert str(refusal.value).isascii()
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("reserved", sorted(RESERVED_LOGINS))
def test_b1_a_reserved_name_is_never_a_login(reserved: str) -> None:
    assert login_for(reserved) not in RESERVED_LOGINS


def test_b2_composed_and_decomposed_are_one_person() -> None:
    forms = {unicodedata.normalize(form, "José.García@uni.example") for form in ("NFC", "NFD")}
    assert len(forms) == 2
    assert len({login_for(form) for form in forms}) == 1


def test_b2_lookalikes_are_other_people() -> None:
    assert login_for("\u212aim") != login_for("kim") == "kim"
    assert login_for("\uff4bim") != login_for("\u212aim")
    assert login_for("JOSÉ@uni.example") != login_for("José@uni.example")
    assert login_for("JOSé@Uni.example") == login_for("josé@uni.example")


def test_nobody_can_be_called_what_another_persons_login_is() -> None:
    login = login_for("José.García@uni.example")
    assert login_for(login) != login
    assert login_of_typed(login) == login


def test_groups_become_teams_that_are_nobodys_login() -> None:
    assert team_for("NLP") == "nlp"
    assert team_for("nlp", taken={"nlp"}).startswith("nlp--")
    assert team_for("/uni/physics").startswith("uni-physics--")
    assert team_for("staff").startswith("staff--")  # a group of the image
    assert team_for("Physics 101") != login_for("Physics 101")


def _canonical(name: str) -> tuple[bool, str]:
    composed = unicodedata.normalize("NFC", name)
    small = "".join(sign.lower() if sign.isascii() else sign for sign in composed)
    return name.isascii(), small


# Half of them built from what breaks names, the other half anything.
nasty = st.text(st.sampled_from("abzAZ019_-.@/\\: é\u0301\u212aᵃ李ıſ"), min_size=1, max_size=40)
names = st.one_of(nasty, st.text(min_size=1, max_size=80))


@given(names)
def test_any_name_is_refused_or_has_one_valid_stable_login(name: str) -> None:
    try:
        login = login_for(name)
    except NameRefusedError:
        return
    assert check_login(login) == login
    assert login == login_for(name)
    assert login_of_typed(login) == login
    assert login_of_typed(login_of_typed(name)) == login_of_typed(name)
    assert not re.match(r"..--", login) or not is_slug(login)


@given(names, names)
def test_two_names_meet_only_if_they_are_the_same_name(first: str, second: str) -> None:
    try:
        meet = login_for(first) == login_for(second)
    except NameRefusedError:
        return
    if meet:
        assert _canonical(first)[1] == _canonical(second)[1]


@given(names, names)
def test_a_person_and_a_team_never_meet_in_a_slug(person: str, group: str) -> None:
    try:
        login, team = login_for(person), team_for(group)
    except NameRefusedError:
        return
    if login == team:
        assert not is_slug(login)
        assert team_for(group, taken={login}) != login
