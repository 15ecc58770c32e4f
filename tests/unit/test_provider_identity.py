"""Who a provider says that somebody is, by tables of what each answers (as documented)."""

from __future__ import annotations

from typing import Any

import pytest

from tinyberth_hub.provider_identity import (
    AllowRules,
    Identity,
    identity_of_github,
    identity_of_gitlab,
    identity_of_google,
    identity_of_oidc,
)
from tinyberth_hub.sign_in_refusals import SignInRefusedError

OIDC = {
    "sub": "248289761001",
    "preferred_username": "ada",
    "email": "Ada@Uni.example",
    "email_verified": True,
}


def oidc(claims: dict[str, Any], name: str = "preferred_username", groups: str = "") -> Identity:
    return identity_of_oidc(claims, "Uni", name, groups)


@pytest.mark.parametrize(
    ("change", "domains"),
    [
        ({}, {"uni.example"}),
        ({"email_verified": "true"}, {"uni.example"}),
        ({"email_verified": False}, set()),
        ({"email_verified": None}, set()),
        ({"email_verified": "yes"}, set()),
        ({"email_verified": 1}, {"uni.example"}),
        ({"email": "ada@uni.example@evil.example"}, {"evil.example"}),
        ({"email": "uni.example"}, set()),
        ({"email": None}, set()),
        ({"email": ["ada@uni.example"]}, set()),
    ],
)
def test_only_a_verified_email_has_a_domain(change: dict[str, Any], domains: set[str]) -> None:
    assert oidc({**OIDC, **change}).domains == domains


def test_an_email_that_is_the_name_must_be_verified() -> None:
    assert oidc(OIDC, "email").name == "Ada@Uni.example"
    for claims in (
        {**OIDC, "email_verified": False},
        {key: value for key, value in OIDC.items() if key != "email_verified"},
    ):
        with pytest.raises(SignInRefusedError, match="not verified at Uni"):
            oidc(claims, "email")
        with pytest.raises(SignInRefusedError, match="not verified at Uni"):
            oidc({**claims, "preferred_username": claims["email"]})
        assert oidc(claims).name == "ada"


@pytest.mark.parametrize("name", [None, "", "  ", 7, ["ada"], {}])
def test_without_a_name_nobody_gets_in(name: Any) -> None:
    with pytest.raises(SignInRefusedError, match="did not tell this hub your name"):
        oidc({**OIDC, "preferred_username": name})


@pytest.mark.parametrize("subject", [None, "", True, [], {"id": 1}])
def test_without_a_subject_nobody_gets_in(subject: Any) -> None:
    with pytest.raises(SignInRefusedError, match="did not understand each other"):
        oidc({**OIDC, "sub": subject})


@pytest.mark.parametrize(
    ("claims", "path", "groups"),
    [
        ({"groups": ["b", "a", "a"]}, "groups", ("a", "b")),
        ({"groups": "physics"}, "groups", ("physics",)),
        ({"groups": ["a", 7, None, "", " ", {"name": "b"}]}, "groups", ("a",)),
        ({"groups": {"a": 1}}, "groups", ()),
        ({}, "groups", ()),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ("a",)),
        ({"realm_access": ["roles"]}, "realm_access.roles", ()),
        ({"https://uni.example/groups": ["a"]}, "https://uni.example/groups", ("a",)),
        ({"groups": ["a"]}, "", ()),
    ],
)
def test_groups_are_found_in_their_claim(
    claims: dict[str, Any], path: str, groups: tuple[str, ...]
) -> None:
    assert oidc({**OIDC, **claims}, groups=path).groups == groups


GITHUB = {"login": "Octocat", "id": 583231, "email": "octocat@public.example", "name": "Mona"}
GITHUB_EMAILS = [
    {"email": "octocat@uni.example", "verified": True, "primary": False},
    {"email": "octocat@evil.example", "verified": False, "primary": True},
]


def test_github_knows_people_by_number_and_says_which_addresses_are_verified() -> None:
    identity = identity_of_github(GITHUB, GITHUB_EMAILS, "GitHub", "login")
    assert identity == Identity("583231", "Octocat", frozenset({"uni.example"}))
    assert identity_of_github(GITHUB, [], "GitHub", "login").domains == set()


GITLAB = {
    "id": 1,
    "username": "john.smith",
    "email": "john@uni.example",
    "confirmed_at": "2012-05-23T09:05:22Z",
}


def test_gitlab_says_whether_the_address_is_confirmed() -> None:
    identity = identity_of_gitlab(GITLAB, "GitLab", "username")
    assert identity == Identity("1", "john.smith", frozenset({"uni.example"}))
    unconfirmed = {**GITLAB, "confirmed_at": None}
    assert identity_of_gitlab(unconfirmed, "GitLab", "username").domains == set()


GOOGLE = {
    "id": "108",
    "email": "ada@uni.example",
    "verified_email": True,
    "hd": "uni.example",
}


@pytest.mark.parametrize(
    ("change", "domains"),
    [
        ({}, {"uni.example"}),
        ({"email": "ada@gmail.com", "hd": None}, {"gmail.com"}),
        ({"hd": None}, set()),  # was hers when it was verified
        ({"hd": "other.example"}, set()),
    ],
)
def test_google_vouches_for_domains_that_it_runs(
    change: dict[str, Any], domains: set[str]
) -> None:
    identity = identity_of_google({**GOOGLE, **change}, "Google", "email")
    assert identity.domains == domains


def test_google_does_not_let_in_an_unverified_name() -> None:
    with pytest.raises(SignInRefusedError, match="not verified at Google"):
        identity_of_google({**GOOGLE, "verified_email": False}, "Google", "email")


ADA = Identity("1", "ada", frozenset({"uni.example"}), ("physics",))


@pytest.mark.parametrize(
    ("rules", "was_added", "allowed"),
    [
        (AllowRules(), True, False),
        (AllowRules(added=True), True, True),
        (AllowRules(added=True), False, False),
        (AllowRules(groups=frozenset({"physics"})), False, True),
        (AllowRules(groups=frozenset({"Physics", "chemistry"})), True, False),
        (AllowRules(domains=frozenset({"uni.example"})), False, True),
        (AllowRules(domains=frozenset({"example", "labs.uni.example"})), True, False),
        (AllowRules(added=True, domains=frozenset({"uni.example"})), False, True),
    ],
)
def test_any_rule_lets_in_and_nothing_else(
    rules: AllowRules, was_added: bool, allowed: bool
) -> None:
    assert rules.allow(ADA, was_added=was_added) == allowed


def test_a_stranger_without_anything_is_let_in_by_no_empty_rule() -> None:
    assert not AllowRules(True, frozenset({"a"}), frozenset({"b"})).allow(
        Identity("1", "x"), was_added=False
    )
