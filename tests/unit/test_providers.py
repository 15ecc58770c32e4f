"""GitHub, GitLab, Google and OpenID Connect, by oauthenticator's own code and answers of ours.

The real ones cannot be had here. ``ANSWERS`` is a MOCK of what their documentation says they
answer; what asks, reads and decides is the real code of oauthenticator and of the hub.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from oauthenticator.oauth2 import _serialize_state
from tornado.httpclient import HTTPClientError, HTTPRequest
from traitlets.config import Config

from tinyberth_common.settings import load
from tinyberth_hub import berth_authenticator
from tinyberth_hub.ledger_client import LedgerClient
from tinyberth_hub.person_operations import Add
from tinyberth_hub.provider_authenticator import ProviderAuthenticator
from tinyberth_hub.providers import AUTHENTICATORS, update_provider
from tinyberth_hub.refusals import ChangeRefusedError
from tinyberth_hub.sign_in_refusals import SignInRefusedError

COMMON = {
    "AUTH_CLIENT_ID": "id:1",
    "AUTH_CLIENT_SECRET": "s3cr3t/ü",
    "ADMIN": "boss",
}
ISSUER = "https://login.uni.example"
GITHUB = {**COMMON, "AUTH": "github"}
GITLAB = {**COMMON, "AUTH": "gitlab"}
GOOGLE = {**COMMON, "AUTH": "google"}
OIDC = {**COMMON, "AUTH": "oidc", "AUTH_URL": ISSUER}
TOKEN = {"access_token": "t0ken", "token_type": "bearer", "scope": "x"}


def id_token(**changes: Any) -> str:
    """Return a token that outlasts the run: some are made when the tests are collected."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": "id:1", "sub": "7", "iat": now, "exp": now + 7200}
    return jwt.encode({**claims, **changes}, "not checked, see oidc_authenticator" * 2)


ANSWERS: dict[str, Any] = {
    "https://github.com/login/oauth/access_token": TOKEN,
    "https://api.github.com/user": {"login": "Docker", "id": 583231, "email": None},
    "https://api.github.com/user/emails": [
        {"email": "mona@uni.example", "verified": True, "primary": False},
        {"email": "mona@evil.example", "verified": False, "primary": True},
    ],
    "https://api.github.com/orgs/my-lab/members/Docker": (204, b""),
    "https://api.github.com/orgs/my-lab/teams/students/members/Docker": (204, b""),
    "https://gitlab.com/oauth/token": TOKEN,
    "https://gitlab.com/api/v4/version": {"version": "17.1.0-ee"},
    "https://gitlab.com/api/v4/user": {
        "id": 1,
        "username": "john.smith",
        "email": "john@uni.example",
        "confirmed_at": "2012-05-23T09:05:22Z",
    },
    "https://gitlab.com/api/v4/groups/my-lab%252Fstudents/members/all/1": {"id": 1},
    "https://www.googleapis.com/oauth2/v4/token": TOKEN,
    "https://www.googleapis.com/oauth2/v1/userinfo": {
        "id": "108",
        "email": "ada@uni.example",
        "verified_email": True,
        "hd": "uni.example",
    },
    f"{ISSUER}/.well-known/openid-configuration": {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/auth",
        "token_endpoint": f"{ISSUER}/token",
        "userinfo_endpoint": f"{ISSUER}/me",
        "end_session_endpoint": f"{ISSUER}/out?a=b",
    },
    f"{ISSUER}/token": {**TOKEN, "id_token": id_token(groups=["nlp", "staff", "bo\nom"])},
    f"{ISSUER}/me": {
        "sub": "7",
        "preferred_username": "José",
        "email": "jose@uni.example",
        "email_verified": True,
    },
}


@dataclass
class MockProvider:
    """Answers as ``http_client``; everything else is 404, as GitHub says who is no member."""

    answers: dict[str, Any]
    asked: list[HTTPRequest] = field(default_factory=list)

    async def fetch(self, request: HTTPRequest, raise_error: bool = True) -> Any:
        self.asked.append(request)
        answer = self.answers.get(request.url, (404, b"{}"))
        if isinstance(answer, Exception):
            raise answer
        code, body = answer if isinstance(answer, tuple) else (200, json.dumps(answer).encode())
        reply = SimpleNamespace(code=code, body=body, headers={})
        if code >= 400 and raise_error:
            raise HTTPClientError(code, response=reply)
        return reply


class Handler:
    """What comes back from the provider: a code, and the state of this browser."""

    def get_argument(self, name: str, default: Any = None) -> Any:
        return {"code": "c0de"}.get(name, default)

    def get_state_cookie(self) -> str:
        return str(_serialize_state({"state_id": "1", "code_verifier": "v" * 43}))


class FakePeople:
    """Records changes and makes the account, as the true one does last."""

    def __init__(self, accounts: Any) -> None:
        self.accounts, self.changes = accounts, list[Any]()
        self.admins: set[str] = set()
        self.hub = SimpleNamespace(
            is_admin=lambda login: login in self.admins,
            find=lambda _: None,
            teams=dict,
        )

    def is_leaving(self, _: str) -> bool:
        return False

    async def change(self, operation: Any, **_: str) -> None:
        self.changes.append(operation)
        if isinstance(operation, Add):
            if operation.login == "taken":
                raise ChangeRefusedError(409, "taken is a team.")
            self.accounts.ensure(operation.login, operation.name)


Make = Callable[..., ProviderAuthenticator]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    async def list_berths(_: Any) -> list[Any]:
        return [SimpleNamespace(login="ada")]

    monkeypatch.setattr(berth_authenticator, "STATE_DIR", tmp_path)
    monkeypatch.setattr(LedgerClient, "list_berths", list_berths)

    def make_one(variables: dict[str, str], **answers: Any) -> ProviderAuthenticator:
        settings = load(variables)
        config = Config()
        update_provider(config, settings)
        authenticator = AUTHENTICATORS[settings.auth](config=config)
        authenticator.http_client = MockProvider({**ANSWERS, **answers})
        authenticator.people = FakePeople(authenticator.accounts)
        return authenticator

    return make_one


async def _come_back(authenticator: ProviderAuthenticator) -> dict[str, Any] | None:
    await authenticator.prepare_to_ask()
    model: dict[str, Any] | None = await authenticator.get_authenticated_user(Handler(), None)
    return model


def sign_in(authenticator: ProviderAuthenticator) -> str:
    model = asyncio.run(_come_back(authenticator))
    assert model
    return str(model["name"])


def refusal(authenticator: ProviderAuthenticator) -> SignInRefusedError:
    with pytest.raises(SignInRefusedError) as refused:
        asyncio.run(_come_back(authenticator))
    return refused.value


DOCKER = "docker--"  # GitHub's user Docker: a reserved name here


@pytest.mark.parametrize(
    ("variables", "login"),
    [
        ({**GITHUB, "ALLOW_GROUPS": "my-lab"}, DOCKER),
        ({**GITHUB, "ALLOW_GROUPS": "other-lab,my-lab:students"}, DOCKER),
        ({**GITHUB, "ALLOW_DOMAINS": "uni.example"}, DOCKER),
        ({**GITLAB, "ALLOW_GROUPS": "my-lab/students"}, "john-smith--"),
        ({**GITLAB, "ALLOW_DOMAINS": "uni.example"}, "john-smith--"),
        ({**GOOGLE, "ALLOW_DOMAINS": "uni.example"}, "ada--"),
        ({**OIDC, "ALLOW_DOMAINS": "uni.example"}, "jose--"),
        ({**OIDC, "ALLOW_GROUPS": "nlp", "AUTH_GROUPS_CLAIM": "groups"}, "jose--"),
    ],
)
def test_a_rule_lets_in(make: Make, variables: dict[str, str], login: str) -> None:
    assert sign_in(make(variables)).startswith(login)


@pytest.mark.parametrize(
    "variables",
    [
        {**GITHUB, "ALLOW_GROUPS": "other-lab,other-lab:students"},
        {**GITHUB, "ALLOW_DOMAINS": "evil.example"},  # hers, she says, but not verified
        {**GITHUB, "ALLOW_ADDED": "yes"},
        {**GITLAB, "ALLOW_GROUPS": "other"},
        {**GITLAB, "ALLOW_ADDED": "yes"},
        {**GOOGLE, "ALLOW_DOMAINS": "other.example"},
        {**OIDC, "ALLOW_GROUPS": "physics", "AUTH_GROUPS_CLAIM": "groups"},
    ],
)
def test_without_a_rule_that_fits_nothing_is_made(make: Make, variables: dict[str, str]) -> None:
    authenticator = make(variables)
    refused = refusal(authenticator)
    assert refused.status == 403
    assert "nobody has let that account in" in refused.text
    assert ("Ask your admin to add" in refused.text) == ("ALLOW_ADDED" in variables)
    assert authenticator.people.changes == []
    assert authenticator.accounts.all() == {}


def test_whom_an_admin_added_gets_in_and_an_admin_always(make: Make) -> None:
    authenticator = make({**OIDC, "ALLOW_ADDED": "yes"})
    login, shown = authenticator.resolve_person("José")
    assert shown == "José"
    authenticator.accounts.ensure(login, shown)
    assert sign_in(authenticator) == login
    only_others = make({**OIDC, "ALLOW_DOMAINS": "other.example"})
    only_others.people.admins = {login}
    assert sign_in(only_others) == login


def test_a_known_subject_keeps_the_login_whatever_the_name(make: Make) -> None:
    authenticator = make({**OIDC, "ALLOW_DOMAINS": "uni.example"})
    login = sign_in(authenticator)
    renamed = {**ANSWERS[f"{ISSUER}/me"], "preferred_username": "root"}
    assert sign_in(make({**OIDC, "ALLOW_DOMAINS": "uni.example"},
                        **{f"{ISSUER}/me": renamed})) == login  # fmt: skip


def test_another_subject_of_the_same_name_is_refused(make: Make) -> None:
    login = sign_in(make({**OIDC, "ALLOW_DOMAINS": "uni.example"}))
    other = {
        f"{ISSUER}/token": {**TOKEN, "id_token": id_token(sub="8")},
        f"{ISSUER}/me": {**ANSWERS[f"{ISSUER}/me"], "sub": "8"},
    }
    second = make({**OIDC, "ALLOW_DOMAINS": "uni.example"}, **other)
    assert "belongs to another account" in refusal(second).text
    assert second.accounts.get(login).subject == "7"


def test_another_provider_has_other_people(make: Make) -> None:
    """Subject 1 of GitLab is nobody of GitHub's."""
    make({**GITLAB, "ALLOW_DOMAINS": "uni.example"}).accounts.ensure("ada")
    github = make({**GITHUB, "ALLOW_DOMAINS": "uni.example"})
    github.accounts.bind_subject("ada", "gitlab:", "583231")
    assert sign_in(github).startswith(DOCKER)


def test_a_name_that_imitates_a_login_is_somebody_else(make: Make) -> None:
    login = sign_in(make({**OIDC, "ALLOW_DOMAINS": "uni.example"}))
    imitation = {
        f"{ISSUER}/token": {**TOKEN, "id_token": id_token(sub="8")},
        f"{ISSUER}/me": {**ANSWERS[f"{ISSUER}/me"], "sub": "8", "preferred_username": login},
    }
    assert sign_in(make({**OIDC, "ALLOW_DOMAINS": "uni.example"}, **imitation)) != login


def test_groups_become_teams_of_valid_names(make: Make) -> None:
    authenticator = make({**OIDC, "ALLOW_DOMAINS": "uni.example", "AUTH_GROUPS_CLAIM": "groups"})

    sign_in(authenticator)
    (added,) = authenticator.people.changes[:1]
    assert [team.partition("--")[0] for team in sorted(added.teams)] == ["nlp", "staff"]
    assert len(max(added.teams, key=len)) > len("staff")


def test_what_the_ledger_refuses_is_a_page(make: Make) -> None:
    taken = {f"{ISSUER}/me": {**ANSWERS[f"{ISSUER}/me"], "preferred_username": "taken"}}
    refused = refusal(make({**OIDC, "ALLOW_DOMAINS": "uni.example"}, **taken))
    assert (refused.status, refused.text) == (409, "taken is a team.")


@pytest.mark.parametrize(
    ("url", "answer", "status", "said"),
    [
        ("/token", ConnectionRefusedError(), 503, "does not answer"),
        ("/token", HTTPClientError(599, "Timeout"), 503, "does not answer"),
        ("/token", (502, b"<html>"), 503, "does not answer"),
        ("/token", (400, b'{"error":"invalid_grant"}'), 400, "too long ago"),
        ("/token", (401, b'{"error":"invalid_client"}'), 502, "did not understand"),
        ("/token", (200, b"<html>"), 502, "did not understand"),
        ("/token", [], 502, "did not understand"),
        ("/token", None, 502, "did not understand"),
        ("/token", {"error": "bad_code", "error_description": "no"}, 400, "too long ago"),
        ("/token", {"access_token": 7}, 502, "did not understand"),
        ("/token", TOKEN, 502, "did not understand"),  # without an ID token
        ("/token", {**TOKEN, "id_token": id_token(aud="other")}, 502, "did not understand"),
        ("/token", {**TOKEN, "id_token": id_token(iss="https://x.y")}, 502, "did not understand"),
        ("/token", {**TOKEN, "id_token": id_token(exp=1)}, 502, "clocks"),
        ("/token", {**TOKEN, "id_token": id_token(iat=2**33)}, 502, "clocks"),
        ("/token", {**TOKEN, "id_token": id_token(sub="8")}, 502, "did not understand"),
        ("/me", (500, b"{}"), 503, "does not answer"),
        ("/me", [], 502, "did not understand"),
        ("/me", {"sub": "7", "name": "José"}, 403, "did not tell this hub your name"),
        ("/me", {"sub": "7", "preferred_username": "a\nb"}, 403, "cannot be a name here"),
        ("/me", {"sub": "7", "preferred_username": "x" * 10**6}, 403, "cannot be a name here"),
    ],
)
def test_every_failure_is_a_page_and_tells_no_secret(
    make: Make,
    caplog: pytest.LogCaptureFixture,
    *,
    url: str,
    answer: Any,
    status: int,
    said: str,
) -> None:
    authenticator = make({**OIDC, "ALLOW_DOMAINS": "uni.example"}, **{f"{ISSUER}{url}": answer})
    refused = refusal(authenticator)
    assert (refused.status, said in refused.text) == (status, True), refused.text
    assert len(refused.text) < 400
    for secret in ("s3cr3t", "t0ken", "c0de"):
        assert secret not in refused.text + caplog.text


def test_a_provider_that_is_another_one_gets_no_secret(make: Make) -> None:
    document = {**ANSWERS[f"{ISSUER}/.well-known/openid-configuration"], "issuer": "https://x.y"}
    authenticator = make(
        {**OIDC, "ALLOW_DOMAINS": "uni.example"},
        **{f"{ISSUER}/.well-known/openid-configuration": document},
    )
    assert refusal(authenticator).status == 502
    assert len(authenticator.http_client.asked) == 1


def test_id_and_secret_are_sent_as_the_standard_says(make: Make) -> None:
    """RFC 6749, section 2.3.1: each form-encoded, then both by HTTP basic."""
    authenticator = make({**OIDC, "ALLOW_DOMAINS": "uni.example"})
    sign_in(authenticator)
    (request,) = [r for r in authenticator.http_client.asked if r.url == f"{ISSUER}/token"]
    scheme, _, pair = request.headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(pair)) == ("Basic", b"id%3A1:s3cr3t%2F%C3%BC")
    sent = parse_qs(request.body.decode())
    assert "client_secret" not in sent
    assert sent["code_verifier"] == ["v" * 43]
    assert sent["redirect_uri"] == ["http://hub.localhost:8000/hub/oauth_callback"]


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        (GITHUB, "https://github.com/logout"),
        ({**GITHUB, "AUTH_URL": "https://git.uni.example"}, "https://git.uni.example/logout"),
        (GITLAB, ""),
        (GOOGLE, "https://accounts.google.com/Logout"),
        (OIDC, f"{ISSUER}/out?a=b&client_id=id%3A1"),
    ],
)
def test_where_people_sign_out_of_the_provider(
    make: Make, variables: dict[str, str], url: str
) -> None:
    authenticator = make({**variables, "ALLOW_ADDED": "yes"})
    assert asyncio.run(authenticator.find_sign_out_url()) == url


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (GITHUB, {"login_service": "GitHub", "scope": [], "username_claim": "login"}),
        ({**GITHUB, "ALLOW_GROUPS": "a"}, {"scope": ["read:org"], "allowed_organizations": {"a"}}),
        ({**GITHUB, "ALLOW_DOMAINS": "a.b"}, {"scope": ["user:email"]}),
        (
            {**GITHUB, "AUTH_URL": "https://git.uni.example/"},
            {
                "login_service": "GitHub (git.uni.example)",
                "github_api": "https://git.uni.example/api/v3",
                "provider": "github:https://git.uni.example",
            },
        ),
        (GITLAB, {"gitlab_url": "https://gitlab.com", "scope": ["read_user"]}),
        (
            {**GITLAB, "AUTH_URL": "https://git.uni.example", "ALLOW_GROUPS": "a/b"},
            {
                "token_url": "https://git.uni.example/oauth/token",
                "scope": ["read_api"],
                "allowed_gitlab_groups": {"a/b"},
            },
        ),
        (GOOGLE, {"scope": ["openid", "email"], "username_claim": "email", "hosted_domain": []}),
        (
            {**OIDC, "AUTH_NAME_CLAIM": "upn", "AUTH_GROUPS_CLAIM": "groups"},
            {
                "login_service": "login.uni.example",
                "scope": ["openid", "profile", "email"],
                "username_claim": "upn",
                "groups_claim": "groups",
                "manage_groups": True,
            },
        ),
        ({**OIDC, "AUTH_SCOPES": "openid,groups"}, {"scope": ["openid", "groups"]}),
        ({**OIDC, "AUTH_NAME": "Uni Login"}, {"login_service": "Uni Login"}),
    ],
)
def test_settings_become_configuration(
    make: Make, variables: dict[str, str], expected: dict[str, Any]
) -> None:
    authenticator = make({**variables, "ALLOW_ADDED": "yes"})
    expected = {
        "allow_all": False,
        "auto_login": False,
        "enable_pkce": True,
        "enable_auth_state": False,
        "validate_server_cert": True,
        "oauth_callback_url": "http://hub.localhost:8000/hub/oauth_callback",
        **expected,
    }
    assert {name: getattr(authenticator, name) for name in expected} == expected
