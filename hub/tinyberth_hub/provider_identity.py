"""Who a provider says that somebody is, and whether the rules let that person in. All pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import sign_in_refusals as refusals

Claims = Mapping[str, Any]


@dataclass(frozen=True)
class Identity:
    """Somebody at a provider.

    ``subject`` never changes and is never another person's; ``name`` may change. ``domains`` are
    those of e-mail addresses that the provider has verified.
    """

    subject: str
    name: str
    domains: frozenset[str] = frozenset()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class AllowRules:
    """Who may come in; any one of the rules is enough."""

    added: bool = False
    groups: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    def allow(self, identity: Identity, *, was_added: bool) -> bool:
        return (
            (self.added and was_added)
            or not self.groups.isdisjoint(identity.groups)
            or not self.domains.isdisjoint(identity.domains)
        )


def identity_of_github(
    user: Claims, emails: Iterable[Claims], service: str, name_claim: str
) -> Identity:
    """Read ``GET /user`` and ``GET /user/emails``."""
    verified = [entry.get("email") for entry in emails if entry.get("verified") is True]
    return _identity(user, user.get("id"), verified, service=service, name_claim=name_claim)


def identity_of_gitlab(user: Claims, service: str, name_claim: str) -> Identity:
    """Read ``GET /api/v4/user``: a new address stands elsewhere in it until it is confirmed."""
    verified = [user.get("email")] if user.get("confirmed_at") else []
    return _identity(user, user.get("id"), verified, service=service, name_claim=name_claim)


def identity_of_google(user: Claims, service: str, name_claim: str) -> Identity:
    """Read ``GET /oauth2/v1/userinfo``.

    For a domain Google vouches where it runs the domain's mail (``hd``); another address was the
    person's when it was verified, and need not be so now.
    """
    verified = [user.get("email")] if user.get("verified_email") is True else []
    identity = _identity(user, user.get("id"), verified, service=service, name_claim=name_claim)
    return replace(identity, domains=identity.domains & {"gmail.com", user.get("hd")})


def identity_of_oidc(
    claims: Claims, service: str, name_claim: str, groups_claim: str = ""
) -> Identity:
    """Read the standard claims (OpenID Connect Core, section 5.1)."""
    # Some providers write it as a word.
    is_verified = claims.get("email_verified") in (True, "true")
    verified = [claims.get("email")] if is_verified else []
    groups = _groups(claims, groups_claim) if groups_claim else ()
    return _identity(
        claims, claims.get("sub"), verified, service=service, name_claim=name_claim, groups=groups
    )


def _identity(
    claims: Claims,
    subject: Any,
    verified: Iterable[Any],
    *,
    service: str,
    name_claim: str,
    groups: tuple[str, ...] = (),
) -> Identity:
    name = claims.get(name_claim)
    if isinstance(subject, bool) or not isinstance(subject, str | int) or not str(subject):
        raise refusals.not_understood(service)
    if not isinstance(name, str) or not name.strip():
        raise refusals.no_name(service, name_claim)
    emails = frozenset(mail.lower() for mail in verified if isinstance(mail, str) and "@" in mail)
    if name == claims.get("email") and name.lower() not in emails:
        raise refusals.unverified(service)
    domains = frozenset(email.rpartition("@")[2] for email in emails)
    return Identity(str(subject), name, domains, groups)


def _groups(claims: Claims, path: str) -> tuple[str, ...]:
    """Return the groups in the claim ``path``, in which dots lead down (Keycloak's roles)."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for key in path.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
    several = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return tuple(sorted({group for group in several if isinstance(group, str) and group.strip()}))
