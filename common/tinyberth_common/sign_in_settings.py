"""Settings of signing in that only make sense together: one sentence for each that does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .names import NameRefusedError, check_login

PROVIDERS = ("github", "gitlab", "google", "oidc")
"""Where people may come from, instead of passwords of ours (AUTH=local)."""

_GITHUB_GROUP = re.compile(r"[A-Za-z0-9-]+(:[A-Za-z0-9_.-]+)?")
_GITLAB_GROUP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_OF_PROVIDERS = (
    *("auth_url", "auth_name", "auth_client_id", "auth_client_secret"),
    *("auth_name_claim", "auth_groups_claim", "auth_scopes"),
    *("allow_added", "allow_groups", "allow_domains"),
)


def sign_in_problems(values: Mapping[str, Any], *, admin_given: bool) -> list[str]:
    """Return what is wrong with ``values``, the parsed settings by their names in small letters.

    ``admin_given``: whether ADMIN was set, and not taken from its default.
    """
    auth = values["auth"]
    if auth == "local":
        return [*_local_admin_problems(values["admin"]), *_unused_problems(values)]
    return [
        *_missing_problems(values, admin_given),
        *_allow_problems(values),
        *_claim_problems(values),
    ]


def _local_admin_problems(admin: str) -> list[str]:
    try:
        check_login(admin)
    except NameRefusedError as refusal:
        return [f"ADMIN={admin[:80]!a} is not valid: {refusal}"]
    return []


def _unused_problems(values: Mapping[str, Any]) -> list[str]:
    """With AUTH=local a rule that somebody believes in would do nothing."""
    named = [name.upper() for name in _OF_PROVIDERS if values[name]]
    if not named:
        return []
    return [
        f"{', '.join(named)}: these are for people who sign in elsewhere, but AUTH is local; "
        f"set AUTH to one of {', '.join(PROVIDERS)}, or remove them."
    ]


def _missing_problems(values: Mapping[str, Any], admin_given: bool) -> list[str]:
    auth = values["auth"]
    problems = [
        f"{name} is missing: AUTH={auth} needs what {_SHOWN[auth]} gave you when you "
        "registered this hub there (docs/signing-in.md)."
        for name in ("AUTH_CLIENT_ID", "AUTH_CLIENT_SECRET")
        if not values[name.lower()]
    ]
    if auth == "oidc" and not values["auth_url"]:
        problems.append(
            "AUTH_URL is missing: AUTH=oidc needs the provider's issuer, such as "
            "https://login.uni.example/realms/students."
        )
    if not admin_given:
        # Whoever calls himself "admin" at the provider would be the admin here.
        problems.append(
            f"ADMIN is missing: with AUTH={auth} write the first admin's name as "
            f"{_SHOWN[auth]} gives it, such as {_ADMIN_EXAMPLE[auth]}."
        )
    return problems


def _allow_problems(values: Mapping[str, Any]) -> list[str]:
    auth = values["auth"]
    if not (values["allow_added"] or values["allow_groups"] or values["allow_domains"]):
        return [
            f"AUTH={auth} lets nobody in without a rule: set ALLOW_ADDED=yes (people that an "
            "admin added), ALLOW_GROUPS or ALLOW_DOMAINS."
        ]
    if not values["allow_groups"]:
        return []
    if auth == "google":
        return ["ALLOW_GROUPS does not work with AUTH=google: use ALLOW_DOMAINS or ALLOW_ADDED."]
    if auth == "oidc" and not values["auth_groups_claim"]:
        return ["ALLOW_GROUPS needs AUTH_GROUPS_CLAIM: the claim that holds a person's groups."]
    pattern = {"github": _GITHUB_GROUP, "gitlab": _GITLAB_GROUP}.get(auth)
    wrong = [group for group in values["allow_groups"] if pattern and not pattern.fullmatch(group)]
    return [
        f"ALLOW_GROUPS has {group[:80]!a}, which {_SHOWN[auth]} does not know: write it as it "
        f"stands in its address there, such as {_GROUP_EXAMPLE[auth]}."
        for group in wrong
    ]


def _claim_problems(values: Mapping[str, Any]) -> list[str]:
    auth = values["auth"]
    problems = []
    if values["auth_groups_claim"] and auth != "oidc":
        problems.append(
            f"AUTH_GROUPS_CLAIM does not work with AUTH={auth}, which tells no groups that way: "
            "remove it and make teams by hand, or use AUTH=oidc if the provider speaks it."
        )
    if auth == "oidc" and values["auth_scopes"] and "openid" not in values["auth_scopes"]:
        problems.append("AUTH_SCOPES has no openid, which OpenID Connect needs: add it.")
    if values["auth_url"] and auth == "google":
        problems.append("AUTH_URL does not work with AUTH=google: remove it.")
    return problems


_SHOWN = {"github": "GitHub", "gitlab": "GitLab", "google": "Google", "oidc": "the provider"}
_ADMIN_EXAMPLE = {
    "github": "octocat",
    "gitlab": "ada",
    "google": "ada@uni.example",
    "oidc": "ada or ada@uni.example",
}
_GROUP_EXAMPLE = {"github": "my-lab or my-lab:students", "gitlab": "my-lab/students"}
