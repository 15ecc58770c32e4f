"""THREATS B6: whoever lets people in from elsewhere says which; every fault is one sentence."""

from __future__ import annotations

import pytest

from tinyberth_common.settings import SettingsError, load

OIDC = {
    "AUTH": "oidc",
    "AUTH_URL": "https://login.uni.example/realms/students",
    "AUTH_CLIENT_ID": "tinyberth",
    "AUTH_CLIENT_SECRET": "s3cr3t-of-the-hub",
    "ADMIN": "Ada.Lovelace@uni.example",
    "ALLOW_ADDED": "yes",
}
GITHUB = {**OIDC, "AUTH": "github", "AUTH_URL": "", "ADMIN": "octocat"}


def problems_of(**variables: str) -> list[str]:
    with pytest.raises(SettingsError) as refusal:
        load(variables)
    return refusal.value.problems


def test_a_whole_set_is_taken() -> None:
    settings = load({**OIDC, "ALLOW_DOMAINS": "uni.example, labs.uni.example,uni.example"})
    assert settings.auth == "oidc"
    assert settings.admin == "Ada.Lovelace@uni.example"
    assert settings.allow_domains == ("uni.example", "labs.uni.example")
    assert settings.allow_groups == settings.auth_scopes == ()


@pytest.mark.parametrize("auth", ["github", "gitlab", "google", "oidc"])
def test_b6_without_an_allow_rule_everything_is_refused(auth: str) -> None:
    url = OIDC["AUTH_URL"] if auth == "oidc" else ""
    [problem] = problems_of(**{**OIDC, "AUTH": auth, "AUTH_URL": url, "ALLOW_ADDED": "no"})
    assert problem.startswith(f"AUTH={auth} lets nobody in without a rule: set ALLOW_ADDED=yes")


@pytest.mark.parametrize(
    ("base", "change", "begins"),
    [
        (OIDC, {"AUTH_CLIENT_ID": ""}, "AUTH_CLIENT_ID is missing"),
        (OIDC, {"AUTH_CLIENT_SECRET": ""}, "AUTH_CLIENT_SECRET is missing"),
        (OIDC, {"AUTH_URL": ""}, "AUTH_URL is missing"),
        # Whoever calls himself "admin" at the provider would be the admin here.
        (OIDC, {"ADMIN": ""}, "ADMIN is missing"),
        (OIDC, {"ALLOW_GROUPS": "physics"}, "ALLOW_GROUPS needs AUTH_GROUPS_CLAIM"),
        (GITHUB, {"ALLOW_GROUPS": "my lab"}, "ALLOW_GROUPS has 'my lab'"),
        (GITHUB, {"ALLOW_GROUPS": "a/../b"}, "ALLOW_GROUPS has 'a/../b'"),
        (GITHUB, {"AUTH_GROUPS_CLAIM": "groups"}, "AUTH_GROUPS_CLAIM does not work"),
        ({**GITHUB, "AUTH": "google"}, {"ALLOW_GROUPS": "x"}, "ALLOW_GROUPS does not work"),
        (OIDC, {"AUTH_SCOPES": "profile,email"}, "AUTH_SCOPES has no openid"),
        ({**OIDC, "AUTH": "google"}, {}, "AUTH_URL does not work"),
        ({}, {"ALLOW_DOMAINS": "uni.example"}, "ALLOW_DOMAINS: these are for people"),
        ({}, {"AUTH_CLIENT_SECRET": "s3cr3t-of-the-hub"}, "AUTH_CLIENT_SECRET: these are"),
        ({}, {"ADMIN": "Ada@uni.example"}, "ADMIN='Ada@uni.example' is not valid"),
        ({}, {"AUTH": "ldap"}, "AUTH='ldap' is not valid: write one of local"),
        (OIDC, {"AUTH_CLIENT_SECRET": " s3cr3t-of-the-hub"}, "AUTH_CLIENT_SECRET=(not shown)"),
    ],
)
def test_a_fault_is_one_sentence_that_names_the_setting(
    base: dict[str, str], change: dict[str, str], begins: str
) -> None:
    [problem] = problems_of(**{**base, **change})
    assert problem.startswith(begins)
    assert "\n" not in problem
    assert "s3cr3t" not in problem


@pytest.mark.parametrize(
    "url",
    [
        "http://login.uni.example",  # the secret would travel in the clear
        "login.uni.example",
        "https://",
        "https://user:word@login.uni.example",
        "https://login.uni.example/?realm=a",
        "https://login.uni.example/#a",
        "https://login.uni.example:99999",
        "ftp://login.uni.example",
        "https://[::1",
    ],
)
def test_an_address_that_a_secret_must_not_go_to_is_refused(url: str) -> None:
    [problem] = problems_of(**{**OIDC, "AUTH_URL": url})
    assert problem.startswith("AUTH_URL=")


@pytest.mark.parametrize("url", ["http://127.0.0.1:3000", "http://localhost:3000/oidc"])
def test_http_is_taken_within_this_machine(url: str) -> None:
    assert load({**OIDC, "AUTH_URL": url}).auth_url == url


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ALLOW_DOMAINS", "uni"),
        ("ALLOW_DOMAINS", "@uni.example"),
        ("ALLOW_DOMAINS", "Uni.example"),
        ("ALLOW_DOMAINS", "*.example"),
        ("ALLOW_DOMAINS", "a.example,,b.example"),
        ("ALLOW_GROUPS", "a\nb"),
        ("AUTH_SCOPES", "openid profile"),
        ("ADMIN", "x" * 256),
        ("ADMIN", "a\0b"),
    ],
)
def test_a_bad_value_is_refused(name: str, text: str) -> None:
    [problem] = problems_of(**{**OIDC, "AUTH_GROUPS_CLAIM": "groups", name: text})
    assert problem.startswith(f"{name}=")


def test_the_secret_is_not_in_what_a_debugger_or_a_log_shows() -> None:
    assert "s3cr3t" not in repr(load(OIDC))
