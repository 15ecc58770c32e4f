"""What a provider says of itself is believed only where a secret may go."""

from __future__ import annotations

from typing import Any

import pytest

from tinyberth_hub.oidc_discovery import DiscoveryError, discovery_url, read_discovery

ISSUER = "https://login.uni.example/realms/students"
DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/auth?policy=a",
    "token_endpoint": f"{ISSUER}/token",
    "userinfo_endpoint": f"{ISSUER}/me",
    "end_session_endpoint": f"{ISSUER}/out",
}


def test_a_whole_document_is_read() -> None:
    found = read_discovery(DOCUMENT, f"{ISSUER}/")  # people write the last slash or not
    assert (found.issuer, found.token) == (ISSUER, f"{ISSUER}/token")
    assert found.end_session.endswith("/out")


@pytest.mark.parametrize("issuer", [ISSUER, f"{ISSUER}/"])
def test_the_document_is_below_the_issuer(issuer: str) -> None:
    assert discovery_url(issuer) == f"{ISSUER}/.well-known/openid-configuration"


@pytest.mark.parametrize("optional", ["userinfo_endpoint", "end_session_endpoint"])
def test_what_the_standard_leaves_open_may_be_missing(optional: str) -> None:
    read_discovery({k: v for k, v in DOCUMENT.items() if k != optional}, ISSUER)


@pytest.mark.parametrize(
    ("methods", "basic"),
    [
        (None, True),  # the standard's default
        (["client_secret_post"], False),
        (["client_secret_post", "client_secret_basic"], True),
    ],
)
def test_the_secret_goes_the_way_that_the_provider_takes_it(
    methods: list[str] | None, basic: bool
) -> None:
    more = {"token_endpoint_auth_methods_supported": methods} if methods else {}
    assert read_discovery({**DOCUMENT, **more}, ISSUER).basic_auth == basic


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "issuer",
        {},
        {**DOCUMENT, "issuer": "https://evil.example"},
        {**DOCUMENT, "token_endpoint": "http://login.uni.example/token"},
        {**DOCUMENT, "token_endpoint": None},
        {**DOCUMENT, "authorization_endpoint": "javascript:alert(1)"},
        {**DOCUMENT, "userinfo_endpoint": ["https://login.uni.example/me"]},
        {**DOCUMENT, "end_session_endpoint": "//evil.example"},
    ],
)
def test_anything_else_is_refused(document: Any) -> None:
    with pytest.raises(DiscoveryError):
        read_discovery(document, ISSUER)
